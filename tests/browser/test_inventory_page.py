"""The inventory in a real browser: a job of others is adopted, stopped, watched and folded away, also with a thumb."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from tests import factories

from .axe import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]


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
def open_page(browser: Browser, live_server, team) -> Iterator[Open]:
    """The inventory, opened by the team's owner; at the end the browser must not have complained."""
    client = Client()
    factories.sign_in(client, factories.owner_of(team))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts, complaints = [], []

    def opened(width: int = 1440, *, scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, has_touch=width < 500, java_script_enabled=scripts
        )
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/t/{team.slug}/inventory/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


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
    expect(dialog).to_contain_text("the team’s bound" if "’" in dialog.inner_text() else "bound")
    dialog.get_by_label("Stop after").fill("3h")
    assert_accessible(page)
    dialog.get_by_role("button", name="Adopt it").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Nothing is out of sight")).to_be_visible()
    assert Job.objects.get().origin == Origin.ADOPTED


def test_a_phone_stops_one_without_scripts(row, open_page):
    page = open_page(390, scripts=False)
    page.get_by_role("link", name="Stop Started in the console").click()
    expect(page.get_by_text("Stop “Started in the console”?")).to_be_visible()
    page.get_by_label("Reason").fill("Forgotten")
    page.get_by_role("button", name="Stop the job").click()
    page.wait_for_url("**/jobs/**")
    job = Job.objects.get()
    assert (job.stop_reason, job.stop_note) == ("user", "Forgotten")
