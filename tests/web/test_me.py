import datetime as dt
import html as escapes
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    return make.sign_in(client, make.make_user("ana@example.org", "Ana"))


def html(answer):
    return escapes.unescape(answer.content.decode())


POSTS = ["me", "me-ssh-key", "me-calendar", "me-calendar-off", "me-tokens"]


@pytest.mark.parametrize("name", POSTS)
def test_one_signs_in_first(client, name):
    for method in ("get", "post"):
        answer = getattr(client, method)(reverse(f"web:{name}"))
        assert answer["Location"].startswith("/account/login/")


def test_it_says_what_opens_the_account(client, user):
    assert "Your password alone opens your account" in html(client.get(reverse("web:me")))
    provider_only = make.make_user("eve@example.org")
    provider_only.set_unusable_password()
    provider_only.save()
    client.force_login(provider_only)
    assert "Your sign-in provider alone opens your account" in html(client.get(reverse("web:me")))


@pytest.mark.parametrize("name", POSTS[1:])
def test_acts_are_posts(client, user, name):
    assert client.get(reverse(f"web:{name}")).status_code == 405


def test_name_and_zone_are_saved_and_nothing_else(client, user):
    fields = {
        "name": "Ana Duarte",
        "time_zone": "Europe/Lisbon",
        "email": "other@example.org",
        "is_active": "",
    }
    assert client.post(reverse("web:me"), fields).status_code == 302
    saved = User.objects.get(pk=user.pk)
    assert (saved.name, saved.time_zone) == ("Ana Duarte", "Europe/Lisbon")
    assert (saved.email, saved.is_active) == ("ana@example.org", True)


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../../etc/passwd"])
def test_an_unknown_zone_is_marked_and_the_page_still_works(client, user, zone):
    answer = client.post(reverse("web:me"), {"name": "Ana", "time_zone": zone})
    assert answer.status_code == 422
    assert list(answer.context["profile"].errors) == ["time_zone"]
    assert User.objects.get(pk=user.pk).time_zone == "UTC"


def test_zones_are_found_as_people_write_them(client, user):
    page = html(client.get(reverse("web:me")))
    assert '<option value="America/New_York">' in page
    client.post(reverse("web:me"), {"name": "", "time_zone": "America/New York"})
    assert User.objects.get(pk=user.pk).time_zone == "America/New_York"


def make_token(client, place, **fields):
    values = {"name": "Nightly", "team": place.slug, "scope": "operate", "days": "30"}
    return client.post(reverse("web:me-tokens"), values | fields)


def test_a_token_is_shown_once(client, user):
    team = make.make_team("Vision Lab", owner=user)
    answer = make_token(client, team)
    text = re.search(r"dwp_[0-9A-Za-z]{36}", html(answer))[0]
    token = api_tokens.find(text, timezone.now())
    assert (token.user, token.team, token.scope, token.name) == (user, team, "operate", "Nightly")
    assert token.expires_at - token.created_at - dt.timedelta(days=30) < dt.timedelta(minutes=1)
    assert "no-store" in answer["Cache-Control"]
    later = html(client.get(reverse("web:me")))
    assert "Nightly" in later
    assert text[8:] not in later
    assert text not in str(dict(client.session))


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"scope": "owner"}, {"days": "366"}, {"days": "x"}, {"team": "no-such-team"}],
)
def test_a_token_that_may_not_be_is_not_made(client, user, fields):
    team = make.make_team(owner=user)
    assert make_token(client, team, **fields).status_code == 422
    assert not ApiToken.objects.exists()


def test_tokens_are_for_teams_where_one_may_act(client, user):
    looking, foreign = make.make_team("Looking"), make.make_team("Foreign")
    make.make_member(looking, "viewer", user)
    page = html(client.get(reverse("web:me")))
    assert "Make a token" not in page
    for team in (looking, foreign):
        assert make_token(client, team).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_token_needs_the_password_again(client, user):
    team = make.make_team(owner=user)
    client.logout()
    client.force_login(user)
    assert make_token(client, team).status_code == 422
    assert make_token(client, team, password="wrong").status_code == 422
    assert not ApiToken.objects.exists()
    assert make_token(client, team, password=make.PASSWORD).status_code == 200
    assert ApiToken.objects.count() == 1


def test_one_revokes_ones_own_tokens_only(client, user):
    other = make.make_user()
    team = make.make_team(owner=other)
    make.make_member(team, "admin", user)
    tokens = []
    for person in (user, other):
        now, day = timezone.now(), dt.timedelta(days=1)
        made = api_tokens.create(
            team, person, name="t", scope="read", lifetime=day, actor=make.LAUNCHER, now=now
        )
        tokens.append(made)
    answers = [client.post(reverse("web:me-token-revoke", args=[token.pk])) for token, _ in tokens]
    assert [answer.status_code for answer in answers] == [302, 404]
    assert api_tokens.find(tokens[0][1], timezone.now()) is None
    assert api_tokens.find(tokens[1][1], timezone.now())


def test_the_password_is_changed_where_the_page_says(client, user):
    address = reverse("account_change_password")
    assert address in html(client.get(reverse("web:me")))
    new = "another-long-password"
    client.post(address, {"oldpassword": make.PASSWORD, "password1": new, "password2": new})
    assert User.objects.get(pk=user.pk).check_password(new)
