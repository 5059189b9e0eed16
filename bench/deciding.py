"""What auto-stop's own passes cost with many running jobs: goal 17. ``python -m bench.deciding JOBS`` fills the database
that the environment names, makes passes in this one process, and prints what they took as JSON."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.plan import Plan
from bench.report import Figure, number
from dispersed_web.supervisor.data_folder import DataFolder
from dispersed_web.supervisor.environment import ROOT, product_environment

ROUNDS = 5
# A job that is in use is looked at once in this time.
EACH_COMES_EVERY_S = 300
LIMIT_S = 1800


def measure(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """No process of the product runs, so nothing but these passes touches the rows."""
    for jobs in plan.decided_jobs:
        found = _in_a_process(folder / str(jobs), url, jobs)
        yield from _figures(jobs, found)


def _in_a_process(folder: Path, url: str, jobs: int) -> dict[str, float]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("DW_", "DJANGO_"))}
    data = DataFolder(folder)
    data.make()
    environment = product_environment(given, data, 9, 9) | ({"DW_DATABASE_URL": url} if url else {})
    command = [sys.executable, "-m", "bench.deciding", str(jobs)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode:
        raise RuntimeError(f"bench.deciding failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _figures(jobs: int, found: dict[str, float]) -> Iterator[Figure]:
    many = number(jobs)
    told = f"{number(round(found['due']))} of them due, {found['due_queries']:.0f} queries"
    largest = jobs >= 100_000
    yield Figure(
        "17",
        f"pass over {many} running jobs, what a second brings",
        found["due_ms"],
        "ms",
        300 if largest else None,
        None,
        told,
    )
    yield Figure(
        "17", f"pass over {many} running jobs, none due", found["none_ms"], "ms", None, 1 if largest else None
    )
    more = f"{found['all_ms'] / jobs * 1000:.0f} µs a job, {found['all_s']:.1f} s in all"
    yield Figure(
        "17", f"queries a job, all of {many} due at once", found["all_queries"] / jobs, "", 0.1, None, more
    )


# In the process ------------------------------------------------------------------------------------------------------


def _main(jobs: int) -> dict[str, float]:
    from django.core.management import call_command

    from bench import seed
    from dispersed_web.autostop import engine
    from dispersed_web.clock import database_now

    call_command("migrate", verbosity=0)
    seed.watched("watched", jobs)
    rows = seed.Job.objects.filter(status="RUNNING")

    def everything() -> None:
        while engine.evaluate_due(database_now()):
            raise AssertionError("a job was stopped that is not due")

    def all_due() -> tuple[float, int]:
        rows.update(evaluate_at=seed.timezone.now() - seed.dt.timedelta(seconds=1))
        passes = -(-jobs // engine.BATCH)
        return _timed(lambda: [everything() for _ in range(passes)])

    all_due()  # the first look stores the verdicts
    all_s, all_queries = all_due()
    none = [_timed(everything)[0] for _ in range(ROUNDS)]
    few = list(rows.order_by("pk").values_list("pk", flat=True)[: jobs // EACH_COMES_EVERY_S])
    due, due_queries = [], 0
    for _ in range(ROUNDS):
        past = seed.timezone.now() - seed.dt.timedelta(seconds=1)
        for start in range(0, len(few), 500):
            rows.filter(pk__in=few[start : start + 500]).update(evaluate_at=past)
        seconds, due_queries = _timed(everything)
        due.append(seconds)
    return {
        "all_s": all_s,
        "all_ms": all_s * 1000,
        "all_queries": all_queries,
        "none_ms": statistics.median(none) * 1000,
        "due": len(few),
        "due_ms": statistics.median(due) * 1000,
        "due_queries": due_queries,
    }


def _timed(act: Callable[[], Any]) -> tuple[float, int]:
    """Seconds and queries."""
    from django.db import connection

    queries = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    began = time.perf_counter()
    with connection.execute_wrapper(count):
        act()
    return time.perf_counter() - began, queries


if __name__ == "__main__":
    print(json.dumps(_main(int(sys.argv[1]))))
