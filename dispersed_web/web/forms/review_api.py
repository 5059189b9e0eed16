"""The launch that a form asks for as a call of this product's API, for copying: what is posted there launches the same.

From a recipe it is the recipe's own call: the answers, and what stands in the form in the place of what the recipe says.
A secret that was typed is never in it but masked, in letters that no launch takes: whoever sends it fills it in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import PERSISTENT, JobSpec, Volume
from dispersed_web.jobs import specs
from dispersed_web.recipes.document import LIST_FIELDS, REGISTRY_SECRET, USD_FIELDS, Input
from dispersed_web.recipes.references import VOLUME, Reference
from dispersed_web.recipes.render import Rendered
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_inputs import as_json
from dispersed_web.web.forms.recipe_launch import RecipeLaunchForm

MASK = "•••"
_OF_THE_STOP = ("idle_limit_s", "checkin_every_s", "uses_logs", "log_noise", "budget_usd", "rate_cap_usd")
_APART = frozenset(
    {"credential_id", "title", "env", "volumes", "registry_secret", "registry_secret_id", "cook_uuid"}
)


@sensitive_variables()
def curl(form: LaunchForm, spec: JobSpec, secret: frozenset[str]) -> str:
    """The command, with the token left to a variable of the shell."""
    path, body = call_of(form, spec, secret)
    return "\n".join(
        (
            f"curl -X POST {settings.PUBLIC_URL}{path} \\",
            '  -H "Authorization: Bearer $DW_TOKEN" \\',
            '  -H "Idempotency-Key: $(uuidgen)" \\',
            '  -H "Content-Type: application/json" \\',
            "  --data @- <<'JSON'",
            json.dumps(body, indent=2, ensure_ascii=False),
            "JSON",
        )
    )


@sensitive_variables()
def call_of(form: LaunchForm, spec: JobSpec, secret: frozenset[str]) -> tuple[str, dict[str, Any]]:
    """The path and the body."""
    flat = api_body(form, spec, secret)
    if not isinstance(form, RecipeLaunchForm):
        return "/api/v1/jobs", flat
    body = {
        "credential_id": flat["credential_id"],
        "version": form.version.number,
        "title": flat["title"],
        "answers": _answers(form),
    }
    if overrides := _overrides(form, flat, spec):
        body["overrides"] = overrides
    return f"/api/v1/recipes/{form.version.recipe_id}/launch", body


# From a recipe --------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _answers(form: RecipeLaunchForm) -> dict[str, Any]:
    secret, refs = form.inputs.secret_env(), form.inputs.row_refs()
    found = {}
    for key, value in form.inputs.answers().items():
        one = form.document.by_key[key]
        if one.type == "env":
            rows = (value or {}).items()
            found[key] = {
                name: MASK if name in secret else text for name, text in rows if f"env.{name}" not in refs
            }
        elif value is not None or one.default not in (None, "", []):
            found[key] = _answer(one, value)
    return found


@sensitive_variables()
def _answer(one: Input, value: Any) -> Any:
    if value is None:
        return ""
    if one.is_secret and not isinstance(value, Reference):
        return MASK
    return as_json(value)


@sensitive_variables()
def _overrides(form: RecipeLaunchForm, flat: Mapping[str, Any], spec: JobSpec) -> dict[str, Any]:
    """What the form says otherwise than the recipe with these answers."""
    meant = form.rendered
    theirs = {name: _plain(name, value) for name, value in (meant.values | meant.autostop).items()}
    ours = {name: _plain(name, value) for name, value in flat.items()}
    names = {name for name in (*ours, *theirs) if ours.get(name) != theirs.get(name)} - _APART
    found = {name: flat[name] if name in flat else _empty(name) for name in sorted(names)}
    if flat.get("volumes", []) != [_meant_volume(one, form) for one in meant.values.get("volumes") or ()]:
        found["volumes"] = flat.get("volumes", [])
    if "registry_secret" in flat and not meant.registry_secret:
        found["registry_secret"] = flat["registry_secret"]
    registry = form.secret_refs().get(REGISTRY_SECRET)
    if registry and form.known.name(registry) != meant.refs.get(REGISTRY_SECRET):
        found["registry_secret_id"] = flat["registry_secret_id"]
    elif not registry and REGISTRY_SECRET in meant.refs and "registry_secret" not in flat:
        found["registry_secret_id"] = None
    if removed := sorted(set(meant.env) - set(spec.env)):
        found["remove_env"] = removed
    if rows := list(_rows(form, flat, spec, meant)):
        found["env"] = rows
    return found


@sensitive_variables()
def _rows(
    form: RecipeLaunchForm, flat: Mapping[str, Any], spec: JobSpec, meant: Rendered
) -> Iterator[dict[str, Any]]:
    refs = {target: form.known.name(ref) for target, ref in form.secret_refs().items()}
    for row in flat.get("env", ()):
        name = row["name"]
        target, is_secret = f"env.{name}", name in meant.secret_env or specs.looks_secret(name)
        if target in refs:
            is_meant = meant.refs.get(target) == refs[target]
        else:
            is_meant = meant.env.get(name) == spec.env[name] and row["secret"] == is_secret
        if not is_meant:
            yield row


def _plain(name: str, value: Any) -> Any:
    """A value as two are compared by it; what says nothing is ``None``."""
    if value is None or value in ("", [], ()) or value is False:
        return None
    if name in USD_FIELDS:
        return Decimal(str(value))
    return list(value) if isinstance(value, tuple) else value


def _empty(name: str) -> Any:
    if name in LIST_FIELDS or name == "log_noise":
        return []
    if name == "uses_logs":
        return False
    return "" if isinstance(getattr(_NOTHING, name, None), str) else None


_NOTHING = JobSpec(task="", title="", image="")


def _meant_volume(volume: Mapping[str, Any], form: RecipeLaunchForm) -> dict[str, Any]:
    """As the recipe itself would be launched with it."""
    plain = {name: text for name, text in Volume.from_plain(volume).to_plain().items() if text}
    ref = form.rendered.refs.get(f"{VOLUME}{volume.get('mount', '')}")
    found = form.known.find(ref) if ref else None
    return {**plain, "team_secret_id": str(found.pk) if found else ref} if ref else plain


# The flat body --------------------------------------------------------------------------------------------------------


@sensitive_variables()
def api_body(form: LaunchForm, spec: JobSpec, secret: frozenset[str]) -> dict[str, Any]:
    """The body of ``POST /api/v1/jobs``; secret values are to be filled in by whoever sends it."""
    credential = form.chosen_credential
    data = form.cleaned_data
    body: dict[str, Any] = {
        "credential_id": str(credential.pk) if credential else None,
        "task": spec.task,
        "title": data.get("title") or "",
        **({"cook_uuid": form.cook.uuid} if form.cook else {}),
    }
    plain = ((name, getattr(spec, name)) for name in specs.PLAIN_FIELDS)
    body |= {name: list(v) if isinstance(v, tuple) else v for name, v in plain if v not in (None, "", ())}
    ids = _ids(form)
    if spec.volumes:
        body["volumes"] = [_volume(volume, ids) for volume in spec.volumes]
    if REGISTRY_SECRET in ids:
        body["registry_secret_id"] = ids[REGISTRY_SECRET]
    elif spec.registry_secret:
        body["registry_secret"] = MASK
    if spec.env:
        body["env"] = [
            {"name": name, "team_secret_id": ids[f"env.{name}"]}
            if f"env.{name}" in ids
            else {"name": name, "value": MASK if name in secret else value, "secret": name in secret}
            for name, value in sorted(spec.env.items())
        ]
    if spec.task == PERSISTENT:
        body["lifetime_s"] = data.get("lifetime")
    return body | _stop_choices(data)


def _volume(volume: Volume, ids: dict[str, str]) -> dict[str, str]:
    plain = {name: text for name, text in volume.to_plain().items() if text}
    target = f"{VOLUME}{volume.mount}"
    if target in ids:
        return {**plain, "team_secret_id": ids[target]}
    return {**plain, "secret": MASK} if volume.secret else plain


def _ids(form: LaunchForm) -> dict[str, str]:
    """The secrets of the team that are named, by their ids; one that is gone by what names it."""
    found = {target: (form.known.find(ref), ref) for target, ref in form.secret_refs().items()}
    return {target: str(row.pk) if row else ref for target, (row, ref) in found.items()}


def _stop_choices(data: dict[str, Any]) -> dict[str, Any]:
    named = {"idle_limit_s": "idle_limit", "checkin_every_s": "checkin_every"}
    found = {name: data.get(named.get(name, name)) for name in _OF_THE_STOP}
    money = ("budget_usd", "rate_cap_usd")
    return {
        name: str(value) if name in money else list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
        if value
    }
