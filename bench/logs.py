"""The page of a log with 100,000 lines: goal 18. One that runs, whose container writes a few lines at a time."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bench.browser import Answer, Browser
from bench.plan import Plan
from bench.report import Figure, median, number, percentile, spread
from bench.stack import TEAM, Stack
from dispersed_web.supervisor.environment import HOST

LINES = 100_000
WINDOW = 600
LINE_EVERY_S = 5.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Frames are counted while the page itself follows; each gap between two is one.
COUNT_FRAMES = """
() => { window.frames_ = []; let last = performance.now();
  const next = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next); }
"""


def measure(stack: Stack, plan: Plan) -> Iterator[Figure]:
    session = stack.seed("people", team=TEAM, count=1)[0]
    for _ in range(20):  # until every process has loaded what it needs for any page
        Browser(stack.port, session).get(f"/t/{TEAM}/jobs/")
    before = _memory_mib(stack)
    job = _launch(stack)
    address = f"/t/{TEAM}/jobs/{job}/logs/"
    browser = Browser(stack.port, session)
    first = _data(browser.get(f"{address}?data&limit={WINDOW}"))
    assert first["end"] > LINES, first["end"]
    yield from _server(stack, browser, address, first, plan.log_rounds)
    yield from _frames(stack, session, address, plan.log_follow_s)
    added = _memory_mib(stack) - before
    yield _figure("memory that it adds", added, "MiB", 150, 80, f"to {number(before)} MiB")


def _memory_mib(stack: Stack) -> float:
    """Of all processes but the simulated cloud."""
    return sum(mib for role, mib in stack.memory_mib().items() if role != "sandbox")


def _launch(stack: Stack) -> str:
    """A job that runs, and its log is long."""
    credential = stack.seed("credential_id", team=TEAM)
    job = stack.seed("long_log", team=TEAM, credential=credential, lines=LINES)
    give_up = time.monotonic() + 90
    with stack.rows() as rows:
        while not rows(
            "SELECT 1 FROM jobs_jobrun WHERE job_id = ? AND running_at IS NOT NULL", job.replace("-", "")
        ):
            assert time.monotonic() < give_up, "the job does not run"
            stack.cloud.advance(20)
            time.sleep(1)
    return job


def _data(answer: Answer) -> Any:
    return json.loads(answer.text)


def _server(stack: Stack, browser: Browser, address: str, first: Any, rounds: int) -> Iterator[Figure]:
    """Page, a range in the middle, a search, and refreshes with and without news, in turn."""
    times: dict[str, list[float]] = {name: [] for name in ("page", "range", "search", "unchanged", "fresh")}
    page_bytes, fresh_bytes, new_lines = [], [], []
    seen = first
    for turn in range(rounds):
        page = browser.get(address)
        times["page"].append(page.seconds)
        page_bytes.append(len(page.body))
        begin = 1 + turn * 997 % (LINES - WINDOW)
        times["range"].append(browser.get(f"{address}?data&from={begin}&limit=200").seconds)
        times["search"].append(browser.get(f"{address}?data&limit=0&q={quote(f'step {turn * 7}')}").seconds)
        again = f"{address}?data&v={quote(seen['version'])}&from={seen['end'] - 1}&limit={WINDOW}"
        answer = browser.get(again)
        if answer.status == 204:
            times["unchanged"].append(answer.seconds)
        else:
            seen = _data(answer)
        if turn % 5 == 4:
            fresh = _fresh(stack, browser, address, seen)
            times["fresh"].append(fresh.seconds)
            fresh_bytes.append(len(fresh.body))
            new_lines.append(_data(fresh)["end"] - seen["end"])
            seen = _data(fresh)
    ms = {name: [one * 1e3 for one in found] for name, found in times.items()}
    yield _figure("page, p50", median(ms["page"]), "ms", 100, 50, spread(ms["page"], "ms"))
    yield _figure("range of 200 lines, p50", median(ms["range"]), "ms", 60, 30, spread(ms["range"], "ms"))
    yield _figure(
        "search of all lines, p50", median(ms["search"]), "ms", 200, 100, spread(ms["search"], "ms")
    )
    yield _figure(
        "refresh without news, p50", median(ms["unchanged"]), "ms", 15, 8, spread(ms["unchanged"], "ms")
    )
    yield _figure(
        "refresh that asks the cloud, p95",
        percentile(ms["fresh"], 95),
        "ms",
        3000,
        1500,
        spread(ms["fresh"], "ms"),
    )
    told = f"{spread(new_lines, 'new lines')}"
    yield _figure("bytes sent, refresh with news", median(fresh_bytes) / 1000, "kB", 4, 1.5, told)
    yield _figure("bytes sent, page of 500 lines", median(page_bytes) / 1000, "kB", 40, 25)


def _fresh(stack: Stack, browser: Browser, address: str, seen: Any) -> Answer:
    """The refresh that finds new lines: what was fetched last must have become old first."""
    stack.cloud.advance(4 * LINE_EVERY_S)
    again = f"{address}?data&v={quote(seen['version'])}&from={seen['end'] - 1}&limit={WINDOW}"
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        answer = browser.get(again)
        if answer.status == 200:
            return answer
        time.sleep(0.25)
    raise AssertionError("the log does not grow")


def _frames(stack: Stack, session: str, address: str, seconds: float) -> Iterator[Figure]:
    """A real browser that follows while lines come, and then scrolls through the whole log."""
    program = os.environ.get("DW_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        chrome = playwright.chromium.launch(executable_path=program, args=["--disable-dev-shm-usage", *root])
        context = chrome.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": session, "url": f"http://{HOST}:{stack.port}"}])
        page = context.new_page()
        page.goto(f"http://{HOST}:{stack.port}{address}")
        page.wait_for_timeout(1500)
        begin = page.evaluate("dwLog.end")
        done = threading.Event()
        writer = threading.Thread(target=_write, args=(stack, done))
        writer.start()
        try:
            following = _gaps(page, seconds, "")
        finally:
            done.set()
            writer.join()
        grown = page.evaluate("dwLog.end") - begin
        assert grown > 0, "nothing was written while the page followed"
        scrolling = _gaps(page, seconds / 2, "dwLog.box.scrollTop -= 400")
        nodes = page.evaluate("document.querySelectorAll('#log *').length")
        chrome.close()
    told = f"{grown} new lines, {spread(following, 'ms')}, longest {max(following):.0f} ms"
    yield _figure("frame while following, p95", percentile(following, 95), "ms", 34, 20, told)
    yield _figure(
        "frame while scrolling, p95", percentile(scrolling, 95), "ms", 50, 25, spread(scrolling, "ms")
    )
    yield _figure("elements of the log in the page", nodes, "", 6000, 4000)


def _write(stack: Stack, done: threading.Event) -> None:
    while not done.wait(2):
        stack.cloud.advance(2 * LINE_EVERY_S)


def _gaps(page: Any, seconds: float, act: str) -> list[float]:
    """Milliseconds between frames for so long; ``act`` is done in each tenth of a second."""
    page.evaluate(COUNT_FRAMES)
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if act:
            page.evaluate(act)
        page.wait_for_timeout(100)
    return page.evaluate("frames_.slice(1)")


def _figure(name: str, value: float, unit: str, must: float, stretch: float, more: str = "") -> Figure:
    return Figure("18", f"log of 100,000 lines: {name}", value, unit, must, stretch, more)
