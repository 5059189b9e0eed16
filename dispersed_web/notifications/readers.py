"""Whom an event is told, and over which ways."""

from __future__ import annotations

from dispersed_web.accounts.models import User
from dispersed_web.events.models import ActorKind, Audience, Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import arrival
from dispersed_web.notifications.kinds import kind_of
from dispersed_web.notifications.models import Channel, Delivery, Wishes
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Role

# Told to people, never to a channel that others read too; and by mail whatever they wish.
OF_SECURITY = frozenset({Audience.PERSON, Audience.OWNERS})
_TOLD_BESIDE = {Audience.ADMINS: (Role.OWNER, Role.ADMIN), Audience.OWNERS: (Role.OWNER,)}


def readers(event: Event) -> set[int]:
    """The people whom an event concerns: those it names, its job's owner or the person it is about, or that one and the
    team's admins or owners; and, for news that follow a warning, whoever was warned. Only members, and no programs: what
    concerns nobody else goes to the admins. Of an account's event, which has no team, its person."""
    wanted = _named(event)
    if event.team_id is None or event.audience == Audience.PERSON:
        return _people_among(event, wanted)
    members = dict(
        Membership.objects.filter(
            team=event.team_id, user__is_active=True, user__is_service=False
        ).values_list("user", "role")
    )
    roles = _TOLD_BESIDE.get(Audience(event.audience), ())
    if not roles and not wanted & set(members):
        roles = _TOLD_BESIDE[Audience.ADMINS]
    wanted |= {user for user, role in members.items() if role in roles}
    if kind_of(event.kind).follows:
        wanted |= _warned(event)
    if kind_of(event.kind).not_to_actor:
        wanted.discard(event.actor_user_id)
    return {user for user in wanted if user in members}


def _named(event: Event) -> set[int | None]:
    if "concerns" in event.data:
        return set(event.data["concerns"])
    if event.subject_type == "job":
        return set(Job.objects.filter(pk=event.subject_id).values_list("owner", flat=True))
    if event.subject_type == "user":
        return {int(event.subject_id)}
    if event.subject_type == "unmanaged":
        return set(event.data.get("readers", ()))
    return set()


def _people_among(event: Event, wanted: set[int | None]) -> set[int]:
    """Those who can sign in; of a team's event, only while they are in the team."""
    people = User.objects.filter(pk__in=wanted - {None}, is_active=True, is_service=False)
    if event.team_id is not None:
        people = people.filter(memberships__team=event.team_id)
    return set(people.values_list("pk", flat=True))


def _warned(event: Event) -> set[int | None]:
    """Who was told of the job's last warning before this event."""
    warning = (
        Event.objects.filter(
            subject_type="job", subject_id=event.subject_id, kind__in=arrival.KINDS, id__lt=event.pk
        )
        .order_by("-id")
        .first()
    )
    return set(Delivery.objects.filter(event=warning, channel=None).values_list("user", flat=True))


def by_email(event: Event, people: set[int]) -> set[int]:
    """Those of the readers who want an e-mail of it. What is not about their own job is for admins, and always sent; so
    is what concerns security."""
    if event.audience in OF_SECURITY:
        return people
    if kind_of(event.kind).inbox_only or _is_said_again(event):
        return set()
    if event.subject_type != "job":
        return people
    theirs = set(event.data.get("concerns", ()))
    theirs |= set(Job.objects.filter(pk=event.subject_id).values_list("owner", flat=True))
    return people - set(
        Wishes.objects.filter(user__in=theirs & people, email_my_jobs=False).values_list("user", flat=True)
    )


def _is_said_again(event: Event) -> bool:
    """Whether the next message says the same: the end of what auto-stop stops comes within a minute, or the alarm that it
    does not come."""
    is_ours = event.actor_kind == ActorKind.ENGINE
    return is_ours and event.kind == "job.stop_requested" and event.audience == Audience.JOB_OWNER


def by_webhook(event: Event) -> Channel | None:
    """The team's channel, if the event goes there."""
    kind = kind_of(event.kind)
    if kind.inbox_only or kind.not_by_webhook or event.audience in OF_SECURITY or event.team_id is None:
        return None
    return Channel.objects.filter(team=event.team_id, active=True).first()
