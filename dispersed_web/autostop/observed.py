"""Stops for idleness that were only observed: what they would have saved, and whether they would have been a mistake."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop.activity import ZERO
from dispersed_web.autostop.models import ObservedStop
from dispersed_web.costs.estimate import price

MOST = 500


@dataclass(frozen=True)
class WouldBe:
    """One stop that was not made: at ``at``, after quiet since ``quiet_since``. ``until`` is when the job was used again,
    ended, or the present; ``saved_usd`` its price until then. ``used_again`` says by what, in words."""

    job_id: uuid.UUID
    title: str
    owner: str
    at: dt.datetime
    quiet_since: dt.datetime
    sentence: str
    until: dt.datetime
    saved_usd: Decimal | None
    ended_at: dt.datetime | None = None
    used_again_at: dt.datetime | None = None
    used_again: str = ""

    @property
    def is_false(self) -> bool:
        return self.used_again_at is not None


@dataclass(frozen=True)
class Observed:
    """``saved_usd`` counts those after which nothing was used again."""

    stops: int
    false_stops: int
    saved_usd: Decimal


def of_team(team_id: uuid.UUID, since: dt.datetime, now: dt.datetime) -> list[WouldBe]:
    """The team's would-be stops since then, newest first, at most ``MOST``; one query."""
    rows = ObservedStop.objects.filter(team=team_id, at__gte=since).select_related("job", "job__owner")
    return [_would_be(row, now) for row in rows.order_by("-at")[:MOST]]


def sum_up(stops: Iterable[WouldBe]) -> Observed:
    some = list(stops)
    right = [one.saved_usd or Decimal(0) for one in some if not one.is_false]
    return Observed(len(some), len(some) - len(right), sum(right, Decimal(0)))


def _would_be(row: ObservedStop, now: dt.datetime) -> WouldBe:
    job = row.job
    until = min(at for at in (row.used_again_at, job.ended_at, now) if at is not None)
    rate = row.hourly_rate_usd if row.hourly_rate_usd is not None else job.hourly_rate_usd
    return WouldBe(
        job_id=job.pk,
        title=job.title,
        owner=str(job.owner) if job.owner else "left the team",
        at=row.at,
        quiet_since=row.quiet_since,
        sentence=row.sentence,
        until=until,
        saved_usd=price(rate, max(until - row.at, ZERO)) if rate is not None else None,
        ended_at=job.ended_at,
        used_again_at=row.used_again_at,
        used_again=row.used_again,
    )
