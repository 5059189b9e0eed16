"""How long a session lasts. Pure, but for :func:`prune`."""

from __future__ import annotations

import datetime as dt

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

IDLE = dt.timedelta(hours=12)
LONGEST = dt.timedelta(days=7)
NOTED_EVERY = dt.timedelta(minutes=5)


def is_over(signed_in_at: float, seen_at: float, now: dt.datetime) -> bool:
    """Whether a session that began and was last used at these moments (Unix seconds) has ended by itself."""
    now_s = now.timestamp()
    return now_s - seen_at >= IDLE.total_seconds() or now_s - signed_in_at >= LONGEST.total_seconds()


def is_due(seen_at: float, now: dt.datetime) -> bool:
    """Whether it is time to write down again that the session is in use."""
    return now.timestamp() - seen_at >= NOTED_EVERY.total_seconds()


def prune(now: dt.datetime) -> int:
    """Deletes sessions that are over, and what was noted of sessions that are gone; says how many."""
    ended, _ = Session.objects.filter(expire_date__lt=now).delete()
    alive = Session.objects.values("session_key")
    gone, _ = UserSession.objects.exclude(session_key__in=alive).delete()
    return int(ended + gone)
