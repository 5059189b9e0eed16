"""A job's page in a real browser: readable in every state on both screens, and every act of it with a finger and a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import APIResponse, Page, Route, expect

from dispersed_web.autostop import extend
from dispersed_web.autostop.models import Hold
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories
from tests.web import scenes
from tests.web.scenes import BUSY, HOUR, IDLE, MINUTE

from .axe import assert_accessible
from .windows import DESKTOP, NARROW, PHONE, OpenWindow, assert_fits, show_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team() -> Team:
    team = factories.make_team(name="Vision Lab", max_lifetime_s=3 * 86400)
    factories.make_credential(team)
    scenes.enforced(team)
    return team


@pytest.fixture
def open_page(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens a tab of a job as the team's owner."""

    def opened(job: Job, tab: str = "", size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
        path = f"/t/{team.slug}/jobs/{job.pk}/{tab}"
        return open_window(path, factories.owner_of(team), size, reduced_motion="reduce", **options)

    return opened


def worked_until(minutes: float) -> Callable[[float], dict[str, Any]]:
    return lambda ago: BUSY if ago > minutes else IDLE


def states(team: Team) -> Iterator[Job]:
    """One job for each thing that auto-stop can think of it."""
    now = timezone.now()
    owner = Actor.person(factories.owner_of(team))

    def protect(job: Job, at: Any) -> None:
        extend.protect(
            job, until=now + 20 * HOUR, reason="a demo for the board", actor=owner, by_admin=False, now=at
        )

    def job(title: str, hours: float = 3, **fields: Any) -> Job:
        return scenes.running(team, hours, now, title=title, **fields)

    yield scenes.play(job("In use"), worked_until(-9), now)
    yield scenes.play(
        job("Warned", uses_logs=True), worked_until(48), now, log=lambda ago: {"lines": 3 * (ago > 60)}
    )
    yield scenes.play(job("Asked", 2.2), None, now)
    yield scenes.play(job("Silent"), lambda ago: BUSY if ago > 12 else None, now)
    yield scenes.play(job("Protected"), worked_until(80), now, acts={60: protect})
    yield scenes.play(
        job("Too dear", rate_cap_usd="0.50", rate_exceeded_at=now - MINUTE), worked_until(-9), now
    )
    held = scenes.play(job("Held"), worked_until(52), now)
    Hold.objects.create(
        team=team, kind="many_due", opened_at=now, sentence="All are held.", job_ids=[str(held.pk)]
    )
    yield held
    over = scenes.play(job("Forgotten", 5), worked_until(130), now - HOUR)
    Job.objects.filter(pk=over.pk).update(
        status="CANCELLED",
        reason="idle",
        ended_at=now - HOUR,
        end_seen_at=now,
        stop_next_at=None,
        spending_since=None,
    )
    yield over


def test_every_state_is_readable_in_both_themes_and_fits_every_screen(
    team: Team, open_page: OpenWindow
) -> None:
    jobs = list(states(team))
    page = open_page(jobs[0])
    looks = (("", DESKTOP, "light"), ("activity/", PHONE, "dark"))
    for job in jobs:
        for tab, size, theme in looks:
            page.goto(page.url.split("/jobs/")[0] + f"/jobs/{job.pk}/{tab}")
            for one in (DESKTOP, PHONE, NARROW):
                show_as(page, one, theme)
                _assert_readable(page)
                if one == size:
                    assert_accessible(page)


def _assert_readable(page: Page) -> None:
    """It fits, and the words in its strip are large enough."""
    assert_fits(page)
    small = page.locator(".strip text:visible").evaluate_all(
        "all => all.filter(one => parseFloat(getComputedStyle(one).fontSize) < 12).length"
    )
    assert small == 0, f"words too small to read on {page.url}"


def test_words_of_the_strip_do_not_cover_each_other_on_a_phone(team: Team, open_page: OpenWindow) -> None:
    now = timezone.now()
    job = scenes.play(scenes.running(team, 4, now), worked_until(48), now)
    page = open_page(job, "activity/", PHONE)
    boxes = page.locator(".strip-plot .strip-tick:visible, .strip-plot .strip-label:visible").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(r => [r.left, r.right, r.top, r.bottom])"
    )
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert apart, (one, other)


def test_a_check_in_is_answered_on_a_phone_with_one_tap(team: Team, open_page: OpenWindow) -> None:
    now = timezone.now()
    job = scenes.play(scenes.running(team, 2.2, now), None, now)
    page = open_page(job, size=PHONE)
    yes = page.get_by_role("button", name="Yes, still in use")
    expect(yes).to_be_in_viewport()
    assert yes.bounding_box()["height"] >= 44
    yes.tap()
    expect(page.locator(".toast-note")).to_contain_text("You are asked again")
    expect(page.locator(".checkin")).to_have_count(0)
    expect(page.locator("#job-live")).to_contain_text(re.compile(r"You are asked (at|tomorrow)"))
    job.refresh_from_db()
    assert job.confirmed_at >= now


def test_a_job_is_protected_from_its_page_and_the_fault_stands_beside_its_field(
    team: Team, open_page: OpenWindow
) -> None:
    job = scenes.running(team, 1)
    page = open_page(job, "activity/")
    page.get_by_role("link", name="Protect …").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Tomorrow 9:00").check()
    dialog.get_by_role("button", name="Protect it").click()
    expect(dialog).to_contain_text("Say why the job must not be stopped.")
    expect(dialog.get_by_label("Tomorrow 9:00")).to_be_checked()
    assert_accessible(page)
    dialog.get_by_label("Reason").fill("demo")
    dialog.get_by_role("button", name="Protect it").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#job-live")).to_contain_text("Protected until tomorrow 09:00")
    page.get_by_role("link", name="Lift the protection").click()
    dialog.get_by_role("button", name="Lift the protection").click()
    expect(page.locator(".toast-note").last).to_contain_text("not protected any more")
    job.refresh_from_db()
    assert (job.protected_until, job.confirmed_at is not None) == (None, True)


def test_one_click_shows_how_to_connect_and_it_stays_while_the_page_goes_on(
    team: Team, open_page: OpenWindow
) -> None:
    job = scenes.running(team, 1)
    page = open_page(job)
    expect(page.locator("#ssh-1")).to_have_count(0)
    page.get_by_role("button", name="Show how to connect").click()
    expect(page.locator("#ssh-1")).to_contain_text("ssh -p 41822 duser@")
    Job.objects.filter(pk=job.pk).update(title="Another title")
    Team.bump(team.pk)
    page.evaluate("document.dispatchEvent(new CustomEvent('refresh'))")
    expect(page.locator(".events")).to_contain_text("opened the connection")
    expect(page.locator("#ssh-1")).to_be_visible()
    page.get_by_role("button", name="Copy the ssh command").click()
    expect(page.locator("#connect .codebox:has(#ssh-1) [data-copy-label]")).to_have_text("Copied")


def test_a_question_that_was_on_its_way_does_not_close_the_connection_again(
    team: Team, open_page: OpenWindow
) -> None:
    job = scenes.running(team, 1)
    page = open_page(job, fresh=True)
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/jobs/*/?*", lambda route: late.append((route, route.fetch())))
    Job.objects.filter(pk=job.pk).update(title="Another title")
    Team.bump(team.pk)
    page.evaluate("document.dispatchEvent(new CustomEvent('refresh'))")
    page.wait_for_function("document.querySelector('#job-live').classList.contains('htmx-request')")
    page.get_by_role("button", name="Show how to connect").click()
    expect(page.locator("#ssh-1")).to_be_visible()
    for route, answer in late:
        assert answer.status == 200
        route.fulfill(response=answer)
    assert late
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.locator("#ssh-1").is_visible()


def test_the_heartbeat_line_opens_over_the_page_and_is_gone_with_it(
    team: Team, open_page: OpenWindow
) -> None:
    job = scenes.running(team, 1)
    page = open_page(job, size=PHONE)
    page.get_by_role("button", name="Turn on the heartbeat").tap()
    dialog = page.locator("#dialog")
    expect(dialog.locator("#hb-curl")).to_contain_text("sh -s -- --background")
    assert_accessible(page)
    _assert_readable(page)
    page.reload()
    expect(page.locator("#hb-curl")).to_have_count(0)


def test_a_moment_of_the_strip_is_asked_about_with_a_click_and_by_the_form(
    team: Team, open_page: OpenWindow
) -> None:
    now = timezone.now()
    job = scenes.play(scenes.running(team, 3, now), worked_until(48), now)
    page = open_page(job, "activity/")
    page.locator(".strip-hits a").nth(20).click()
    expect(page.locator(".why-answer")).to_contain_text("It was in use.")
    page.get_by_label("At what time?").fill(f"{now - 40 * MINUTE:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Explain").press("Enter")
    expect(page.locator(".why-answer")).to_contain_text("GPUquiet since")


def test_every_act_works_without_scripts(team: Team, open_page: OpenWindow) -> None:
    now = timezone.now()
    job = scenes.play(scenes.running(team, 2.2, now), None, now)
    page = open_page(job, java_script_enabled=False)
    page.get_by_role("button", name="Yes, still in use").click()
    expect(page.locator(".messages")).to_contain_text("goes on")
    page.get_by_role("link", name="Protect …").click()
    page.get_by_role("button", name="Protect it").click()
    expect(page.locator(".asked")).to_contain_text("Say why the job must not be stopped.")
    page.get_by_label("Reason").fill("demo")
    page.get_by_role("button", name="Protect it").click()
    expect(page.locator(".messages")).to_contain_text("is protected until")
    page.get_by_role("link", name="Lift the protection").click()
    page.get_by_role("button", name="Lift the protection").click()
    expect(page.locator(".messages")).to_contain_text("not protected any more")
    page.get_by_role("button", name="Show how to connect").click()
    expect(page.locator("#ssh-1")).to_contain_text("ssh -p 41822")
    page.get_by_role("button", name="Turn on the heartbeat").click()
    expect(page.locator("#hb-curl")).to_contain_text("--background")
