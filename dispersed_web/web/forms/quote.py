"""What a launch would cost, as far as the stored prices tell. Pure but for :func:`gpu_choices` reading a row it is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispersed_web.costs.estimate import price
from dispersed_web.jobs import market
from dispersed_web.jobs.market import GpuChoice
from dispersed_web.jobs.models import Market
from dispersed_web.web.forms.order import longest_run_s, wish_of


@dataclass(frozen=True)
class Quote:
    """Prices in USD per hour for all nodes, cheapest and dearest offer; ``most_usd`` is the dearest one's price for the
    longest possible time, which ends at ``ends_at``. Each is ``None`` where it cannot be told."""

    from_usd: Decimal | None
    to_usd: Decimal | None
    most_usd: Decimal | None
    lasts_s: int | None
    ends_at: dt.datetime | None


def gpu_choices(row: Market, data: Mapping[str, Any]) -> list[GpuChoice]:
    """The registry's GPUs with prices for the chosen number of GPUs in the chosen regions."""
    regions = data.get("allowed_region_codes")
    offers = [offer for offer in row.offers if not regions or offer["region_code"] in regions]
    return market.choices(row.gpus, offers, data.get("gpu_count") or 1)


def quote(data: Mapping[str, Any], choices: Sequence[GpuChoice], now: dt.datetime) -> Quote:
    """The estimate for what was typed so far."""
    from_usd, to_usd = market.hourly_range_usd(wish_of(data), choices)
    lasts_s = longest_run_s(data)
    lasts = dt.timedelta(seconds=lasts_s) if lasts_s else None
    most_usd = price(to_usd, lasts) if to_usd is not None and lasts else None
    return Quote(from_usd, to_usd, most_usd, lasts_s, now + lasts if lasts else None)
