"""How much is measured: a small pass for a look, or enough for figures to rely on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    page_rounds: int
    throughput_s: float
    watch_s: float
    watch_jobs: int
    active_jobs: tuple[int, ...]
    sync_s: float
    changes: int
    due_jobs: int
    due_within_s: float
    launches: int
    idle_s: float


FULL = Plan(
    page_rounds=150,
    throughput_s=8,
    watch_s=40,
    watch_jobs=200,
    active_jobs=(1_000, 10_000),
    sync_s=60,
    changes=40,
    due_jobs=200,
    due_within_s=30,
    launches=40,
    idle_s=60,
)
QUICK = Plan(
    page_rounds=30,
    throughput_s=2,
    watch_s=10,
    watch_jobs=100,
    active_jobs=(1_000,),
    sync_s=15,
    changes=8,
    due_jobs=40,
    due_within_s=8,
    launches=10,
    idle_s=15,
)
