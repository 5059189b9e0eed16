"""Warnings that an API token expires: a week and a day ahead, once each, to whom it is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from dispersed_web.clock import database_now
from dispersed_web.events.models import Audience, Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery
from dispersed_web.teams import api_tokens, token_expiry
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import ApiToken
from dispersed_web.teams.token_expiry import warning_due
from tests import factories as make

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("days_left", "told", "due"),
    [
        (7.01, None, None),
        (7, None, 7),
        (6, 7, None),
        (1.01, 7, None),
        (1, 7, 1),
        (0.5, 1, None),
        (0.5, None, 1),
        (3, None, 7),
        (0, 7, None),
        (-1, None, None),
    ],
)
def test_warnings_come_once_each_and_none_afterwards(days_left, told, due):
    assert warning_due(NOW - 90 * DAY, NOW + days_left * DAY, told, NOW) == due


@pytest.mark.parametrize(("lifetime", "due"), [(0.5, None), (1, None), (3, 1), (7, 1), (8, 1)])
def test_of_a_short_life_nobody_is_warned_at_its_beginning(lifetime, due):
    end = NOW + lifetime * DAY
    assert warning_due(NOW, end, None, NOW) is None
    assert warning_due(NOW, end, None, end - DAY / 2) == due


@pytest.fixture
def team(db):
    return make.make_team()


def old(token: ApiToken, days_left: float) -> ApiToken:
    """The token as if it had been made long ago."""
    now = database_now()
    rows = ApiToken.objects.filter(pk=token.pk)
    rows.update(created_at=now - 90 * DAY, expires_at=now + days_left * DAY)
    return rows.select_related("user", "team").get()


def personal(team, user, days_left: float = 6) -> ApiToken:
    values = {"name": "nightly", "scope": "read", "lifetime": 30 * DAY, "now": timezone.now()}
    return old(api_tokens.create(team, user, actor=Actor.person(user), **values)[0], days_left)


def of_the_team(team, days_left: float = 6) -> ApiToken:
    values = {"name": "robot", "scope": "operate", "lifetime": 30 * DAY, "now": timezone.now()}
    return old(api_tokens.create_service(team, actor=OPERATOR, **values)[0], days_left)


def told(way: str) -> set[str]:
    """Whom the warnings reach."""
    outbox.fan_out(database_now())
    rows = Delivery.objects.filter(event__kind="token.expires", way=way, channel=None)
    return set(rows.values_list("user__email", flat=True))


def test_a_personal_one_is_told_to_its_person_in_the_inbox_and_by_mail(team):
    bob = make.make_member(team)
    personal(team, bob)
    assert token_expiry.tell_all(database_now()) == 1
    assert told("inbox") == told("email") == {bob.email}
    event = Event.objects.get(kind="token.expires")
    assert "“nightly” for the team Lab expires in less than 7 days" in event.sentence
    outbox.send_waiting(database_now)
    (sent,) = (one for one in mail.outbox if "An API token expires soon" in one.subject)
    assert sent.to == [bob.email]
    assert "/me/" in sent.body


def test_one_of_the_team_is_told_to_its_admins_and_to_no_channel(team):
    make.make_channel(team)
    make.make_member(team)
    admin = make.make_member(team, "admin")
    of_the_team(team)
    token_expiry.tell_all(database_now())
    assert told("inbox") == told("email") == {admin.email, make.owner_of(team).email}
    event = Event.objects.get(kind="token.expires")
    assert event.audience == Audience.ADMINS
    assert not Delivery.objects.filter(event=event).exclude(channel=None).exists()


def test_a_week_and_a_day_ahead_once_each(team):
    token = personal(team, make.make_member(team), days_left=10)
    start = database_now()
    for hour in range(0, 11 * 24, 6):
        token_expiry.tell_all(start + dt.timedelta(hours=hour))
    sentences = list(
        Event.objects.filter(kind="token.expires").order_by("id").values_list("sentence", flat=True)
    )
    assert ["within a day" in one for one in sentences] == [False, True]
    token.refresh_from_db()
    assert token.expiry_told_days == 1


def test_two_sweeps_at_once_tell_once(team):
    token = personal(team, make.make_member(team))
    same = ApiToken.objects.select_related("user", "team").get(pk=token.pk)
    assert [token_expiry.tell(one, database_now()) for one in (token, same)] == [True, False]


def test_of_what_is_dead_already_nobody_hears(team):
    gone = make.make_member(team)
    revoked, inactive = personal(team, make.make_member(team)), personal(team, gone)
    api_tokens.revoke(revoked, actor=OPERATOR, now=timezone.now())
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    other = make.make_team()
    personal(other, make.owner_of(other))
    type(other).objects.filter(pk=other.pk).update(deleted_at=timezone.now())
    assert not inactive.revoked_at
    assert token_expiry.tell_all(database_now()) == 0
