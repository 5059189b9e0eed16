"""What the page says of live jobs on the team's keys that were not launched here. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs.marker import without
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.web import words
from dispersed_web.web.rows import Cost
from dispersed_web.web.words import DASH, Phrase, said, since

STATUS_KINDS = {"RUNNING": "running", "CANCELLING": "stopping", "FAILING": "alarm"}


@dataclass(frozen=True, slots=True)
class UnmanagedRow:
    title: str
    credential: str
    status_kind: str
    status: str
    gpu: str
    runtime: Phrase
    cost: Cost
    rate: str
    uuid: str


def rows(found: list[UnmanagedJob], now: dt.datetime) -> list[UnmanagedRow]:
    return [_row(job, now) for job in found]


def _row(job: UnmanagedJob, now: dt.datetime) -> UnmanagedRow:
    begun = job.created_at or job.first_seen_at
    rate_usd = job.hourly_rate_usd
    cost = Decimal(0) if rate_usd is None else rate_usd * Decimal((now - begun).total_seconds()) / 3600
    return UnmanagedRow(
        title=without(job.title),
        credential=job.credential.name,
        status_kind=STATUS_KINDS.get(job.status, "waiting"),
        status=job.status.capitalize(),
        gpu=job.gpu_label or DASH,
        runtime=since(begun, now) if begun <= now else said(DASH),
        cost=Cost(
            DASH if rate_usd is None else words.running_cost(cost),
            Decimal(0),
            None if rate_usd is None else begun,
            rate_usd,
        ),
        rate="" if rate_usd is None else words.rate(rate_usd),
        uuid=job.remote_uuid,
    )
