"""What was measured against what was wished, as one table."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``value`` is what the goal is about, in ``unit``; ``more`` says what else was seen.

    Without ``must`` it is only told. ``at_least``: higher is better.
    """

    goal: str
    measure: str
    value: float
    unit: str
    must: float | None = None
    stretch: float | None = None
    more: str = ""
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.must is None:
            return "-"
        if self.stretch is not None and self._reaches(self.stretch):
            return "stretch"
        return "must" if self._reaches(self.must) else "MISSED"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.at_least else self.value <= limit


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit: str, scale: float = 1.0) -> str:
    """``p50 … p95 … (n)`` in words."""
    middle, high = (number(percentile(values, percent) * scale) for percent in (50, 95))
    return f"p50 {middle}, p95 {high} {unit} ({len(values)})"


def number(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def print_table(figures: Sequence[Figure]) -> None:
    """One row a figure, columns as wide as they need to be."""
    heading = ("goal", "measure", "figure", "must", "stretch", "reached", "more")
    rows = [heading, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for index, row in enumerate(rows):
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        if index == 0:
            print("  ".join("-" * width for width in widths))


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≥ " if figure.at_least else ""
    limits = ["" if limit is None else f"{sign}{number(limit)}" for limit in (figure.must, figure.stretch)]
    shown = f"{number(figure.value)} {figure.unit}".strip()
    return (figure.goal, figure.measure, shown, *limits, figure.verdict, figure.more)


def machine() -> str:
    """The machine in one line; the load tells whether something else was running."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{platform.system()} {platform.machine()}, {cores} cores ({_processor()}), Python {version}, "
        f"SQLite {sqlite3.sqlite_version}, load average {load}, "
        f"{_million_calls():.0f} million Python calls a second"
    )


def _million_calls() -> float:
    """How fast the machine is just now: shared cores vary by several times."""

    def nothing() -> None:
        pass

    began = time.perf_counter()
    for _ in range(1_000_000):
        nothing()
    return 1 / (time.perf_counter() - began)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
