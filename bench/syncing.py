"""What the cloud is asked while many jobs run on ten keys, and how long a round takes: goals 7 to 9."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bench.browser import Browser
from bench.plan import Plan
from bench.report import Figure, number, percentile, spread
from bench.stack import TEAM, Stack

KEYS = 10
LISTS = ("/v1/jobs", "/v1/job-runs")
LONGEST_WARM_UP_S = 90.0


def measure(stack: Stack, plan: Plan) -> Iterator[Figure]:
    pairs = [(f"pk_sim_bench{index}", f"sk_sim_bench{index}_not_a_secret") for index in range(KEYS)]
    for index, pair in enumerate(pairs):
        stack.cloud.add_key(*pair, f"bench-{index}")
    credentials = stack.seed("credentials", team=TEAM, pairs=pairs)
    session = stack.seed("people", team=TEAM, count=1)[0]
    running = 0
    with Watcher(stack, session):
        for active in plan.active_jobs:
            for (public, _), credential in zip(pairs, credentials, strict=True):
                count = (active - running) // KEYS
                uuids = stack.cloud.seed_jobs(count, keys=[public])
                stack.seed("launched", team=TEAM, credential=credential, remote_uuids=uuids)
            running = active
            _warm_up(stack, active)
            yield from _observe(stack, {public for public, _ in pairs}, active, plan.sync_s)


class Watcher:
    """Somebody has the team's page open, so that its jobs are looked at often."""

    def __init__(self, stack: Stack, session: str) -> None:
        self._browser = Browser(stack.port, session)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.wait(5):
            self._browser.get(f"/t/{TEAM}/jobs/", part=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def _warm_up(stack: Stack, active: int) -> None:
    """Until every job's run has been taken over: from then on nothing is new."""
    give_up = time.monotonic() + LONGEST_WARM_UP_S
    with stack.rows() as rows:
        while time.monotonic() < give_up:
            if rows("SELECT count(*) FROM jobs_jobrun")[0][0] >= active:
                return
            time.sleep(0.5)
    raise RuntimeError("not every job was seen in the cloud")


def _observe(stack: Stack, keys: set[str], active: int, seconds: float) -> list[Figure]:
    newest = stack.cloud.requests(method="POST", limit=1_000_000)
    since = max((request["id"] for request in newest), default=0)
    del newest
    began_ms = time.time() * 1000
    time.sleep(seconds)
    asked = [
        request
        for request in stack.cloud.requests(method="GET", since_id=since, limit=1_000_000)
        if request["key"] in keys and request["received_ms"] >= began_ms
    ]
    lists = [request for request in asked if request["path"] in LISTS and "job_uuid" not in request["query"]]
    starts = _starts(lists)
    rounds = sum(map(len, starts.values())) / KEYS
    per_round = len(lists) / rounds / math.ceil(active / 50)
    single = (len(asked) - len(lists)) / active / rounds
    gaps = [
        (after - before) / 1000 for times in starts.values() for before, after in itertools.pairwise(times)
    ]
    told = f"{number(len(lists) / rounds)} requests a round, {number(rounds)} rounds seen"
    figures = [
        Figure("7", f"list requests a round ÷ ⌈{active:,}/50⌉", per_round, "", 2.2, 0.5, told),
        Figure("8", f"single-job requests, {active:,} jobs, per job and round", single, "", 0.02, 0),
    ]
    if active >= 10_000:
        figures.append(
            Figure(
                "9",
                f"round of {active:,} jobs on {KEYS} keys, p95",
                percentile(gaps, 95),
                "s",
                10,
                5.5,
                spread(gaps, "s"),
            )
        )
    return figures


def _starts(lists: list[dict[str, Any]]) -> dict[str, list[int]]:
    """When a round over each key began: the first page of its jobs was asked for."""
    starts: dict[str, list[int]] = defaultdict(list)
    for request in lists:
        if request["path"] == LISTS[0] and "page=1&" in request["query"] + "&":
            starts[request["key"]].append(request["received_ms"])
    return starts
