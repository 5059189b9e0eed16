"""Unmanaged jobs that somebody wants to hear nothing of: for how long that holds. Pure.

An ignored job still costs money, so it is counted on and stays in a folded list. It comes back when its price per hour
rises above what it was, and after a week at the latest: what nobody looked at for a week is looked at once.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from dispersed_web.jobs.models import UnmanagedJob

IGNORED_FOR = dt.timedelta(days=7)
BACK: dict[str, Any] = {"ignored_at": None, "ignored_by": None, "ignored_rate_usd": None}


def changes(row: UnmanagedJob, rate_usd: Decimal | None) -> dict[str, Any]:
    """The columns that change because it now costs ``rate_usd`` per hour. A price that was not known when it was ignored
    is no rise."""
    if row.ignored_at is None:
        return {}
    if rate_usd is not None and row.ignored_rate_usd is not None and rate_usd > row.ignored_rate_usd:
        return BACK
    if row.ignored_rate_usd is None and rate_usd is not None:
        return {"ignored_rate_usd": rate_usd}
    return {}


def is_over(row: UnmanagedJob, now: dt.datetime) -> bool:
    """Whether it was ignored long enough."""
    return row.ignored_at is not None and now - row.ignored_at >= IGNORED_FOR
