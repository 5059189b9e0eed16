"""What a person sees after the launch in a real browser: the start as it goes on, the ways into the machine, the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.credentials import vault
from dispersed_web.events.models import Event
from dispersed_web.jobs import runs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.teams.models import Team
from tests import factories

from .axe import assert_accessible
from .windows import DESKTOP, LOOKS, NARROW, PHONE, OpenWindow, assert_fits, show_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOST = "node17-us-east-1.proxy.sandbox.invalid"
SSH = {"description": "ssh", "hostname": HOST, "port": 41822, "container_port": 22}
WEB = {"description": "5000", "hostname": HOST, "port": 41900, "container_port": 5000}
TOKEN = "3f9ac0d1e2b74c55"


@pytest.fixture
def team() -> Team:
    team = factories.make_team(name="Vision Lab")
    factories.make_credential(team)
    return team


@pytest.fixture
def open_page(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens a job's page as the team's owner, who may use the clipboard."""

    def opened(job: Job, size: tuple[int, int] = DESKTOP, more: str = "") -> Page:
        return open_window(
            f"/t/{team.slug}/jobs/{job.pk}/{more}",
            factories.owner_of(team),
            size,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )

    return opened


def ago(minutes: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def machine(team: Team, **fields: Any) -> tuple[Job, JobRun]:
    """A machine that can be reached, with a token for its web page."""
    values = {"reachable_at": ago(1), "title": "Fine-tune Llama", **fields}
    job = factories.make_job(team, spec=factories.make_spec(image="dispersednetwork/comfyui"), **values)
    run = factories.make_run(job, node_urls=[SSH, WEB])
    run.access_tokens_sealed = vault.seal(TOKEN, runs.token_place(job, run.remote_uuid))
    run.save()
    return job, run


def states(team: Team) -> Iterator[tuple[Job, str]]:
    """A job for each thing that a start or an end can look like, and what of its page is opened."""
    spec = factories.make_spec(max_timeout_start_ms=1_800_000, max_retry_count=2, max_node_count=3)
    yield factories.make_job(team, "PENDING", launched_at=ago(3)), ""
    tried = factories.make_job(team, "PREPARING", spec=spec, run_started_at=ago(6))
    priced = {"hourly_rate_usd": Decimal("0.69")}
    factories.make_run(
        tried, status="FAILED", started_at=ago(50), running_at=None, ended_at=ago(20), **priced
    )
    factories.make_run(
        tried,
        status="FAILED",
        started_at=ago(19),
        running_at=ago(15),
        ended_at=ago(7),
        node_urls=[SSH],
        **priced,
    )
    factories.make_run(tried, status="PREPARING", started_at=ago(6), running_at=None, **priced)
    yield tried, ""
    yield factories.make_job(team, running_at=ago(1)), ""
    late = factories.make_job(team, running_at=ago(9))
    factories.make_run(late)
    yield late, ""
    yield machine(team)[0], "?connect=open"
    yield factories.make_job(team, "UNCONFIRMED", unknown_since=ago(2), fence_at=ago(-4)), ""
    said = "The job failed: Container exited with code 137"
    yield factories.make_job(team, "FAILED", reason_text=said, origin="adopted"), ""
    yield factories.make_job(team, "CANCELLED", reason_text="The cloud cancelled the job: bye"), ""


def test_every_state_is_readable_in_both_themes_and_fits_every_screen(
    team: Team, open_page: OpenWindow
) -> None:
    found = list(states(team))
    page = open_page(found[0][0])
    begin = page.url.split("/jobs/")[0]
    for job, more in found:
        page.goto(f"{begin}/jobs/{job.pk}/{more}")
        page.evaluate("document.querySelectorAll('#connect details').forEach((one) => { one.open = true; })")
        for size, theme in LOOKS:
            show_as(page, NARROW, theme)
            assert_fits(page)
            show_as(page, size, theme)
            assert_fits(page)
            assert_accessible(page)


def test_the_bar_of_a_start_moves_by_itself(team: Team, open_page: OpenWindow) -> None:
    page = open_page(factories.make_job(team, "PENDING", launched_at=ago(1)))
    bar = page.locator("progress.meter")
    first = bar.evaluate("one => one.value")
    page.wait_for_function("before => document.querySelector('progress.meter').value > before", arg=first)
    assert bar.evaluate("one => one.max") == 300


def test_the_window_says_ready_when_the_address_comes(team: Team, open_page: OpenWindow) -> None:
    job = factories.make_job(team, running_at=ago(0.5), title="Fine-tune Llama")
    run = factories.make_run(job, running_at=ago(0.5))
    page = open_page(job)
    expect(page).to_have_title("Fine-tune Llama · Vision Lab")
    expect(page.locator("#waiting")).to_contain_text("Starting")
    JobRun.objects.filter(pk=run.pk).update(node_urls=[SSH], reachable_at=timezone.now())
    Job.objects.filter(pk=job.pk).update(reachable_at=timezone.now())
    Team.bump(team.pk)
    expect(page).to_have_title("Ready: Fine-tune Llama · Vision Lab")
    expect(page.locator("#waiting")).to_have_count(0)
    expect(page.get_by_role("button", name="Show how to connect")).to_be_visible()


def copy(page: Page, what: str) -> None:
    page.get_by_role("button", name=what).click()
    expect(page.get_by_role("button", name=what).locator("[data-copy-label]")).to_have_text("Copied")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_ways_in_come_into_sight_and_are_copied(
    team: Team, open_page: OpenWindow, size: tuple[int, int]
) -> None:
    job, _ = machine(team)
    page = open_page(job, size)
    page.get_by_role("button", name="Show how to connect").click()
    command = page.locator("#ssh-1")
    expect(command).to_be_in_viewport()
    expect(command).to_have_text(f"ssh -p 41822 duser@{HOST}")
    copy(page, "Copy the ssh command")
    assert page.evaluate("navigator.clipboard.readText()") == f"ssh -p 41822 duser@{HOST}"
    page.get_by_text("For ~/.ssh/config").click()
    copy(page, "Copy the block for the ssh config")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[:2] == ["Host dw-fine-tune-llama", f"    HostName {HOST}"]
    expect(page).to_have_title("Fine-tune Llama · Vision Lab")
    job.refresh_from_db()
    assert job.connected_at is not None


def test_the_access_token_is_revealed_in_a_dialog_and_stays_nowhere(
    team: Team, open_page: OpenWindow
) -> None:
    job, _ = machine(team)
    page = open_page(job, more="?connect=open")
    assert TOKEN not in page.content()
    page.get_by_role("button", name="Reveal the access token").click()
    expect(page.locator("#token-1")).to_have_text(TOKEN)
    assert_accessible(page)
    page.reload()
    assert TOKEN not in page.content()
    assert Event.objects.filter(kind="job.token_shown").count() == 1


def test_a_check_from_the_server_answers_in_a_dialog(team: Team, open_page: OpenWindow) -> None:
    job, _ = machine(team)
    page = open_page(job, PHONE)
    page.get_by_role("button", name="Check from the server").click()
    expect(page.locator("#dialog .reached-one")).to_have_count(2)
    expect(page.locator("#dialog")).to_contain_text("there is nothing to connect to")
    assert_accessible(page)
