"""The figures above a team's jobs. They count jobs that have not ended and runs of one day, never everything."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DateTimeField, FloatField, Min, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest

from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import states
from dispersed_web.jobs.departed import long_lost
from dispersed_web.jobs.list_orders import Seconds
from dispersed_web.jobs.models import ENDED, Job, JobRun, Origin, UnmanagedJob
from dispersed_web.jobs.queries import STUCK_AFTER, needs_attention
from dispersed_web.jobs.states import Reason, Status

SOON = dt.timedelta(hours=1)
STALE_AFTER = dt.timedelta(minutes=2)
MOST_UNMANAGED = 200
UNMANAGED_SHOWN = (
    "credential__name",
    "remote_uuid",
    "title",
    "status",
    "gpu_label",
    "hourly_rate_usd",
    "created_at",
    "first_seen_at",
    "ignored_at",
)
UNDER_WAY = [status.value for status in states.UNDER_WAY]


@dataclass(frozen=True)
class Figures:
    """Of one team at one moment. Money is an estimate in USD; ``burning_usd`` is per hour and includes the unmanaged jobs,
    which ``unmanaged_usd`` says alone, and the quiet ones, of which ``quiet_usd`` does. ``under_way`` jobs start, stop or
    are looked for; ``idle_soon`` of those that stop soon do so for idleness."""

    burning_usd: Decimal
    unmanaged_usd: Decimal
    quiet_usd: Decimal
    unfinished: int
    billing: int
    under_way: int
    stops_soon: int
    idle_soon: int
    attention: int


def figures(team_id: uuid.UUID, now: dt.datetime, unmanaged_usd: Decimal = Decimal(0)) -> Figures:
    """The figures at ``now``; ``unmanaged_usd`` is what the unmanaged jobs cost per hour."""
    active = Job.objects.filter(team=team_id).exclude(status__in=ENDED)
    bills = Q(spending_since__isnull=False)
    soon = stops_within(SOON, now)
    found = active.aggregate(
        unfinished=Count("pk"),
        billing=Count("pk", filter=bills),
        burning=Sum("hourly_rate_usd", filter=bills),
        quiet=Sum("hourly_rate_usd", filter=bills & Q(quiet_since__isnull=False)),
        under_way=Count("pk", filter=Q(status__in=UNDER_WAY) | Q(stop_next_at__isnull=False)),
        stops_soon=Count("pk", filter=soon),
        idle_soon=Count("pk", filter=soon & Q(verdict_rule=Reason.IDLE)),
        attention=Count("pk", filter=needs_attention(now)),
    )
    return Figures(
        burning_usd=(found["burning"] or Decimal(0)) + unmanaged_usd,
        unmanaged_usd=unmanaged_usd,
        quiet_usd=found["quiet"] or Decimal(0),
        unfinished=found["unfinished"],
        billing=found["billing"],
        under_way=found["under_way"],
        stops_soon=found["stops_soon"],
        idle_soon=found["idle_soon"],
        attention=found["attention"],
    )


def stops_within(span: dt.timedelta, now: dt.datetime) -> Q:
    """Of jobs that have not ended: those that stop by themselves in that time. One that is in use at this moment does not,
    although its idle time would end so early."""
    in_use = Q(verdict_rule=Reason.IDLE, quiet_since=None, warned_at=None)
    return Q(stop_at__lte=now + span, stop_requested_at=None) & ~in_use


def spent_since(team_id: uuid.UUID, begin: dt.datetime, now: dt.datetime) -> Decimal:
    """What the team's runs cost between ``begin`` and ``now``, estimated."""
    runs = JobRun.objects.filter(job__team=team_id, hourly_rate_usd__isnull=False)
    runs = runs.exclude(job__origin=Origin.IMPORTED)
    moment = DateTimeField()
    end = Coalesce("ended_at", Value(now, moment))
    start = Greatest(Coalesce("started_at", "first_seen_at"), Value(begin, moment))
    seconds = Greatest(Seconds(end, start), Value(0.0))
    cost = Sum(Cast("hourly_rate_usd", FloatField()) * seconds / 3600.0)
    # Each half has an index of its own; together they would read every job of the team.
    halves = (
        runs.exclude(job__status__in=ENDED),
        runs.filter(job__status__in=ENDED, job__ended_at__gte=begin),
    )
    total = sum(half.aggregate(usd=cost)["usd"] or 0.0 for half in halves)
    return Decimal(str(round(total, 4)))


def stuck_stops(now: dt.datetime) -> tuple[int, int]:
    """How many stops of all teams hang, and for how many seconds the oldest: asked for, and no end seen for minutes."""
    stuck = Job.objects.filter(stop_next_at__isnull=False, stop_requested_at__lt=now - STUCK_AFTER)
    stuck = stuck.exclude(status__in=[*ENDED, Status.QUEUED])
    found = stuck.aggregate(count=Count("pk"), oldest=Min("stop_requested_at"))
    return found["count"], int((now - found["oldest"]).total_seconds()) if found["oldest"] else 0


@dataclass(frozen=True)
class Stale:
    """A credential whose jobs are shown as they were at ``listed_at`` (``None``: never seen), and why. A ``broken`` one
    cannot stop them either."""

    name: str
    listed_at: dt.datetime | None
    failure: str
    broken: bool
    credential_id: uuid.UUID


@dataclass(frozen=True)
class Sight:
    """How fresh the picture is: when the oldest of the team's listings was made, and which are stale."""

    synced_at: dt.datetime | None
    stale: tuple[Stale, ...]


def sight(team_id: uuid.UUID, now: dt.datetime) -> Sight:
    """A listing is stale when it failed or is older than two minutes."""
    names = ("name", "listed_at", "failure", "failures", "state", "pk")
    looked_with = Credential.objects.filter(team=team_id).exclude(state=CredentialState.GONE)
    rows = list(looked_with.order_by("name").values_list(*names))
    old = now - STALE_AFTER
    stale = [
        Stale(*row[:3], broken=row[4] == CredentialState.BROKEN, credential_id=row[5])
        for row in rows
        if row[3] or row[1] is None or row[1] < old
    ]
    return Sight(min((row[1] for row in rows if row[1]), default=None), tuple(stale))


def unmanaged(team_id: uuid.UUID, now: dt.datetime) -> list[UnmanagedJob]:
    """Live jobs of the team's keys that were not launched here, oldest first."""
    rows = UnmanagedJob.objects.filter(~long_lost(now), credential__team=team_id).select_related("credential")
    return list(rows.only(*UNMANAGED_SHOWN).order_by("first_seen_at")[:MOST_UNMANAGED])
