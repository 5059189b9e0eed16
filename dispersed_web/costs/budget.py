"""Budgets in USD per day, month or job: how much is used, and when it runs out. Pure; amounts are estimates.

Nothing here knows whose budget it is; ``name`` says it to people. A budget that nobody set has no object.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from dispersed_web.costs.estimate import HOUR
from dispersed_web.local_time import MIDNIGHT, instant, zone_named

MARKS = (50, 80, 100)  # percent, at which people are told
MICROSECOND = dt.timedelta(microseconds=1)
MICROSECONDS = Decimal(1_000_000)


@dataclass(frozen=True)
class Budget:
    """A limit on money over some time, and what is known of its use.

    ``name`` as people say it ("the team's budget for today"); ``rate_usd`` is what burns now per hour.
    ``ValueError`` with a sentence for a limit that is not above zero and for amounts that are no numbers.
    """

    name: str
    limit_usd: Decimal
    spent_usd: Decimal
    rate_usd: Decimal

    def __post_init__(self) -> None:
        if not all(amount.is_finite() for amount in (self.limit_usd, self.spent_usd, self.rate_usd)):
            raise ValueError("The amounts of a budget must be numbers.")
        if self.limit_usd <= 0:
            raise ValueError("A budget must be more than $0; leave it empty for none.")


def reached(budget: Budget) -> bool:
    """Whether all of it is used."""
    return budget.spent_usd >= budget.limit_usd


def percent(budget: Budget) -> int:
    """How much is used, in whole percent, rounded down: 100 only when it is reached. More than 100 is possible."""
    return int(budget.spent_usd * 100 // budget.limit_usd)


def marks(budget: Budget) -> tuple[int, ...]:
    """Which of 50, 80 and 100 percent are passed."""
    used = percent(budget)
    return tuple(mark for mark in MARKS if used >= mark)


def left_usd(budget: Budget) -> Decimal:
    """What may still be spent; never less than nothing."""
    return max(budget.limit_usd - budget.spent_usd, Decimal(0))


def runs_out_at(budget: Budget, now: dt.datetime) -> dt.datetime | None:
    """When it is used up if the burning goes on as now; ``now`` when it is already.

    ``None`` where nothing burns, or so little that the calendar ends first. The end of the budget's own day or month
    is not looked at: a moment beyond it means that the budget lasts.
    """
    if reached(budget):
        return now
    if budget.rate_usd <= 0:
        return None
    wait = left_usd(budget) / budget.rate_usd * HOUR * MICROSECONDS
    try:
        return now + int(wait.to_integral_value(ROUND_CEILING)) * MICROSECOND
    except OverflowError:
        return None


def day_start(now: dt.datetime, zone: str) -> dt.datetime:
    """The first instant, in aware UTC, of the day that it is in ``zone`` at ``now``.

    A day whose midnight does not exist begins right after the gap. ``ValueError`` for an unknown zone.
    """
    return instant(zone, now.astimezone(zone_named(zone)).date(), MIDNIGHT)


def month_start(now: dt.datetime, zone: str) -> dt.datetime:
    """The first instant, in aware UTC, of the month that it is in ``zone`` at ``now``; else as :func:`day_start`."""
    return instant(zone, now.astimezone(zone_named(zone)).date().replace(day=1), MIDNIGHT)
