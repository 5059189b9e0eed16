"""The design system in a real browser, on its sample pages: accessible, fitting, quiet under the strict policy, usable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .axe import assert_accessible

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
SCREENS = ((1440, "light"), (390, "dark"))


@pytest.fixture
def samples(live_server, settings) -> str:
    settings.ROOT_URLCONF = "tests.web.styleguide.urls"
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [*templates["DIRS"], SAMPLES]}]
    return live_server.url


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Page]:
    yield from _page(browser, 1440, 900, "light", permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    yield from _page(browser, 390, 844, "dark", has_touch=True)


def _page(browser: Browser, width: int, height: int, theme: str, **options: object) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, **options
    )
    context.set_default_timeout(5000)
    page = context.new_page()
    complaints = complaints_of(page)
    yield page
    context.close()
    assert not complaints


def complaints_of(page: Page) -> list[str]:
    """Filled while the page lives: scripts that threw, and what the policy or the browser objected to."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    return heard


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_never_scrolls_sideways(samples, browser, name):
    page = browser.new_page(reduced_motion="reduce")
    complaints = complaints_of(page)
    page.goto(samples + PAGES[name])
    for width, theme in SCREENS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        assert_accessible(page)
    for width in (1440, 1024, 768, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    assert [text for text in complaints if name != "error" or "500" not in text] == []


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
    assert desktop.get_attribute("html", "data-bs-theme") == "dark"
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
    desktop.keyboard.press("g")
    desktop.keyboard.press("t")
    desktop.wait_for_url("**/team/")


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


def test_a_failed_request_says_what_to_do(samples, browser):
    page = browser.new_page()
    page.goto(samples)
    page.route("**/dialog/", lambda route: route.fulfill(status=409))
    page.locator("#job-1").get_by_role("link", name="Stop").click()
    expect(page.locator(".toast-note")).to_contain_text("Somebody was faster")
    page.unroute("**/dialog/")
    page.route("**/dialog/", lambda route: route.abort())
    page.locator("#job-1").get_by_role("link", name="Stop").click()
    expect(page.locator(".toast-note").last).to_contain_text("cannot be reached")
    page.close()


def test_form_rows_are_added_removed_and_revealed(samples, desktop):
    desktop.goto(samples + PAGES["form"])
    expect(desktop.locator("#batch-only")).to_be_hidden()
    desktop.get_by_role("button", name="Add a variable").click()
    expect(desktop.locator("[name=env-1-name]")).to_be_focused()
    assert desktop.input_value("#id_env-TOTAL_FORMS") == "2"
    desktop.get_by_role("button", name="Show the value").click()
    assert desktop.get_attribute("#env-0-value", "type") == "text"
    desktop.get_by_role("button", name="Remove").first.click()
    expect(desktop.locator(".form-row:visible")).to_have_count(1)


def test_the_menu_of_a_phone_needs_no_script(samples, browser):
    page = browser.new_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page.goto(samples)
    page.get_by_role("button", name=re.compile("Menu")).click()
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Team")).to_be_visible()
    page.close()


def test_costs_and_times_go_on_by_themselves(samples, desktop):
    desktop.goto(samples)
    cost = desktop.locator(".stat-value[data-tick=cost]")
    expect(cost).to_have_text("$21.44")
    desktop.evaluate(
        "document.querySelector('.stat-value[data-tick=cost]').dataset.since ="
        " new Date(Date.now() - 3600e3).toISOString()"
    )
    expect(cost).to_have_text("$25.24")
    expect(desktop.locator("#job-4 [data-tick=runtime]")).to_have_text("2\u00a0d\u00a09\u00a0h")
