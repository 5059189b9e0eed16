"""Every page of the product, by the URLconf, in both themes and on two screens: accessible, fitting, without complaints."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from playwright.sync_api import Browser, BrowserContext, Response

from dispersed_web.web.views import me
from tests import factories

from .axe import faults
from .pages import SECTIONS, Installation, Visit
from .windows import LOOKS, NARROW, PATIENCE_MS, overflow, show_as

# Files, parts of pages, and what this installation leads nobody to: everybody has a password, no code is ever sent, and
# nobody signs in elsewhere (test_accounts_pages.py looks at those).
NO_PAGES = {
    "account_confirm_login_code",
    "account_set_password",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "socialaccount_signup",
    "socialaccount_connections",
    "openid_connect_login",
    "openid_connect_callback",
    # What test_second_factors.py looks at, because signing in or an empty installation leads there; what only leads on
    "mfa_authenticate",
    "web:setup",
    "mfa_list_webauthn",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "web:healthz",
    "web:healthz-sweep",
    "web:readyz",
    "web:jobs-csv",
    "web:team-events-export",
    "web:credential-history",
    "web:recipe-export",
    "web:recipes-export",
    "web:launch-gpus",
    "web:launch-estimate",
    "web:banners",
    "api:schema",
    "heartbeat-script",
    "web:calendar-feed",
}
OF_THE_PAGE = """() => ({
  h1: [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility()).length,
  main: document.querySelectorAll("main:not([role])").length,
  title: document.title.trim(),
  ids: [...document.querySelectorAll("[id]")].map((one) => one.id),
})"""


class Reader:
    """Goes from page to page and notes what is wrong with each."""

    def __init__(self, context: BrowserContext, at: Installation, server: str) -> None:
        self.context, self.at, self.server = context, at, server
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("console", self._listen)
        self.who = ""
        self.heard: list[str] = []
        self.wrong: list[str] = []

    def _listen(self, line: Any) -> None:
        # The browser itself writes a line for each answer that is an error, which some of these pages are.
        if line.type in ("error", "warning") and "Failed to load resource" not in line.text:
            self.heard.append(line.text)

    def look(self, visit: Visit) -> None:
        self._be(visit.who)
        self.heard.clear()
        answer = self.page.goto(self.server + visit.path)
        if visit.press:
            answer = self._press(visit.press)
        self.page.locator(visit.shows).first.wait_for()
        status = answer.status if answer else 0
        found = [] if status == visit.status else [f"answered {status}, not {visit.status}"]
        found += self._faults()
        self.wrong += [f"{visit.name} ({visit.path}): {one}" for one in found]

    def _be(self, who: str) -> None:
        if who == self.who:
            return
        self.who = who
        self.context.clear_cookies()
        if who:
            cookie = {"name": "sessionid", "value": self.at.cookies[who], "url": self.server}
            self.context.add_cookies([cookie])

    def _press(self, button: str) -> Response | None:
        self.page.evaluate("document.querySelectorAll('form').forEach((one) => { one.noValidate = true })")
        with self.page.expect_navigation() as gone:
            self.page.get_by_role("button", name=button, exact=True).click()
        return gone.value

    def _faults(self) -> list[str]:
        of_page = self.page.evaluate(OF_THE_PAGE)
        found = [f"{of_page[name]} {name}" for name in ("h1", "main") if of_page[name] != 1]
        found += [] if of_page["title"] else ["no title"]
        found += [
            f"id {one} twice" for one in {one for one in of_page["ids"] if of_page["ids"].count(one) > 1}
        ]
        for size, theme in LOOKS:
            show_as(self.page, size, theme)
            found += overflow(self.page)
            found += [f"{theme}: {one}" for one in faults(self.page)]
        show_as(self.page, NARROW, theme)
        found += overflow(self.page)
        return found + [f"the browser said: {text}" for text in self.heard]


@pytest.fixture
def installation(sandbox: Any) -> Installation:
    return Installation(sandbox)


@pytest.fixture
def reader(
    browser: Browser, live_server: Any, installation: Installation, answered: None
) -> Iterator[Reader]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield Reader(context, installation, live_server.url)
    context.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_page_is_accessible_fits_and_is_quiet(
    reader: Reader, installation: Installation, section: str
) -> None:
    for visit in SECTIONS[section](installation):
        reader.look(visit)
    assert not reader.wrong, "\n" + "\n".join(reader.wrong)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_fault_of_ours_is_fine_too(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(me, "page", None)
    reader.look(Visit("broken", reverse("web:me"), status=500))
    assert not reader.wrong, "\n" + "\n".join(reader.wrong)


def addresses(resolver: Any, namespace: str = "", given: dict[str, Any] | None = None) -> dict[str, str]:
    """The names of the URLconf, each with some address that has it."""
    found = {}
    for one in resolver.url_patterns:
        values = (given or {}) | arguments(one.pattern)
        if hasattr(one, "url_patterns"):
            found |= addresses(one, f"{one.namespace}:" if one.namespace else namespace, values)
        elif one.name:
            name = f"{namespace}{one.name}"
            found[name] = reverse(name, kwargs=values)
    return found


def arguments(pattern: Any) -> dict[str, Any]:
    samples = {"uuid": str(uuid.UUID(int=1)), "int": 1}
    kinds = {name: type(one).__name__ for name, one in pattern.converters.items()}
    if not kinds:
        return dict.fromkeys(pattern.regex.groupindex, "a")
    return {name: samples.get(kind.removesuffix("Converter").lower(), "a") for name, kind in kinds.items()}


@pytest.mark.django_db
def test_every_address_of_a_page_is_in_the_list(sandbox: Any) -> None:
    at = Installation(sandbox)
    every = [visit for section in SECTIONS.values() for visit in section(at) if visit.status != 404]
    listed = {resolve(visit.path.partition("?")[0]).view_name for visit in every}
    client = Client()
    factories.sign_in(client, factories.make_user())
    names = set(addresses(get_resolver()))
    assert len(names) > 40
    missing = {
        name
        for name, address in addresses(get_resolver()).items()
        if name not in listed | NO_PAGES and client.get(address).status_code not in (405, 401)
    }
    assert missing == set()
