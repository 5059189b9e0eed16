"""The request as it would be sent, for reading and copying: secrets are masked in every form of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import JobSpec, Secret
from dispersed_web.jobs import cooking, marker, secret_refs, specs
from dispersed_web.jobs.refusal import Refusal
from dispersed_web.recipes import references
from dispersed_web.recipes.document import REGISTRY_SECRET
from dispersed_web.recipes.references import VOLUME
from dispersed_web.web.forms import review_api
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.review_api import MASK

AT_LAUNCH = "(added at launch)"


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
    return Review(_text(call), review_api.curl(form, spec, secret), _faults(form), names)


def _create_call(masked: JobSpec) -> dict[str, Any]:
    body = masked.to_body()
    body["title"] = f"{masked.title} {AT_LAUNCH}".strip()
    body["description"] = f"{masked.description} {AT_LAUNCH}".strip()
    docker = body["parameters"]["parameters"]
    docker["env"] = {**docker.get("env", {}), marker.ENV_NAME: AT_LAUNCH}
    docker["env"].setdefault(specs.HEARTBEAT_ENV, AT_LAUNCH)
    return body


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
