"""A team's weekly stop times in one time zone. Pure.

A stop time means what the clock on the wall says. The moments are computed each time, never stored, so new rules for a
zone apply at the next start of the product.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dispersed_web.local_time import instant as instant
from dispersed_web.local_time import zone_named

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = dt.timedelta(days=1)
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class StopTime:
    """A minute of the day at which jobs stop, on these weekdays (Monday is 0), in the schedule's zone."""

    weekdays: frozenset[int]
    at: dt.time

    def __post_init__(self) -> None:
        if not self.weekdays:
            raise ValueError("A stop time needs at least one weekday.")
        if not all(type(day) is int and 0 <= day <= 6 for day in self.weekdays):
            raise ValueError("A weekday is a whole number from 0 (Monday) to 6 (Sunday).")
        if self.at.tzinfo or self.at.fold or self.at.second or self.at.microsecond:
            raise ValueError("A stop time is an hour and a minute, such as 18:00.")


@dataclass(frozen=True)
class Schedule:
    """Weekly stop times in an IANA zone. One without stops is a mistake, never "no deadline"."""

    zone: str
    stops: tuple[StopTime, ...]

    def __post_init__(self) -> None:
        zone_named(self.zone)
        if not self.stops:
            raise ValueError("A schedule needs at least one stop time.")


def next_stop(schedule: Schedule, after: dt.datetime) -> dt.datetime:
    """The first stop strictly later than ``after`` (aware), in aware UTC.

    Two stop times that fall on the same instant are one. ``OverflowError`` in the last week of the calendar.
    """
    coming = _coming(schedule, after.astimezone(zone_named(schedule.zone)).date())
    return coming[bisect_right(coming, after)]


@lru_cache(maxsize=1024)
def _coming(schedule: Schedule, today: dt.date) -> tuple[dt.datetime, ...]:
    """The stops of a local day and of the seven days after it, in order.

    Seen from any moment of that day they hold the next one: each weekday comes again in full, and what an earlier day
    has left lies in the past, because instants follow the order of the wall clock.
    """
    days = [today + n * DAY for n in range(8)]
    return tuple(
        sorted(
            {
                instant(schedule.zone, day, stop.at)
                for day in days
                for stop in schedule.stops
                if day.weekday() in stop.weekdays
            }
        )
    )


def to_json(schedule: Schedule) -> dict[str, Any]:
    """The schedule as it is stored: ``{"zone": "Europe/Berlin", "stops": [{"weekdays": [0, 4], "at": "18:00"}]}``."""
    stops = [{"weekdays": sorted(stop.weekdays), "at": f"{stop.at:%H:%M}"} for stop in schedule.stops]
    return {"zone": schedule.zone, "stops": stops}


def from_json(data: object) -> Schedule:
    """What :func:`to_json` wrote. ``ValueError`` with a sentence for anything else, also for a key too many."""
    fields = _fields(data, {"zone", "stops"}, "A schedule")
    zone, stops = fields["zone"], fields["stops"]
    if not isinstance(zone, str):
        raise ValueError("The time zone must be a name, such as Europe/Berlin.")
    if not isinstance(stops, list):
        raise ValueError("The stops of a schedule must be a list.")
    return Schedule(zone, tuple(_stop(stop) for stop in stops))


def _stop(data: object) -> StopTime:
    fields = _fields(data, {"weekdays", "at"}, "A stop time")
    weekdays, at = fields["weekdays"], fields["at"]
    if not isinstance(weekdays, list) or not all(type(day) is int for day in weekdays):
        raise ValueError("The weekdays of a stop time must be a list of whole numbers from 0 to 6.")
    if len(set(weekdays)) < len(weekdays):
        raise ValueError("A stop time names the same weekday twice.")
    if not isinstance(at, str) or not CLOCK.fullmatch(at):
        raise ValueError("A stop time is an hour and a minute, such as 18:00.")
    return StopTime(frozenset(weekdays), dt.time.fromisoformat(at))


def _fields(data: object, names: set[str], what: str) -> dict[str, Any]:
    if not isinstance(data, dict) or data.keys() != names:
        raise ValueError(f"{what} must have {' and '.join(sorted(names, reverse=True))}, and nothing else.")
    return data


def words(schedule: Schedule) -> str:
    """The schedule as people say it: ``Monday to Friday at 18:00 and Saturday at 12:00 (Europe/Berlin)``."""
    stops = [f"{_days(stop.weekdays)} at {stop.at:%H:%M}" for stop in schedule.stops]
    return f"{_listed(stops)} ({schedule.zone})"


def _days(weekdays: Collection[int]) -> str:
    """``every day``, ``Monday to Friday``, ``Saturday and Sunday``: three and more in a row become a span."""
    if len(weekdays) == len(WEEKDAYS):
        return "every day"
    spans: list[list[int]] = []
    for day in sorted(weekdays):
        if spans and spans[-1][-1] == day - 1:
            spans[-1].append(day)
        else:
            spans.append([day])
    names: list[str] = []
    for span in spans:
        if len(span) >= 3:
            names.append(f"{WEEKDAYS[span[0]]} to {WEEKDAYS[span[-1]]}")
        else:
            names.extend(WEEKDAYS[day] for day in span)
    return _listed(names)


def _listed(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
