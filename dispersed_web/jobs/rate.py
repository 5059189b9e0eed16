"""A job that costs more per hour than was allowed at launch: the cloud chooses the node, and one with six GPUs where one
was asked for costs six times as much. People are told at once; auto-stop stops the job unless somebody accepts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs.models import Job, JobRun

# A launcher who names no cap is thought to accept twice the highest price that the form showed.
TIMES_QUOTED = 2
HIGHEST_CAP_USD = Decimal(999_999)


def cap(chosen_usd: Decimal | None, quoted_usd: Decimal | None) -> Decimal | None:
    """The most that a job may cost per hour: what the launcher chose, else twice the highest price quoted for it. ``None``
    where neither is known: then any price is accepted."""
    if chosen_usd is not None:
        return chosen_usd
    return min(quoted_usd * TIMES_QUOTED, HIGHEST_CAP_USD) if quoted_usd else None


def cap_too_low(cap_usd: Decimal | None, lowest_usd: Decimal | None) -> str:
    """Why a cap cannot be meant: every offer that fits costs more, so the job would be stopped at once. Empty where it
    can, or where no price is known."""
    if cap_usd is None or lowest_usd is None or cap_usd >= lowest_usd:
        return ""
    return (
        f"The cheapest fitting offer costs ${lowest_usd:.2f}/h, so the job would be stopped at once. Write "
        f"{lowest_usd.normalize():f} or more, or leave it empty."
    )


def changes(job: Job, live: Sequence[JobRun], now: dt.datetime) -> dict[str, Any]:
    """The job's columns that change because of what its live runs cost together; empty where nothing changes.

    Passing the cap raises the alarm, and once more on each later run where an earlier one's price was accepted. What no
    longer costs too much withdraws it. While a price is unknown or nothing runs, the alarm stands, or a job that crashes
    and begins anew would never come to its end.
    """
    if job.stop_requested_at is not None:
        return {}
    priced = [run for run in live if run.hourly_rate_usd is not None]
    if job.rate_cap_usd is not None and rate_of(priced) > job.rate_cap_usd:
        newest = max(run.first_seen_at for run in priced)
        accepted_at = job.rate_accepted_at
        is_new = job.rate_exceeded_at is None or (accepted_at is not None and newest > accepted_at)
        return _set(now, now) if is_new else {}
    is_known = job.rate_cap_usd is None or (bool(live) and len(priced) == len(live))
    return _set(None, now) if job.rate_exceeded_at is not None and is_known else {}


def _set(exceeded_at: dt.datetime | None, now: dt.datetime) -> dict[str, Any]:
    """A verdict made before this is void: it knew another price."""
    return {
        "rate_exceeded_at": exceeded_at,
        "rate_accepted_at": None,
        "evaluate_at": now,
        "limits_version": F("limits_version") + 1,
    }


def unchanged(rows: QuerySet[Job], job: Job) -> QuerySet[Job]:
    """Narrows ``rows`` to a job whose alarm is as it was when ``job`` was read."""
    return rows.filter(rate_exceeded_at=job.rate_exceeded_at)


def rate_of(runs: Sequence[JobRun]) -> Decimal:
    """What the runs cost per hour together, as far as it is known."""
    return sum((run.hourly_rate_usd for run in runs if run.hourly_rate_usd is not None), Decimal(0))


def tell(job: Job, live: Sequence[JobRun], now: dt.datetime) -> None:
    """The alarm. The caller moves the team's version."""
    rate_usd, cap_usd = rate_of(live), job.rate_cap_usd
    record(
        job.team_id,
        CLOUD,
        "job.rate_exceeded",
        ("job", job.pk),
        f"It costs ${rate_usd:.2f} per hour, and at most ${cap_usd:.2f} was allowed at launch. Accept the price within "
        "5 minutes, or the job is stopped.",
        now=now,
        data={"rate_usd": str(rate_usd), "cap_usd": str(cap_usd)},
        audience=Audience.ADMINS,
        bump=False,
    )
