"""What becomes of one delivery: claimed, sent, put back for another try, or failed for good."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F, Q, QuerySet

from dispersed_web.notifications import arrival
from dispersed_web.notifications.models import Delivery, DeliveryState, Way
from dispersed_web.teams.models import Membership

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 9
BATCH = 100
LONGEST_WAIT = dt.timedelta(minutes=30)
LOST_AFTER = dt.timedelta(minutes=10)
# After that it is no news any more; a backlog of days is not poured over people.
NEWS_FOR = dt.timedelta(hours=24)


def due(way: Way, now: dt.datetime) -> QuerySet[Delivery]:
    """What is to be sent now, longest waiting first."""
    rows = Delivery.objects.filter(way=way, state=DeliveryState.WAITING, next_try_at__lte=now)
    return rows.select_related("event", "event__team", "user", "channel").order_by("next_try_at", "id")


def claim(delivery: Delivery, now: dt.datetime) -> bool:
    """Takes the delivery for one try; false when another worker has it, it is too old to be sent, or its reader is out of
    the team."""
    if now - delivery.event.at > NEWS_FOR:
        fail(delivery, "Not sent: it was a day old.", now)
        return False
    if _is_for_nobody(delivery):
        fail(delivery, "Not sent: the person is not in the team any more.", now)
        return False
    claimed = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING).update(
        state=DeliveryState.SENDING, attempts=F("attempts") + 1, claimed_at=now
    )
    delivery.attempts += claimed
    return bool(claimed)


def _is_for_nobody(delivery: Delivery) -> bool:
    """Whether its reader left between the event and now. What concerns an account alone has no team."""
    team_id, user_id = delivery.event.team_id, delivery.user_id
    if team_id is None or user_id is None:
        return False
    return not Membership.objects.filter(team=team_id, user=user_id, user__is_active=True).exists()


def note_sent(delivery: Delivery, now: dt.datetime) -> None:
    """It went out."""
    _become(delivery, now, state=DeliveryState.SENT, sent_at=now, error="")


def fail(delivery: Delivery, why: str, now: dt.datetime) -> None:
    """For good."""
    _become(delivery, now, state=DeliveryState.FAILED, error=why)


def put_back(delivery: Delivery, why: str, now: dt.datetime, wait: dt.timedelta | None = None) -> None:
    """For another try, after ``wait`` or ever longer; after the last one it has failed for good."""
    if delivery.attempts >= MAX_ATTEMPTS:
        fail(delivery, why, now)
        return
    wait = wait or min(dt.timedelta(seconds=15 * 2**delivery.attempts), LONGEST_WAIT)
    _become(delivery, now, state=DeliveryState.WAITING, next_try_at=now + wait, error=why)


@contextmanager
def alone(delivery: Delivery, now: dt.datetime) -> Iterator[None]:
    """A fault of ours with one delivery is logged, and stops no other."""
    try:
        yield
    except Exception:
        log.exception("The delivery %s could not be sent.", delivery.pk)
        fail(delivery, "A fault of this program kept it from being sent.", now)


def give_up_lost(now: dt.datetime) -> None:
    """What a worker claimed and never came back with may have been sent, so it is not sent again."""
    lost = Q(claimed_at=None) | Q(claimed_at__lt=now - LOST_AFTER)
    for delivery in Delivery.objects.filter(lost, state=DeliveryState.SENDING).select_related("event")[
        :BATCH
    ]:
        fail(delivery, "It is not known whether it was sent, so it is not sent again.", now)


def _become(delivery: Delivery, now: dt.datetime, **changes: object) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(**changes)
    arrival.note(delivery.event, now)
