"""The runs of a job that has several: tries after a failure, or nodes side by side. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.costs.estimate import price
from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.web import words
from dispersed_web.web.job.cause_facts import Cause
from dispersed_web.web.jobs import rows
from dispersed_web.web.jobs.rows import Cost, Story
from dispersed_web.web.words import DASH, Phrase, said, since

# How much sooner than its limit a run may end and still have reached it: clocks differ.
NEARLY = dt.timedelta(seconds=20)
NOTHING_YET = Decimal(0)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; ``why`` says why it ended, ``node`` the name of its machine where it has one."""

    id: str
    number: int
    story: Story
    node: str
    rate: str
    begun: str
    lasted: Phrase
    cost: Cost
    why: str


def table(
    job: Job, runs: Sequence[JobRun], now: dt.datetime, zone: dt.tzinfo, cause: Cause | None = None
) -> list[RunRow]:
    """The runs, the newest first; empty where the job has one or none, whose story the page tells anyway."""
    if len(runs) < 2:
        return []
    ordered = sorted(runs, key=lambda run: (run.started_at or run.first_seen_at, str(run.pk)))
    last = max((run for run in ordered if run.ended_at), key=lambda run: run.ended_at, default=None)
    made = [
        _row(job, run, number, now, zone, cause if run is last else None)
        for number, run in enumerate(ordered, 1)
    ]
    return made[::-1]


def _row(
    job: Job, run: JobRun, number: int, now: dt.datetime, zone: dt.tzinfo, cause: Cause | None
) -> RunRow:
    start = run.started_at or run.first_seen_at
    lasted = said(words.duration(run.ended_at - start)) if run.ended_at else since(start, now)
    return RunRow(
        id=str(run.pk),
        number=number,
        story=_story(run, now),
        node=str(run.node_urls[0]["hostname"]) if run.node_urls else "",
        rate=words.rate(run.hourly_rate_usd) if run.hourly_rate_usd is not None else DASH,
        begun=words.clock_time(start, now, zone),
        lasted=lasted,
        cost=_cost(run, start, now),
        why=_why(job, run, start, cause),
    )


def _story(run: JobRun, now: dt.datetime) -> Story:
    """The run's status in words."""
    match run.status:
        case "RUNNING" if run.node_urls or run.running_at is None:
            return Story("running", "Reachable" if run.node_urls else "Running")
        case "RUNNING":
            return Story("running", "Running", since(run.running_at or now, now, "no address, "))
        case "PREPARING":
            return Story("waiting", "Pulling image")
        case "ASSIGNED" | "PENDING":
            return Story("waiting", "Node assigned")
        case "COMPLETED":
            return Story("completed", "Completed")
        case "FAILED":
            return Story("failed", "Failed")
        case "CANCELLED":
            return Story("stopped", "Stopped")
        case "CANCELLING":
            return Story("stopping", "Being stopped")
        case "FAILING":
            return Story("alarm", "Failing")
    return Story("unknown", "Not known", said(run.status))


def _cost(run: JobRun, start: dt.datetime, now: dt.datetime) -> Cost:
    if run.hourly_rate_usd is None:
        return Cost(DASH, NOTHING_YET, None, None)
    total = price(run.hourly_rate_usd, (run.ended_at or now) - start)
    if run.ended_at:
        return Cost(words.money(total), total, None, None)
    return Cost(words.running_cost(total), NOTHING_YET, start, run.hourly_rate_usd)


def _why(job: Job, run: JobRun, start: dt.datetime, cause: Cause | None) -> str:
    """Why it ended, as far as its times tell: the cloud gives no reason for a run."""
    if not is_terminal(run.status) or run.ended_at is None:
        return ""
    if cause is not None:
        return cause.title
    if run.status == "CANCELLED":
        return "Stopped with its job"
    if run.status == "COMPLETED":
        return "Ended by itself"
    if run.running_at is None:
        limit = dt.timedelta(seconds=rows.timeout_s(job, "start"))
        if run.ended_at - start >= limit - NEARLY:
            return f"Did not start within {words.round_duration(int(limit.total_seconds()))}"
        return "Ended while its image was pulled: node lost, or image not found"
    ran = words.duration(run.ended_at - run.running_at)
    return f"Failed after running for {ran}: its program ended, or the node was lost"
