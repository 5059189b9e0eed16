"""Windows of a real browser, which the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests import factories

from .windows import DESKTOP, OpenWindow

# Refusals may be what is tested, and a question that a newer one replaces is given up on purpose.
NO_COMPLAINTS = ("the server responded with a status of 4", "htmx:sendAbort", "htmx:afterRequest")


def is_complaint(line: ConsoleMessage) -> bool:
    """What the browser itself finds wrong."""
    return line.type in ("error", "warning") and not any(text in line.text for text in NO_COMPLAINTS)


def session_of(user: Any) -> str:
    client = Client()
    factories.sign_in(client, user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def open_window(browser: Browser, live_server: Any) -> Iterator[OpenWindow]:
    """``open_window(path, user)``: a window of its own, signed in as the user or nobody; ``size`` in CSS pixels, and
    whatever else a Playwright context takes. At the end no page may have complained."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        path: str | None = None, user: Any = None, size: tuple[int, int] = DESKTOP, **options: Any
    ) -> Page:
        width, height = size
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            has_touch=width < 500,
            **options,
        )
        # Long enough for a busy machine: nothing waits that long where all is well.
        context.set_default_timeout(15_000)
        contexts.append(context)
        if user is not None:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user)}
            context.add_cookies([cookie | {"url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
        if path is not None:
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
