"""Durations, money and times as the pages say them. Pure; the browser goes on counting in the same words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.costs.estimate import cents

NBSP = "\u00a0"
DASH = "–"
MINUTES_UP_TO_S = 7200


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words around a moment that the browser keeps counting from.

    ``tick`` is ``age``, ``until``, ``runtime`` or ``minutes``; ``text`` is what is said of ``at`` when the page is made.
    """

    before: str = ""
    at: dt.datetime | None = None
    tick: str = ""
    text: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.text}{self.after}"


NOTHING = Phrase()


def said(text: str) -> Phrase:
    """Words without a moment."""
    return Phrase(before=text)


def since(at: dt.datetime, now: dt.datetime, before: str = "", after: str = "") -> Phrase:
    """How long it has been: ``6 min``."""
    return Phrase(before, at, "runtime", duration(now - at), after)


def minutes_of(at: dt.datetime, now: dt.datetime, limit_s: int, before: str = "") -> Phrase:
    """How much of a limit is over, in its own unit: ``47 of 60 min``; of a long one ``47 min of 8 h``."""
    if limit_s % 60 or limit_s > MINUTES_UP_TO_S:
        return since(at, now, before, f" of {round_duration(limit_s)}")
    return Phrase(before, at, "minutes", whole_minutes(now - at), f" of {limit_s // 60}{NBSP}min")


def whole_minutes(span: dt.timedelta) -> str:
    """So many whole minutes, as a number; in the first one its seconds, because "0 of 10 min" says nothing."""
    seconds = max(int(span.total_seconds()), 0)
    return str(seconds // 60) if seconds >= 60 else f"{seconds}{NBSP}s"


def ago(at: dt.datetime, now: dt.datetime, before: str = "", after: str = "") -> Phrase:
    """``6 min ago``."""
    return Phrase(before, at, "age", f"{duration(now - at)} ago", after)


def until(at: dt.datetime, now: dt.datetime, before: str = "", after: str = "") -> Phrase:
    """``in 6 min``, or ``now`` when it has come."""
    text = f"in {duration(at - now)}" if at > now else "now"
    return Phrase(before, at, "until", text, after)


def duration(span: dt.timedelta) -> str:
    """``42 s``, ``41 min``, ``3 h 05 min``, ``2 d 4 h``; nothing wraps inside."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:
        return f"{seconds}{NBSP}s"
    if minutes < 60:
        return f"{minutes}{NBSP}min"
    if hours < 24:
        return f"{hours}{NBSP}h{NBSP}{minutes % 60:02}{NBSP}min"
    return f"{hours // 24}{NBSP}d{NBSP}{hours % 24}{NBSP}h"


def round_duration(seconds: int) -> str:
    """A limit as people set it: ``30 min``, ``24 h``, ``7 days``, ``2 h 30 min``."""
    if seconds % 86400 == 0 and seconds > 86400:
        return f"{seconds // 86400}{NBSP}days"
    if seconds < 60:
        return f"{seconds}{NBSP}s"
    hours, minutes = divmod(seconds // 60, 60)
    parts = [f"{hours}{NBSP}h"] * bool(hours) + [f"{minutes}{NBSP}min"] * bool(minutes)
    return NBSP.join(parts)


def money(amount_usd: Decimal) -> str:
    """``$1,234.50``."""
    return f"${cents(amount_usd):,}"


def running_cost(amount_usd: Decimal) -> str:
    """The cost of something that bills right now: below a dollar with one more digit, so that it is seen to move."""
    return money(amount_usd) if amount_usd >= 1 else f"${amount_usd:.3f}"


def rate(hourly_rate_usd: Decimal) -> str:
    """A price per hour, as people read it."""
    return f"{money(hourly_rate_usd)}/h"


def clock_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """A moment near ``now`` as a reader in ``zone`` says it: ``14:02``, ``tomorrow 14:02``, ``12 Mar 14:02``."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days == 0:
        return f"{local:%H:%M}"
    if days in (1, -1):
        return f"{'tomorrow' if days == 1 else 'yesterday'} {local:%H:%M}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def day_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """A moment of the week to come by its day: ``18:00``, ``tomorrow 18:00``, ``Fri 18:00``, then ``12 Mar 18:00``."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if 1 < (local.date() - today).days < 7:
        return f"{local:%a %H:%M}"
    return clock_time(at, now, zone)


def at_clock_time(at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """The same inside a sentence: ``at 14:02``, ``tomorrow 14:02``, ``on 12 Mar 14:02``."""
    text = clock_time(at, now, zone)
    if text[0].isdigit():
        return f"{'on' if ' ' in text else 'at'} {text}"
    return text
