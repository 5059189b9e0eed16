"""The page of stops that are held back until a person decides: what is held and why, what waiting costs, what follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop import breaker
from dispersed_web.autostop.models import Hold
from dispersed_web.costs.estimate import price
from dispersed_web.jobs.models import Job
from dispersed_web.web import words
from dispersed_web.web.jobs.rows import Cost
from dispersed_web.web.words import Phrase, since

STOP, KEEP = Hold.Decision.STOP.value, Hold.Decision.KEEP.value
LOST = "What is not saved outside the machines is lost, and a stopped job cannot be resumed."


@dataclass(frozen=True)
class Choice:
    """One of the two decisions: its button, and what is asked before."""

    decision: str
    button: str
    look: str
    question: str
    text: str


@dataclass(frozen=True)
class Summary:
    """The figures of a hold, all of them estimates: what the waiting jobs cost per hour, and since they are held."""

    since: Phrase
    per_hour: str
    since_held: Cost
    otherwise: str


def waiting(jobs: Sequence[Job]) -> list[Job]:
    """Those of the held jobs on which a decision still has an effect."""
    return [job for job in jobs if job.is_active and job.stop_requested_at is None]


def rate_usd(jobs: Sequence[Job]) -> Decimal:
    """What the jobs cost together per hour."""
    return sum((job.hourly_rate_usd or Decimal(0) for job in jobs), Decimal(0))


def summary(hold: Hold, jobs: Sequence[Job], now: dt.datetime, zone: dt.tzinfo) -> Summary:
    """``jobs`` are those that still wait."""
    rate = rate_usd(jobs)
    held = price(rate, now - hold.opened_at)
    return Summary(
        since=since(hold.opened_at, now, "Held for "),
        per_hour=words.money(rate),
        since_held=Cost(words.running_cost(held), Decimal(0), hold.opened_at, rate),
        otherwise=_otherwise(hold, now, zone),
    )


def _otherwise(hold: Hold, now: dt.datetime, zone: dt.tzinfo) -> str:
    """What happens if nobody decides."""
    if hold.kind == Hold.Kind.ALL_SILENT:
        return (
            "Until somebody decides, or the heartbeats come again, their silence counts as nothing: these jobs run on "
            "until another limit ends them."
        )
    pace = words.round_duration(int(breaker.SLOW_PACE.total_seconds()))
    if hold.proven_since is None:
        return (
            "The signals of several watched jobs are missing, so nothing is believed of the others: until they come "
            "again, or somebody decides, these jobs run on until another limit ends them."
        )
    begins = hold.proven_since + breaker.PROVEN_AFTER
    if now >= begins:
        return f"Nobody decided for so long that they are stopped one by one, one in {pace}, unless used."
    at = words.at_clock_time(begins, now, zone)
    return f"If nobody decides, they are stopped one by one from {at.removeprefix('at ')} on, one in {pace}, unless used."


def choices(hold: Hold, count: int) -> tuple[Choice, Choice]:
    """Stop these, keep these."""
    jobs = f"{count} job{'s' * (count != 1)}"
    keep = Choice(
        KEEP,
        "Keep these",
        "quiet",
        f"Keep {jobs} running?",
        "They count as used now, so their idle time begins anew. Their other limits stay.",
    )
    if hold.kind == Hold.Kind.ALL_SILENT:
        return (
            Choice(
                STOP,
                "Count the silence",
                "danger-quiet",
                f"Count the silence of {jobs}?",
                "Auto-stop goes on without their heartbeats: where nothing else tells whether a job is used, its owner is "
                "asked, and without an answer it stops.",
            ),
            keep,
        )
    return (
        Choice(
            STOP,
            "Stop these",
            "danger",
            f"Stop {jobs}?",
            f"They are stopped one after another, each after a last look: what is used again goes on. {LOST}",
        ),
        keep,
    )


def outcome(hold: Hold, now: dt.datetime, zone: dt.tzinfo) -> str:
    """How a hold ended that waits no more."""
    at = words.at_clock_time(hold.decided_at or now, now, zone)
    if hold.decision == Hold.Decision.PASSED:
        return f"It passed by itself {at}: none of the held jobs is idle or silent any more."
    who = str(hold.decided_by) if hold.decided_by else "Somebody"
    stop, keep = (choice.button for choice in choices(hold, 2))
    return f"{who} decided {at}: “{stop if hold.decision == Hold.Decision.STOP else keep}”."


def quiet_of(job: Job, now: dt.datetime) -> Phrase:
    """For how long nothing was seen of its use."""
    begin = job.quiet_since or job.blind_since
    return since(begin, now) if begin else words.said(words.DASH)
