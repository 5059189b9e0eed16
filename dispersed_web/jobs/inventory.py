"""What people do about jobs that were not launched here: adopt, stop, watch, ignore. Each act is one transaction.

The one guarantee that a job belongs to one row is the unique pair of cloud and uuid: of two who adopt at once, or of
somebody and a sync, one makes the job and the other is given it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from dispersed_web.accounts.models import User
from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import ignoring, making
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.jobs.sources import Source
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import request_stop
from dispersed_web.jobs.strangers import HIDDEN_TITLES
from dispersed_web.teams import seats
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action, may

SHORTEST_S = 60
TYPED_LENGTH = 6


class InventoryRefused(JobError):
    """The act was not done."""


@dataclass(frozen=True)
class Hand:
    """Whose hand acts: the person, as whom it is recorded, whether they manage the team's jobs, and what they ``typed`` to
    confirm an act on another installation's job."""

    user: User
    actor: Actor
    manages: bool = False
    typed: str = ""


def typed_for(row: UnmanagedJob) -> str:
    """What is typed to confirm an act on another installation's job; empty where nothing is."""
    return row.remote_uuid[-TYPED_LENGTH:] if row.source == Source.OTHER_INSTALLATION else ""


def adopt(row: UnmanagedJob, *, owner: User, lifetime_s: int, hand: Hand, now: dt.datetime) -> Job:
    """Makes it a job of the team, which ``owner`` answers for and which is stopped after ``lifetime_s`` from now unless
    it is extended. Once it is one, every further try gives that job.

    Raises :class:`InventoryRefused` for what nobody here may act on, an owner who may not act in the team, a lifetime
    outside the team's bounds, and a job that ended or is another team's meanwhile.
    """
    _refuse_unless_allowed(row, hand)
    team = row.credential.team
    _check_terms(team, owner, lifetime_s)
    try:
        with transaction.atomic():
            return _adopt(row, owner, lifetime_s, hand, now, bump=True)
    except IntegrityError:
        return _already_adopted(row)


def stop(row: UnmanagedJob, *, hand: Hand, now: dt.datetime, note: str = "") -> Job:
    """Adopts it and asks for its end, both or neither; from there it is pursued as any stop. Raises
    :class:`InventoryRefused`."""
    _refuse_unless_allowed(row, hand)
    try:
        with transaction.atomic():
            job = _adopt(row, hand.user, row.credential.team.default_lifetime_s, hand, now, bump=False)
            request_stop(job, actor=hand.actor, reason=Reason.USER, now=now, note=note)
    except IntegrityError:
        job = _already_adopted(row)
        request_stop(job, actor=hand.actor, reason=Reason.USER, now=now, note=note)
    return job


def watch(row: UnmanagedJob, *, hand: Hand, now: dt.datetime) -> bool:
    """From now on the person hears once a day what it cost, and when it ends. False when they watched it already."""
    _refuse_hidden(row)
    with transaction.atomic():
        if row.watched_by.filter(pk=hand.user.pk).exists():
            return False
        row.watched_by.add(hand.user)
        UnmanagedJob.objects.filter(pk=row.pk, told_at=None).update(told_at=now)
        _record(row, hand, "unmanaged.watched", "watches", now)
    return True


def unwatch(row: UnmanagedJob, *, hand: Hand, now: dt.datetime) -> bool:
    """The person hears no more of it. False when they did not watch it."""
    with transaction.atomic():
        if not row.watched_by.filter(pk=hand.user.pk).exists():
            return False
        row.watched_by.remove(hand.user)
        if not row.watched_by.exists():
            UnmanagedJob.objects.filter(pk=row.pk).update(told_at=None)
        _record(row, hand, "unmanaged.unwatched", "no longer watches", now)
    return True


def ignore(row: UnmanagedJob, *, hand: Hand, now: dt.datetime) -> bool:
    """Folds it away for the whole team; it is counted on. When it comes back: see ``ignoring.py``."""
    _refuse_hidden(row)
    values = {"ignored_at": now, "ignored_by": hand.user, "ignored_rate_usd": row.hourly_rate_usd}
    with transaction.atomic():
        if not UnmanagedJob.objects.filter(pk=row.pk, ignored_at=None).update(**values):
            return False
        _record(row, hand, "unmanaged.ignored", "ignores", now)
    return True


def unignore(row: UnmanagedJob, *, hand: Hand, now: dt.datetime) -> bool:
    """Puts it back among the others."""
    with transaction.atomic():
        if not UnmanagedJob.objects.filter(pk=row.pk, ignored_at__isnull=False).update(**ignoring.BACK):
            return False
        _record(row, hand, "unmanaged.unignored", "no longer ignores", now)
    return True


def _adopt(
    row: UnmanagedJob, owner: User, lifetime_s: int, hand: Hand, now: dt.datetime, *, bump: bool
) -> Job:
    """Makes the job first and takes the row away then, in the order in which a late find does it. Raises IntegrityError
    when the job has a row of ours already."""
    credential = row.credential
    job = making.build(credential, making.of_row(row), Origin.ADOPTED, "adopt", now, owner=owner)
    making.limits_from_now(job, lifetime_s, now)
    job.confirmed_at = now  # whoever adopts it says that it is in use
    if row.hourly_rate_usd is not None:
        job.hourly_rate_usd, job.spending_since = row.hourly_rate_usd, job.launched_at
    with transaction.atomic():
        job.save(force_insert=True)
    if not _take_away(row):
        raise InventoryRefused("gone", "This job ended or was dealt with meanwhile. Look at the list again.")
    sentence = (
        f"{hand.actor.label} adopted “{job.title}”, which was not launched here. {owner} answers for it."
    )
    record(
        credential.team_id,
        hand.actor,
        "job.adopted",
        ("job", job.pk),
        sentence,
        now=now,
        data={"remote_uuid": row.remote_uuid, "source": row.source, "lifetime_s": lifetime_s},
        audience=Audience.NOBODY if owner == hand.user else Audience.JOB_OWNER,
        bump=bump,
    )
    return job


def _take_away(row: UnmanagedJob) -> bool:
    """Removes the team's rows of it, and hides what other teams see of it. False when there was none any more."""
    cloud, team_id = cloud_name(row.credential.api_url), row.credential.team_id
    keys = [key for key in Credential.objects.only("api_url", "team") if cloud_name(key.api_url) == cloud]
    rows = UnmanagedJob.objects.filter(remote_uuid=row.remote_uuid)
    others = rows.filter(credential__in=[key.pk for key in keys if key.team_id != team_id])
    hidden = {"source": Source.OTHER_TEAM, "title": HIDDEN_TITLES[Source.OTHER_TEAM], "echo": {}}
    others.update(**hidden)
    return bool(rows.filter(credential__in=[key.pk for key in keys if key.team_id == team_id]).delete()[0])


def _already_adopted(row: UnmanagedJob) -> Job:
    job = Job.objects.filter(cloud=cloud_name(row.credential.api_url), remote_uuid=row.remote_uuid).first()
    if job is None or job.team_id != row.credential.team_id:
        raise InventoryRefused("not_yours", "This job belongs to another team here meanwhile.")
    return job


def _check_terms(team: Team, owner: User, lifetime_s: int) -> None:
    if not may(seats.role_of(team, owner.pk), Action.STOP):
        raise InventoryRefused("invalid", "Choose a member of the team who may act on jobs.", field="owner")
    if not SHORTEST_S <= lifetime_s <= team.max_lifetime_s:
        sentence = f"Between 1 minute and {team.max_lifetime_s // 3600} hours, the team's bound."
        raise InventoryRefused("invalid", sentence, field="lifetime_s")


def _refuse_unless_allowed(row: UnmanagedJob, hand: Hand) -> None:
    _refuse_hidden(row)
    if row.source != Source.OTHER_INSTALLATION:
        return
    if not hand.manages:
        sentence = "Another installation launched this job. Only an admin may adopt or stop it."
        raise InventoryRefused("admins_only", sentence)
    if hand.typed.strip().lower() != typed_for(row).lower():
        sentence = f"Type “{typed_for(row)}”, the end of its id, to confirm that you mean this job."
        raise InventoryRefused("not_confirmed", sentence, field="confirm")


def _refuse_hidden(row: UnmanagedJob) -> None:
    if row.is_hidden:
        sentence = "This job is, or may be, another team's. Nobody here acts on it."
        raise InventoryRefused("another_team", sentence)


def _record(row: UnmanagedJob, hand: Hand, kind: str, verb: str, now: dt.datetime) -> None:
    sentence = f"{hand.actor.label} {verb} “{making.title_of(row.title)}”, which was not launched here."
    subject = ("unmanaged", row.remote_uuid[:36])
    data = {"remote_uuid": row.remote_uuid}
    record(row.credential.team_id, hand.actor, kind, subject, sentence, now=now, data=data)
