"""What follows when somebody says that a job is in use, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from dispersed_web.autostop import deadlines, facts, policy
from dispersed_web.jobs.models import Job
from dispersed_web.web import words


def then(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """When it stops or is asked about next, if somebody confirms its use at ``now``; what else limits it stays."""
    terms, known = facts.of(job, now)
    verdict = policy.decide(
        terms, replace(known, confirmed_at=now, warned_for=None, warned_at=None, reminded_for=None), now
    )
    if verdict.stop_at is None:
        return "Nothing stops it by itself."
    if verdict.rule == deadlines.CHECKIN and verdict.warn_at is not None:
        return f"You are asked again {_at(max(verdict.warn_at, now), now, zone)}."
    if verdict.rule == deadlines.IDLE:
        return f"Its idle time counts anew: unless used, it stops {_at(verdict.stop_at, now, zone)}."
    return f"It still stops {_at(verdict.stop_at, now, zone)}: {verdict.sentence}"


def _at(moment: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    return words.at_clock_time(moment, now, zone)
