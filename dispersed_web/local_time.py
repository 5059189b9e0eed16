"""The clock on somebody's wall as moments that everybody shares. Pure; standard library only."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import lru_cache

MIDNIGHT = dt.time(0)
SECOND = dt.timedelta(seconds=1)

# Names that every system knows, but that mean another zone on each, or none.
NO_PLACES = {"localtime", "Factory"}


@lru_cache(maxsize=1024)
def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone; ``ValueError`` with a sentence where there is none of that name."""
    if name not in zoneinfo.available_timezones() - NO_PLACES:
        raise ValueError(f"There is no time zone {name[:64]!r}. Choose one such as Europe/Berlin.")
    return zoneinfo.ZoneInfo(name)


def instant(zone: str, date: dt.date, time: dt.time) -> dt.datetime:
    """The first moment, in aware UTC, at which the wall clock in ``zone`` has reached this date and time.

    So a local time that does not exist counts at the first instant after the gap, even where a whole day is left out,
    and one that occurs twice counts at its first occurrence. ``ValueError`` for an unknown zone, ``OverflowError``
    at the ends of the calendar.
    """
    place = zone_named(zone)
    wall = dt.datetime.combine(date, time.replace(fold=0, tzinfo=None))
    moment = wall.replace(tzinfo=place).astimezone(dt.UTC)
    if _on_the_wall(moment, place) == wall:
        return moment
    return _end_of_gap(wall, place)


def _end_of_gap(wall: dt.datetime, place: zoneinfo.ZoneInfo) -> dt.datetime:
    """Read with the offset from after the gap, a missing time lies before the gap's moment; with that from before it,
    not before. Halving what is between finds the second at which the clock jumped."""
    before = wall.replace(tzinfo=place, fold=1).astimezone(dt.UTC)
    after = wall.replace(tzinfo=place, fold=0).astimezone(dt.UTC)
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if _on_the_wall(middle, place) < wall:
            before = middle
        else:
            after = middle
    return after


def _on_the_wall(moment: dt.datetime, place: zoneinfo.ZoneInfo) -> dt.datetime:
    return moment.astimezone(place).replace(tzinfo=None, fold=0)
