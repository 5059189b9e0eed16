"""The budgets of teams and of their members for the present day and month, and what is spent of them.

Spent is what the runs of the jobs launched here cost, estimated; live runs count until now. Jobs that are not managed
here are not counted: nobody decided on them here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import DateTimeField, FloatField, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Least

from dispersed_web.costs import spans
from dispersed_web.costs.budget import Budget
from dispersed_web.costs.spans import Kind, Span
from dispersed_web.jobs.list_orders import Seconds
from dispersed_web.jobs.models import ENDED, JobRun, Origin
from dispersed_web.teams.models import AutostopPolicy

ZERO = Decimal(0)


@dataclass(frozen=True)
class Account:
    """What one budget of a team, or of one of its members, has seen in its present day or month."""

    team_id: uuid.UUID
    user_id: int | None
    span: Span
    budget: Budget

    @property
    def key(self) -> str:
        """The same while the day or month lasts, whatever its limit."""
        return key_of(self.team_id, self.user_id, self.span)

    def of(self, whose: str) -> Account:
        """The same under the name of whose it is: ``Your``, ``Ann's``."""
        return replace(self, budget=replace(self.budget, name=_name(whose, self.span)))


def key_of(team_id: uuid.UUID, user_id: int | None, span: Span) -> str:
    """``team:<uuid>:day:2026-11-24``, ``member:<uuid>:<user>:month:2026-11``."""
    whose = f"team:{team_id}" if user_id is None else f"member:{team_id}:{user_id}"
    return f"{whose}:{span.key}"


def zone_of(policy: AutostopPolicy) -> str:
    """The zone in which the team's days and months begin: that of its schedule, else UTC."""
    return str(policy.schedule["zone"]) if policy.schedule else "UTC"


@dataclass(frozen=True)
class Limit:
    """A budget that a team set: of the whole team, or the same one for each member."""

    team_id: uuid.UUID
    of_member: bool
    span: Span
    usd: Decimal


def limits(policy: AutostopPolicy, now: dt.datetime) -> list[Limit]:
    """The team's budgets for the day and the month that it is at ``now``; empty where it set none.

    ``ValueError`` for one that is not above zero, and for an unknown zone: a mistake, never "no budget".
    """
    found = []
    for of_member, kind, usd in (
        (False, Kind.DAY, policy.team_day_usd),
        (False, Kind.MONTH, policy.team_month_usd),
        (True, Kind.DAY, policy.member_day_usd),
        (True, Kind.MONTH, policy.member_month_usd),
    ):
        if usd is not None and usd <= 0:
            raise ValueError("A budget must be more than $0; leave it empty for none.")
        if usd is not None:
            found.append(Limit(policy.pk, of_member, spans.span(kind, now, zone_of(policy)), usd))
    return found


def accounts(set_limits: Collection[Limit], now: dt.datetime) -> list[Account]:
    """What was spent of these budgets until ``now``: a query for each time zone. A member who spent nothing has none."""
    spent: dict[uuid.UUID, list[Spent]] = defaultdict(list)
    for zone in {limit.span.zone for limit in set_limits}:
        here = {limit.team_id for limit in set_limits if limit.span.zone == zone}
        for row in _spent(here, zone, now):
            spent[row.team_id].append(row)
    return [account for limit in set_limits for account in _accounts(limit, spent[limit.team_id])]


def _accounts(limit: Limit, rows: Sequence[Spent]) -> Iterator[Account]:
    if not limit.of_member:
        yield _account(limit, None, rows)
        return
    for user_id in {row.user_id for row in rows if row.user_id is not None}:
        yield _account(limit, user_id, [row for row in rows if row.user_id == user_id])


def _account(limit: Limit, user_id: int | None, rows: Sequence[Spent]) -> Account:
    name = _name("The team's" if user_id is None else "A member's", limit.span)
    spent = sum((row.usd[limit.span.kind] for row in rows), ZERO)
    burns = sum((row.burns_usd for row in rows), ZERO)
    return Account(limit.team_id, user_id, limit.span, Budget(name, limit.usd, spent, burns))


def _name(whose: str, span: Span) -> str:
    return f"{whose} budget for {span.words}"


@dataclass(frozen=True)
class Spent:
    """What the runs of one person's jobs in one team cost in each span, and cost now per hour."""

    team_id: uuid.UUID
    user_id: int | None
    usd: dict[Kind, Decimal]
    burns_usd: Decimal


def _spent(team_ids: Collection[uuid.UUID], zone: str, now: dt.datetime) -> list[Spent]:
    """The database sums: a month can hold many thousand runs, and a launch waits for the answer. A run whose end nobody
    saw ends with its job."""
    runs = JobRun.objects.filter(job__team__in=team_ids)
    return [
        Spent(team_id, user_id, {Kind.DAY: _usd(day), Kind.MONTH: _usd(month)}, burns or ZERO)
        for team_id, user_id, day, month, burns in _sums(runs, zone, now, "job__team", "job__created_by")
    ]


def with_credentials(
    team_id: uuid.UUID, credential_ids: Collection[uuid.UUID], zone: str, now: dt.datetime
) -> dict[Kind, Decimal]:
    """What the jobs launched with these credentials of the team cost in the present day and month of ``zone``, to the
    cent, as the budgets count."""
    runs = JobRun.objects.filter(job__team=team_id, job__credential__in=list(credential_ids))
    rows = list(_sums(runs, zone, now, "job__credential"))
    return {
        Kind.DAY: _cents(sum((_usd(row[1]) for row in rows), ZERO)),
        Kind.MONTH: _cents(sum((_usd(row[2]) for row in rows), ZERO)),
    }


def _sums(runs: QuerySet[JobRun], zone: str, now: dt.datetime, *by: str) -> Iterator[tuple[Any, ...]]:
    """For each value of ``by``: itself, the cost in the day and in the month, and what it costs now per hour."""
    since = {kind: spans.span(kind, now, zone).since for kind in Kind}
    runs = runs.filter(hourly_rate_usd__gt=0).exclude(job__origin=Origin.IMPORTED)
    bills = Q(ended_at=None, job__ended_at=None)
    # Each half has an index of its own; together they would read every job of the team.
    halves = (
        runs.exclude(job__status__in=ENDED),
        runs.filter(job__status__in=ENDED, job__ended_at__gte=min(since.values())),
    )
    first, second = (
        half.order_by()
        .values_list(*by)
        .annotate(
            day=_cost(since[Kind.DAY], now),
            month=_cost(since[Kind.MONTH], now),
            burns=Sum("hourly_rate_usd", filter=bills),
        )
        for half in halves
    )
    yield from first.union(second, all=True)


def _cost(since: dt.datetime, now: dt.datetime) -> Sum:
    moment = DateTimeField()
    end = Least(Coalesce("ended_at", "job__ended_at", Value(now, moment)), Value(now, moment))
    start = Greatest(Coalesce("started_at", "first_seen_at"), Value(since, moment))
    seconds = Greatest(Seconds(end, start), Value(0.0))
    return Sum(Cast("hourly_rate_usd", FloatField()) * seconds / 3600.0)


def _usd(amount: float) -> Decimal:
    return Decimal(str(round(amount, 4)))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
