"""Whether a warning reached somebody: the two facts on the job that auto-stop asks for before it stops for idleness."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, Q, QuerySet

from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.jobs.models import Job
from dispersed_web.notifications.models import Delivery, DeliveryState, Way

KINDS = ("job.warned", "job.checkin")
# Once refused may be a hiccup; a warning has not the time to wait for the last try.
REFUSALS = 2
# The deadlines that a warning which reached nobody puts off.
WAITING = ("idle", "checkin_unanswered")


def note(event: Event, now: dt.datetime) -> None:
    """Call after a delivery of ``event`` changed. Sets ``warning_delivered_at`` of its job when one was sent or read in
    the inbox, else ``warning_failed_at`` when every way outside the app was refused twice or for good: then the admins are
    told.

    Whoever wants no e-mail chose the inbox: their silence is no failure. Only the job's newest warning counts.
    """
    if event.kind not in KINDS or event.subject_type != "job":
        return
    deliveries = list(Delivery.objects.filter(event=event))
    if any(_arrived(one) for one in deliveries):
        _newest(event).filter(warning_delivered_at=None).update(warning_delivered_at=now)
    elif _failed(deliveries):
        _tell(event, now)


def _tell(event: Event, now: dt.datetime) -> None:
    """Once for each warning: whoever administers the team learns that it reached nobody, at least in the app."""
    waits = event.kind == "job.checkin" or event.data.get("rule") in WAITING
    what = "It is put off once for that, and no longer." if waits else "It comes all the same."
    with transaction.atomic():
        if _newest(event).filter(warning_failed_at=None).update(warning_failed_at=now):
            sentence = (
                f"The warning of the stop of this job reached nobody: every message of it failed. {what} Look at the job, "
                "and at why the team's messages fail."
            )
            subject = ("job", event.subject_id)
            kind, to = "job.warning_failed", Audience.ADMINS
            record(event.team_id, LAUNCHER, kind, subject, sentence, now=now, audience=to)


def _arrived(delivery: Delivery) -> bool:
    if delivery.way == Way.INBOX:
        return delivery.read_at is not None
    return delivery.state == DeliveryState.SENT


def _failed(deliveries: list[Delivery]) -> bool:
    outside = [one for one in deliveries if one.way != Way.INBOX]
    if not outside:
        return not deliveries
    return all(
        one.state == DeliveryState.FAILED or (one.state == DeliveryState.WAITING and one.attempts >= REFUSALS)
        for one in outside
    )


def _newest(event: Event) -> QuerySet[Job]:
    """The event's job, unless it was warned again since."""
    newer = Event.objects.filter(
        subject_type="job", subject_id=event.subject_id, kind__in=KINDS, id__gt=event.pk
    )
    return Job.objects.filter(
        Q(warned_at=None) | Q(warned_at__lte=event.at), ~Exists(newer), pk=event.subject_id
    )
