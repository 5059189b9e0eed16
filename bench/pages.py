"""The jobs page as one browser and as sixteen see it: goals 1 to 5."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.browser import Browser, poll_address
from bench.crowd import throughput
from bench.plan import Plan
from bench.report import Figure, median, number, percentile
from bench.stack import Stack

# Every team has its 50 rows to show; the larger two differ in what has ended only.
SIZES = {100: 60, 10_000: 1_000, 100_000: 1_000}
CLIENTS = 16


@dataclass
class Times:
    """Seconds of the jobs page, in the ways to ask for it."""

    page: list[float] = field(default_factory=list)
    page_anew: list[float] = field(default_factory=list)
    part: list[float] = field(default_factory=list)
    part_anew: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    page_bytes: int = 0
    part_bytes: int = 0


def measure(stack: Stack, plan: Plan) -> list[Figure]:
    times, sessions = {}, {}
    for size, active in SIZES.items():
        slug = f"history-{size}"
        stack.seed("history", team=slug, jobs=size, active=active)
        sessions[size] = stack.seed("people", team=slug, count=1)[0]
    for size in SIZES:
        stack.seed("rest", team=f"history-{size}")
        times[size] = _times(stack, f"history-{size}", sessions[size], plan.page_rounds)
    stack.seed("rest", team="history-10000")
    middle = times[10_000]
    return _latency(times) + _throughput(stack, sessions[10_000], plan.throughput_s) + _bytes(middle)


def _times(stack: Stack, slug: str, session: str, rounds: int) -> Times:
    """Asks in every way in turn, so that a busy moment of the machine meets all of them."""
    times, address = Times(), f"/t/{slug}/jobs/"
    browser = Browser(stack.port, session)
    with stack.rows() as rows:
        for _ in range(rounds):
            rows.bump(slug)
            times.page_anew.append(browser.get(address).seconds)
            page = browser.get(address)
            times.page.append(page.seconds)
            rows.bump(slug)
            times.part_anew.append(browser.get(address, part=True).seconds)
            part = browser.get(address, part=True)
            times.part.append(part.seconds)
            again = browser.get(poll_address(part.text), part=True)
            if again.status == 204:
                times.unchanged.append(again.seconds)
    browser.close()
    times.page_bytes, times.part_bytes = len(page.body), len(part.body)
    return times


def _latency(times: dict[int, Times]) -> list[Figure]:
    small, middle, large = times.values()
    figures = [
        Figure(
            "1",
            "jobs page of 10,000, part in the cache",
            median(middle.page) * 1e3,
            "ms",
            6,
            4,
            _told(middle.page),
        ),
        Figure(
            "1",
            "jobs page of 10,000, part built anew",
            median(middle.page_anew) * 1e3,
            "ms",
            10,
            5,
            _told(middle.page_anew),
        ),
        Figure("2", "poll, unchanged", median(middle.unchanged) * 1e3, "ms", 2, 1.5, _told(middle.unchanged)),
    ]
    for goal_of, name in (("page", "page in the cache"), ("page_anew", "page built anew")):
        values = [median(getattr(one, goal_of)) * 1e3 for one in (small, middle, large)]
        more = " → ".join(number(value) for value in values) + " ms"
        figures.append(
            Figure("3", f"flatness 100 → 100,000, {name}", values[2] / values[0], "×", 1.3, 1.1, more)
        )
    return figures


def _throughput(stack: Stack, session: str, seconds: float) -> list[Figure]:
    figures = []
    for name, part, must, stretch in (("page", False, 250, 450), ("part of it", True, 400, 800)):
        rate = throughput(
            stack.port, session, "/t/history-10000/jobs/", part=part, clients=CLIENTS, seconds=seconds
        )
        measure = f"throughput, {CLIENTS} clients, {name}"
        figures.append(Figure("4", measure, rate, "/s", must, stretch, at_least=True))
    return figures


def _bytes(times: Times) -> list[Figure]:
    return [
        Figure("5", "bytes sent, page of 50 rows", times.page_bytes / 1000, "kB", 14, 8),
        Figure("5", "bytes sent, part of it", times.part_bytes / 1000, "kB", 6, 4),
    ]


def _told(seconds: list[float]) -> str:
    return f"p95 {number(percentile(seconds, 95) * 1e3)} ms ({len(seconds)})"
