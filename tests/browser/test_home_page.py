"""Home in a real browser: what is about to stop is extended or kept from there, several at once, from a phone too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories

from .axe import assert_accessible
from .windows import DESKTOP, LOOKS, PHONE, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team():
    return factories.make_team(name="Vision Lab")


@pytest.fixture
def open_home(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens the team's home as its owner."""

    def opened(size: tuple[int, int] = DESKTOP, theme: str = "light") -> Page:
        return open_window(f"/t/{team.slug}/", factories.owner_of(team), size, color_scheme=theme)

    return opened


def about_to_stop(team: Any, title: str) -> Job:
    now = timezone.now()
    return factories.make_job(
        team,
        title=title,
        verdict_state="warned",
        verdict_rule="idle",
        confidence="high",
        quiet_since=now - dt.timedelta(minutes=47),
        idle_limit_now_s=3600,
        warned_at=now - dt.timedelta(minutes=2),
        stop_at=now + dt.timedelta(minutes=13),
    )


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_several_that_are_about_to_stop_are_extended_or_kept(team, open_home, size):
    jobs = [about_to_stop(team, title) for title in ("one", "two", "three")]
    page = open_home(size)
    for job in jobs[:2]:
        page.locator(f"#soon-{job.pk}").get_by_role("checkbox").check()
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("2 selected")
    assert_fits(page)
    dialog = page.locator("#dialog")
    bar.get_by_role("button", name="In use").click()
    expect(dialog.locator(".asked-title")).to_have_count(2)
    dialog.get_by_role("button", name="2 jobs still in use").click()
    expect(page.locator(".toast-note")).to_contain_text("2 jobs said to be in use")
    expect(page.locator(f"#soon-{jobs[0].pk}")).not_to_have_class("row-warned")
    expect(page.locator(f"#soon-{jobs[2].pk}")).to_have_class("row-warned")
    assert Job.objects.filter(confirmed_at__isnull=False).count() == 2

    bar.get_by_role("button", name="Extend").click()
    dialog.get_by_role("button", name="Extend 2 jobs").click()
    expect(page.locator(".toast-note").last).to_contain_text("2 jobs extended")
    assert Job.objects.filter(extend_until__isnull=False).count() == 2


def test_a_dialog_opens_again_after_it_was_closed(team, open_home):
    about_to_stop(team, "one")
    page = open_home()
    for _ in range(2):
        page.locator("#jobs-chosen").get_by_role("link", name="Extend: one").click()
        expect(page.locator("#dialog")).to_be_visible()
        page.locator("#dialog").get_by_role("button", name="Close").click()
        expect(page.locator("#dialog")).to_be_hidden()


def test_what_was_chosen_stays_chosen_when_something_changes(team, open_home):
    jobs = [about_to_stop(team, title) for title in ("one", "two")]
    page = open_home()
    box = page.locator(f"#soon-{jobs[0].pk}").get_by_role("checkbox")
    box.check()
    Job.objects.filter(pk=jobs[1].pk).update(title="renamed")
    team.bump(team.pk)
    page.evaluate("document.dispatchEvent(new Event('refresh'))")
    expect(page.locator(f"#soon-{jobs[1].pk} .row-title")).to_have_text("renamed")
    expect(box).to_be_checked()


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=["desktop", "phone"])
def test_home_is_accessible_with_the_bulk_bar_open(team, open_home, size, theme):
    job = about_to_stop(team, "one")
    factories.make_job(team, "UNCONFIRMED")
    page = open_home(size, theme)
    page.locator(f"#soon-{job.pk}").get_by_role("checkbox").check()
    expect(page.get_by_role("region", name="Selected jobs")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
