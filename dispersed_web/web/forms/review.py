"""The request as it would be sent, for reading and copying: secrets are masked in every form of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import PERSISTENT, JobSpec, Secret, Volume
from dispersed_web.jobs import cooking, marker, secret_refs, specs
from dispersed_web.jobs.refusal import Refusal
from dispersed_web.jobs.secret_refs import VOLUME
from dispersed_web.recipes import references
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.web.forms.launch import LaunchForm

MASK = "•••"
AT_LAUNCH = "(added at launch)"
_OF_THE_STOP = ("idle_limit_s", "checkin_every_s", "uses_logs", "log_noise", "budget_usd", "rate_cap_usd")


@dataclass(frozen=True)
class Review:
    """``body`` is the create call of Dispersed, ``curl`` the same launch by this product's API. ``faults`` are what is in
    the way: the field's name and the sentence."""

    body: str
    curl: str
    faults: list[tuple[str, str]]
    secrets: list[str]

    def with_refusals(self, refusals: Iterable[Refusal]) -> Review:
        """With what the credential's caps forbid, as far as no field says it already."""
        said = {sentence for _, sentence in self.faults}
        more = [("Credential", one.sentence) for one in refusals if one.sentence not in said]
        return replace(self, faults=[*self.faults, *more])


@sensitive_variables()
def review_of(form: LaunchForm) -> Review:
    secret = form.secret_env()
    spec = form.spec()
    named = secret_refs.names_of(form.secret_refs(), form.known)
    told = {target: references.words(name) for target, name in named.items()}
    masked = replace(
        spec,
        env={
            name: told.get(f"env.{name}", MASK if name in secret else value)
            for name, value in spec.env.items()
        },
        registry_secret=Secret(told.get(REGISTRY_SECRET, MASK)) if spec.registry_secret else None,
        volumes=tuple(
            replace(
                volume, secret=Secret(told.get(f"{VOLUME}{volume.mount}", MASK)) if volume.secret else None
            )
            for volume in spec.volumes
        ),
    )
    names = [name for name in sorted(secret & set(spec.env)) if f"env.{name}" not in named]
    names += ["registry_secret"] if spec.registry_secret and REGISTRY_SECRET not in named else []
    names += [
        f"the secret of {volume.mount}"
        for volume in spec.volumes
        if volume.secret and f"{VOLUME}{volume.mount}" not in named
    ]
    call = _create_call(masked)
    if form.cook:
        call = cooking.overrides(call, form.cook.payload)
    return Review(_text(call), _curl(form, spec, secret), _faults(form), names)


def _create_call(masked: JobSpec) -> dict[str, Any]:
    body = masked.to_body()
    body["title"] = f"{masked.title} {AT_LAUNCH}".strip()
    body["description"] = f"{masked.description} {AT_LAUNCH}".strip()
    docker = body["parameters"]["parameters"]
    docker["env"] = {**docker.get("env", {}), marker.ENV_NAME: AT_LAUNCH}
    docker["env"].setdefault(specs.HEARTBEAT_ENV, AT_LAUNCH)
    return body


@sensitive_variables()
def _curl(form: LaunchForm, spec: JobSpec, secret: frozenset[str]) -> str:
    return "\n".join(
        (
            f"curl -X POST {settings.PUBLIC_URL}/api/v1/jobs \\",
            '  -H "Authorization: Bearer $DW_TOKEN" \\',
            '  -H "Idempotency-Key: $(uuidgen)" \\',
            '  -H "Content-Type: application/json" \\',
            "  --data @- <<'JSON'",
            _text(api_body(form, spec, secret)),
            "JSON",
        )
    )


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


def _text(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _faults(form: LaunchForm) -> list[tuple[str, str]]:
    found = [(_label(form, name), sentence) for name, texts in form.errors.items() for sentence in texts]
    for sources in form.row_sources():
        for row in sources.forms:
            found += [("Environment", sentence) for texts in row.errors.values() for sentence in texts]
    if inputs := getattr(form, "inputs", None):
        for name, texts in inputs.errors.items():
            label = inputs.fields[name].label if name in inputs.fields else ""
            found += [(label, sentence) for sentence in texts]
    return found


def _label(form: LaunchForm, name: str) -> str:
    return str(form[name].label) if name in form.fields else ""
