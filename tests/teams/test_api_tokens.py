"""API tokens: shown once, stored as a digest, dead when they expire, are revoked, or their person is out."""

import datetime as dt
import hashlib
import string
import zlib

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.teams.keeping import OPERATOR, TeamRefused
from dispersed_web.teams.models import ApiToken, Membership
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def team():
    return make.make_team()


def make_token(team, user, **fields):
    values = {"name": "nightly", "scope": "read", "lifetime": DAY, "now": timezone.now()}
    return api_tokens.create(team, user, actor=Actor.person(user), **values | fields)


def test_the_text_is_found_again_and_stored_nowhere(team):
    user = make.make_member(team, "admin")
    token, text = make_token(team, user, scope="operate")
    assert api_tokens.SHAPE.fullmatch(text)
    found = api_tokens.find(text, timezone.now())
    assert (found, found.user, found.team, found.role) == (token, user, team, "admin")
    row = ApiToken.objects.values().get()
    assert row["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert text not in str(row)
    assert text[8:] not in str(list(Event.objects.values()))


def test_two_tokens_differ(team):
    user = make.owner_of(team)
    assert len({make_token(team, user)[1] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text[:10] + ("a" if text[10] != "a" else "b") + text[11:],
        lambda text: text.upper(),
        lambda text: "",
        lambda text: "dwp_" + "a" * 36,
        lambda text: text + "\n",
    ],
)
def test_a_damaged_token_is_refused_without_a_query(team, damage, django_assert_num_queries):
    _, text = make_token(team, make.owner_of(team))
    with django_assert_num_queries(0):
        assert api_tokens.find(damage(text), timezone.now()) is None


def test_the_last_six_characters_are_a_checksum_of_the_rest(team):
    _, text = make_token(team, make.owner_of(team))
    digits = string.digits + string.ascii_letters
    number = sum(digits.index(char) * 62**place for place, char in enumerate(reversed(text[-6:])))
    assert number == zlib.crc32(text[:-6].encode())


@pytest.mark.parametrize("end", ["expired", "revoked", "removed", "inactive"])
def test_a_dead_token_is_refused(team, end):
    user = make.make_member(team, "member")
    token, text = make_token(team, user)
    now = timezone.now()
    assert api_tokens.find(text, now)
    if end == "expired":
        now += DAY
    elif end == "revoked":
        assert api_tokens.revoke(token, actor=Actor.person(user), now=now)
        assert not api_tokens.revoke(token, actor=Actor.person(user), now=now)
    elif end == "removed":
        Membership.objects.filter(team=team, user=user).delete()
    else:
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert api_tokens.find(text, now) is None


def test_whoever_comes_back_does_not_get_the_old_tokens_back(team):
    user = make.make_member(team, "member")
    _, text = make_token(team, user)
    keeping.remove_member(team, user, actor=OPERATOR, now=timezone.now())
    keeping.add_member(team, user, "member", actor=OPERATOR, now=timezone.now())
    assert api_tokens.find(text, timezone.now()) is None


def test_the_role_is_that_of_the_tokens_own_team(team):
    user = make.make_member(team, "member")
    make.make_team(owner=user)
    make.make_member(team, "admin")
    _, text = make_token(team, user)
    assert api_tokens.find(text, timezone.now()).role == "member"


@pytest.mark.parametrize(
    "fields",
    [{"scope": "admin"}, {"lifetime": dt.timedelta(days=366)}, {"lifetime": dt.timedelta(0)}],
)
def test_what_no_token_may_be(team, fields):
    with pytest.raises(TeamRefused):
        make_token(team, make.owner_of(team), **fields)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_may_have_none(team, role):
    user = make.make_member(team, role) if role else make.make_user()
    with pytest.raises(TeamRefused):
        make_token(team, user)


def test_use_is_noted_once_a_minute(team):
    token, _ = make_token(team, make.owner_of(team))
    now = timezone.now()
    for moment, seen in ((now, now), (now + dt.timedelta(seconds=30), now)):
        api_tokens.touch(token, moment)
        token.refresh_from_db()
        assert token.last_used_at == seen
    later = now + dt.timedelta(seconds=60)
    api_tokens.touch(token, later)
    token.refresh_from_db()
    assert token.last_used_at == later


def test_making_and_revoking_are_events(team):
    user = make.owner_of(team)
    token, _ = make_token(team, user)
    api_tokens.revoke(token, actor=Actor.person(user), now=timezone.now())
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "token.created",
        "token.revoked",
    ]
