"""How long a session lasts."""

from __future__ import annotations

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from dispersed_web.accounts import sessions
from tests import factories as make

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("began", "seen", "over"),
    [
        (NOW, NOW, False),
        (NOW - 12 * HOUR, NOW - 12 * HOUR + SECOND, False),
        (NOW - 12 * HOUR, NOW - 12 * HOUR, True),
        (NOW - 168 * HOUR + SECOND, NOW, False),
        (NOW - 168 * HOUR, NOW, True),
    ],
)
def test_it_ends_after_twelve_hours_unused_and_seven_days_at_the_latest(
    began: dt.datetime, seen: dt.datetime, over: bool
) -> None:
    assert sessions.is_over(began.timestamp(), seen.timestamp(), NOW) is over


@pytest.mark.django_db
def test_what_is_over_is_forgotten() -> None:
    user = make.make_user()
    for key, expires in (("old", NOW - SECOND), ("good", NOW + HOUR)):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)
        UserSession.objects.create(session_key=key, user=user, ip="192.0.2.1")
    UserSession.objects.create(session_key="gone", user=user, ip="192.0.2.1")
    assert sessions.prune(NOW) == 3
    assert list(Session.objects.values_list("session_key", flat=True)) == ["good"]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == ["good"]
