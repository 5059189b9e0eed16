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
    due_at_once: int
    launches: int
    idle_s: float
    decided_jobs: tuple[int, ...]
    beating_jobs: int
    log_rounds: int
    log_follow_s: float


FULL = Plan(
    page_rounds=150,
    throughput_s=8,
    watch_s=40,
    watch_jobs=200,
    active_jobs=(1_000, 10_000),
    sync_s=60,
    changes=40,
    due_jobs=200,
    due_within_s=60,
    due_at_once=1_000,
    launches=40,
    idle_s=60,
    decided_jobs=(10_000, 100_000),
    beating_jobs=4_000,
    log_rounds=60,
    log_follow_s=40,
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
    due_at_once=200,
    launches=10,
    idle_s=15,
    decided_jobs=(10_000,),
    beating_jobs=1_000,
    log_rounds=15,
    log_follow_s=15,
)
