"""The team's page "API tokens": made once and shown once, listed with their use, ended with what hangs on them."""

import datetime as dt
import html as markup
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.record import Actor
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken, Membership
from tests import factories as make

pytestmark = pytest.mark.django_db
NEW = {"name": "Deploys", "scope": "operate", "days": "30"}


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def url(team, token=None):
    if token is None:
        return reverse("web:team-tokens", args=[team.slug])
    return reverse("web:team-token-revoke", args=[team.slug, token.pk])


def page(answer) -> str:
    return markup.unescape(answer.content.decode())


def personal(team, user, name="Nightly"):
    return api_tokens.create(
        team,
        user,
        name=name,
        scope="read",
        lifetime=dt.timedelta(days=1),
        actor=Actor.person(user),
        now=timezone.now(),
    )


def test_a_token_of_the_team_is_shown_once(client, team):
    answer = client.post(url(team), NEW)
    text = re.search(r"dwp_[0-9A-Za-z]{36}", page(answer))[0]
    token = api_tokens.find(text, timezone.now())
    assert (token.name, token.scope, token.role, token.made_by) == (
        "Deploys",
        "operate",
        "member",
        make.owner_of(team),
    )
    assert "no-store" in answer["Cache-Control"]
    later = page(client.get(url(team)))
    assert "Deploys" in later
    assert text[8:] not in later
    assert text not in str(dict(client.session))


@pytest.mark.parametrize("fields", [{"name": ""}, {"scope": "owner"}, {"days": "366"}, {"days": ""}])
def test_what_was_typed_stays_when_something_is_wrong(client, team, fields):
    answer = client.post(url(team), NEW | fields)
    assert answer.status_code == 422
    assert (NEW | fields)["name"] in page(answer)
    assert not ApiToken.objects.exists()


def test_both_kinds_are_listed_with_their_use_and_never_their_text(client, team):
    member = make.make_member(team)
    client.post(url(team), NEW)
    token, text = personal(team, member)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now(), last_used_ip="203.0.113.7")
    shown = page(client.get(url(team)))
    assert "203.0.113.7" in shown
    assert str(member) in shown
    assert text not in shown
    assert shown.index("Deploys") < shown.index("Personal tokens of members") < shown.rindex("Nightly")


def test_revoking_says_what_ends_and_ends_it(client, team):
    client.post(url(team), NEW)
    token = ApiToken.objects.get()
    make.make_job(team, owner=token.user)
    assert "Its 1 running job goes on" in page(client.get(url(team, token)))
    assert ApiToken.objects.filter(revoked_at=None).exists()
    assert client.post(url(team, token))["Location"] == url(team)
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    assert not Membership.objects.filter(user=token.user).exists()
    assert "Revoke Deploys" not in page(client.get(url(team)))


def test_an_admin_ends_a_members_token(client, team):
    token, text = personal(team, make.make_member(team))
    assert client.post(url(team, token)).status_code == 302
    assert api_tokens.find(text, timezone.now()) is None


def test_both_acts_want_the_password_again(client, team):
    token, text = personal(team, make.owner_of(team))
    client.logout()
    client.force_login(make.owner_of(team))
    for address, fields in ((url(team), NEW), (url(team, token), {})):
        assert client.post(address, fields).status_code == 422
        assert client.post(address, fields | {"password": "wrong"}).status_code == 422
    assert api_tokens.find(text, timezone.now())
    assert ApiToken.objects.count() == 1
    assert client.post(url(team), NEW | {"password": make.PASSWORD}).status_code == 200


def test_the_tab_is_for_admins(client, team):
    assert url(team) in page(client.get(reverse("web:team", args=[team.slug])))
    make.sign_in(client, make.make_member(team))
    assert url(team) not in page(client.get(reverse("web:team", args=[team.slug])))
