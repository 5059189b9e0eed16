"""The four figures above the table, in words: what burns, what today cost, what stops soon, what needs a person. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.jobs.figures import Figures
from dispersed_web.web import words
from dispersed_web.web.jobs.rows import Cost


@dataclass(frozen=True, slots=True)
class Stat:
    """``query`` leads to the jobs behind the figure; ``cost`` stands for the value where it ticks."""

    label: str
    value: str
    note: str
    unit: str = ""
    tone: str = ""
    query: str = ""
    cost: Cost | None = None


def stats(figures: Figures, today_usd: Decimal, as_of: dt.datetime) -> list[Stat]:
    """``today_usd`` was spent today until ``as_of``; it is counted on at the rate that burns now."""
    words_of = words.running_cost if figures.burning_usd else words.money
    today = Cost(words_of(today_usd), today_usd, as_of, figures.burning_usd)
    attention = "nothing needs a person" if not figures.attention else "see what and why"
    return [
        Stat("Burning now", words.money(figures.burning_usd), _burning(figures), unit="/h"),
        Stat(
            "Today",
            today.text,
            "estimate, since midnight",
            cost=today if figures.burning_usd else None,
        ),
        Stat(
            "Stops within the hour",
            str(figures.stops_soon),
            stopping(figures.stops_soon, figures.idle_soon),
            query="?sort=stops",
        ),
        Stat(
            "Needs attention",
            str(figures.attention),
            attention,
            tone="amber" if figures.attention else "",
            query="?show=attention",
        ),
    ]


def _burning(figures: Figures) -> str:
    waiting = figures.unfinished - figures.billing
    parts = [f"{figures.billing} job{'s' * (figures.billing != 1)}"]
    if figures.quiet_usd:
        parts.append(f"{words.rate(figures.quiet_usd)} quiet")
    if waiting:
        parts.append(f"{waiting} not billing")
    if figures.unmanaged_usd:
        parts.append(f"{words.rate(figures.unmanaged_usd)} not from here")
    return ", ".join(parts)


def stopping(count: int, idle: int) -> str:
    """By what so many jobs stop, ``idle`` of them for idleness."""
    by_limits = count - idle
    if not count:
        return "nothing ends that soon"
    if idle and by_limits:
        return f"{idle} for idleness, {by_limits} by {'its' if by_limits == 1 else 'their'} limits"
    return "for idleness, unless used" if idle else "by their limits, unless extended"
