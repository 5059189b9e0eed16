"""Coming and going through a real browser: invited by mail and by link, signed up, joined, removed with running jobs, and
the end of a team."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import Page, expect

from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Membership, Team
from tests import factories as make
from tests.jobs.world import World

from .axe import assert_accessible
from .windows import PHONE, OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery staple"


@pytest.fixture
def opener(open_window: OpenWindow, live_server: Any, settings: Any) -> OpenWindow:
    """A phone of its own each time, with somebody signed in or nobody."""
    settings.PUBLIC_URL = live_server.url
    return lambda user=None: open_window(user=user, size=PHONE)


@pytest.fixture
def team() -> Team:
    return make.make_team("Vision Lab", owner=make.make_user("ana@example.org", "Ana"), slug="vision-lab")


def link_in(text: str) -> str:
    return re.search(r"https?://\S+/join/[\w-]{40,}/", text)[0]


def invite(page: Page, way: str) -> None:
    page.goto("/t/vision-lab/team/")
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail address").fill("nina@example.org")
    page.get_by_label(way).check()
    assert_accessible(page)
    page.get_by_role("button", name="Invite", exact=True).click()


def sign_up(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name="Join Vision Lab")).to_be_visible()
    assert "/join/" in page.url
    assert link not in page.url  # the token does not stay in the address
    assert_accessible(page)
    page.get_by_role("link", name="Make an account").click()
    email = page.locator("[name=email]")
    if not email.input_value():
        email.fill("nina@example.org")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("form button:not([type=button])").last.click()


def joined() -> list[tuple[str, str]]:
    rows = Membership.objects.filter(user__email="nina@example.org")
    return list(rows.values_list("team__slug", "role"))


def test_invited_by_mail_somebody_signs_up_and_joins(opener: OpenWindow, team: Team) -> None:
    host = opener(make.owner_of(team))
    invite(host, "Goes to the address by e-mail")
    expect(host.get_by_text("The invitation is on its way to nina@example.org")).to_be_visible()
    (sent,) = mail.outbox
    assert sent.to == ["nina@example.org"]
    page = opener()
    sign_up(page, link_in(sent.body))
    expect(page.get_by_role("button", name="Join the team")).to_be_visible()
    assert joined() == []
    assert len(mail.outbox) == 1  # who has the link reads the mailbox
    page.get_by_role("button", name="Join the team").click()
    expect(page.get_by_text("You are in Vision Lab now, as a member.")).to_be_visible()
    assert joined() == [("vision-lab", "member")]


def test_invited_by_a_link_somebody_confirms_their_address_before_they_join(
    opener: OpenWindow, team: Team
) -> None:
    host = opener(make.owner_of(team))
    invite(host, "Is shown to you once, and you pass it on")
    link = link_in(host.locator("#invitation-link").inner_text())
    assert mail.outbox == []
    page = opener()
    sign_up(page, link)
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    expect(page.get_by_role("button", name="Join the team")).to_have_count(0)
    (sent,) = mail.outbox
    page.goto(re.search(r"https?://\S+/account/confirm-email/\S+", sent.body)[0])
    page.get_by_role("button", name=re.compile("confirm", re.IGNORECASE)).click()
    page.wait_for_url(lambda url: "/confirm-email/" not in url)
    page.goto("/join/")
    if page.get_by_role("link", name="Sign in").count():
        page.get_by_role("link", name="Sign in").click()
        page.locator("[name=login]").fill("nina@example.org")
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Join the team").click()
    expect(page.get_by_text("You are in Vision Lab now")).to_be_visible()
    assert joined() == [("vision-lab", "member")]


def test_somebody_is_removed_and_their_jobs_are_handed_over_or_stopped_at_the_cloud(
    opener: OpenWindow, sandbox: Any
) -> None:
    world = World(sandbox)
    owner = make.owner_of(world.team)
    kept, stopped = world.launched(env={"N": "1"}), world.launched(env={"N": "2"})
    Job.objects.filter(pk=kept.pk).update(title="Kept")
    Job.objects.filter(pk=stopped.pk).update(title="Stopped")
    page = opener(owner)
    page.goto(reverse("web:team", args=[world.team.slug]))
    page.get_by_role("link", name=f"Remove {world.user}").click()
    assert_accessible(page)
    page.get_by_label("Their running jobs").select_option(label=f"Hand over to {owner}")
    page.get_by_label("What becomes of Stopped").select_option(label="Stop")
    page.get_by_role("button", name="Remove from the team").click()
    expect(page.get_by_text("1 job was handed over, 1 is being stopped.")).to_be_visible()
    assert not Membership.objects.filter(user=world.user).exists()
    world.pass_time(60)
    statuses = {job["uuid"]: job["status"] for job in sandbox.control.jobs()}
    assert statuses[stopped.remote_uuid] in ("CANCELLING", "CANCELLED")
    assert statuses[kept.remote_uuid] not in ("CANCELLING", "CANCELLED")
    kept.refresh_from_db()
    assert kept.owner == owner


def test_a_team_is_deleted_by_its_typed_name(opener: OpenWindow, team: Team) -> None:
    page = opener(make.owner_of(team))
    page.goto("/t/vision-lab/team/settings/")
    assert_accessible(page)
    page.get_by_role("link", name="Delete the team").click()
    page.get_by_label("Name of the team").fill("Vision")
    page.get_by_role("button", name="Delete the team").click()
    expect(page.get_by_text("Type the team's name to delete it")).to_be_visible()
    page.get_by_label("Name of the team").fill("Vision Lab")
    page.get_by_role("button", name="Delete the team").click()
    expect(page.get_by_text("The team Vision Lab is deleted.")).to_be_visible()
    page.goto("/t/vision-lab/")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Vision Lab")
    assert Team.objects.get().deleted_at
