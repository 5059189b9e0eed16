"""The page to read the API, in a real browser under the strict policy."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from drf_spectacular.views import SpectacularAPIView
from playwright.sync_api import expect

from dispersed_web.api.views.docs import Schema
from tests import factories
from tests.api.caller import make_token
from tests.api.test_schema import OPERATIONS


def test_it_is_generated_by_one_thread_at_a_time(monkeypatch):
    free = threading.Lock()

    def generate(*args):
        was_free = free.acquire(blocking=False)
        time.sleep(0.01)
        if was_free:
            free.release()
        return was_free

    monkeypatch.setattr(SpectacularAPIView, "get", generate)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(Schema().get, [None] * 4))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_shows_every_call_and_makes_one_without_breaking_the_policy(live_server, page, client):
    team = factories.make_team(name="Documented Lab")
    factories.sign_in(client, factories.owner_of(team))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.set_default_timeout(60_000)
    faults = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{live_server.url}/api/docs/")
    expect(page.locator(".opblock")).to_have_count(len(OPERATIONS))

    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(make_token(team))
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).first.click()
    call = page.locator("#operations-Team-get_me")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table")).to_contain_text("Documented Lab")

    page.evaluate("dwTheme.choose('dark')")
    expect(page.locator("html.dark-mode")).to_have_count(1)
    assert faults == []
