"""A team's inventory: what runs on its keys without having been launched here, and what of its own was lost sight of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs import ignoring
from dispersed_web.jobs.departed import is_long_lost
from dispersed_web.jobs.finding import WATCH
from dispersed_web.jobs.models import ENDED, Job, Origin, UnmanagedJob
from dispersed_web.jobs.sources import Source
from dispersed_web.jobs.states import Status

MOST = 500


@dataclass(frozen=True)
class Stock:
    """``twins`` gives for a duplicate's uuid the job whose mark it carries; ``found`` has not ended and turned up late in
    the last 30 days, or without a record and nobody answers for it yet; ``long_lost`` are unmanaged ones that the cloud has
    not shown for a week, whose end nobody saw."""

    unmanaged: list[UnmanagedJob]
    ignored: list[UnmanagedJob]
    twins: dict[str, Job]
    missing: list[Job]
    unconfirmed: list[Job]
    found: list[Job]
    long_lost: list[UnmanagedJob] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.unmanaged or self.ignored or self.missing or self.unconfirmed or self.found)


def of_team(team_id: uuid.UUID, now: dt.datetime) -> Stock:
    """Everything at ``now``, what costs most first."""
    rows = UnmanagedJob.objects.filter(credential__team=team_id).select_related("credential", "ignored_by")
    seen = list(rows.prefetch_related("watched_by").order_by("-hourly_rate_usd", "first_seen_at")[:MOST])
    found = [row for row in seen if not is_long_lost(row, now)]
    active = (
        Job.objects.filter(team=team_id)
        .exclude(status__in=ENDED)
        .select_related("credential", "owner")
        .defer("spec", "spec_secrets_sealed")
    )
    return Stock(
        unmanaged=[row for row in found if is_shown(row, now)],
        ignored=[row for row in found if not is_shown(row, now)],
        twins=_twins(team_id, [row.remote_uuid for row in found if row.source == Source.DUPLICATE]),
        missing=list(active.filter(missing_since__isnull=False).order_by("missing_since")[:MOST]),
        unconfirmed=list(active.filter(status=Status.UNCONFIRMED).order_by("unknown_since")[:MOST]),
        found=_found(team_id, active, now),
        long_lost=[row for row in seen if is_long_lost(row, now)],
    )


def is_shown(row: UnmanagedJob, now: dt.datetime) -> bool:
    """Whether it is among the others instead of folded away."""
    return row.ignored_at is None or ignoring.is_over(row, now)


def _twins(team_id: uuid.UUID, uuids: Iterable[str]) -> dict[str, Job]:
    wanted = set(uuids)
    if not wanted:
        return {}
    alarms = Event.objects.filter(team=team_id, kind="job.duplicate", data__remote_uuid__in=wanted)
    pairs = {str(alarm.data["remote_uuid"]): alarm.subject_id for alarm in alarms}
    jobs = {str(job.pk): job for job in Job.objects.filter(team=team_id, pk__in=pairs.values()).only("title")}
    return {remote: jobs[job_id] for remote, job_id in pairs.items() if job_id in jobs}


def _found(team_id: uuid.UUID, active: QuerySet[Job], now: dt.datetime) -> list[Job]:
    late = Event.objects.filter(
        team=team_id, kind="job.found", audience=Audience.ADMINS, at__gt=now - WATCH
    ).values_list("subject_id", flat=True)
    ownerless = Q(origin=Origin.FOUND, owner=None)
    wanted = ownerless | Q(pk__in=[uuid.UUID(one) for one in late])
    return list(active.filter(wanted).order_by("launched_at")[:MOST])
