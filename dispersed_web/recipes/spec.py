"""What a recipe asks for as a specification for the cloud. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import JobSpec, Secret, Volume
from dispersed_web.recipes.render import Rendered

_APART = ("env", "registry_secret", "volumes", "task", "title", "image")
_FIELDS = tuple(one.name for one in fields(JobSpec) if one.name not in _APART)


@sensitive_variables()
def job_spec(found: Rendered) -> JobSpec:
    """The specification of ``found``, whose title is as written. What is missing is empty: see its ``problems()``."""
    values: dict[str, Any] = {
        name: found.values[name] for name in _FIELDS if found.values.get(name) is not None
    }
    return JobSpec(
        task=found.values.get("task") or "",
        title=found.values.get("title") or "",
        image=found.values.get("image") or "",
        env=dict(found.env),
        registry_secret=Secret(found.registry_secret) if found.registry_secret else None,
        volumes=tuple(Volume.from_plain(one) for one in found.values.get("volumes") or ()),
        **values,
    )
