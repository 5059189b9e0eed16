"""Changing what was chosen for a running job, inside the team's bounds: how it is stopped, and what it may cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from dispersed_web.autostop.extend import refuse_if_late
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import cap_facts
from dispersed_web.jobs.errors import JobError, LaunchRefused
from dispersed_web.jobs.launch import StopChoices, check_choices
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.recipes import keeping
from dispersed_web.recipes.document import Document
from dispersed_web.teams.models import AutostopPolicy

WORDS = {
    "idle_limit_s": "the stop after idleness",
    "checkin_every_s": "check-ins",
    "uses_logs": "whether its log tells of use",
    "log_noise": "noise in its log",
    "budget_usd": "what it may cost",
    "rate_cap_usd": "the highest price per hour",
}
# What moves soft deadlines: a full warning counts from its change.
MOVES_DEADLINES = {"idle_limit_s", "checkin_every_s", "uses_logs", "log_noise"}


def of(job: Job) -> StopChoices:
    """What holds for the job now."""
    values = {name: getattr(job, name) for name in WORDS}
    return StopChoices(**values | {"log_noise": tuple(job.log_noise)})


def change(job: Job, choices: StopChoices, *, actor: Actor, now: dt.datetime, seen_version: int) -> bool:
    """Sets the job's choices; False when they are the same. What that makes due is warned about in full.

    Raises :class:`TooLate`, and :class:`JobError` for what lies outside the team's bounds, was decided on an outdated
    page, or is locked by the author of the job's recipe (``locked``).
    """
    refuse_if_late(job)
    before, after = (_plain(one) for one in (of(job), choices))
    names = [name for name in WORDS if before[name] != after[name]]
    if not names:
        return False
    try:
        check_choices(choices, AutostopPolicy.of(job.team_id))
    except LaunchRefused as refused:
        raise JobError(refused.code, refused.sentence, field=refused.field) from None
    _refuse_locked(job, names, actor)
    if "rate_cap_usd" in names:
        _refuse_over_the_cap(job, choices.rate_cap_usd, now)
    values = {name: value for name, value in asdict(choices).items() if name in names}
    if "log_noise" in values:
        values["log_noise"] = list(choices.log_noise)
    if MOVES_DEADLINES & set(names):
        values["choices_changed_at"] = now
    _set(job, values, actor, now, seen_version, _data(before, after, names))
    return True


def _refuse_locked(job: Job, names: list[str], actor: Actor) -> None:
    """What the recipe's author locked holds for the running job too, except for those who may change the recipe."""
    version = job.recipe_version
    if version is None:
        return
    locked = [name for name in names if name in Document.from_json(version.document).locked_targets()]
    if locked and not keeping.may_free(version.recipe, actor):
        sentence = f"The author of its recipe locked {WORDS[locked[0]]}: it cannot be changed."
        field = {"idle_limit_s": "idle_limit", "checkin_every_s": "checkin_every"}.get(locked[0], locked[0])
        raise JobError("locked", sentence, field=field)


def _refuse_over_the_cap(job: Job, usd: Decimal | None, now: dt.datetime) -> None:
    """A job whose price nobody knew was let in because of what its launcher allowed: that is not raised past the cap of
    its credential."""
    is_raised = usd is None or (job.rate_cap_usd is not None and usd > job.rate_cap_usd)
    if is_raised and job.quoted_usd is None and (why_not := cap_facts.over_the_hour(job, usd, now)):
        raise JobError("cap_hourly", why_not, field="rate_cap_usd")


def _set(
    job: Job, values: dict[str, Any], actor: Actor, now: dt.datetime, seen_version: int, data: dict[str, Any]
) -> None:
    """A warning that was given stays: it is void by itself where the deadline moves, and a hard limit is not put off."""
    with transaction.atomic():
        rows = Job.objects.filter(pk=job.pk, stop_requested_at=None, limits_version=seen_version)
        changed = rows.exclude(status__in=ENDED).update(
            **values, evaluate_at=now, limits_version=F("limits_version") + 1
        )
        if changed:
            parts = ", ".join(WORDS[name] for name in data["after"])
            sentence = f"{actor.label} changed what holds for the job: {parts}."
            record(job.team_id, actor, "job.choices_changed", ("job", job.pk), sentence, now=now, data=data)
    if not changed:
        job.refresh_from_db()
        refuse_if_late(job)
        raise JobError(
            "outdated",
            "Somebody changed this job's limits a moment ago, so nothing was saved. Look at them, then save again.",
        )


def _data(before: dict[str, Any], after: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return {
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
    }


def _plain(choices: StopChoices) -> dict[str, Any]:
    """Amounts compared and told as people write them: a column gives back more zeros than were typed."""
    return {
        name: list(value) if name == "log_noise" else _amount(value) if isinstance(value, Decimal) else value
        for name, value in asdict(choices).items()
    }


def _amount(value: Decimal) -> str:
    return f"{value.normalize():f}"
