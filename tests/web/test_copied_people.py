"""Mails about people in a copy of another installation: what somebody asks for there goes out, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.record import Actor
from dispersed_web.teams import installation, invitations
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Team
from tests import factories as make

pytestmark = pytest.mark.django_db
NINA = {"email": "nina@example.org", "role": "member", "password": make.PASSWORD}


@pytest.fixture
def team(client: Client, settings: Any) -> Team:
    """One of the original with an invitation by mail, before its owner in the copy."""
    installation.claim()
    team = make.make_team("Vision Lab")
    owner = make.sign_in(client, make.owner_of(team))
    actor = Actor.person(owner)
    invitations.invite(team, "kim@example.org", "viewer", by_mail=True, actor=actor, now=timezone.now())
    settings.INSTALLATION_ID = "staging"
    return team


def test_nobody_is_invited_by_mail_and_the_link_is_offered(
    client: Client, team: Team, mailoutbox: list[Any]
) -> None:
    address = reverse("web:team-invite", args=[team.slug])
    page = client.get(address).content.decode()
    assert "it mails no invitations" in page
    assert "Goes to the address by e-mail" not in page
    assert client.post(address, NINA | {"way": "mail"}).status_code == 422
    assert "/join/" in client.post(address, NINA | {"way": "link"}).content.decode()
    assert mailoutbox == []


def test_one_that_was_mailed_is_sent_again_as_a_link(
    client: Client, team: Team, mailoutbox: list[Any]
) -> None:
    (old,) = invitations.waiting(team)
    page = client.get(reverse("web:team-invitation", args=[team.slug, old.pk])).content.decode()
    assert "Make another link" in page
    assert "Send it again" not in page
    again = reverse("web:team-invitation-again", args=[team.slug, old.pk])
    assert "/join/" in client.post(again, {"password": make.PASSWORD}).content.decode()
    assert [one.by_mail for one in invitations.waiting(team)] == [False], "so its address is not proved"
    assert mailoutbox == []


def test_nor_by_any_other_door(team: Team) -> None:
    actor = Actor.person(make.owner_of(team))
    with pytest.raises(TeamRefused, match="mails no invitations") as refused:
        invitations.invite(team, "nina@example.org", "member", by_mail=True, actor=actor, now=timezone.now())
    assert refused.value.code == "only_looks"


def test_who_forgot_the_password_gets_a_link_to_the_copy(
    team: Team, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.PUBLIC_URL = "https://copy.example.com"
    Client().post(reverse("account_reset_password"), {"email": make.owner_of(team).email})
    assert "https://copy.example.com/account/password/reset/key/" in mailoutbox[0].body
