"""What the page says of live jobs on the team's keys that were not launched here. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs.departed import LOST
from dispersed_web.jobs.marker import without
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.jobs.stocktaking import is_shown
from dispersed_web.web import words
from dispersed_web.web.inventory.inventory_rows import STATUS_KINDS, cost_of
from dispersed_web.web.jobs.rows import Cost
from dispersed_web.web.words import DASH, Phrase, said, since

MOST_IN_PANEL = 3


@dataclass(frozen=True, slots=True)
class UnmanagedRow:
    """One unmanaged job in the words of the jobs table; ``uuid`` is the cloud's."""

    title: str
    credential: str
    status_kind: str
    status: str
    gpu: str
    runtime: Phrase
    cost: Cost
    rate: str
    uuid: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The dearest few of ``count`` live ones; the inventory has the others."""

    rows: list[UnmanagedRow]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def panel(found: list[UnmanagedJob], now: dt.datetime) -> Panel | None:
    """What the jobs page shows of them; nothing where all are ignored."""
    shown = [job for job in found if is_shown(job, now)]
    shown.sort(key=lambda job: job.hourly_rate_usd or Decimal(0), reverse=True)
    return Panel(rows(shown[:MOST_IN_PANEL], now), len(shown)) if shown else None


def rows(found: list[UnmanagedJob], now: dt.datetime) -> list[UnmanagedRow]:
    """The jobs as the page lists them, in their order."""
    return [_row(job, now) for job in found]


def _row(job: UnmanagedJob, now: dt.datetime) -> UnmanagedRow:
    begun = job.created_at or job.first_seen_at
    rate_usd = job.hourly_rate_usd
    return UnmanagedRow(
        title=without(job.title),
        credential=job.credential.name,
        status_kind=STATUS_KINDS.get(job.status, "waiting"),
        status="Lost sight of" if job.status == LOST else job.status.capitalize(),
        gpu=job.gpu_label or DASH,
        runtime=since(begun, now) if begun <= now else said(DASH),
        cost=cost_of(job, now),
        rate="" if rate_usd is None else words.rate(rate_usd),
        uuid=job.remote_uuid,
    )
