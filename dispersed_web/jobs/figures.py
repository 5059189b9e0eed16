"""The figures above a team's jobs. They count jobs that have not ended and runs of one day, never everything."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DateTimeField, FloatField, Min, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest

from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import states
from dispersed_web.jobs.models import ENDED, Job, JobRun, UnmanagedJob
from dispersed_web.jobs.queries import Seconds, needs_attention

SOON = dt.timedelta(hours=1)
STALE_AFTER = dt.timedelta(minutes=2)
UNDER_WAY = [status.value for status in states.UNDER_WAY]


@dataclass(frozen=True)
class Figures:
    """Of one team at ``as_of``. Money is an estimate in USD; ``burning_usd`` is per hour and includes the unmanaged jobs,
    which ``unmanaged_usd`` says alone. ``under_way`` jobs start, stop or are looked for."""

    as_of: dt.datetime
    burning_usd: Decimal
    unmanaged_usd: Decimal
    today_usd: Decimal
    unfinished: int
    billing: int
    under_way: int
    stops_soon: int
    attention: int


def figures(team_id: uuid.UUID, midnight: dt.datetime, now: dt.datetime) -> Figures:
    """The figures at ``now``; today begins at ``midnight`` of the reader."""
    active = Job.objects.filter(team=team_id).exclude(status__in=ENDED)
    found = active.aggregate(
        unfinished=Count("pk"),
        billing=Count("pk", filter=Q(spending_since__isnull=False)),
        burning=Sum("hourly_rate_usd", filter=Q(spending_since__isnull=False)),
        under_way=Count("pk", filter=Q(status__in=UNDER_WAY) | Q(stop_next_at__isnull=False)),
        stops_soon=Count("pk", filter=Q(stop_at__lte=now + SOON, stop_requested_at=None)),
        attention=Count("pk", filter=needs_attention(now)),
    )
    unmanaged = UnmanagedJob.objects.filter(credential__team=team_id).aggregate(usd=Sum("hourly_rate_usd"))
    unmanaged_usd = unmanaged["usd"] or Decimal(0)
    return Figures(
        as_of=now,
        burning_usd=(found["burning"] or Decimal(0)) + unmanaged_usd,
        unmanaged_usd=unmanaged_usd,
        today_usd=spent_since(team_id, midnight, now),
        unfinished=found["unfinished"],
        billing=found["billing"],
        under_way=found["under_way"],
        stops_soon=found["stops_soon"],
        attention=found["attention"],
    )


def spent_since(team_id: uuid.UUID, begin: dt.datetime, now: dt.datetime) -> Decimal:
    """What the team's runs cost between ``begin`` and ``now``, estimated."""
    ended_before = Q(job__status__in=ENDED, job__ended_at__lt=begin)
    runs = JobRun.objects.filter(job__team=team_id, hourly_rate_usd__isnull=False).exclude(ended_before)
    moment = DateTimeField()
    end = Coalesce("ended_at", Value(now, moment))
    start = Greatest(Coalesce("started_at", "first_seen_at"), Value(begin, moment))
    seconds = Greatest(Seconds(end, start), Value(0.0))
    cost = Cast("hourly_rate_usd", FloatField()) * seconds / 3600.0
    return Decimal(str(round(runs.aggregate(usd=Sum(cost))["usd"] or 0.0, 4)))


@dataclass(frozen=True)
class Stale:
    """A credential whose jobs are shown as they were at ``listed_at`` (``None``: never seen), and why."""

    name: str
    listed_at: dt.datetime | None
    failure: str


def stale_credentials(team_id: uuid.UUID, now: dt.datetime) -> list[Stale]:
    """The team's credentials whose listing failed or is older than two minutes, while they have unfinished jobs."""
    old = Q(listed_at=None) | Q(listed_at__lt=now - STALE_AFTER) | Q(failures__gt=0)
    unfinished = Job.objects.filter(team=team_id).exclude(status__in=ENDED).values("credential")
    rows = Credential.objects.filter(old, team=team_id, pk__in=unfinished).order_by("name")
    return [Stale(*row) for row in rows.values_list("name", "listed_at", "failure")]


def synced_at(team_id: uuid.UUID) -> dt.datetime | None:
    """The age of the oldest of the team's listings."""
    return Credential.objects.filter(team=team_id).aggregate(at=Min("listed_at"))["at"]


def unmanaged(team_id: uuid.UUID) -> list[UnmanagedJob]:
    """Live jobs of the team's keys that were not launched here, oldest first."""
    rows = UnmanagedJob.objects.filter(credential__team=team_id).select_related("credential")
    return list(rows.defer("credential__secret_sealed").order_by("first_seen_at")[:50])
