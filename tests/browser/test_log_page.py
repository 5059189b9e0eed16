"""The page of a long log in a real browser: it stays small, follows, pauses, finds, and opens at a line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from dispersed_web.accounts.models import User
from dispersed_web.jobs import logs
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import Job, RunLog
from dispersed_web.web.cache import ForgivingRedisCache
from tests import factories
from tests.jobs.world import World

from .axe import assert_accessible
from .windows import DESKTOP, LOOKS, PHONE, OpenWindow, assert_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MANY = 100_000
MOST_NODES = 600 * 8


@pytest.fixture
def open_log(open_window: OpenWindow) -> OpenWindow:
    """Opens the log of a job, as the owner of its team or somebody else."""

    def opened(
        job: Job, more: str = "", size: tuple[int, int] = DESKTOP, who: User | None = None, **options: Any
    ) -> Page:
        path = f"/t/{job.team.slug}/jobs/{job.pk}/logs/{more}"
        return open_window(path, who or factories.owner_of(job.team), size, **options)

    return opened


def many(count: int = MANY) -> str:
    """Numbered lines with times and colours; every ten-thousandth is odd, and some are long."""
    lines = [
        f"2026-08-25T12:{i // 60 % 60:02d}:{i % 60:02d}Z \x1b[32mINFO\x1b[0m step {i} loss 0.{i % 977:03d}"
        for i in range(1, count + 1)
    ]
    for number in range(10_000, count + 1, 10_000):
        lines[number - 1] = f"\x1b[1;31mneedle\x1b[0m of {number} " + "and so on " * 40
    return "\n".join(lines)


@pytest.fixture(scope="module")
def packed() -> bytes:
    return Lines.of(many()).pack()


@pytest.fixture
def ended(db: None, packed: bytes) -> Job:
    job = factories.make_job(factories.make_team(), "COMPLETED")
    run = factories.make_run(job, ended_at=timezone.now())
    RunLog.objects.create(run=run, content=packed, is_final=True, fetched_at=timezone.now())
    return job


@pytest.fixture
def world(db: None, sandbox: Any, redis_server: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    # The cloud is asked each time, as if what it answered before were old.
    monkeypatch.setattr(logs, "KEPT_S", 0)
    monkeypatch.setattr(logs, "COST_FACTOR", 0)
    cache.clear()
    return World(sandbox)


def running(world: World, lines: int) -> Job:
    job = world.launched(
        image="acme/worker", env={"SANDBOX_LOG_LINES": str(lines), "SANDBOX_BEHAVIOUR": "reset"}
    )
    world.pass_time(120)
    return job


def nodes(page: Page) -> int:
    return page.evaluate("document.querySelectorAll('#log *').length")


def seen(page: Page) -> tuple[int, int, int]:
    """The first and last line in sight, and the last of all, as the page says."""
    words = page.locator('[data-log="where"]').inner_text()
    first, last, total = (int(one.replace(",", "")) for one in re.findall(r"[\d,]+", words))
    return first, last, total


def settle(page: Page) -> None:
    """Until nothing moves, and what was asked for is drawn, for three frames."""
    page.evaluate(
        """async () => {
            const log = window.dwLog;
            for (let quiet = 0, top = null; quiet < 3; top = log.box.scrollTop) {
                await new Promise(requestAnimationFrame);
                quiet = log.asking || log.waiting || log.box.scrollTop !== top ? 0 : quiet + 1;
            }
        }"""
    )


def test_a_hundred_thousand_lines_stay_small_wherever_one_looks(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended)
    settle(page)
    assert seen(page)[1:] == (MANY, MANY)
    for share in (0.5, 0.1, 0, 0.9, 1):
        page.evaluate(
            "share => { const box = dwLog.box; box.scrollTop = share * (box.scrollHeight - box.clientHeight); }",
            share,
        )
        settle(page)
        first, last, _ = seen(page)
        assert abs((first + last) / 2 - share * MANY) < 700
        assert 0 < nodes(page) < MOST_NODES
        rows = page.locator(".log-line").evaluate_all("rows => rows.map((row) => Number(row.id.slice(1)))")
        assert rows == list(range(rows[0], rows[-1] + 1))
    box = page.evaluate("document.getElementById('log').scrollHeight")
    assert box > MANY * 15


def test_scrolling_on_brings_line_after_line(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended, "?line=50000")
    settle(page)
    page.locator("#log").hover()
    begin = seen(page)[0]
    for _ in range(30):
        page.mouse.wheel(0, 900)
        page.evaluate("new Promise(requestAnimationFrame)")
    settle(page)
    first, last, _ = seen(page)
    assert first > begin + 600
    assert page.locator(f"#L{first}").is_visible()
    assert page.locator(f"#L{last}").is_visible()
    assert nodes(page) < MOST_NODES


def test_search_finds_beyond_the_page_and_steps_with_keys(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended)
    settle(page)
    page.keyboard.press("G")
    page.keyboard.press("/")
    page.keyboard.type("NEEDLE OF")
    found = page.locator('[data-log="found"]')
    expect(found).to_have_text("10 of 10")
    expect(page.locator("#L100000.is-target")).to_be_visible()
    page.keyboard.press("Enter")
    expect(found).to_have_text("1 of 10")
    expect(page.locator("#L10000.is-target.is-hit")).to_be_in_viewport()
    page.locator("#log").focus()
    page.keyboard.press("n")
    expect(page.locator("#L20000.is-target")).to_be_in_viewport()
    page.keyboard.press("N")
    page.keyboard.press("N")
    expect(page.locator("#L100000.is-target")).to_be_in_viewport()
    expect(found).to_have_text("10 of 10")
    assert page.evaluate("CSS.highlights.get('log-hit').size") == 1
    assert nodes(page) < MOST_NODES
    page.get_by_role("searchbox").fill("not there")
    expect(found).to_have_text("No match")


def test_a_line_has_an_address_that_opens_it(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended, "?line=70000")
    expect(page.locator("#L70000.is-target")).to_be_in_viewport()
    page.locator("#L70003 .log-no").click()
    expect(page.locator("#L70003.is-target")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?line=70003#L70003$"))
    page.reload()
    expect(page.locator("#L70003.is-target")).to_be_in_viewport()
    page.goto(page.url.partition("?")[0] + "#L123")
    expect(page.locator("#L123.is-target")).to_be_in_viewport()


def test_long_lines_wrap_and_the_place_stays(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended, "?line=30000", PHONE)
    expect(page.locator("#L30000.is-target")).to_be_in_viewport()
    settle(page)
    before = seen(page)[0]
    page.locator("#log").focus()
    page.keyboard.press("w")
    expect(page.locator("#log")).to_have_class(re.compile("log-wrap"))
    settle(page)
    assert "wrap=yes" in page.url
    assert page.evaluate(
        "document.getElementById('log').scrollWidth <= document.getElementById('log').clientWidth"
    )
    assert abs(seen(page)[0] - before) <= 1
    page.keyboard.press("G")
    settle(page)
    assert seen(page)[1] == MANY
    assert_fits(page)


def test_a_live_log_is_followed_paused_and_followed_again(open_log: OpenWindow, world: World) -> None:
    job = running(world, 3000)
    page = open_log(job, who=world.user)
    settle(page)
    _, last, total = seen(page)
    assert last == total > 3000
    world.control.advance(30)
    expect(page.locator(f"#L{total + 5}")).to_be_in_viewport()
    page.locator("#log").hover()
    page.mouse.wheel(0, -3000)
    expect(page.get_by_role("link", name="Pause")).to_have_attribute("aria-current", "true")
    settle(page)
    first = seen(page)[0]
    world.control.advance(60)
    page.evaluate("window.dwLog.refresh()")
    expect(page.locator('[data-log="news"]')).to_have_text(re.compile(r"\+\d+"))
    assert seen(page)[0] == first
    page.keyboard.press("G")
    settle(page)
    _, last, total = seen(page)
    assert last == total
    expect(page.get_by_role("link", name="Follow")).to_have_attribute("aria-current", "true")


def test_following_a_long_log_is_small_to_send_and_to_draw(open_log: OpenWindow, world: World) -> None:
    job = running(world, MANY // 5)
    page = open_log(job, who=world.user, fresh=True)
    settle(page)
    assert seen(page)[2] > MANY // 5
    sizes: list[int] = []
    page.on(
        "response",
        lambda response: (
            sizes.append(len(response.body())) if "data=" in response.url and response.status == 200 else None
        ),
    )
    for _ in range(3):
        end = page.evaluate("window.dwLog.end")
        world.control.advance(25)
        expect(page.locator(f"#L{end + 3}")).to_be_attached()
    assert sizes
    assert max(sizes) < 4_000
    assert nodes(page) < MOST_NODES


def test_the_log_comes_by_itself_when_the_container_starts(open_log: OpenWindow, world: World) -> None:
    job = world.launched(image="acme/worker", env={"SANDBOX_BEHAVIOUR": "reset"})
    page = open_log(job, who=world.user)
    expect(page.get_by_text("No log yet")).to_be_visible()
    world.pass_time(120)
    expect(page.locator(".log-line").first).to_be_visible()
    settle(page)
    assert seen(page)[2] > 0


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_it_is_accessible_in_both_themes(open_log: OpenWindow, size: tuple[int, int], theme: str) -> None:
    colours = [
        f"\x1b[{number}mcolour {number}\x1b[0m"
        for number in (1, 2, 3, 4, *range(30, 38), *range(40, 48), *range(90, 98))
    ]
    text = "\n".join(["2026-08-25T12:00:00Z begin", *colours, "\x1b[31;42mboth\x1b[0m needle", "x" * 3000])
    job = factories.make_job(factories.make_team(), "COMPLETED")
    RunLog.objects.create(
        run=factories.make_run(job, ended_at=timezone.now()),
        content=Lines.of(text).pack(),
        is_final=True,
        fetched_at=timezone.now(),
    )
    page = open_log(job, "?q=needle", size, color_scheme=theme)
    settle(page)
    assert_accessible(page)
    assert_fits(page)


def test_without_scripts_it_pages(open_log: OpenWindow, ended: Job) -> None:
    page = open_log(ended, java_script_enabled=False)
    page.get_by_role("link", name="Earlier lines").click()
    expect(page.locator("#L99500")).to_be_attached()
    page.get_by_role("searchbox").fill("needle of 5")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#L50000.is-target")).to_be_attached()
