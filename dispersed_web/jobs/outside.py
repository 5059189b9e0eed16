"""Teams as whoever runs the installation sees them: counts, costs and ids; no titles, no logs, no addresses."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, OuterRef, Q, Subquery, Sum

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.models import Membership, Team

# What these pages read of a job
SEEN = (
    "id", "team", "owner", "status", "task", "gpu_label", "created_at", "hourly_rate_usd", "spent_usd",
    "spending_since", "stop_requested_at", "warned_for", "stop_reason", "stop_attempts",
)  # fmt: skip


@dataclass(frozen=True)
class Outline:
    """One team from outside; ``burning_usd`` is per hour."""

    team: Team
    members: int
    active: int
    burning_usd: Decimal
    last_at: dt.datetime | None


def outlines(team_id: uuid.UUID | None = None) -> list[Outline]:
    """All teams that were not deleted, by name, or the one."""
    latest = Event.objects.filter(team=OuterRef("pk")).order_by("-id").values("at")[:1]
    teams = Team.objects.filter(deleted_at=None, **({"pk": team_id} if team_id else {}))
    rows = list(teams.annotate(last_at=Subquery(latest)).order_by("name", "pk"))
    ids = [row.pk for row in rows]
    people = Membership.objects.filter(team__in=ids, user__is_service=False)
    members = dict(people.values_list("team").annotate(number=Count("pk")).order_by())
    active = Job.objects.filter(team__in=ids).exclude(status__in=ENDED)
    burning = Sum("hourly_rate_usd", filter=Q(spending_since__isnull=False))
    sums = active.values_list("team").annotate(number=Count("pk"), usd=burning).order_by()
    counts = {team: (number, usd or Decimal(0)) for team, number, usd in sums}
    return [
        Outline(row, members.get(row.pk, 0), *counts.get(row.pk, (0, Decimal(0))), last_at=row.last_at)
        for row in rows
    ]


def running(team: Team) -> list[Job]:
    """The team's jobs that have not ended, the dearest first, with what :data:`SEEN` names alone."""
    rows = Job.objects.filter(team=team).exclude(status__in=ENDED)
    return list(rows.only(*SEEN).order_by("-hourly_rate_usd", "created_at", "pk"))


def stop_in_emergency(job: Job, why: str, *, actor: Actor, now: dt.datetime) -> bool:
    """Stops a job of a team that the actor need not be in; its admins are told, with the reason. False when it was being
    stopped already. Whether the actor runs the installation is the caller's to prove. Raises :class:`JobError`."""
    if not why.strip():
        raise JobError("invalid", "Say why: the team reads it.", field="why")
    return stop.request_stop(job, actor=actor, reason=Reason.TEAM_EMERGENCY, now=now, note=why.strip())
