"""What a link in a message does: whether it still may, and the act itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q, QuerySet

from dispersed_web.autostop import facts, policy
from dispersed_web.autostop.extend import confirm_use, extend
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor
from dispersed_web.jobs import stop
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.notifications.models import ActLink
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Action, Role, may

IN_CHANNEL = "A link in the team's channel"
# Against an engine that looks at the job at the same moment; each try sees the limits anew.
TRIES = 3
NEEDS = {"extend": Action.EXTEND, "keep": Action.EXTEND, "stop": Action.STOP}


class Standing(StrEnum):
    """``ready``: it may be used. ``done``: it was, just now. The rest says why nothing happens."""

    READY = "ready"
    DONE = "done"
    USED = "used"
    EXPIRED = "expired"
    NOT_ALLOWED = "not_allowed"
    TOO_LATE = "too_late"
    REFUSED = "refused"


@dataclass(frozen=True)
class Result:
    """``until`` is the new stop of a job that was extended; ``sentence`` why the job's limits refused."""

    standing: Standing
    until: dt.datetime | None = None
    sentence: str = ""


def standing(link: ActLink, now: dt.datetime) -> Standing:
    """What using the link would meet. Changes nothing."""
    if link.used_at is not None:
        return Standing.USED
    if not _allowed(link):
        return Standing.NOT_ALLOWED
    if link.job.stop_requested_at or not link.job.is_active:
        return Standing.TOO_LATE
    return Standing.EXPIRED if link.is_over(now) else Standing.READY


@transaction.atomic
def use(link: ActLink, now: dt.datetime) -> Result:
    """Does what the link is for, once, with the rights that its reader has at this moment and the limits that hold now.
    An act that fails in the product itself leaves the link unused."""
    before = standing(link, now)
    if before != Standing.READY:
        return Result(before)
    if not _claim(link, now):
        link.refresh_from_db()
        return Result(standing(link, now) if link.used_at else Standing.NOT_ALLOWED)
    if link.act == ActLink.Act.STOP:
        asked = stop.request_stop(link.job, actor=actor_of(link), reason=Reason.USER, now=now)
        return Result(Standing.DONE if asked else Standing.TOO_LATE)
    return _keep(link, now) if link.act == ActLink.Act.KEEP else _extend(link, now)


def actor_of(link: ActLink) -> Actor:
    """Who acts, for the job's events. In a channel nobody is known."""
    user = link.delivery.user
    if user is None:
        return Actor(ActorKind.PERSON, IN_CHANNEL)
    return Actor(ActorKind.PERSON, f"{user} by a link in an e-mail", user.pk)


def _allowed(link: ActLink) -> bool:
    return _allowed_links(link).exists()


def _allowed_links(link: ActLink) -> QuerySet[ActLink]:
    """The link itself, if its reader may act now: still a member with the right role, or a channel that goes on at the
    address to which the message went."""
    roles = [role.value for role in Role if may(role, NEEDS[link.act])]
    of_member = Q(
        delivery__user__in=Membership.objects.filter(
            team=link.job.team_id, role__in=roles, user__is_active=True
        ).values("user")
    )
    of_channel = Q(
        delivery__channel__active=True,
        delivery__channel__team=link.job.team_id,
        delivery__channel__changed_at__lte=F("created_at"),
    )
    if link.act == ActLink.Act.KEEP:
        of_channel = Q(pk__in=[])
    return ActLink.objects.filter(of_member | of_channel, pk=link.pk)


def _claim(link: ActLink, now: dt.datetime) -> bool:
    """Takes the one use. The conditions on the row itself are what the database checks again when two come at once."""
    rows = ActLink.objects.filter(
        pk=link.pk, used_at=None, expires_at__gt=now, pk__in=_allowed_links(link).values("pk")
    )
    return bool(rows.update(used_at=now))


def _keep(link: ActLink, now: dt.datetime) -> Result:
    """Somebody says that the job is in use; no limit that was seen matters for that."""
    try:
        confirm_use(Job.objects.get(pk=link.job_id), actor=actor_of(link), now=now)
    except JobError as error:
        return _refused(error)
    return Result(Standing.DONE)


def _extend(link: ActLink, now: dt.datetime) -> Result:
    """Moves the stop from where it is now, not from where the message saw it."""
    result = _try_to_extend(link, now)
    for _ in range(TRIES - 1):
        if result is None:
            result = _try_to_extend(link, now)
    return result or Result(Standing.REFUSED)


def _try_to_extend(link: ActLink, now: dt.datetime) -> Result | None:
    """``None`` when somebody changed the job's limits at the same moment."""
    job = Job.objects.get(pk=link.job_id)
    stop_at = policy.decide(*facts.of(job, now), now).stop_at
    until = max(stop_at or now, now) + dt.timedelta(minutes=link.minutes or 0)
    seen = job.limits_version
    try:
        granted = extend(job, until=until, actor=actor_of(link), now=now, seen_version=seen)
    except JobError as error:
        return None if error.code == "outdated" else _refused(error)
    return Result(Standing.DONE, until=granted)


def _refused(error: JobError) -> Result:
    standing = Standing.TOO_LATE if error.code == "too_late" else Standing.REFUSED
    return Result(standing, sentence=error.sentence)
