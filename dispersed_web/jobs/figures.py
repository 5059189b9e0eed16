"""The figures above a team's jobs. They count jobs that have not ended and runs of one day, never everything."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DateTimeField, FloatField, Min, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest

from dispersed_web import plain_sql
from dispersed_web.credentials.models import CredentialState
from dispersed_web.jobs import states
from dispersed_web.jobs.departed import long_lost
from dispersed_web.jobs.list_orders import Seconds
from dispersed_web.jobs.models import ENDED, Job, JobRun, Origin, UnmanagedJob
from dispersed_web.jobs.queries import STUCK_AFTER
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
# Of the team's active jobs, in the words of the index of them. ``soon`` is :func:`stops_within`, ``attention`` is
# :func:`queries.needs_attention`.
_STOPS_SOON = (
    "stop_at <= %(soon)s AND stop_requested_at IS NULL "
    "AND NOT (verdict_rule = 'idle' AND quiet_since IS NULL AND warned_at IS NULL)"
)
_ATTENTION = (
    "(stop_requested_at < %(stuck)s AND status <> 'QUEUED') OR (status = 'QUEUED' AND reason_text <> '') "
    "OR (warned_at IS NOT NULL AND stop_requested_at IS NULL) "
    "OR missing_alarmed_at IS NOT NULL OR status = 'UNCONFIRMED'"
)
FIGURES = f"""
SELECT SUM(hourly_rate_usd) FILTER (WHERE spending_since IS NOT NULL),
    SUM(hourly_rate_usd) FILTER (WHERE spending_since IS NOT NULL AND quiet_since IS NOT NULL),
    COUNT(*),
    COUNT(*) FILTER (WHERE spending_since IS NOT NULL),
    COUNT(*) FILTER (WHERE status IN ({plain_sql.constants(sorted(states.UNDER_WAY))}) OR stop_next_at IS NOT NULL),
    COUNT(*) FILTER (WHERE {_STOPS_SOON}),
    COUNT(*) FILTER (WHERE {_STOPS_SOON} AND verdict_rule = 'idle'),
    COUNT(*) FILTER (WHERE {_ATTENTION})
FROM jobs_job WHERE team_id = %(team)s AND NOT (status IN ({plain_sql.constants(ENDED)}))
"""  # noqa: S608 - of our own words

# Most teams have none, and this takes a tenth of the time of asking Django for them.
_ANY_UNMANAGED = (
    "SELECT 1 FROM jobs_unmanagedjob job JOIN credentials_credential key ON key.id = job.credential_id "
    "WHERE key.team_id = %s LIMIT 1"
)
_LOOKED_WITH = (
    "SELECT listed_at, id, name, failure, failures, state FROM credentials_credential "
    "WHERE team_id = %s AND state <> %s ORDER BY name"
)


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
    values = {"team": team_id, "soon": now + SOON, "stuck": now - STUCK_AFTER}
    found = plain_sql.select(FIGURES, values)[0]
    burning, quiet = (Decimal(str(round(usd or 0, 4))) for usd in found[:2])
    unfinished, billing, under_way, stops_soon, idle_soon, attention = found[2:]
    return Figures(
        burning_usd=burning + unmanaged_usd,
        unmanaged_usd=unmanaged_usd,
        quiet_usd=quiet,
        unfinished=unfinished,
        billing=billing,
        under_way=under_way,
        stops_soon=stops_soon,
        idle_soon=idle_soon,
        attention=attention,
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
    found = plain_sql.select(_LOOKED_WITH, (team_id, CredentialState.GONE.value))
    rows = [(listed_at and plain_sql.as_moment(listed_at), *more) for listed_at, *more in found]
    old = now - STALE_AFTER
    stale = [
        Stale(name, listed_at, failure, state == CredentialState.BROKEN, plain_sql.as_uuid(key_id))
        for listed_at, key_id, name, failure, failures, state in rows
        if failures or listed_at is None or listed_at < old
    ]
    return Sight(min((row[0] for row in rows if row[0]), default=None), tuple(stale))


def unmanaged(team_id: uuid.UUID, now: dt.datetime) -> list[UnmanagedJob]:
    """Live jobs of the team's keys that were not launched here, oldest first."""
    if not plain_sql.select(_ANY_UNMANAGED, (team_id,)):
        return []
    rows = UnmanagedJob.objects.filter(~long_lost(now), credential__team=team_id).select_related("credential")
    return list(rows.only(*UNMANAGED_SHOWN).order_by("first_seen_at")[:MOST_UNMANAGED])
