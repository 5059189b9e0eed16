"""The inventory in a real browser: a job of others is adopted, stopped, watched and folded away, also with a thumb."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.teams.models import Team
from tests import factories

from .axe import assert_accessible
from .windows import PHONE, OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team():
    return factories.make_team(name="Vision Lab", max_lifetime_s=86400, default_lifetime_s=7200)


@pytest.fixture
def row(team) -> UnmanagedJob:
    now = timezone.now()
    return UnmanagedJob.objects.create(
        credential=factories.make_credential(team),
        remote_uuid="01a209c6-588c-4feb-ae25-00000000beef",
        title="Started in the console",
        task="PERSISTENT",
        status="RUNNING",
        gpu_label="RTX 4090",
        hourly_rate_usd=Decimal("0.44"),
        created_at=now - dt.timedelta(hours=10),
        first_seen_at=now - dt.timedelta(hours=2),
        seen_at=now,
    )


@pytest.fixture
def open_page(open_window: OpenWindow, team: Team) -> OpenWindow:
    """The inventory, opened by the team's owner."""

    def opened(**options: Any) -> Page:
        return open_window(f"/t/{team.slug}/inventory/", factories.owner_of(team), **options)

    return opened


def test_a_job_is_watched_folded_away_brought_back_and_adopted(row, open_page):
    page = open_page()
    assert_accessible(page)
    page.get_by_role("button", name="Watch Started in the console").click()
    expect(page.get_by_text("Watched by you")).to_be_visible()
    page.get_by_role("button", name="Ignore Started in the console").click()
    fold = page.locator("#ignored")
    expect(fold).to_contain_text("Ignored · 1")
    fold.locator("summary").click()
    fold.get_by_role("button", name="Show again").click()
    expect(fold).to_have_count(0)

    page.get_by_role("link", name="Adopt Started in the console").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("becomes a job of the team")
    dialog.get_by_label("Stop after").fill("99 days")
    dialog.get_by_role("button", name="Adopt it").click()
    expect(dialog).to_contain_text("the team's bound")
    dialog.get_by_label("Stop after").fill("3h")
    assert_accessible(page)
    dialog.get_by_role("button", name="Adopt it").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Nothing is out of sight")).to_be_visible()
    assert Job.objects.get().origin == Origin.ADOPTED


def test_a_phone_stops_one_without_scripts(row, open_page):
    page = open_page(size=PHONE, java_script_enabled=False)
    page.get_by_role("link", name="Stop Started in the console").click()
    expect(page.get_by_text("Stop “Started in the console”?")).to_be_visible()
    page.get_by_label("Reason").fill("Forgotten")
    page.get_by_role("button", name="Stop the job").click()
    page.wait_for_url("**/jobs/**")
    job = Job.objects.get()
    assert (job.stop_reason, job.stop_note) == ("user", "Forgotten")
