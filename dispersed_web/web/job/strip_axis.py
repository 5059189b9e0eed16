"""The time axis of the evidence strip: from when to when, where a moment lies, and which hours are written. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
RANGES = {"3h": 3 * HOUR, "24h": DAY}
SHORTEST = HOUR
MOST_TICKS = 7
STEPS = (
    *(minutes * MINUTE for minutes in (10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 4, 6, 12)),
    *(days * DAY for days in (1, 2, 4, 7)),
)
# The words at the line of now need so much room, in percent; on small screens so many times as much.
ROOM = 9
MORE_ON_A_PHONE = 2.6
ROOM_OF_AN_END = 18


@dataclass(frozen=True)
class Axis:
    """Seen is what lies between ``start`` and ``now``; up to ``end`` what is to come. ``now`` of a run that is over is
    its end. ``is_observed``: the stop would only be noted; ``is_asked``: it comes only if a question is not answered."""

    start: dt.datetime
    now: dt.datetime
    end: dt.datetime
    zone: dt.tzinfo
    stop_at: dt.datetime | None = None
    warn_at: dt.datetime | None = None
    is_live: bool = True
    is_observed: bool = False
    is_asked: bool = False

    def percent(self, at: dt.datetime) -> float:
        """Where a moment lies, cut at the ends."""
        share = (at - self.start) / (self.end - self.start)
        return min(max(share, 0.0), 1.0) * 100


@dataclass(frozen=True, slots=True)
class Tick:
    """An hour that is written; a ``minor`` one is left out where there is little room."""

    x: str
    label: str
    is_minor: bool


def axis(
    show: str,
    began: dt.datetime,
    now: dt.datetime,
    zone: dt.tzinfo,
    *,
    stop_at: dt.datetime | None = None,
    warn_at: dt.datetime | None = None,
    is_live: bool = True,
    is_observed: bool = False,
    is_asked: bool = False,
) -> Axis:
    """The axis of the last three hours (``3h``), a day (``24h``) or the whole run (``run``), but not before it began. A
    stop that is near enough is on it."""
    start = max(began, now - RANGES[show]) if show in RANGES else began
    start = min(start, now - SHORTEST)
    past = now - start
    end = now + past / 40
    if is_live and stop_at is not None and now < stop_at <= now + past / 2:
        end = stop_at + past / 25
    return Axis(start, now, end, zone, stop_at, warn_at, is_live, is_observed, is_asked)


def ticks(axis: Axis) -> Iterable[Tick]:
    """Round times of the reader's clock; days by their date."""
    step = next((one for one in STEPS if (axis.end - axis.start) / one <= MOST_TICKS), STEPS[-1])
    now = axis.percent(axis.now)
    room = ROOM if axis.is_live else ROOM_OF_AN_END
    for place, at in enumerate(_round_times(axis, step)):
        x = axis.percent(at)
        local = at.astimezone(axis.zone)
        is_midnight = (local.hour, local.minute) == (0, 0)
        label = f"{local.day} {local:%b}" if is_midnight or step >= DAY else f"{local:%H:%M}"
        if 3 < x < 97 and not now - room < x < now + ROOM / 2:
            is_near = now - MORE_ON_A_PHONE * room < x < now + ROOM
            yield Tick(f"{x:.2f}", label, is_minor=place % 2 == 1 or is_near)


def _round_times(axis: Axis, step: dt.timedelta) -> Iterable[dt.datetime]:
    """Multiples of the step since the reader's midnight before the start. Where the clock is changed in between, the
    hours after that are still full ones."""
    midnight = axis.start.astimezone(axis.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    wall = midnight.replace(tzinfo=None)
    while True:
        at = wall.replace(tzinfo=axis.zone).astimezone(dt.UTC)
        if at >= axis.end:
            return
        if at >= axis.start:
            yield at
        wall += step
