"""What people hear of unmanaged jobs that they watch: once a day what it has cost, and how it ended.

The event names its readers, and is written only while they may see the job: another team's is never told of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

from dispersed_web.costs.estimate import cents, price
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.making import title_of
from dispersed_web.jobs.models import UnmanagedJob

EVERY = dt.timedelta(days=1)


def cost(row: UnmanagedJob, now: dt.datetime) -> Decimal | None:
    """What it has cost until ``now`` in USD, as if it had cost its present price all the time; ``None`` without a price."""
    if row.hourly_rate_usd is None:
        return None
    return price(row.hourly_rate_usd, now - (row.created_at or row.first_seen_at))


def tell_daily(credential: Credential, now: dt.datetime) -> None:
    """Tells the watchers of each job of which they did not hear for a day."""
    due = UnmanagedJob.objects.filter(credential=credential, told_at__lte=now - EVERY)
    for row in due.exclude(watched_by=None).distinct():
        with alone(row, "told of"), transaction.atomic():
            if not UnmanagedJob.objects.filter(pk=row.pk, told_at=row.told_at).update(told_at=now):
                continue
            since = row.created_at or row.first_seen_at
            days = f"It has run since {since:%d %b %H:%M} UTC"
            _tell(
                row, "unmanaged.runs", f"{_name(row)} still runs. {days}{_money(row, now, ' and cost')}.", now
            )


def watchers(row: UnmanagedJob) -> list[int]:
    """Who hears of it."""
    return list(row.watched_by.order_by("pk").values_list("pk", flat=True))


def tell_end(row: UnmanagedJob, people: list[int], status: str, at: dt.datetime, now: dt.datetime) -> None:
    """Tells those who watched it that it ended. Call in the transaction that removed the row."""
    word = {"COMPLETED": "ended by itself", "FAILED": "failed", "CANCELLED": "was cancelled"}.get(
        status, "ended"
    )
    _tell(
        row,
        "unmanaged.ended",
        f"{_name(row)} {word}{_money(row, min(at, now), ', having cost')}.",
        now,
        people,
    )


def tell_lost(row: UnmanagedJob, now: dt.datetime) -> None:
    """Tells its watchers that the cloud does not show it any more, although no end was seen."""
    sentence = (
        f"Dispersed does not show {_name(row)} any more, and its end was not seen. It may still cost money: look in the "
        "console of Dispersed."
    )
    _tell(row, "unmanaged.lost", sentence, now)


def tell_dearer(row: UnmanagedJob, rate_usd: Decimal, now: dt.datetime) -> None:
    """Tells whoever ignored it that it costs more than it did then."""
    before = row.ignored_rate_usd or Decimal(0)
    sentence = (
        f"{_name(row)}, which you ignored, now costs ${cents(rate_usd)} per hour instead of ${cents(before)}. It is in the "
        "inventory again."
    )
    _tell(row, "unmanaged.dearer", sentence, now, [row.ignored_by_id])


def _tell(
    row: UnmanagedJob, kind: str, sentence: str, now: dt.datetime, people: Sequence[int] | None = None
) -> None:
    who = watchers(row) if people is None else list(people)
    if not who or row.is_hidden:
        return
    record(
        row.credential.team_id,
        CLOUD,
        kind,
        ("unmanaged", row.remote_uuid[:36]),
        sentence,
        now=now,
        data={"readers": who, "remote_uuid": row.remote_uuid},
        audience=Audience.JOB_OWNER,
    )


def _name(row: UnmanagedJob) -> str:
    return f"“{title_of(row.title)}”, which was not launched here"


def _money(row: UnmanagedJob, at: dt.datetime, before: str) -> str:
    amount = cost(row, at)
    return "" if amount is None else f"{before} about ${cents(amount):,}"
