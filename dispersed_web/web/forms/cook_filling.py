"""What the form of a recipe of the cloud begins with: what the recipe launches, or what a past job of it was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dispersed_web.dispersed import BATCH, PERSISTENT, RecipePayload
from dispersed_web.jobs import marker
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.recipes.document import GPU, REGISTRY_SECRET, Input
from dispersed_web.recipes.references import TEAM_SECRET, Reference
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.cook import Cook
from dispersed_web.web.forms.filling import Filling
from dispersed_web.web.forms.order import ANY_GPU, ANYONE, GPU_BY_NAME, SAME_NAME, TIMEOUTS
from dispersed_web.web.forms.recipe_values import fields_of
from dispersed_web.web.forms.team_secrets import ref_of

LONGEST_TITLE = 120


def from_cook(filling: Filling, cook: Cook, team: Team) -> Filling:
    """What the recipe launches, in the fields of the form. Its secrets stay with the cloud, so no field has them; its
    own SSH key does not count, everybody brings theirs."""
    payload = cook.payload
    values = filling.values | {"credential": cook.credential.pk if cook.credential else None}
    if payload is None:
        return replace(filling, values=values)
    given = {name: getattr(payload, name) for name in SAME_NAME if name != "ssh_key"}
    values |= {name: value for name, value in given.items() if value not in (None, "")}
    for name in TIMEOUTS:
        if milliseconds := getattr(payload, f"{name}_ms"):
            values[name] = max(milliseconds // 1000, 1)
    if payload.task not in (BATCH, PERSISTENT):
        values["task"] = PERSISTENT
    values["title"] = (payload.title or cook.name)[:LONGEST_TITLE]
    values["description"] = _ascii(payload.description)
    values |= _machine(payload) | _reach(payload)
    if payload.ports:
        values["ports"] = payload.ports
    values["volumes"] = [volume.to_plain() for volume in payload.volumes]
    values["lifetime"] = team.default_lifetime_s
    env = [{"name": name, "value": value, "kind": ""} for name, value in payload.env.items()]
    return replace(filling, values=values, env=[row for row in env if row["name"] != marker.ENV_NAME])


def _ascii(text: str) -> str:
    """Without what cannot be sent."""
    return text if text.isascii() and "\0" not in text else ""


def _machine(payload: RecipePayload) -> dict[str, Any]:
    values: dict[str, Any] = {"allowed_region_codes": list(payload.allowed_region_codes)}
    if payload.gpu_registry_uuid:
        return values | {"gpu": payload.gpu_registry_uuid}
    if payload.gpu_name:
        return values | {"gpu": GPU_BY_NAME, "gpu_name": payload.gpu_name}
    return values | {"gpu": ANY_GPU}


def _reach(payload: RecipePayload) -> dict[str, Any]:
    """The recipe's own addresses are its author's: shown for the launcher to judge."""
    if not payload.allowed_ips:
        return {}
    if ANYONE in payload.allowed_ips:
        return {"reach": "anyone"}
    return {"reach": "list", "allowed_ips": payload.allowed_ips}


# Again ----------------------------------------------------------------------------------------------------------------


def answers_again(asked: Iterable[Input], past: Filling, known: Known) -> dict[str, Any]:
    """What a past job answers to the questions of its recipe, from the fields and rows of its filling. A secret is asked
    for again, or named again."""
    rows = {row["name"]: row for row in past.env}
    found = {}
    for one in asked:
        if one.env_name:
            value = _of_row(one, rows.get(one.env_name), known)
        elif one.to == REGISTRY_SECRET:
            value = _named(past.values.get("registry_from"), known)
        else:
            value = _of_fields(one, past.values)
        if value is not None:
            found[one.key] = value
    return found


def _of_row(one: Input, row: Mapping[str, Any] | None, known: Known) -> Any:
    if row is None:
        return None
    if one.type == "secret":
        return _named(row.get(TEAM_SECRET), known)
    return row.get("value") == one.on if one.type == "switch" else row.get("value")


def _named(choice: Any, known: Known) -> dict[str, str] | None:
    return Reference(known.name(ref_of(choice))).to_json() if choice else None


def _of_fields(one: Input, values: Mapping[str, Any]) -> Any:
    """The answer that sets the fields to these values; empty ones too, or the question would begin with its default."""
    if one.to == GPU:
        gpu = values.get("gpu") or ANY_GPU
        return values.get("gpu_name") if gpu == GPU_BY_NAME else gpu
    if one.to == "allowed_ips":
        reach = values.get("reach")
        return (
            [ANYONE]
            if reach == "anyone"
            else list(values.get("allowed_ips") or ())
            if reach == "list"
            else None
        )
    value = values.get(fields_of(one.to)[0])
    if isinstance(value, (list, tuple)):
        return list(value)
    if one.type == "choice" and value is not None:
        return str(value)
    return "" if value is None else value
