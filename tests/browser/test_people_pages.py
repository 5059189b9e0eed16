"""People, teams and keys through a real browser: the first hour of a new team, tokens, roles and keys."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from dispersed_web.credentials.models import Credential
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import Membership, Team
from tests import factories as make

from .windows import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def full(transactional_db: None) -> Team:
    """A team with people, keys in every state, jobs and events."""
    now = timezone.now()
    owner = make.make_user("ana@example.org", "Ana Duarte", ssh_key=make.SSH_KEY)
    team = make.make_team("Vision Lab", owner=owner)
    make.make_member(team, "viewer", make.make_user("a.very.long.address@very-long-department.example.org"))
    make.make_credential(team, name="Lab account", last_used_at=now, last_used_by=owner)
    make.make_credential(
        team, name="Grant", state="broken", failure="Dispersed refuses the key: it was revoked."
    )
    make.make_credential(team, name="Old", state="disabled", expires_at=now + dt.timedelta(days=3))
    make.make_job(team, title="A long title of a job that says everything there is to say about it")
    make.make_job(team, title="Stuck", stop_requested_at=now - dt.timedelta(minutes=9))
    make.make_event(
        team, "credential.broken", sentence="The credential “Grant” does not work: it was revoked."
    )
    api_tokens.create(
        team, owner, name="Nightly", scope="read", lifetime=dt.timedelta(days=9), actor=make.LAUNCHER, now=now
    )
    return team


def test_the_first_hour_of_a_new_team(open_window: OpenWindow, sandbox: Any) -> None:
    user = make.make_user("new@example.org")
    page = open_window("/")
    page.locator("[name=login]").fill(user.email)
    page.locator("[name=password]").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="Make a team").click()
    page.get_by_label("Name of the team").fill("Vision Lab")
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()

    public, secret, _ = sandbox.keys[0]
    page.get_by_role("link", name="Add a credential").click()
    page.get_by_label("Name").fill("Lab account")
    page.get_by_label("Public key").fill(public)
    page.get_by_label("Secret key").fill("sk_sim_wrong")
    page.get_by_role("button", name="Test and add").click()
    expect(page.locator(".form-fault")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Lab account")
    expect(page.get_by_label("Secret key")).to_have_value("")
    page.get_by_label("Secret key").fill(secret)
    page.get_by_role("button", name="Test and add").click()
    expect(page.get_by_role("heading", name="Lab account")).to_be_visible()
    assert secret not in page.content()

    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name="Store it").click()
    page.get_by_label("SSH public key").fill(make.SSH_KEY)
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("SHA256:").first).to_be_visible()
    assert Credential.objects.get().team.name == "Vision Lab"


def test_a_token_is_made_copied_and_revoked(open_window: OpenWindow) -> None:
    user = make.make_user()
    make.make_team("Vision Lab", owner=user)
    page = open_window("/me/", user)
    page.get_by_text("Make a token", exact=True).click()
    page.get_by_label("What is it for?").fill("Nightly")
    page.get_by_role("button", name="Make the token").click()
    text = page.locator("#token-text").inner_text()
    assert api_tokens.find(text, timezone.now())
    page.goto(page.url.replace("tokens/", ""))
    assert text not in page.content()
    page.get_by_role("button", name="Revoke Nightly").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("is refused from now on")).to_be_visible()
    assert api_tokens.find(text, timezone.now()) is None


def test_a_role_is_changed_and_a_key_disabled_without_javascript(open_window: OpenWindow, full: Team) -> None:
    seat = Membership.objects.get(team=full, role="viewer")
    page = open_window(reverse("web:team", args=[full.slug]), make.owner_of(full), java_script_enabled=False)
    page.get_by_role("link", name=re.compile("Change a.very")).click()
    page.get_by_label(re.compile("^Member")).check()
    page.get_by_role("button", name="Save the role").click()
    expect(page.get_by_text("is in the team as a member now")).to_be_visible()
    seat.refresh_from_db()
    assert seat.role == "member"
    page.get_by_role("navigation", name="Team").get_by_role("link", name="Credentials").click()
    page.get_by_role("link", name="Lab account").click()
    page.get_by_role("link", name=re.compile("Disable the credential")).click()
    page.get_by_role("button", name=re.compile("Disable")).click()
    expect(page.get_by_text("launches nothing any more")).to_be_visible()


def test_the_team_is_switched_in_the_sidebar(open_window: OpenWindow, full: Team) -> None:
    make.make_team("Another lab", owner=make.owner_of(full))
    page = open_window(reverse("web:team-home", args=[full.slug]), make.owner_of(full))
    page.locator("#sidebar summary", has_text="Vision Lab").click()
    page.get_by_role("link", name="Another lab").click()
    expect(page.get_by_role("heading", name="Another lab", level=1)).to_be_visible()
