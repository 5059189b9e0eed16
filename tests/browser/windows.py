"""Windows of the browser: their sizes, how a test opens one (the fixture is in ``conftest.py``), and whether a page fits."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

# Width and height in CSS pixels.
DESKTOP = (1440, 900)
PHONE = (390, 844)
NARROW = (320, 640)
# What a page is looked at in: both themes, and both layouts.
LOOKS = ((DESKTOP, "light"), (PHONE, "dark"))
OpenWindow = Callable[..., Page]
# Milliseconds that anything is waited for. Nothing waits that long where all is well, however busy the machine is.
PATIENCE_MS = 60_000
# Refusals may be what is tested, and a question that a newer one replaces is given up on purpose.
NO_COMPLAINTS = ("the server responded with a status of 4", "htmx:sendAbort", "htmx:afterRequest")
MOST_IDLE = 4


def show_as(page: Page, size: tuple[int, int], theme: str) -> None:
    """Shows the page in this size and theme, to somebody who wants no motion. A script takes the theme over."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.wait_for_load_state()
    page.wait_for_function("theme => document.documentElement.dataset.bsTheme === theme", arg=theme)


def press_in_turn(page: Page, *keys: str) -> None:
    """Presses keys that count together only when little time passes between them, which a busy machine might need."""
    page.evaluate(
        """keys => keys.forEach((key) => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))""",
        list(keys),
    )


def overflow(page: Page) -> list[str]:
    """In words, that the page that is coming or there must be scrolled sideways; nothing where it fits."""
    page.wait_for_load_state()
    needed, there = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size["width"]
    return [f"{needed} px wide on {there} px"] if needed > there else []


def assert_fits(page: Page) -> None:
    """Fails with what ``overflow`` finds."""
    found = overflow(page)
    assert not found, (page.url, *found)


def is_complaint(line: ConsoleMessage) -> bool:
    """What the browser itself finds wrong."""
    return line.type in ("error", "warning") and not any(text in line.text for text in NO_COMPLAINTS)


class Window:
    """A tab in a context of its own, and what was found wrong in it."""

    def __init__(self, context: BrowserContext, kind: str) -> None:
        context.set_default_timeout(PATIENCE_MS)
        self.context, self.page, self.kind = context, context.new_page(), kind
        self.complaints: list[str] = []
        # A regular expression of what this test provokes.
        self.forgiven = ""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, line: ConsoleMessage) -> None:
        if is_complaint(line) and not (self.forgiven and re.search(self.forgiven, line.text)):
            self.complaints.append(line.text)

    def forget(self) -> None:
        """Looks as if it were new."""
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.page.unroute_all()
        self.page.mouse.move(0, 0)
        # A page of the same origin which does nothing: so the tab keeps its process.
        self.page.goto("/static/css/theme.css")
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.context.clear_cookies()
        self.complaints.clear()
        self.forgiven = ""


class Windows:
    """Opens windows and keeps those that tests are done with: to open one costs more than most tests do in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self._idle: list[Window] = []

    def open(self, **options: Any) -> Window:
        """A window with these options of a Playwright context; one that was used before where there is such."""
        kind = repr(sorted(options.items()))
        found = next((one for one in self._idle if one.kind == kind), None)
        if found is None:
            return self.open_new(**options)
        self._idle.remove(found)
        return found

    def open_new(self, **options: Any) -> Window:
        context = self.browser.new_context(base_url=self.url, **options)
        return Window(context, repr(sorted(options.items())))

    def keep(self, window: Window) -> None:
        """For another test."""
        window.forget()
        self._idle.append(window)
        if len(self._idle) > MOST_IDLE:
            self._idle.pop(0).context.close()

    def close(self) -> None:
        for window in self._idle:
            window.context.close()


class Traffic:
    """Counts the requests that are being answered. A late one would write into the next test's database."""

    def __init__(self) -> None:
        self._now = 0
        self._changed = threading.Condition()
        request_started.connect(self._begin)
        request_finished.connect(self._end)

    def _begin(self, **_: Any) -> None:
        self._count(1)

    def _end(self, **_: Any) -> None:
        self._count(-1)

    def _count(self, more: int) -> None:
        # What the test itself asks for is answered in its own thread.
        if threading.current_thread() is not threading.main_thread():
            with self._changed:
                self._now += more
                self._changed.notify_all()

    def wait_for_none(self) -> None:
        with self._changed:
            ended = self._changed.wait_for(lambda: self._now == 0, PATIENCE_MS / 1000)
            self._now = 0
        assert ended, "a request has no end"
