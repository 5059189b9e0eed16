"""Asking for a job's end: the wish is a row; ``pursuit.py`` carries it out and sees to it that the end comes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, Actor, record
from dispersed_web.jobs import sending
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import REASON_WORDS, Reason, Status
from dispersed_web.teams import installation

BY_PEOPLE = (Reason.USER, Reason.ADMIN, Reason.TEAM_EMERGENCY)


def request_stop(
    job: Job,
    *,
    actor: Actor,
    reason: Reason,
    now: dt.datetime,
    note: str = "",
    seen_version: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> bool:
    """Asks for the job's end. False when it was asked for before, has ended, or ``seen_version`` is outdated.

    A job that was not sent yet ends at once; one whose launch is in doubt is stopped the moment it is found. A person's
    wish takes the place of a stop for idleness that was not sent yet, so that nothing calls it off any more.
    ``evidence`` is what auto-stop decided on: plain JSON with a ``sentence``. Raises :class:`installation.OnlyLooks` in a
    copy of another installation's database. With ``seen_version`` the job is the row that was decided on: its verdict is
    bound to the run that it had then, and void for another.
    """
    if not installation.may_act():
        raise installation.OnlyLooks
    sentence = _sentence(actor, reason, note, evidence or {})
    with transaction.atomic():
        changed = _stoppable(job, reason, seen_version).update(
            stop_requested_at=now,
            stop_requested_by=actor.user_id,
            stop_reason=reason,
            stop_note=note[:200],
            stop_token=uuid.uuid4(),
            stop_next_at=now,
            stop_evidence=evidence or {},
            limits_version=F("limits_version") + 1,
        )
        if not changed:
            return False
        record(
            job.team_id,
            actor,
            "job.stop_requested",
            ("job", job.pk),
            sentence,
            now=now,
            data={"reason": reason.value, "note": note, **({"evidence": evidence} if evidence else {})},
            audience=_audience(job, actor, reason),
        )
        sending.take_back(job, sentence, now)
    return True


def _stoppable(job: Job, reason: Reason, seen_version: int | None) -> QuerySet[Job]:
    """The job's row, as long as its stop may be asked for."""
    open_to = Q(stop_requested_at=None)
    if reason in BY_PEOPLE:
        open_to |= Q(stop_reason=Reason.IDLE, stop_attempts=0)
    rows = Job.objects.filter(open_to, pk=job.pk).exclude(status__in=ENDED)
    if seen_version is None:
        return rows
    run = {"current_run": job.current_run_id, "run_running_at": job.run_running_at}
    return rows.filter(limits_version=seen_version, **run)


def call_off(job: Job, why: str, now: dt.datetime) -> bool:
    """Takes back a stop for idleness before it was sent; ``why`` follows "because". False when it was sent, or somebody
    else wants the stop meanwhile: then it goes on."""
    with transaction.atomic():
        changed = Job.objects.filter(
            pk=job.pk, stop_reason=Reason.IDLE, stop_token=job.stop_token, stop_attempts=0
        ).update(
            stop_requested_at=None,
            stop_requested_by=None,
            stop_reason="",
            stop_note="",
            stop_token=None,
            stop_next_at=None,
            stop_evidence={},
            stop_alarmed=0,
            stop_error="",
            warned_for=None,
            warned_at=None,
            evaluate_at=now,
            limits_version=F("limits_version") + 1,
        )
        if changed:
            record(
                job.team_id,
                ENGINE,
                "job.called_off",
                ("job", job.pk),
                f"The stop is called off, because {why}.",
                now=now,
                data={"why": why},
                audience=Audience.JOB_OWNER,
            )
    return bool(changed)


def _sentence(actor: Actor, reason: Reason, note: str, evidence: Mapping[str, Any]) -> str:
    if reason == Reason.TEAM_EMERGENCY:
        text = f"{actor.label}, who runs this installation, asked to stop the job in an emergency"
    elif reason in BY_PEOPLE:
        text = f"{actor.label} asked to stop the job"
    else:
        text = f"Auto-stop asked to stop the job: {REASON_WORDS[reason]}"
    if evidence.get("sentence"):
        return f"{text}. {evidence['sentence']}"
    return f"{text}. “{note}”" if note else f"{text}."


def _audience(job: Job, actor: Actor, reason: Reason) -> str:
    """Who stopped it knows, but whoever was warned of a stop waits for news. A stop from outside is news to the team."""
    if reason == Reason.TEAM_EMERGENCY:
        return Audience.ADMINS
    is_known = reason == Reason.USER and actor.user_id and not job.warned_for
    return Audience.NOBODY if is_known else Audience.JOB_OWNER


def is_stuck(job: Job, now: dt.datetime, *, after: dt.timedelta = dt.timedelta(minutes=3)) -> bool:
    """A stop was asked for and no end was seen for a while: the job may still cost money."""
    return (
        job.stop_requested_at is not None
        and job.status not in ENDED
        and job.status != Status.QUEUED
        and now - job.stop_requested_at >= after
    )
