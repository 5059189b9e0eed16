"""What a job costs: price × duration. Pure; amounts are Decimal USD and estimates until the cloud's ledger says them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

HOUR = Decimal(3600)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Meter:
    """``spent_usd`` of what has ended, plus ``hourly_rate_usd`` since ``since`` for what still bills."""

    spent_usd: Decimal
    since: dt.datetime | None
    hourly_rate_usd: Decimal | None

    def read(self, now: dt.datetime) -> Decimal | None:
        """The estimate at ``now``; ``None`` while no price is known."""
        if self.hourly_rate_usd is None:
            return self.spent_usd or None
        if self.since is None:
            return self.spent_usd
        return self.spent_usd + price(self.hourly_rate_usd, now - self.since)


def price(hourly_rate_usd: Decimal, duration: dt.timedelta) -> Decimal:
    """The cost of ``duration`` at ``hourly_rate_usd``; a negative duration costs nothing (clocks differ)."""
    seconds = Decimal(max(duration.total_seconds(), 0))
    return (hourly_rate_usd * seconds / HOUR).quantize(Decimal("0.0001"))


def cents(amount_usd: Decimal) -> Decimal:
    """The amount to the cent, as people read it; half a cent is rounded up."""
    return amount_usd.quantize(CENT, ROUND_HALF_UP)
