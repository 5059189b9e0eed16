"""A thousand people who watch one team while its jobs change: goal 6."""

from __future__ import annotations

import threading

from bench import crowd
from bench.plan import Plan
from bench.report import Figure, number, percentile
from bench.stack import TEAM, Stack

BROWSERS = 1_000
EVERY_S = 5.0
CHANGE_EVERY_S = 15.0


def measure(stack: Stack, plan: Plan, remote_uuids: list[str]) -> list[Figure]:
    """The jobs of ``remote_uuids`` run in the cloud and are the team's; some of them end while everybody watches."""
    sessions = stack.seed("people", team=TEAM, count=BROWSERS)
    before, done = stack.cpu_s()["web"], threading.Event()
    changes = threading.Thread(target=_change, args=(stack, remote_uuids, done))
    changes.start()
    try:
        seen = crowd.watch(stack.port, sessions, f"/t/{TEAM}/jobs/", every_s=EVERY_S, seconds=plan.watch_s)
    finally:
        done.set()
        changes.join()
    cores = (stack.cpu_s()["web"] - before) / (plan.watch_s + EVERY_S)
    middle, high = (percentile(seen.seconds, percent) * 1e3 for percent in (50, 95))
    share = f"{len(seen.seconds)} polls, {seen.unchanged * 100 // len(seen.seconds)} % unchanged"
    return [
        Figure(
            "6",
            "1,000 browsers every 5 s, p95",
            high,
            "ms",
            100,
            30,
            f"p50 {number(middle)} ms, {share}, web {number(cores)} cores",
        ),
        Figure(
            "6",
            "1,000 browsers every 5 s, errors",
            len(seen.errors),
            "",
            0,
            0,
            ", ".join(sorted(set(seen.errors))),
        ),
    ]


def _change(stack: Stack, remote_uuids: list[str], done: threading.Event) -> None:
    for remote_uuid in remote_uuids:
        if done.wait(CHANGE_EVERY_S):
            return
        stack.cloud.finish_job(remote_uuid)
