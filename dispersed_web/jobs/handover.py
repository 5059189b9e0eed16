"""Handing a job over: another member answers for it from then on. Who launched it stays, and so do their budgets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.teams import seats
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action, may


def candidates(job: Job) -> list[User]:
    """The members who may take the job, by name."""
    rows = Membership.objects.filter(team=job.team_id, user__is_active=True, user__is_service=False)
    rows = rows.select_related("user")
    found = [one.user for one in rows.exclude(user=job.owner_id) if may(one.role, Action.LAUNCH)]
    return sorted(found, key=lambda user: str(user).lower())


def may_hand_over(job: Job, role: str | None, user_id: int | None) -> bool:
    """Whether a member with this role may give the job away: its owner may, and whoever manages the team's jobs."""
    is_own = job.owner_id is not None and job.owner_id == user_id
    return may(role, Action.MANAGE_JOBS) or (is_own and may(role, Action.LAUNCH))


def hand_over(job: Job, to: User, *, actor: Actor, now: dt.datetime) -> bool:
    """Makes ``to`` the job's owner, whatever the job does at present; False when they are it already. Both are told.

    Raises :class:`JobError`: for somebody who is no active member or may not launch, for an actor who may not give the
    job away, and when somebody else handed it over a moment ago.
    """
    with transaction.atomic():
        if to.pk == job.owner_id:
            return False
        changed = Job.objects.filter(pk=job.pk, owner=job.owner_id).update(owner=to)
        _hold_members(job.team_id)
        if not may_hand_over(job, seats.role_of_actor(job.team_id, actor), actor.user_id):
            raise JobError("not_allowed", "Only its owner or an admin of the team hands a job over.")
        _need_able(job.team_id, to)
        if not changed:
            raise JobError(
                "outdated", "Somebody handed this job over a moment ago. Look at it, then decide again."
            )
        _tell([job], _name(job.owner_id), job.owner_id, to, actor, now)
    job.owner = to
    return True


def hand_over_these(
    team: Team, jobs: Sequence[Job], person: User, to: User, *, actor: Actor, now: dt.datetime
) -> None:
    """Makes ``to`` the owner of some of the person's jobs, whose rows the caller's transaction holds; for when somebody
    leaves. The caller has made sure that ``actor`` may do that.

    Raises :class:`JobError` for a new owner who is no active member or may not launch.
    """
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(owner=to)
    _hold_members(team.pk)
    _need_able(team.pk, to)
    _tell(jobs, str(person), person.pk, to, actor, now)


def _hold_members(team_id: uuid.UUID) -> None:
    """Locks the team's row, behind which members come and go; always after the jobs."""
    Team.objects.select_for_update().get(pk=team_id)


def _need_able(team_id: uuid.UUID, to: User) -> None:
    role = seats.role_of(team_id, to.pk)
    if role is None or to.is_service:
        raise JobError("no_member", f"{to} is no active member of the team.", field="to")
    if not may(role, Action.LAUNCH):
        raise JobError("cannot_own", f"{to} may only look, so a job cannot be theirs.", field="to")


def _name(user_id: int | None) -> str:
    user = User.objects.filter(pk=user_id).first()
    return str(user) if user else ""


def _tell(
    jobs: Sequence[Job], before: str, before_id: int | None, to: User, actor: Actor, now: dt.datetime
) -> None:
    """``concerns`` names who is told: the new owner and the old one, without the one who did it."""
    concerns = [one for one in (to.pk, before_id) if one is not None and one != actor.user_id]
    whose = f" of {before}" if before and before_id != actor.user_id else ""
    taken = to.pk == actor.user_id
    sentence = (
        f"{actor.label} took the job{whose} over."
        if taken
        else f"{actor.label} handed the job{whose} to {to}."
    )
    for job in jobs:
        record(
            job.team_id,
            actor,
            "job.handed_over",
            ("job", job.pk),
            sentence,
            now=now,
            data={"from": before_id, "to": to.pk, "concerns": concerns},
            audience=Audience.JOB_OWNER if concerns else Audience.NOBODY,
            bump=False,
        )
    if jobs:
        Team.bump(jobs[0].team_id)
