"""Extending as the pages offer it: by half an hour, an hour, four hours, or until a moment of the reader's zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from dispersed_web.autostop import facts, policy
from dispersed_web.jobs import launch_bounds
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.web.words import NBSP, clock_time

STEPS = {"30": f"30{NBSP}min", "60": f"1{NBSP}h", "240": f"4{NBSP}h"}


@dataclass(frozen=True)
class Options:
    """What may be offered. ``latest`` is the last possible stop in words, ``latest_input`` the same for a date field;
    without ``possible`` the job runs as long as the team allows already, or as the author of its recipe locked it."""

    possible: bool
    stops: str
    latest: str
    latest_input: str
    suggested_input: str
    steps: tuple[tuple[str, str], ...]
    zone: str
    is_locked: bool = False


def options(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Options:
    """The offer, with the job's terms fetched for it."""
    terms = facts.of(job, now)
    return offer(job, policy.decide(*terms, now).stop_at, policy.latest_end(*terms), now, zone)


def offer(
    job: Job, stop_at: dt.datetime | None, latest: dt.datetime | None, now: dt.datetime, zone: dt.tzinfo
) -> Options:
    """The offer for a job that stops at ``stop_at`` and cannot be extended beyond ``latest``."""
    may = job.is_active and job.stop_requested_at is None
    possible = may and stop_at is not None and (latest is None or stop_at < latest)
    suggested = (stop_at or now) + dt.timedelta(hours=1)
    if latest is not None:
        suggested = min(suggested, latest)
    return Options(
        possible=possible,
        stops=clock_time(stop_at, now, zone) if stop_at else "",
        latest=clock_time(latest, now, zone) if latest else "",
        latest_input=_input(latest, zone) if latest else "",
        suggested_input=_input(suggested, zone),
        steps=tuple(STEPS.items()),
        zone=str(zone),
        is_locked=not possible and launch_bounds.held_by_recipe(job),
    )


def wanted(job: Job, form: Mapping[str, str], now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The stop time that a form asks for. Raises :class:`JobError` when it names none, or one that is past."""
    if form.get("by") in STEPS:
        stop_at = policy.decide(*facts.of(job, now), now).stop_at
        base = max(stop_at, now) if stop_at else now
        return base + dt.timedelta(minutes=int(form["by"]))
    try:
        until = dt.datetime.fromisoformat(form.get("until", ""))
        until = (until.replace(tzinfo=zone) if until.tzinfo is None else until).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise JobError("invalid", "Say until when: a date and a time.", field="until") from None
    if until <= now:
        raise JobError("invalid", "That moment is past. Say one that is still to come.", field="until")
    return until


def _input(at: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"
