"""Jobs as CSV that a spreadsheet may open: no cell is read as a formula."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from dispersed_web.costs.estimate import cents
from dispersed_web.jobs.models import Job

HEADINGS = (
    "title",
    "owner",
    "task",
    "status",
    "reason",
    "gpu",
    "created_at",
    "launched_at",
    "running_at",
    "ended_at",
    "runtime_s",
    "hourly_rate_usd",
    "estimated_cost_usd",
    "autostop_state",
    "autostop_reason",
    "quiet_since",
    "stops_at",
    "marker",
    "dispersed_uuid",
    "id",
    "tags",
)
# The wide ones are formulas to spreadsheets in East Asian settings.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(jobs: Iterable[Job], now: dt.datetime) -> Iterator[str]:
    """The file, line by line; costs are estimates at ``now``."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEADINGS)
    for job in jobs:
        yield writer.writerow([safe(value) for value in _values(job, now)])


def safe(value: Any) -> str:
    """A cell's text. What a spreadsheet would take for a formula is preceded by an apostrophe."""
    if value is None:
        return ""
    text = (
        value.astimezone(dt.UTC).isoformat(timespec="seconds")
        if isinstance(value, dt.datetime)
        else str(value)
    )
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _values(job: Job, now: dt.datetime) -> list[Any]:
    runtime, cost = job.runtime(now), job.meter.read(now)
    return [
        job.title,
        job.owner,
        job.task,
        job.status,
        job.reason,
        job.gpu_label,
        job.created_at,
        job.launched_at,
        job.running_at,
        job.ended_at,
        None if runtime is None else int(runtime.total_seconds()),
        job.hourly_rate_usd,
        None if cost is None else cents(cost),
        *(_of_autostop(job) if job.is_active else [None] * 4),
        job.marker,
        job.remote_uuid,
        job.pk,
        ", ".join(tag.name for tag in getattr(job, "shown_tags", ())),
    ]


def _of_autostop(job: Job) -> list[Any]:
    """The last verdict, and the stop it set; of a job that is being stopped the reason of that."""
    if job.stop_requested_at is not None:
        return ["stopping", job.stop_reason, job.quiet_since, job.stop_requested_at]
    return [job.verdict_state, job.verdict_rule, job.quiet_since, job.stop_at]
