"""The design system in a real browser, on its sample pages: accessible, fitting, quiet under the strict policy, usable."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from .axe import assert_accessible
from .windows import LOOKS, PHONE, OpenWindow, assert_fits, press_in_turn, show_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAMPLES = Path(__file__).parent.parent / "web" / "styleguide" / "templates"
PAGES = {
    "jobs": "/",
    "job": "/t/vision-lab/job/",
    "form": "/me/",
    "first steps": "/t/vision-lab/",
    "parts": "/t/vision-lab/team/",
    "no team": "/alone/",
    "sign in": "/accounts/login/",
    "sign out": "/accounts/logout/",
    "forgotten password": "/accounts/password/reset/",
    "used link": "/accounts/password/reset/key/1-used/",
    "error": "/error/500/",
}


@pytest.fixture
def samples(live_server, settings) -> str:
    settings.ROOT_URLCONF = "tests.web.styleguide.urls"
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [*templates["DIRS"], SAMPLES]}]
    return live_server.url


@pytest.fixture
def desktop(samples: str, open_window: OpenWindow) -> Iterator[Page]:
    page = open_window(permissions=["clipboard-read", "clipboard-write"])
    with nothing_missing(page):
        yield page


@pytest.fixture
def phone(samples: str, open_window: OpenWindow) -> Iterator[Page]:
    page = open_window(size=PHONE, color_scheme="dark", reduced_motion="reduce")
    with nothing_missing(page):
        yield page


@contextmanager
def nothing_missing(page: Page) -> Iterator[None]:
    """What a sample page asks for is there, which the windows themselves do not mind."""
    missing: list[str] = []

    def listen(answer: Response) -> None:
        if 400 <= answer.status < 500:
            missing.append(answer.url)

    page.on("response", listen)
    yield
    page.remove_listener("response", listen)
    assert not missing


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_never_scrolls_sideways(samples, open_window, name):
    desktop = open_window(forgiven="status of 500" if name == "error" else "")
    with nothing_missing(desktop):
        desktop.goto(samples + PAGES[name])
    for size, theme in LOOKS:
        show_as(desktop, size, theme)
        assert_accessible(desktop)
    for width in (1440, 1024, 768, 390, 320):
        desktop.set_viewport_size({"width": width, "height": 900})
        assert_fits(desktop)


def test_a_jobs_row_becomes_a_card_on_a_phone(samples, phone):
    phone.goto(samples)
    row = phone.locator("#job-1")

    def box(cell):
        return row.locator(f".{cell}").bounding_box()

    status, cost, title, stops = (box(f"cell-{part}") for part in ("status", "cost", "title", "stops"))
    assert abs(status["y"] - cost["y"]) < 4 < cost["x"] - status["x"]
    assert abs(title["y"] - stops["y"]) < 4
    assert title["y"] > status["y"] + status["height"]
    for button in row.locator(".row-actions .btn").all():
        assert button.bounding_box()["height"] >= 44


def test_the_theme_is_kept_and_the_shortcuts_can_be_switched_off(samples, desktop):
    desktop.goto(samples)
    desktop.locator(".person").click()
    desktop.get_by_role("button", name="Dark").click()
    desktop.reload()
    expect(desktop.locator("html")).to_have_attribute("data-bs-theme", "dark")
    desktop.keyboard.press("/")
    expect(desktop.locator("[name=q]")).to_be_focused()
    desktop.locator("[name=q]").blur()
    desktop.keyboard.press("?")
    expect(desktop.locator("#help-dialog")).to_be_visible()
    desktop.get_by_label("Shortcuts of one letter are on").uncheck()
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("?")
    expect(desktop.locator("#help-dialog")).to_be_hidden()
    desktop.evaluate("localStorage.clear()")
    press_in_turn(desktop, "g", "t")
    desktop.wait_for_url("**/team/")


def test_the_keyboard_goes_from_row_to_row_and_selects(samples, desktop):
    desktop.goto(samples)
    rows = desktop.locator("tbody .row-title")
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        desktop.keyboard.press(key)
        expect(rows.nth(row)).to_be_focused()
    desktop.keyboard.press("x")
    expect(desktop.locator("[data-select]").first).to_be_checked()
    expect(desktop.locator("[data-bulk-count]")).to_have_text("1")


def test_only_a_click_beside_a_dialog_closes_it_not_text_that_is_marked_beyond_its_edge(samples, desktop):
    desktop.goto(samples)
    desktop.keyboard.press("?")
    dialog = desktop.locator("#help-dialog")
    box = dialog.bounding_box()
    desktop.mouse.move(box["x"] + 30, box["y"] + 30)
    desktop.mouse.down()
    desktop.mouse.move(box["x"] - 30, box["y"] + 30)
    desktop.mouse.up()
    expect(dialog).to_be_visible()
    desktop.mouse.click(box["x"] - 30, box["y"] + 30)
    expect(dialog).to_be_hidden()


def test_copying_says_that_it_copied(samples, desktop):
    desktop.goto(samples + PAGES["job"])
    desktop.get_by_role("button", name="Copy the ssh command").click()
    expect(desktop.locator("[data-copy-label]")).to_have_text("Copied")
    assert desktop.evaluate("navigator.clipboard.readText()") == (
        "ssh -p 41822 duser@ml3-us-east-1.proxy.dispersed.com"
    )


def test_a_dialog_comes_from_the_server_and_a_phone_shows_it_as_a_sheet(samples, phone):
    phone.goto(samples)
    phone.locator("#job-1").get_by_role("link", name="Stop").click()
    expect(phone.locator("#dialog")).to_be_visible()
    sheet = phone.locator("#dialog").bounding_box()
    assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, 390, 844)
    assert_accessible(phone)
    phone.get_by_role("button", name="Keep it running").click()
    expect(phone.locator("#dialog")).to_be_hidden()


def test_selected_jobs_bring_the_bulk_bar(samples, desktop):
    desktop.goto(samples)
    expect(desktop.locator(".bulk-bar")).to_be_hidden()
    desktop.get_by_label("Select Process Dataset").check()
    expect(desktop.locator(".bulk-count")).to_have_text("1 selected")
    desktop.get_by_label("Select all").check()
    expect(desktop.locator(".bulk-count")).to_have_text("9 selected")
    assert_accessible(desktop)


def test_a_question_is_asked_before_a_form_that_wants_it_is_sent(samples, desktop):
    sent = []
    desktop.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    desktop.goto(samples + PAGES["parts"])
    desktop.get_by_role("button", name="Delete key").click()
    expect(desktop.locator("[data-ask-text]")).to_contain_text("could then not be stopped")
    desktop.get_by_role("button", name="Cancel").first.click()
    assert sent == []
    desktop.get_by_role("button", name="Delete key").click()
    with desktop.expect_response(lambda answer: answer.request.method == "POST"):
        desktop.get_by_role("button", name="Delete the key").click()
    assert sent == ["POST"]


def test_polling_stops_in_a_hidden_tab_and_a_sign_in_page_is_never_swapped_in(samples, desktop):
    polls = []
    desktop.on("request", lambda request: polls.append(request.url) if "/poll/" in request.url else None)
    desktop.goto(samples)
    with desktop.expect_response("**/poll/"):
        desktop.evaluate("document.dispatchEvent(new Event('refresh'))")
    expect(desktop.locator(".toast-note")).to_have_text("Polled")
    show_tab(desktop, hidden=True)
    desktop.evaluate("document.getElementById('poller').dataset.pollMs = '1'")
    seen = len(polls)
    with desktop.expect_response("**/poll/"):
        show_tab(desktop, hidden=False)
    assert seen == 1
    show_tab(desktop, hidden=True)
    desktop.context.add_cookies([{"name": "ended", "value": "yes", "url": samples}])
    show_tab(desktop, hidden=False)
    desktop.wait_for_url("**/accounts/login/?next=%2F")


def show_tab(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_failed_request_says_what_to_do(samples, open_window):
    page = open_window(fresh=True, forgiven="409|ERR_FAILED|htmx:sendError")
    page.goto(samples)
    page.route("**/dialog/", lambda route: route.fulfill(status=409))
    page.locator("#job-1").get_by_role("link", name="Stop").click()
    expect(page.locator(".toast-note")).to_contain_text("Somebody was faster")
    page.unroute("**/dialog/")
    page.route("**/dialog/", lambda route: route.abort())
    page.locator("#job-1").get_by_role("link", name="Stop").click()
    expect(page.locator(".toast-note").last).to_contain_text("cannot be reached")


def test_form_rows_are_added_removed_and_revealed(samples, desktop):
    desktop.goto(samples + PAGES["form"])
    expect(desktop.locator("#batch-only")).to_be_hidden()
    desktop.get_by_role("button", name="Add a variable").click()
    expect(desktop.locator("[name=env-1-name]")).to_be_focused()
    expect(desktop.locator("#id_env-TOTAL_FORMS")).to_have_value("2")
    desktop.get_by_role("button", name="Show the value").click()
    expect(desktop.locator("#env-0-value")).to_have_attribute("type", "text")
    desktop.get_by_role("button", name="Remove").first.click()
    expect(desktop.locator(".form-row:visible")).to_have_count(1)


def test_the_menu_of_a_phone_needs_no_script(samples, open_window):
    page = open_window(java_script_enabled=False, size=PHONE)
    page.goto(samples)
    page.get_by_role("button", name=re.compile("Menu")).click()
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Team")).to_be_visible()


def test_costs_and_times_go_on_by_themselves(samples, open_window):
    page = open_window(fresh=True)
    begin = dt.datetime.now(dt.UTC)
    page.clock.set_fixed_time(begin)
    page.goto(samples)
    cost = page.locator(".stat-value[data-tick=cost]")
    expect(cost).to_have_text("$21.44")
    page.clock.set_fixed_time(begin + dt.timedelta(hours=1))
    expect(cost).to_have_text("$25.24")
    expect(page.locator("#job-4 [data-tick=runtime]")).to_have_text("2\u00a0d\u00a010\u00a0h")
