"""Lifetimes that end, against what the cloud's own ledger says of the cancels: goals 11 and 12."""

from __future__ import annotations

import time
from collections import Counter

from bench.plan import Plan
from bench.report import Figure, number, percentile, spread
from bench.stack import TEAM, Stack

FIRST_DUE_S = 10.0
# A cancel that is said to be missed has had this long.
PATIENCE_S = 40.0
EARLY_MS = 0


def measure(stack: Stack, plan: Plan, credential: str) -> list[Figure]:
    """Spread over a while, then all at one moment. As many jobs again have a lifetime that does not end: a cancel of
    those is wrong."""
    begin = time.time() + FIRST_DUE_S
    spread_out = [begin + index * plan.due_within_s / plan.due_jobs for index in range(plan.due_jobs)]
    figures = _round(stack, credential, spread_out, "spread", (2, 0.5))
    at_once = [time.time() + FIRST_DUE_S + plan.due_at_once / 100] * plan.due_at_once
    return figures + _round(stack, credential, at_once, f"{plan.due_at_once} at once", (15, 8))


def _round(
    stack: Stack, credential: str, deadlines: list[float], how: str, goals: tuple[float, float]
) -> list[Figure]:
    due = stack.cloud.seed_jobs(len(deadlines), title="due")
    others = stack.cloud.seed_jobs(len(deadlines), title="not due")
    stack.seed("launched", team=TEAM, credential=credential, remote_uuids=others)
    stack.seed("launched", team=TEAM, credential=credential, remote_uuids=due, deadlines=deadlines)
    time.sleep(max(deadlines[-1] + PATIENCE_S - time.time(), 0))
    return _figures(stack, dict(zip(due, deadlines, strict=True)), set(others), how, goals)


def _figures(
    stack: Stack, due: dict[str, float], others: set[str], how: str, goals: tuple[float, float]
) -> list[Figure]:
    cancels = [one for one in stack.cloud.cancels() if one["job_uuid"] in due or one["job_uuid"] in others]
    counts = Counter(one["job_uuid"] for one in cancels)
    late = [
        one["received_ms"] / 1000 - due[one["job_uuid"]]
        for one in cancels
        if one["job_uuid"] in due and one["effect"] == "taken"
    ]
    wrong = {
        "early": sum(seconds < 0 for seconds in late),
        "missed": sum(job not in counts for job in due),
        "doubled": sum(count > 1 for count in counts.values()),
        "wrong": sum(job in others for job in counts),
    }
    told = ", ".join(f"{count} {name}" for name, count in wrong.items())
    told += f" of {len(due)} due and {len(others)} others"
    lateness = [max(seconds, 0) for seconds in late] or [PATIENCE_S]
    return [
        Figure(
            "11",
            f"lateness of a due cancel, {how}, p95",
            percentile(lateness, 95),
            "s",
            *goals,
            f"{spread(lateness, 's')}, p99 {number(percentile(lateness, 99))}",
        ),
        Figure("12", f"early, missed, doubled, wrong cancels, {how}", sum(wrong.values()), "", 0, 0, told),
    ]
