"""From events to messages: fans events out into one delivery a person, and sends what is waiting."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications.models import Delivery, DeliveryState
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Role

MAX_ATTEMPTS = 6
BATCH = 100


def fan_out(now: dt.datetime) -> None:
    """One delivery for each person whom a new event concerns. A delivery exists once, however often this runs."""
    events = Event.objects.filter(fanned_out_at=None).exclude(audience="").order_by("id")[:BATCH]
    for event in events.select_related("team"):
        with transaction.atomic():
            if not Event.objects.filter(pk=event.pk, fanned_out_at=None).update(fanned_out_at=now):
                continue
            Delivery.objects.bulk_create(
                [Delivery(event=event, user_id=user_id, next_try_at=now) for user_id in readers(event)],
                ignore_conflicts=True,
            )


def readers(event: Event) -> set[int]:
    """The people whom an event concerns: its job's owner, or that one and the team's admins and owners. Only members."""
    members = dict(
        Membership.objects.filter(team=event.team_id, user__is_active=True).values_list("user", "role")
    )
    wanted: set[int] = set()
    if event.subject_type == "job":
        wanted |= set(Job.objects.filter(pk=event.subject_id).values_list("created_by", flat=True))
    if event.audience == Audience.ADMINS or not wanted & set(members):
        wanted |= {user for user, role in members.items() if role in (Role.OWNER, Role.ADMIN)}
    return wanted & set(members)


def send_waiting(clock: Clock) -> None:
    """Sends what is due. A delivery is claimed first, so that it goes out at most once."""
    due = Delivery.objects.filter(state=DeliveryState.WAITING, next_try_at__lte=clock())
    for delivery in due.select_related("event", "event__team", "user").order_by("next_try_at")[:BATCH]:
        claimed = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING).update(
            state=DeliveryState.SENDING, attempts=F("attempts") + 1
        )
        if claimed:
            _send(delivery, clock)


def _send(delivery: Delivery, clock: Clock) -> None:
    subject, body = message(delivery.event, delivery.user)
    try:
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [delivery.user.email])
    except (
        OSError
    ) as error:  # what smtplib raises is an OSError: nothing was accepted, so it may be tried again
        _put_back(delivery, type(error).__name__, clock())
        return
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.SENT, sent_at=clock(), error="")


def _put_back(delivery: Delivery, why: str, now: dt.datetime) -> None:
    attempts = delivery.attempts + 1
    lost = attempts >= MAX_ATTEMPTS
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.FAILED if lost else DeliveryState.WAITING,
        next_try_at=now + dt.timedelta(seconds=15 * 2**attempts),
        error=f"The mail server did not take it ({why}).",
    )


def message(event: Event, user: User) -> tuple[str, str]:
    """(subject, body) of the e-mail about an event, times in the reader's zone."""
    job = Job.objects.filter(pk=event.subject_id).first() if event.subject_type == "job" else None
    title = _one_line(job.title if job else event.team.name)
    at = event.at.astimezone(user.zone)
    lines = [event.sentence, "", f"Team: {event.team.name}", f"When: {at:%d %B %Y, %H:%M} ({user.time_zone})"]
    if job:
        lines[2:2] = [f"Job: {title}"]
        if stop_at := event.data.get("stop_at"):
            local = dt.datetime.fromisoformat(stop_at).astimezone(user.zone)
            lines.append(f"Stops: {local:%d %B, %H:%M} unless somebody extends it")
        if job.hourly_rate_usd:
            lines.append(f"Costs: ${job.hourly_rate_usd:.2f} per hour")
        lines += ["", f"{settings.PUBLIC_URL}/t/{event.team.slug}/jobs/{job.pk}/"]
    return f"{SUBJECTS.get(event.kind, 'Notice')}: {title}", "\n".join(lines)


SUBJECTS = {
    "job.warned": "Stops soon",
    "job.stop_requested": "Being stopped",
    "job.stop_unconfirmed": "Stop not confirmed",
    "job.ended": "Ended",
    "job.extended": "Stop called off",
    "job.missing": "Lost sight of",
    "job.duplicate": "Started twice",
    "job.found": "Found again",
    "job.unresolved": "Still not known",
    "job.back": "Alive again",
    "job.not_launched": "Not launched",
    "job.refused": "Refused",
    "job.never_arrived": "Never arrived",
    "credential.broken": "Credential does not work",
    "credential.works": "Credential works again",
}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:80]
