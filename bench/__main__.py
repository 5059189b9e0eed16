"""``bench/run``: starts the product, measures it, prints the table."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import beating, deciding, footprint, freshness, launching, logs, pages, stops, syncing, watchers
from bench.database import postgres
from bench.plan import FULL, QUICK, Plan
from bench.report import Figure, machine, number, print_table
from bench.stack import TEAM, Stack


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    plan = QUICK if options.quick else FULL
    began = time.monotonic()
    print(f"before: {machine()}", flush=True)
    figures: list[Figure] = []
    broke = False
    with tempfile.TemporaryDirectory(prefix="dwbench-") as name, contextlib.ExitStack() as ends:
        new_url = ends.enter_context(postgres(Path(name))) if options.postgres else lambda: ""
        for part in options.only or PARTS:
            broke |= not _measure(
                part, lambda part=part: PARTS[part](Path(name, part), new_url(), plan), figures
            )
    print_table(sorted(figures, key=lambda figure: int(figure.goal)))
    print(f"after:  {machine()}")
    database = "PostgreSQL" if options.postgres else "SQLite"
    kind = "small" if options.quick else "full"
    print(f"{kind} pass on {database}, {time.monotonic() - began:.0f} s")
    return int(broke or any(figure.verdict == "MISSED" for figure in figures))


def _measure(part: str, run: Callable[[], Iterator[Figure]], figures: list[Figure]) -> bool:
    """Adds the figures of one part; False when it broke off, which says so and leaves the other parts their turn."""
    print(f"measuring {part} …", file=sys.stderr, flush=True)
    try:
        for figure in run():
            print(f"  {figure.measure}: {number(figure.value)} {figure.unit}", file=sys.stderr, flush=True)
            figures.append(figure)
    except Exception:
        traceback.print_exc()
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description=__doc__,
        epilog="Ends with status 1 when a goal that must be reached was missed.",
    )
    parser.add_argument("--quick", action="store_true", help="a small pass of less than three minutes")
    parser.add_argument(
        "--postgres", action="store_true", help="on a PostgreSQL that lives as long as the run"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    return parser


@contextlib.contextmanager
def running(folder: Path, url: str, **settings: str) -> Iterator[Stack]:
    stack = Stack(folder, url, **settings)
    try:
        yield stack
    finally:
        stack.stop()


def _life(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """An empty product, then launches, changes, stops and a crowd."""
    with running(folder, url) as stack:
        yield footprint.start(stack, "nothing stored")
        yield footprint.idle(stack, plan)
        yield from launching.measure(stack, plan)
        credential = stack.seed("credential_id", team=TEAM)
        uuids = stack.cloud.seed_jobs(plan.watch_jobs)
        jobs = stack.seed("launched", team=TEAM, credential=credential, remote_uuids=uuids)
        yield from freshness.measure(stack, plan, jobs)
        yield from watchers.measure(stack, plan, uuids[plan.changes :])
        yield from stops.measure(stack, plan, credential)
        yield footprint.memory(stack, "after a crowd")


def _pages(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """A long history."""
    with running(folder, url) as stack:
        yield from pages.measure(stack, plan)
        yield footprint.memory(stack, "110,000 jobs stored")
    with running(folder, url) as again:
        yield footprint.start(again, "110,000 jobs stored")


def _sync(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """Thousands of jobs that run."""
    with running(folder, url) as stack:
        yield from syncing.measure(stack, plan)


def _autostop(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """Passes over many jobs, and heartbeats."""
    with running(folder / "beats", url, DW_WEB_WORKERS="1") as stack:
        yield beating.measure(stack, plan)
    yield from deciding.measure(folder, url, plan)


def _logs(folder: Path, url: str, plan: Plan) -> Iterator[Figure]:
    """A log of 100,000 lines."""
    with running(folder, url) as stack:
        yield from logs.measure(stack, plan)


PARTS: dict[str, Callable[[Path, str, Plan], Iterator[Figure]]] = {
    "life": _life,
    "pages": _pages,
    "sync": _sync,
    "autostop": _autostop,
    "logs": _logs,
}

if __name__ == "__main__":
    # So that what was started is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    # A product that ran once is compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main(sys.argv[1:]))
