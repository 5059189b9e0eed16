"""Where a person is signed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from dispersed_web.accounts import browsers, sessions
from dispersed_web.accounts.models import User
from dispersed_web.web.client_address import UNKNOWN
from dispersed_web.web.people.session_age import BEGAN, SEEN


@dataclass(frozen=True)
class Place:
    """One session as the page shows it."""

    id: int
    browser: str
    address: str
    since: dt.datetime
    seen_at: dt.datetime
    is_this: bool


def places_of(user: User, this_key: str | None, now: dt.datetime) -> list[Place]:
    """The person's sessions that are good, this one first, then the latest used. Two queries, however many there are."""
    rows = UserSession.objects.filter(user=user).order_by("-last_seen_at")
    good = _good(user, [row.session_key for row in rows], now)
    found = [_place(row, this_key) for row in rows if row.session_key in good]
    return sorted(found, key=lambda place: not place.is_this)


def end(user: User, ids: Iterable[int]) -> int:
    """Ends these sessions of the person; says how many there were."""
    keys = list(UserSession.objects.filter(user=user, pk__in=list(ids)).values_list("session_key", flat=True))
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return int(ended)


def others(user: User, this_key: str | None) -> list[int]:
    """The ids of all sessions of the person but this one."""
    return list(
        UserSession.objects.filter(user=user).exclude(session_key=this_key).values_list("pk", flat=True)
    )


def _place(row: UserSession, this_key: str | None) -> Place:
    address = "" if row.ip == UNKNOWN else row.ip
    name = browsers.name_of(row.user_agent)
    return Place(row.pk, name, address, row.created_at, row.last_seen_at, row.session_key == this_key)


def _good(user: User, keys: list[str], now: dt.datetime) -> set[str]:
    """Those that would still be taken: not outdated, and of the password that the person has now."""
    mark, good = user.get_session_auth_hash(), set()
    for row in Session.objects.filter(session_key__in=keys, expire_date__gt=now):
        data = SessionStore().decode(row.session_data)
        same = constant_time_compare(data.get(HASH_SESSION_KEY, ""), mark)
        over = sessions.is_over(data.get(BEGAN, now.timestamp()), data.get(SEEN, now.timestamp()), now)
        if same and not over and str(data.get(SESSION_KEY)) == str(user.pk):
            good.add(row.session_key)
    return good
