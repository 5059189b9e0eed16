"""The notices of one person in the app, of all their teams."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, Q, QuerySet

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import User
from dispersed_web.notifications import arrival
from dispersed_web.notifications.models import Delivery, Way
from dispersed_web.teams.models import Membership

PAGE_SIZE = 30
# More are not counted: nobody needs to know whether it is 100 or 300.
COUNTED = 100


def of(user: User) -> QuerySet[Delivery]:
    """All notices of the person and of their account, but of teams they left, or that are closed to people without a
    second factor, newest first."""
    is_open = Q(team__require_mfa=False) | Q(Exists(second_factor.of(user.pk)))
    theirs = Membership.objects.filter(is_open, user=user.pk).values("team")
    rows = Delivery.objects.filter(
        Q(event__team__in=theirs) | Q(event__team=None), user=user.pk, way=Way.INBOX
    )
    return rows.select_related("event", "event__team").order_by("-id")


def page(user: User, before: int | None = None, *, only_unread: bool = False) -> list[Delivery]:
    """A page of notices, those older than the notice ``before``."""
    rows = of(user).filter(read_at=None) if only_unread else of(user)
    return list((rows.filter(pk__lt=before) if before is not None else rows)[:PAGE_SIZE])


def unread(user: User) -> int:
    """How many are not read, counted up to 100."""
    return of(user).filter(read_at=None).order_by()[:COUNTED].count()


def mark_read(rows: QuerySet[Delivery], now: dt.datetime) -> int:
    """Marks these notices of one person as read; returns how many were not. A warning that is read has arrived."""
    warnings = [one.event for one in rows.filter(read_at=None, event__kind__in=arrival.KINDS)]
    fresh = Delivery.objects.filter(pk__in=rows.order_by().values("pk"), read_at=None)
    marked = fresh.update(read_at=now)
    for event in warnings:
        arrival.note(event, now)
    return marked
