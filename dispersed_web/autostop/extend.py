"""Extending a job by a person.

Extension and stop race through one committed row: both name the ``limits_version`` they saw, and whoever commits first
wins. No extension is ever accepted and then ignored.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from dispersed_web.autostop import policy
from dispersed_web.autostop.limits import facts_of, policy_of
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import ENDED, Job


def extend(job: Job, *, until: dt.datetime, actor: Actor, now: dt.datetime, seen_version: int) -> dt.datetime:
    """Moves the job's stop to ``until``, cut at the team's ceiling, and returns the new stop time.

    Raises :class:`TooLate` when the stop was sent or the job has ended, and :class:`JobError` when the ceiling is
    reached or the page it was asked from is outdated.
    """
    if job.stop_requested_at or not job.is_active:
        raise TooLate("too_late", _too_late(job))
    granted = policy.extension(policy_of(job), facts_of(job), until)
    if granted is None:
        raise JobError("nothing_to_extend", _nothing_to_extend(job, until))
    with transaction.atomic():
        changed = (
            Job.objects.filter(pk=job.pk, stop_requested_at=None, limits_version=seen_version)
            .exclude(status__in=ENDED)
            .update(
                extend_until=granted,
                warned_for=None,
                warned_at=None,
                stop_at=granted,
                evaluate_at=now,
                limits_version=F("limits_version") + 1,
            )
        )
        if changed:
            called_off = " The announced stop is called off." if job.warned_for else ""
            record(
                job.team_id,
                actor,
                "job.extended",
                ("job", job.pk),
                f"{actor.label} extended the job by {policy.words(granted - now)} from now.{called_off}",
                now=now,
                data={"until": granted.isoformat()},
                audience=Audience.JOB_OWNER if job.warned_for else Audience.NOBODY,
            )
    if not changed:
        job.refresh_from_db()
        if job.stop_requested_at or not job.is_active:
            raise TooLate("too_late", _too_late(job))
        raise JobError(
            "outdated", "Somebody changed this job's limits a moment ago. Look at them, then extend again."
        )
    return granted


def _too_late(job: Job) -> str:
    if job.stop_requested_at and job.is_active:
        return f"Too late: the stop was asked for at {job.stop_requested_at:%H:%M:%S} UTC."
    return "Too late: the job has ended."


def _nothing_to_extend(job: Job, until: dt.datetime) -> str:
    latest = policy.latest_end(policy_of(job), facts_of(job).launched_at)
    if latest is not None and until >= latest:
        return (
            f"The job already runs as long as the team allows, {policy.words(latest - facts_of(job).launched_at)} "
            "from its launch. An admin can raise that for new jobs."
        )
    return "The job already runs until then or longer."
