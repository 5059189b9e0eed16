"""The day and the month that a budget counts in, by the calendar of a time zone. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from dispersed_web.costs.budget import day_start, month_start
from dispersed_web.local_time import MIDNIGHT, instant, zone_named

DAY = dt.timedelta(days=1)
LONGEST_MONTH = 31 * DAY


class Kind(StrEnum):
    DAY = "day"
    MONTH = "month"


WORDS = {Kind.DAY: "today", Kind.MONTH: "this month"}


@dataclass(frozen=True)
class Span:
    """One day or month: ``first`` is its first day on the calendar of ``zone``; it lasts from ``since`` until ``until``,
    both aware UTC."""

    kind: Kind
    first: dt.date
    zone: str
    since: dt.datetime
    until: dt.datetime

    @property
    def key(self) -> str:
        """``day:2026-11-24`` or ``month:2026-11``: another one for each day and each month."""
        return (
            f"{self.kind}:{self.first:%Y-%m-%d}"
            if self.kind == Kind.DAY
            else f"{self.kind}:{self.first:%Y-%m}"
        )

    @property
    def words(self) -> str:
        """As people say it while it lasts: ``today``, ``this month``."""
        return WORDS[self.kind]

    @property
    def anew(self) -> str:
        """When the next one begins: ``on 25 November at 00:00 (Europe/Berlin)``."""
        local = self.until.astimezone(zone_named(self.zone))
        return f"on {local.day} {local:%B} at {local:%H:%M} ({self.zone})"


def span(kind: Kind, now: dt.datetime, zone: str) -> Span:
    """The day or the month that it is in ``zone`` at ``now``. ``ValueError`` for an unknown zone."""
    today = now.astimezone(zone_named(zone)).date()
    if kind == Kind.DAY:
        return Span(kind, today, zone, day_start(now, zone), instant(zone, today + DAY, MIDNIGHT))
    first = today.replace(day=1)
    following = (first + LONGEST_MONTH).replace(day=1)
    return Span(kind, first, zone, month_start(now, zone), instant(zone, following, MIDNIGHT))
