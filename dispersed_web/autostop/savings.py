"""What real stops saved. An estimate by nature: nobody knows when a forgotten machine would have been stopped by hand, so
it is a range, cut short where anything is known. Pure but for :func:`of_team`."""

from __future__ import annotations

import datetime as dt
import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop.activity import ZERO
from dispersed_web.costs.estimate import price
from dispersed_web.events.models import ActorKind, Event
from dispersed_web.jobs.models import ENDED, Job, Origin
from dispersed_web.jobs.states import Reason

AT_MOST = dt.timedelta(hours=12)
# Stops that replace a person's forgotten one. Budgets and prices stop what somebody may have wanted to go on.
COUNTED = (Reason.IDLE, Reason.CHECKIN_UNANSWERED, Reason.SCHEDULE, Reason.MAX_LIFETIME)
METHOD = (
    "For each stop by idleness, an unanswered check-in, the schedule or the lifetime: the job's price from the stop until "
    "its owner next launched or acted on a job, but no longer than 12 h and not beyond the end of its lifetime (for stops "
    "at the lifetime: of the longest lifetime). The upper figure leaves the owner out of it."
)


@dataclass(frozen=True)
class Stop:
    """A job that auto-stop ended at ``ended_at``. ``limit_at`` is when it would have ended by its lifetime at the latest,
    ``owner_back_at`` when its owner next did something with any job of the team."""

    job_id: uuid.UUID
    title: str
    reason: str
    ended_at: dt.datetime
    hourly_rate_usd: Decimal
    limit_at: dt.datetime | None = None
    owner_back_at: dt.datetime | None = None


@dataclass(frozen=True)
class Saved:
    """An estimated range in USD, of ``stops`` stops."""

    low_usd: Decimal = Decimal(0)
    high_usd: Decimal = Decimal(0)
    stops: int = 0

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.low_usd + other.low_usd, self.high_usd + other.high_usd, self.stops + other.stops)


def estimate(stop: Stop, now: dt.datetime) -> Saved:
    """What the stop saved until ``now``."""
    ends = [stop.ended_at + AT_MOST, now, *([stop.limit_at] if stop.limit_at else [])]
    latest = min(ends)
    earliest = min([latest, *([stop.owner_back_at] if stop.owner_back_at else [])])
    low, high = (max(end - stop.ended_at, ZERO) for end in (earliest, latest))
    return Saved(price(stop.hourly_rate_usd, low), price(stop.hourly_rate_usd, high), 1)


def by_month(stops: Iterable[Stop], now: dt.datetime, zone: dt.tzinfo) -> dict[dt.date, Saved]:
    """The savings of each month of the calendar in ``zone`` that has a stop, newest first, by its first day."""
    months: dict[dt.date, Saved] = defaultdict(Saved)
    for stop in stops:
        months[month_of(stop.ended_at, zone)] += estimate(stop, now)
    return dict(sorted(months.items(), reverse=True))


def month_of(at: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """The first day of the month that it is in ``zone`` at ``at``."""
    return at.astimezone(zone).date().replace(day=1)


def of_team(team_id: uuid.UUID, since: dt.datetime) -> list[Stop]:
    """The team's counted stops that were seen to end since then, newest first; two queries. Jobs of unknown price are
    left out."""
    jobs = Job.objects.filter(team=team_id, status__in=ENDED, ended_at__gte=since, hourly_rate_usd__gt=0)
    rows = list(
        jobs.filter(reason__in=COUNTED, task="PERSISTENT")
        .exclude(origin=Origin.IMPORTED)
        .order_by("-ended_at")
        .only(
            *("title", "reason", "ended_at", "hourly_rate_usd", "owner_id", "launched_at", "created_at"),
            *("lifetime_s", "ceiling_s", "extend_until"),
        )
    )
    acts = _acts(team_id, rows)
    return [_stop(job, acts.get(job.owner_id, [])) for job in rows]


def _acts(team_id: uuid.UUID, jobs: list[Job]) -> dict[int | None, list[dt.datetime]]:
    """When each of the jobs' owners did something with a job, in order."""
    found: dict[int | None, list[dt.datetime]] = defaultdict(list)
    if not jobs:
        return found
    acts = Event.objects.filter(
        team=team_id,
        subject_type="job",
        actor_kind__in=[ActorKind.PERSON, ActorKind.TOKEN],
        actor_user__in={job.owner_id for job in jobs},
        at__gt=jobs[-1].ended_at,
    )
    for user_id, at in acts.order_by("at").values_list("actor_user", "at"):
        found[user_id].append(at)
    return found


def _stop(job: Job, acts: list[dt.datetime]) -> Stop:
    place = bisect_right(acts, job.ended_at)
    return Stop(
        job_id=job.pk,
        title=job.title,
        reason=job.reason,
        ended_at=job.ended_at,
        hourly_rate_usd=job.hourly_rate_usd,
        limit_at=_limit_at(job),
        owner_back_at=acts[place] if place < len(acts) else None,
    )


def _limit_at(job: Job) -> dt.datetime | None:
    """When its lifetime would have ended it; for a job that this did, when the longest one would have."""
    seconds = job.ceiling_s if job.reason == Reason.MAX_LIFETIME else job.lifetime_s
    if seconds is None:
        return None
    end = (job.launched_at or job.created_at) + dt.timedelta(seconds=seconds)
    return max(end, job.extend_until) if job.extend_until else end
