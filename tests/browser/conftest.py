"""Windows of a real browser, which the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from tests import factories

from .windows import DESKTOP, OpenWindow, Traffic, Window, Windows


def session_of(user: Any) -> str:
    client = Client()
    factories.sign_in(client, user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(scope="session")
def windows(browser: Browser, live_server: Any) -> Iterator[Windows]:
    made = Windows(browser, live_server.url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def answered(traffic: Traffic, transactional_db: None) -> Iterator[None]:
    """At the end of the test all requests are answered, and only then the database is emptied."""
    yield
    traffic.wait_for_none()


@pytest.fixture
def open_window(windows: Windows, live_server: Any, answered: None) -> Iterator[OpenWindow]:
    """``open_window(path, user)``: a window of its own, signed in as the user or nobody; ``size`` in CSS pixels, the theme
    and motion that its reader likes, and whatever else a Playwright context takes. One that is ``fresh`` is not kept for
    later tests, so this one may change it for good. At the end no page may have complained of what is not ``forgiven``,
    a regular expression."""
    opened: list[tuple[Window, bool]] = []

    def opener(
        path: str | None = None,
        user: Any = None,
        size: tuple[int, int] = DESKTOP,
        *,
        color_scheme: str = "light",
        reduced_motion: str = "no-preference",
        fresh: bool = False,
        forgiven: str = "",
        **options: Any,
    ) -> Page:
        width, height = size
        window = (windows.open_new if fresh else windows.open)(has_touch=width < 500, **options)
        opened.append((window, fresh))
        window.forgiven = forgiven
        window.page.set_viewport_size({"width": width, "height": height})
        window.page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        if user is not None:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user)}
            window.context.add_cookies([cookie | {"url": live_server.url}])
        if path is not None:
            window.page.goto(path)
        return window.page

    yield opener
    complaints = [text for window, _ in opened for text in window.complaints]
    for window, fresh in opened:
        if fresh:
            window.context.close()
        else:
            windows.keep(window)
    assert not complaints
