"""What a source said of a run, in samples, and what they prove: signs of work, and since when and how closely it was
watched. Pure; standard library only.

A gap of more than two periods between samples counts neither as quiet nor as active, and quiet time begins anew behind
it. Fewer samples never prove more.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispersed_web.signals.thresholds import HEARTBEAT_STALE, LOG_STALE

ZERO = dt.timedelta(0)
LOG_WINDOW = dt.timedelta(minutes=15)
LINES_OF_WORK = 2
STALE = {"heartbeat": HEARTBEAT_STALE, "log": LOG_STALE}
SHORTEST_PERIOD, LONGEST_PERIOD = dt.timedelta(seconds=15), dt.timedelta(minutes=5)


class Lane(StrEnum):
    """The single things that are watched."""

    GPU = "gpu"
    CPU = "cpu"
    NET = "net"
    SSH = "ssh"
    BUSY = "busy"
    LOG = "log"
    PERSON = "person"


# For how long after its last sign a lane counts as active.
WINDOWS = {
    Lane.GPU: dt.timedelta(minutes=5),
    Lane.CPU: dt.timedelta(minutes=5),
    Lane.NET: dt.timedelta(minutes=5),
    Lane.BUSY: dt.timedelta(minutes=5),
    Lane.SSH: dt.timedelta(minutes=30),
    Lane.LOG: LOG_WINDOW,
    Lane.PERSON: dt.timedelta(minutes=15),
}
Sign = tuple[Lane, dt.datetime, str]


@dataclass(frozen=True, slots=True)
class Samples:
    """At most five minutes of one source. ``gap`` is the longest time between two of its samples, ``period`` how often
    they are meant to come; ``…_at`` the latest moment at which a value meant work; ``None``: never spoken of."""

    first_at: dt.datetime
    last_at: dt.datetime
    count: int = 1
    gap: dt.timedelta = ZERO
    period: dt.timedelta = dt.timedelta(seconds=60)
    gpu_top: int | None = None
    gpu_busy: int = 0
    gpu_at: dt.datetime | None = None
    cpu_top: float | None = None
    cpu_at: dt.datetime | None = None
    net_top: int | None = None
    net_at: dt.datetime | None = None
    ssh_open: int | None = None
    key_at: dt.datetime | None = None
    busy_at: dt.datetime | None = None
    lines: int = 0
    lines_at: dt.datetime | None = None

    @property
    def vouched(self) -> dt.timedelta:
        """For how long one sample stands. What the container says of its period is not trusted far."""
        return min(max(self.period, SHORTEST_PERIOD), LONGEST_PERIOD)

    @property
    def tolerated(self) -> dt.timedelta:
        """The longest gap that still counts as watched."""
        return 2 * self.vouched


@dataclass(frozen=True)
class Signal:
    """One source of one run, ``heartbeat`` or ``log``, and of one of its machines (``node``): capable from its first sample
    on. ``samples`` are the latest ones, oldest first, and may leave out what lies further back than is looked at."""

    source: str
    first_at: dt.datetime
    last_at: dt.datetime
    samples: tuple[Samples, ...] = ()
    node: str = ""

    @property
    def tolerated(self) -> dt.timedelta:
        """How old the newest sample may be to act on."""
        return self.samples[-1].tolerated if self.samples else ZERO

    @property
    def stale_after(self) -> dt.timedelta:
        """How long after its newest sample the source counts as silent: one that reports seldom is given more time."""
        return max(STALE[self.source], self.tolerated)


# Signs of work -------------------------------------------------------------------------------------------------------


def signs_of(signal: Signal) -> Iterable[Sign]:
    """Every sign of work in what the source said, the oldest first."""
    for place in range(len(signal.samples)):
        yield from signs(signal.samples, place)


def signs(samples: Sequence[Samples], place: int) -> Iterable[Sign]:
    """Every sign of work in one of the samples, which are in order: the lane, when, and what it said."""
    one = samples[place]
    if one.gpu_at and _gpu_is_busy(one):
        yield Lane.GPU, one.gpu_at, f"{one.gpu_top} %"
    if one.cpu_at:
        yield Lane.CPU, one.cpu_at, cores(one.cpu_top or 0)
    if one.net_at:
        yield Lane.NET, one.net_at, megabytes(one.net_top or 0)
    if one.key_at:
        yield Lane.SSH, one.key_at, "a key was pressed"
    if one.busy_at:
        yield Lane.BUSY, one.busy_at, "the workload says so"
    if one.lines_at and _new_lines(samples, place, one.lines_at) >= LINES_OF_WORK:
        yield Lane.LOG, one.lines_at, "new lines"


def _gpu_is_busy(one: Samples) -> bool:
    """Whether the 95th percentile of the busiest GPU is above the threshold: of few samples that is the highest. Many more
    than one machine sends in the time are of several, and one that works is not to drown among the others."""
    count = min(one.count, 2 * math.ceil((one.last_at - one.first_at) / one.vouched) + 2)
    return one.gpu_busy > count - math.ceil(0.95 * count)


def _new_lines(samples: Sequence[Samples], place: int, at: dt.datetime) -> int:
    """Distinct new lines within the log's window up to ``at``: a line an hour is no work."""
    near = samples[max(0, place - 3) : place + 1]
    return sum(one.lines for one in near if one.lines_at and at - one.lines_at <= LOG_WINDOW)


# Watched time --------------------------------------------------------------------------------------------------------


def watched_since(signal: Signal, since: dt.datetime) -> dt.datetime:
    """Where the signal's unbroken watched time after ``since`` begins: behind the last gap."""
    begin = max(signal.last_at, since)
    for one in reversed(signal.samples):
        if begin - one.last_at > one.tolerated and one.last_at < begin:
            break
        if one.last_at <= since or one.gap > one.tolerated:
            begin = max(since, min(begin, one.last_at))
            break
        begin = max(since, one.first_at)
    return begin


def covered(signal: Signal, begin: dt.datetime) -> dt.timedelta:
    """How much of the time since ``begin`` the samples stand for. Many in a short time stand for no more than it."""
    total = ZERO
    for one in reversed(signal.samples):
        if one.last_at < begin:
            break
        span = one.last_at - max(one.first_at, begin)
        total += min(one.count * one.vouched, span + one.vouched)
    return total


# In words ------------------------------------------------------------------------------------------------------------


def cores(load: float) -> str:
    """A CPU load in words: ``0.1 cores``."""
    return f"{load:.1f} cores"


def megabytes(bytes_a_minute: int) -> str:
    """A rate in words: ``1.2 MB/min``."""
    return f"{bytes_a_minute / 1e6:.1f} MB/min"
