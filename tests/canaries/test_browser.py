"""What a real browser keeps: storages, address, history, cookies, and forms that it shows again on going back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Job
from dispersed_web.sandbox import Sandbox
from tests import factories
from tests.canaries import markers
from tests.canaries.searching import Needles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STORAGES = """async () => JSON.stringify({
  local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie, state: history.state,
  name: window.name, databases: indexedDB.databases ? await indexedDB.databases() : [],
  caches: window.caches ? await caches.keys() : [], referrer: document.referrer, address: location.href,
})"""


class Kept:
    """What the browser holds, looked at after every page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pieces: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        page.on("framenavigated", lambda frame: self.addresses.append(frame.url))
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("console", lambda message: self.pieces.append(("console", message.text)))

    def look(self) -> None:
        self.pieces.append((f"storages at {self.page.url}", self.page.evaluate(STORAGES)))
        self.pieces.append((f"cookies at {self.page.url}", str(self.page.context.cookies())))

    def leaks(self, needles: Needles) -> list[str]:
        return needles.find([*self.pieces, *(("address", one) for one in self.addresses)])


def test_the_browser_keeps_no_canary(browser: Browser, live_server: Any, cloud: Sandbox) -> None:
    person = factories.make_user("ann@example.org", password=markers.PASSWORD, ssh_key=factories.SSH_KEY)
    factories.make_team("Vision Lab", owner=person, slug="vision-lab")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    kept, site = Kept(page), live_server.url
    needles = Needles(password=markers.PASSWORD, wrong=markers.WRONG_PASSWORD, key=markers.FIRST_KEY)
    needles.add("typed", markers.REGISTRY, markers.ENV_VALUE, markers.WRONG_KEY, markers.TEAM_SECRET)

    page.goto(f"{site}/account/login/")
    for password in (markers.WRONG_PASSWORD, markers.PASSWORD):
        page.locator("[name=login]").fill(person.email)
        page.locator("[name=password]").fill(password)
        with page.expect_navigation():
            page.locator("[name=password]").press("Enter")
        kept.look()
    expect(page).not_to_have_url(re.compile("login"))
    add_a_key(page, site, kept)
    launch(page, site, kept)
    needles.add("seed", set_up_an_app(page, site, kept, person))
    kept.look()
    needles.add("recovery code", *page.locator("#recovery-codes").text_content().strip().split("\n"))
    go_back_to_what_was_typed(page, site, kept)
    planted = "() => { sessionStorage.setItem('planted', 'Sm8passwd-canary!91d2') }"
    assert kept.leaks(needles) == []
    page.evaluate(planted)
    kept.look()
    assert kept.leaks(needles) != []
    context.close()


def add_a_key(page: Page, site: str, kept: Kept) -> None:
    page.goto(f"{site}/t/vision-lab/credentials/add/")
    for secret in (markers.WRONG_KEY, markers.FIRST_KEY):
        page.locator("[name=name]").fill("Main")
        page.locator("[name=public_key]").fill(markers.PUBLIC)
        page.locator("[name=secret_key]").fill(secret)
        kept.look()
        with page.expect_navigation():
            page.locator("[name=secret_key]").press("Enter")
        kept.look()
    expect(page).not_to_have_url(re.compile("credentials/add"))


def launch(page: Page, site: str, kept: Kept) -> None:
    """A fault first, so that the form comes back with what was typed; then going back to it from the job."""
    page.goto(f"{site}/t/vision-lab/launch/?example=development-environment")
    page.evaluate(
        "() => document.querySelectorAll('#launch-form details').forEach(one => { one.open = true })"
    )
    page.locator("[name=env-0-name]").fill("LICENCE_KEY")
    page.locator("[name=env-0-value]").fill(markers.ENV_VALUE)
    page.locator("[name=registry_host]").fill("registry.example.com")
    page.locator("[name=registry_user]").fill("reader")
    page.locator("[name=registry_secret]").fill(markers.REGISTRY)
    page.locator("[name=title]").fill("")
    kept.look()
    with page.expect_navigation():
        page.get_by_role("button", name="Launch", exact=True).click()
    kept.look()
    page.locator("[name=title]").fill("Canary")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}/"))
    assert Job.objects.get().spec_secrets_sealed
    kept.look()


def go_back_to_what_was_typed(page: Page, site: str, kept: Kept) -> None:
    """The browser has no copy of the page, so it shows an empty form."""
    page.goto(f"{site}/t/vision-lab/secrets/add/")
    page.locator("[name=value]").fill(markers.TEAM_SECRET)
    kept.look()
    page.goto(f"{site}/me/")
    page.go_back()
    expect(page.locator("[name=value]")).to_have_value("")
    kept.look()


def set_up_an_app(page: Page, site: str, kept: Kept, person: User) -> str:
    page.goto(f"{site}/account/2fa/totp/activate/")
    kept.look()
    shown = re.search(r"\b([A-Z2-7]{32})\b", re.sub(r"(?<=[A-Z2-7]{4}) (?=[A-Z2-7]{4})", "", page.content()))
    seed: str = shown[1]
    page.locator("[name=code]").fill(factories.totp_code(seed))
    page.locator("[name=code]").press("Enter")
    page.wait_for_selector("#recovery-codes", state="attached")
    return seed
