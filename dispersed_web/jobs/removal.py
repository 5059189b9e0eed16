"""When somebody goes, each of their running jobs is handed over or stopped first: nothing goes on without somebody who
answers for it.

All or nothing, in one transaction. What was not sent yet ends; what is being stopped already goes on to its end, and the
team's admins hear if that does not come.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import (
    Credential,
    CredentialState,
    CredentialUser,
    TeamSecret,
    TeamSecretUser,
)
from dispersed_web.events.record import Actor
from dispersed_web.events.security import tell_owners
from dispersed_web.jobs import handover, stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import ENDED, CalendarFeed, Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.teams import keeping, seats
from dispersed_web.teams.models import ApiToken, Membership, Team
from dispersed_web.teams.roles import Action, Role, may

# What becomes of one job: who takes it, or None to stop it
Fates = Mapping[uuid.UUID, User | None]
MEANWHILE = "Another of their jobs runs by now, or one changed hands. Look at them again."


@dataclass(frozen=True)
class Removed:
    """What was done with the jobs, and the names of the keys that the person added and may have kept."""

    handed_over: int
    stopped: tuple[uuid.UUID, ...]
    keys: tuple[str, ...]


def undecided(team: Team, person: User) -> QuerySet[Job]:
    """The person's jobs about which must be decided before they go: those that may cost money and go on by themselves.
    A stop for idleness that was not sent yet may still be called off, so such a job is among them."""
    goes_on = Q(stop_requested_at=None) | Q(stop_reason=Reason.IDLE, stop_attempts=0)
    rows = Job.objects.filter(goes_on, team=team, owner=person)
    return rows.exclude(status__in=[*ENDED, Status.QUEUED]).order_by("created_at", "pk")


def heirs(team: Team, person: User, *, owners_only: bool = False) -> list[User]:
    """The members who may take the person's jobs, by name."""
    rows = Membership.objects.filter(team=team, user__is_active=True, user__is_service=False)
    found = [
        one.user
        for one in rows.exclude(user=person).select_related("user")
        if may(one.role, Action.LAUNCH) and (one.role == Role.OWNER or not owners_only)
    ]
    return sorted(found, key=lambda user: str(user).lower())


def remove(
    team: Team,
    person: User,
    fates: Fates,
    *,
    actor: Actor,
    now: dt.datetime,
    from_outside: bool = False,
) -> Removed:
    """Takes the person out of the team; with ``actor`` the person, they leave. ``fates`` says of each of
    :func:`undecided` what becomes of it. ``from_outside``: an administrator of the installation acts, who stops nothing
    in passing and hands over to owners only.

    Raises :class:`JobError` (``outdated`` when a job is not among the ``fates``; for somebody who cannot take a job) and
    :class:`keeping.TeamRefused`. Then nothing was changed.
    """
    with transaction.atomic():
        jobs = _hold(team, person)
        _end_what_was_theirs(team, person)
        _need_fates(team, person, fates)
        stopped = _stop(jobs, fates, person, actor, now)
        handed_over = _hand_over(team, jobs, fates, person, actor, now)
        _need_rights(team, fates, actor, from_outside)
        _go(team, person, actor, now, from_outside)
        _nothing_new(team, person, jobs)
        keys = _warn_of_keys(team, person, actor, now)
    return Removed(handed_over, stopped, keys)


def _hold(team: Team, person: User) -> list[Job]:
    """Their jobs that have not ended, locked: before the team, as everywhere."""
    rows = Job.objects.filter(team=team, owner=person).exclude(status__in=ENDED)
    return list(rows.order_by("pk").select_for_update(no_key=True))


def _end_what_was_theirs(team: Team, person: User) -> None:
    """Their address of the team's calendar (whoever makes one locks the person first, and the team last), and their
    place among those chosen for a credential or a secret."""
    CredentialUser.objects.filter(credential__team=team, user=person).delete()
    TeamSecretUser.objects.filter(secret__team=team, user=person).delete()
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)
    CalendarFeed.objects.filter(user=person, team=team).delete()


def _need_fates(team: Team, person: User, fates: Fates) -> None:
    if not set(undecided(team, person).values_list("pk", flat=True)) <= set(fates):
        raise JobError("outdated", MEANWHILE)


def _stop(
    jobs: list[Job], fates: Fates, person: User, actor: Actor, now: dt.datetime
) -> tuple[uuid.UUID, ...]:
    """Asks for the end of those to stop, and takes back what was not sent."""
    note = f"{person} left the team" if actor.user_id == person.pk else f"{person} was removed from the team"
    ending = [job for job in jobs if job.status == Status.QUEUED or fates.get(job.pk, person) is None]
    return tuple(
        job.pk
        for job in ending
        if stop.request_stop(job, actor=actor, reason=Reason.USER, now=now, note=note)
    )


def _hand_over(
    team: Team, jobs: list[Job], fates: Fates, person: User, actor: Actor, now: dt.datetime
) -> int:
    going = [job for job in jobs if job.status != Status.QUEUED]
    heirs_of = {job.pk: heir for job in going if (heir := fates.get(job.pk)) is not None}
    if any(heir.pk == person.pk for heir in heirs_of.values()):
        raise JobError("cannot_own", f"{person} goes, so a job cannot stay theirs.", field="to")
    for heir in set(heirs_of.values()):
        theirs = [job for job in going if heirs_of.get(job.pk) == heir]
        handover.hand_over_these(team, theirs, person, heir, actor=actor, now=now)
    return len(heirs_of)


def _need_rights(team: Team, fates: Fates, actor: Actor, from_outside: bool) -> None:
    if from_outside:
        owners = Membership.objects.filter(team=team, role=Role.OWNER).values_list("user", flat=True)
        if not {heir and heir.pk for heir in fates.values()} <= set(owners):
            raise JobError("cannot_own", "Hand the jobs over to an owner of the team.", field="to")
        return
    if None in fates.values() and not may(seats.role_of_actor(team, actor), Action.STOP):
        raise JobError("not_allowed", "Your role in this team does not allow to stop jobs.")


def _go(team: Team, person: User, actor: Actor, now: dt.datetime, from_outside: bool) -> None:
    if actor.user_id == person.pk and not from_outside:
        keeping.leave(team, person, actor=actor, now=now)
    else:
        keeping.remove_member(team, person, actor=actor, now=now, from_outside=from_outside)


def _nothing_new(team: Team, person: User, jobs: list[Job]) -> None:
    """Behind the team's lock no launch of theirs and no handing over to them comes in between any more."""
    known = [job.pk for job in jobs]
    if Job.objects.filter(team=team, owner=person).exclude(status__in=ENDED).exclude(pk__in=known).exists():
        raise JobError("outdated", MEANWHILE)


def _warn_of_keys(team: Team, person: User, actor: Actor, now: dt.datetime) -> tuple[str, ...]:
    """Nobody reads a stored key here, but whoever typed it in may have kept it. So may whoever made a token of the team,
    which goes on without them."""
    keys = Credential.objects.filter(team=team, created_by=person).exclude(state=CredentialState.GONE)
    secrets = TeamSecret.objects.filter(team=team, created_by=person)
    tokens = ApiToken.objects.filter(team=team, made_by=person, user__is_service=True, revoked_at=None)
    alive = tokens.filter(expires_at__gt=now).order_by("name").values_list("name", flat=True)
    names = (
        *keys.order_by("name").values_list("name", flat=True),
        *secrets.order_by("name").values_list("name", flat=True),
        *(f"{name} (API token)" for name in alive),
    )
    if names:
        listed = ", ".join(f"“{name}”" for name in names)
        sentence = (
            f"{person} is out of the team, but added {listed} and may have kept the keys. Replace them."
        )
        about = ("user", person.pk)
        tell_owners(team.pk, actor, "member.may_know_keys", about, sentence, now, {"names": list(names)})
    return names
