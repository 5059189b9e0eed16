"""What people keep with one job, and where it came from, as plain values for the serializers."""

from __future__ import annotations

from typing import Any

from dispersed_web.api import present
from dispersed_web.jobs import keeping
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import queries as recipes


def of(job: Job) -> dict[str, Any]:
    """As whoever asks sees it: :func:`access.job` says who that is; of a job that was just launched, who launched it."""
    reader_id = getattr(job, "reader_id", job.created_by_id)
    return {
        "launched_by": present.person(job.created_by),
        "recipe": _recipe(job, reader_id),
        "tags": keeping.tags_of(job),
        "notes": job.notes,
        "notes_version": keeping.notes_version(job.notes),
        "starred": reader_id is not None and keeping.is_starred(job, reader_id),
    }


def _recipe(job: Job, reader_id: int | None) -> dict[str, Any] | None:
    """A recipe that the reader may not see is not named."""
    version = job.recipe_version
    if version is None or reader_id is None:
        return None
    recipe = recipes.visible_to(reader_id, job.team).filter(pk=version.recipe_id).first()
    return {"id": recipe.pk, "name": recipe.name, "version": version.number} if recipe else None
