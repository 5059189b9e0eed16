"""From events to messages: fans events out into a delivery for each reader and way, and sends what is waiting."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction

from dispersed_web.clock import Clock
from dispersed_web.events.models import Event
from dispersed_web.notifications import arrival, deliveries, mail, webhook
from dispersed_web.notifications.models import Delivery, DeliveryState, Way
from dispersed_web.notifications.readers import by_email, by_webhook, readers

log = logging.getLogger(__name__)
BATCH = 100
# An event with which it fails for so long is given up, so that a hundred of them keep no other waiting.
TRIED_FOR = dt.timedelta(hours=1)


def fan_out(now: dt.datetime) -> None:
    """The deliveries of each new event. One exists once, however often this runs; in the inbox it lies at once. A fault
    with one event is logged, and stops no other."""
    events = Event.objects.filter(fanned_out_at=None).exclude(audience="").order_by("id")[:BATCH]
    for event in events.select_related("team"):
        try:
            _fan_out(event, now)
        except Exception:
            log.exception("The event %s could not be told to anybody.", event.pk)
            if now - event.at > TRIED_FOR:
                Event.objects.filter(pk=event.pk, fanned_out_at=None).update(fanned_out_at=now)


def _fan_out(event: Event, now: dt.datetime) -> None:
    with transaction.atomic():
        if Event.objects.filter(pk=event.pk, fanned_out_at=None).update(fanned_out_at=now):
            Delivery.objects.bulk_create(_deliveries(event, now), ignore_conflicts=True)
            arrival.note(event, now)


def _deliveries(event: Event, now: dt.datetime) -> list[Delivery]:
    people = readers(event)
    made = [
        Delivery(event=event, user_id=user, way=Way.INBOX, state=DeliveryState.SENT, sent_at=now)
        for user in sorted(people)
    ]
    made += [
        Delivery(event=event, user_id=user, way=Way.EMAIL, next_try_at=now)
        for user in sorted(by_email(event, people))
    ]
    if channel := by_webhook(event):
        made.append(Delivery(event=event, channel=channel, way=Way.WEBHOOK, next_try_at=now))
    return made


def send_waiting(clock: Clock) -> None:
    """Sends what is due. A delivery is claimed first, so that it goes out at most once; each way has its own time, so
    that none waits for another."""
    deliveries.give_up_lost(clock())
    mail.send_due(clock)
    webhook.send_due(clock)
