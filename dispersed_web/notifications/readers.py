"""Whom an event is told, and over which ways."""

from __future__ import annotations

from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import arrival
from dispersed_web.notifications.kinds import kind_of
from dispersed_web.notifications.models import Channel, Delivery, Wishes
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Role


def readers(event: Event) -> set[int]:
    """The people whom an event concerns: those it names, its job's owner or the person it is about, or that one and the
    team's admins and owners; and, for news that follow a warning, whoever was warned. Only members."""
    members = dict(
        Membership.objects.filter(team=event.team_id, user__is_active=True).values_list("user", "role")
    )
    wanted: set[int | None] = set()
    if "concerns" in event.data:
        wanted |= set(event.data["concerns"])
    elif event.subject_type == "job":
        wanted |= set(Job.objects.filter(pk=event.subject_id).values_list("owner", flat=True))
    elif event.subject_type == "user":
        wanted.add(int(event.subject_id))
    elif event.subject_type == "unmanaged":
        wanted |= set(event.data.get("readers", ()))
    if event.audience == Audience.ADMINS or not wanted & set(members):
        wanted |= {user for user, role in members.items() if role in (Role.OWNER, Role.ADMIN)}
    if kind_of(event.kind).follows:
        wanted |= _warned(event)
    return {user for user in wanted if user in members}


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
    """Those of the readers who want an e-mail of it. What is not about their own job is for admins, and always sent."""
    if kind_of(event.kind).inbox_only:
        return set()
    if event.subject_type != "job":
        return people
    theirs = set(event.data.get("concerns", ()))
    theirs |= set(Job.objects.filter(pk=event.subject_id).values_list("owner", flat=True))
    return people - set(
        Wishes.objects.filter(user__in=theirs & people, email_my_jobs=False).values_list("user", flat=True)
    )


def by_webhook(event: Event) -> Channel | None:
    """The team's channel, if the event goes there."""
    kind = kind_of(event.kind)
    if kind.inbox_only or kind.not_by_webhook:
        return None
    return Channel.objects.filter(team=event.team_id, active=True).first()
