"""The address of the launch form with a longer time filled in, where a time that was too short ended a job. Pure."""

from __future__ import annotations

from urllib.parse import urlencode

from dispersed_web import durations
from dispersed_web.jobs.models import Job
from dispersed_web.recipes.document import Document
from dispersed_web.web.forms.recipe_inputs import name_of
from dispersed_web.web.job.cause_facts import Cause

MOST_S = durations.DAY_S


def longer_s(seconds: int) -> int:
    """Twice a time, a day at most, and never less than it was."""
    return max(seconds, min(2 * seconds, MOST_S))


def query_of(job: Job, cause: Cause | None) -> str:
    """What follows ``?again=…`` for a longer time: ``&max_timeout_start=1h``. Empty where the cause is another one, or
    the recipe of the job holds that time."""
    if cause is None or not cause.longer or job.cook_uuid:
        return ""
    seconds = longer_s(cause.longer_s)
    name = _field(job, cause.longer, seconds)
    return f"&{urlencode({name: durations.write(seconds)})}" if name else ""


def _field(job: Job, name: str, seconds: int) -> str:
    """The form's name of a time of the specification, which an input of a recipe may set."""
    if job.recipe_version is None:
        return name
    document = Document.from_json(job.recipe_version.document)
    target = f"{name}_ms"
    one = document.targets().get(target)
    if target in document.locked_targets() or (one and one.is_fixed):
        return ""
    if one is None:
        return name
    return "" if one.maximum is not None and seconds > one.maximum else name_of(one)
