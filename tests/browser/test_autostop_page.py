"""A team's auto-stop policy in a real browser: typed, read back, tried, saved and enforced, on a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dispersed_web.clock import database_now
from dispersed_web.jobs import market
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories

from .axe import assert_accessible
from .windows import LOOKS, PHONE, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def team() -> Team:
    return factories.make_team("Vision Lab", slug="vision-lab")


@pytest.fixture
def opener(open_window: OpenWindow, team: Team) -> OpenWindow:
    """Opens a page of the team as its owner, in UTC."""

    def opened(path: str = "autostop/change/", **options: Any) -> Page:
        return open_window(f"/t/{team.slug}/{path}", factories.owner_of(team), timezone_id="UTC", **options)

    return opened


def stops(team: Team) -> list[dict[str, Any]]:
    stored = AutostopPolicy.of(team.pk).schedule
    return stored["stops"] if stored else []


def row(page: Page, number: int) -> Any:
    return page.locator("#stop-rows .form-row").nth(number)


def fill(page: Page, number: int, days: tuple[str, ...], at: str) -> None:
    for day in days:
        row(page, number).get_by_role("checkbox", name=day).check()
    row(page, number).get_by_label("At", exact=True).fill(at)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the policy").click()
    page.wait_for_url("**/autostop/")


@pytest.mark.parametrize("blind", [False, True], ids=["with JavaScript", "without"])
def test_stop_times_come_and_go(opener: OpenWindow, team: Team, blind: bool) -> None:
    page = opener(java_script_enabled=not blind)
    fill(page, 0, ("Monday", "Friday"), "18:00")
    if not blind:
        page.get_by_role("button", name="Add a stop").click()
        fill(page, 1, ("Saturday",), "12:30")
        save(page)
        page.goto(f"{page.url}change/")
    else:
        save(page)
        page.goto(f"{page.url}change/")
        fill(page, 1, ("Saturday",), "12:30")
        save(page)
        page.goto(f"{page.url}change/")
    assert [stop["at"] for stop in stops(team)] == ["18:00", "12:30"]
    assert stops(team)[0]["weekdays"] == [0, 4]
    if blind:
        row(page, 0).get_by_label("Remove", exact=True).check()
    else:
        row(page, 0).get_by_role("button", name="Remove this stop").click()
        expect(row(page, 0)).to_be_hidden()
    save(page)
    assert stops(team) == [{"weekdays": [5], "at": "12:30"}]


def test_what_is_typed_is_read_back_at_once(opener: OpenWindow) -> None:
    page = opener()
    reading = page.locator("#reading")
    expect(reading).to_contain_text("quiet for 1\u00a0h is stopped")
    page.locator("#id_high_idle_s").fill("40m")
    expect(reading).to_contain_text("quiet for 40\u00a0min is stopped; people are warned after 25\u00a0min")
    page.get_by_role("radio", name="Enforce Idle").check()
    expect(reading).to_contain_text("Stops for idleness are enforced")
    expect(page.locator("#id_observe_until")).to_be_hidden()
    page.locator("#id_high_idle_s").fill("40")
    expect(reading).to_contain_text("not complete yet")


def test_a_draft_is_tried_and_kept_for_saving(opener: OpenWindow, team: Team) -> None:
    page = opener()
    page.locator("#id_high_idle_s").fill("40m")
    page.get_by_role("button", name="Try it on the last 30 days").click()
    expect(page.get_by_role("heading", name="This policy on the last 30 days")).to_be_visible()
    assert AutostopPolicy.of(team.pk).high_idle_s == 3600
    expect(page.locator("#id_high_idle_s")).to_have_value("40m")
    save(page)
    assert AutostopPolicy.of(team.pk).high_idle_s == 2400


def test_enforcing_is_asked_about_once(opener: OpenWindow, team: Team) -> None:
    page = opener("autostop/", size=PHONE)
    page.get_by_role("button", name="Enforce now").click()
    page.get_by_role("dialog").get_by_role("button", name="Enforce now").click()
    expect(page.get_by_text("Stops for idleness are enforced now")).to_be_visible()
    assert AutostopPolicy.of(team.pk).mode == "enforce"


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_faults_are_accessible_and_fit(opener: OpenWindow, size: tuple[int, int], scheme: str) -> None:
    page = opener(color_scheme=scheme, size=size)
    page.locator("#id_high_idle_s").fill("soon")
    row(page, 0).get_by_role("checkbox", name="Monday").check()
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text("At what time?")).to_be_visible()
    expect(page.get_by_text("“soon” is not a duration")).to_be_visible()
    expect(row(page, 0).get_by_role("checkbox", name="Monday")).to_be_checked()
    assert_accessible(page)
    assert_fits(page)


def test_the_launch_form_says_what_becomes_of_the_job(opener: OpenWindow, team: Team, sandbox: Any) -> None:
    market.refresh(factories.make_credential(team, sandbox).pk, database_now)
    page = opener("launch/")
    said = page.locator("#estimate")
    expect(said).not_to_contain_text("You are asked")
    expect(page.get_by_label("When not used for")).to_be_hidden()
    page.get_by_role("radio", name="Persistent").check()
    expect(said).to_contain_text("You are asked after 2\u00a0h whether it is still used")
    page.get_by_label("Ask every").fill("1h")
    expect(said).to_contain_text("You are asked after 1\u00a0h")
    page.get_by_label("When not used for").fill("40m")
    expect(said).to_contain_text("stopped after 40\u00a0min without use")
    page.get_by_text("Its log tells whether it works").click()
    page.get_by_label("A silent log means").check()
    expect(said).to_contain_text("Stopped after 40\u00a0min without new log lines")
    page.get_by_label("Most it may cost").fill("1")
    expect(said).to_contain_text("Costs at most $1.00 until")
