"""From events to messages: fans events out into a delivery for each reader and way, and sends what is waiting."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.clock import Clock
from dispersed_web.events.models import Event
from dispersed_web.notifications import arrival, deliveries, mail, webhook
from dispersed_web.notifications.models import Delivery, DeliveryState, Way
from dispersed_web.notifications.readers import by_email, by_webhook, readers

BATCH = 100


def fan_out(now: dt.datetime) -> None:
    """The deliveries of each new event. One exists once, however often this runs; in the inbox it lies at once."""
    events = Event.objects.filter(fanned_out_at=None).exclude(audience="").order_by("id")[:BATCH]
    for event in events.select_related("team"):
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
