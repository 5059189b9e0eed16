"""The live table in a real browser: it follows what happens and leaves the reader's hands alone; a phone can stop a job."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.autostop.models import Hold
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories

from .axe import assert_accessible
from .windows import DESKTOP, PHONE, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team():
    return factories.make_team(name="Vision Lab")


@pytest.fixture
def open_page(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens an address of the team as its owner."""

    def opened(path: str = "jobs/", size: tuple[int, int] = DESKTOP) -> Page:
        return open_window(f"/t/{team.slug}/{path}", factories.owner_of(team), size)

    return opened


def change(job: Job, **values: object) -> None:
    Job.objects.filter(pk=job.pk).update(**values)
    Team.bump(job.team_id)


def test_the_table_follows_what_happens_and_keeps_focus_selection_and_typing(team, open_page):
    job = factories.make_job(team, "PENDING", title="Dev")
    factories.make_job(team, "RUNNING", title="Other")
    page = open_page()
    row = page.locator(f"#job-{job.pk}")
    row.locator("[data-select]").check()
    stop = row.get_by_role("link", name="Stop: Dev")
    stop.focus()
    change(job, status="PREPARING", remote_status="PREPARING", assigned_at=job.launched_at)
    expect(row.locator(".status-label")).to_have_text("Pulling image")
    expect(row.locator("[data-select]")).to_be_checked()
    expect(stop).to_be_focused()
    expect(page.locator("[data-bulk-count]")).to_have_text("1")

    search = page.get_by_role("searchbox")
    search.press_sequentially("de")
    expect(page.locator(".row-title")).to_have_text(["Dev"])
    page.wait_for_url("**/jobs/?q=de")
    change(job, title="Dev, renamed")
    expect(page.locator(".row-title")).to_have_text(["Dev, renamed"])
    expect(search).to_be_focused()
    expect(search).to_have_value("de")


def test_sorting_and_going_back_and_forth_are_addresses(team, open_page):
    for title in ("v", "w", "u"):
        factories.make_job(team, title=title)
    page = open_page()
    page.get_by_role("link", name="Job", exact=True).click()
    expect(page.locator(".row-title")).to_have_text(["u", "v", "w"])
    page.get_by_role("searchbox").fill("v")
    page.wait_for_url("**/jobs/?q=v&sort=title")
    expect(page.locator(".row-title")).to_have_text(["v"])
    page.go_back()
    expect(page.locator(".row-title")).to_have_text(["u", "v", "w"])


def test_several_jobs_are_stopped_after_a_look_at_what_that_hits(team, open_page):
    jobs = [factories.make_job(team, title=title) for title in ("one", "two", "three")]
    page = open_page()
    for job in jobs[:2]:
        page.locator(f"#job-{job.pk} [data-select]").check()
    page.locator("[data-bulk-bar]").get_by_role("button", name="Stop").click()
    dialog = page.locator("#dialog")
    expect(dialog.locator(".asked-title")).to_have_count(2)
    expect(dialog).to_contain_text("$1.38/h")
    dialog.get_by_role("button", name="Stop 2 jobs").click()
    expect(page.locator(".toast-note")).to_contain_text("2 jobs asked to stop")
    expect(page.locator(f"#job-{jobs[0].pk} .status-label")).to_have_text("Stopping")
    expect(page.locator(f"#job-{jobs[2].pk} .status-label")).to_have_text("Running")
    assert Job.objects.filter(stop_requested_at__isnull=False).count() == 2


def test_a_phone_folds_the_filters_that_few_use(team, open_page):
    factories.make_job(team, "PENDING", title="Waits")
    factories.make_job(team, title="Runs")
    page = open_page(size=PHONE)
    status = page.get_by_label("Status", exact=True)
    expect(status).to_be_hidden()
    page.get_by_text("More filters").click()
    status.select_option("RUNNING")
    expect(page.locator(".row-title")).to_have_text(["Runs"])
    page.reload()
    expect(status).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(page.url.partition("?")[0])
    expect(status).to_be_visible()
    expect(page.get_by_text("More filters")).to_be_hidden()


def test_a_job_is_stopped_from_the_table_on_a_phone(team, open_page):
    job = factories.make_job(team, title="Development Environment")
    page = open_page(size=PHONE)
    page.get_by_role("link", name="Stop: Development Environment").tap()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("What is not saved outside the machine is lost")
    dialog.get_by_label("Reason").fill("done for today")
    dialog.get_by_role("button", name="Stop the job").tap()
    expect(dialog).to_be_hidden()
    expect(page.locator(f"#job-{job.pk} .status-label")).to_have_text("Stopping")
    assert_fits(page)
    job.refresh_from_db()
    assert job.stop_note == "done for today"


def test_several_jobs_are_chosen_on_a_phone(team, open_page):
    jobs = [factories.make_job(team, title=title) for title in ("one", "two")]
    page = open_page(size=PHONE)
    for job in jobs:
        page.locator(f"#job-{job.pk}").get_by_role("checkbox").tap()
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Stop").tap()
    page.locator("#dialog").get_by_role("button", name="Stop 2 jobs").tap()
    expect(page.locator(".status-label")).to_have_text(["Stopping", "Stopping"])
    assert_fits(page)


def test_a_job_is_extended_on_its_page_and_says_until_when(team, open_page):
    job = factories.make_job(team)
    page = open_page(f"jobs/{job.pk}/", size=PHONE)
    page.get_by_role("link", name="Extend").tap()
    page.locator("#dialog").get_by_role("button", name="4").tap()
    expect(page.locator(".toast-note")).to_contain_text("runs until")
    expect(page.get_by_text("Extended", exact=True)).to_be_visible()
    job.refresh_from_db()
    assert job.extend_until > timezone.now() + dt.timedelta(hours=4)


def in_minutes(minutes: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(minutes=minutes)


def test_a_check_in_is_answered_from_the_table_with_one_press(team, open_page):
    asked = {"verdict_state": "warned", "verdict_rule": "checkin_unanswered", "confidence": "low"}
    job = factories.make_job(team, title="Course", warned_at=in_minutes(-8), stop_at=in_minutes(22), **asked)
    page = open_page(size=PHONE)
    row = page.locator(f"#job-{job.pk}")
    expect(row.locator(".status-detail")).to_have_text("asked: still using it?")
    row.get_by_role("link", name="Still in use: Course").tap()
    expect(page.locator(".toast-note")).to_contain_text("“Course” goes on.")
    expect(row).not_to_have_class("row-warned")
    expect(row.get_by_role("link", name="Connect: Course")).to_be_visible()
    job.refresh_from_db()
    assert job.confirmed_at


def test_quiet_minutes_go_on_by_themselves(team, open_page):
    quiet = {"verdict_state": "quiet", "verdict_rule": "idle", "confidence": "high", "idle_limit_now_s": 3600}
    job = factories.make_job(team, quiet_since=in_minutes(-12), stop_at=in_minutes(48), **quiet)
    page = open_page()
    detail = page.locator(f"#job-{job.pk} .status-detail")
    expect(detail).to_have_text("quiet 12 of 60\u00a0min")
    detail.locator("time").evaluate(
        "(one) => one.setAttribute('datetime', new Date(Date.now() - 47.5 * 60e3).toISOString())"
    )
    expect(detail).to_have_text("quiet 47 of 60\u00a0min")


def test_nothing_covers_when_a_job_stops_and_why(team, open_page):
    warned = {"confidence": "high", "verdict_state": "warned", "warned_at": in_minutes(-1)}
    factories.make_job(
        team,
        title="A long title of a job that says everything there is to say about it",
        gpu_label="6 × RTX 5090",
        hourly_rate_usd="14.14",
        quoted_usd="1.11",
        verdict_rule="rate",
        rate_exceeded_at=in_minutes(-1),
        rate_cap_usd="10.00",
        stop_at=in_minutes(4),
        **warned,
    )
    factories.make_job(team, verdict_rule="checkin_unanswered", stop_at=in_minutes(22), **warned)
    page = open_page()
    for width in (768, 1024, 1100, 1240, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for row in page.locator("tbody tr").all():
            stops, acts = row.locator(".cell-stops"), row.locator(".row-actions")
            box = stops.bounding_box()
            assert box["x"] + box["width"] <= acts.bounding_box()["x"] + 1, width
            assert stops.locator(".line-2").evaluate("(one) => one.scrollWidth <= one.clientWidth"), width
        assert_fits(page)
    title = page.locator(".row-title", has_text="A long title")
    title.hover()
    expect(title).to_have_attribute(
        "title", "A long title of a job that says everything there is to say about it"
    )


def test_an_alarm_comes_to_a_page_that_is_open_and_stays_while_one_scrolls(team, open_page):
    jobs = [factories.make_job(team, title=f"job {n}", verdict_state="due") for n in range(30)]
    page = open_page()
    expect(page.locator(".banners-alarm")).not_to_contain_text("held")
    Hold.objects.create(
        team=team,
        kind="many_due",
        opened_at=timezone.now(),
        sentence="Too many.",
        job_ids=[str(job.pk) for job in jobs],
    )
    Team.bump(team.pk)
    page.evaluate("document.dispatchEvent(new Event('refresh'))")
    alarm = page.get_by_role("alert").filter(has_text="jobs have been held for")
    expect(alarm).to_contain_text("An admin must decide")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(alarm).to_be_in_viewport()
    alarm.get_by_role("link", name="Decide").click()
    expect(page.get_by_role("heading", name="Many jobs idle at once")).to_be_visible()


def test_a_held_decision_is_made_on_a_phone(team, open_page):
    jobs = [factories.make_job(team, title=f"job {n}") for n in range(3)]
    ids = [str(job.pk) for job in jobs]
    hold = Hold.objects.create(
        team=team, kind="many_due", opened_at=timezone.now(), sentence="Too many.", job_ids=ids
    )
    page = open_page(f"holds/{hold.pk}/", size=PHONE)
    page.get_by_role("link", name="Keep these").tap()
    dialog = page.locator("#dialog")
    expect(dialog.locator(".asked-title")).to_have_count(3)
    dialog.get_by_role("button", name="Keep these").tap()
    expect(page.locator(".messages")).to_contain_text("their idle time counts anew")
    assert Job.objects.filter(confirmed_at__isnull=False).count() == 3


def test_the_pages_are_accessible_on_a_phone_in_the_light(team, open_page):
    job = factories.make_job(team)
    factories.make_job(team, "UNCONFIRMED")
    factories.make_event(team, subject=job)
    page = open_page(size=PHONE)
    for path in ("", f"{job.pk}/", f"{job.pk}/activity/", f"{job.pk}/spec/"):
        page.goto(f"/t/{team.slug}/jobs/{path}")
        assert_accessible(page)
        assert_fits(page)


def test_everything_works_without_scripts(open_window, team):
    job = factories.make_job(team, title="Dev")
    page = open_window(f"/t/{team.slug}/jobs/?q=dev", factories.owner_of(team), java_script_enabled=False)
    page.get_by_role("link", name="Stop: Dev").click()
    page.get_by_role("button", name="Stop the job").click()
    expect(page.locator(".messages")).to_contain_text("is being stopped")
    job.refresh_from_db()
    assert job.stop_requested_at
