"""The launch form of a recipe of the cloud: the custom form, filled from what the recipe launches, and sent as its
overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, QueryDict

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import BATCH, PERSISTENT, Recipe, RecipePayload
from dispersed_web.dispersed.parse import is_opaque_id
from dispersed_web.jobs import cloud_recipes, marker
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from dispersed_web.web.forms.order import ANY_GPU, ANYONE, GPU_BY_NAME, SAME_NAME, TIMEOUTS
from dispersed_web.web.forms.prefill import Filling

LONGEST_TITLE = 120


@dataclass(frozen=True)
class Cook:
    """The recipe that is cooked; ``recipe`` is ``None`` where it could not be had, for the reason in ``trouble``."""

    uuid: str
    credential: Credential | None
    recipe: Recipe | None = None
    trouble: str = ""
    is_gone: bool = False

    @property
    def name(self) -> str:
        return self.recipe.name if self.recipe and self.recipe.name else self.uuid

    @property
    def payload(self) -> RecipePayload | None:
        return self.recipe.payload if self.recipe else None

    @property
    def kept_secret(self) -> list[str]:
        """What the recipe holds and the cloud does not give out, in words."""
        names = {"registry_secret": "the registry's password"}
        secrets = self.payload.secrets if self.payload else ()
        return [
            names.get(one) or one.removeprefix("env.").replace("volumes.", "the volume at ")
            for one in secrets
        ]


def cook_of(
    query: QueryDict, past: Job | None, credentials: Sequence[Credential], *, ask: bool
) -> Cook | None:
    """The recipe that the address, the sent form or a past job names; ``None`` for a launch that cooks nothing.

    One that was not seen yet is asked for now if ``ask``. Raises ``Http404`` for what cannot be a recipe.
    """
    wanted = query.get("cook") or (past.cook_uuid if past else "")
    if not wanted:
        return None
    if not is_opaque_id(wanted):
        raise Http404
    named = query.get("credential") or (str(past.credential_id) if past else "")
    credential = next((one for one in credentials if str(one.pk) == named), next(iter(credentials), None))
    if credential is None:
        return Cook(wanted, None)
    stored = cloud_recipes.find(credential.pk, wanted)
    if stored or not ask:
        return Cook(wanted, credential, stored)
    look = cloud_recipes.look(credential, wanted, team_id=credential.team_id)
    return Cook(wanted, credential, look.recipe, look.trouble, look.is_gone)


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
