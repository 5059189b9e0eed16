"""What the signals of one run say about its use: active, quiet, blind or not known. Pure; standard library only.

Unknown is never idle. A signal that never spoke cannot fall silent; while one is silent nothing is quiet; and what is
quiet must have been watched all the while: a gap of more than two periods between samples counts neither as quiet nor
as active, and quiet time begins anew behind it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispersed_web.signals.thresholds import HEARTBEAT_STALE, LOG_STALE

ZERO = dt.timedelta(0)
# A signal that is silent for so long is given up: the others decide, or a person is asked.
LOST_AFTER = dt.timedelta(minutes=15)
LOG_WINDOW = dt.timedelta(minutes=15)
LINES_OF_WORK = 2
COVERAGE = 0.8
STALE = {"heartbeat": HEARTBEAT_STALE, "log": LOG_STALE}
SHORTEST_PERIOD, LONGEST_PERIOD = dt.timedelta(seconds=15), dt.timedelta(minutes=5)


class Use(StrEnum):
    """``unknown``: no signal that could tell."""

    ACTIVE = "active"
    QUIET = "quiet"
    BLIND = "blind"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How well idleness is known: ``high`` by a heartbeat, ``medium`` by meaningful logs, ``low`` not at all."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


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
OF_HEARTBEAT = (Lane.GPU, Lane.CPU, Lane.NET, Lane.SSH, Lane.BUSY)


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
    def tolerated(self) -> dt.timedelta:
        """The longest gap that still counts as watched. What the container says of its period is not trusted far."""
        return 2 * min(max(self.period, SHORTEST_PERIOD), LONGEST_PERIOD)


@dataclass(frozen=True)
class Signal:
    """One source of one run, ``heartbeat`` or ``log``: capable from its first sample on. ``samples`` are the latest
    ones, oldest first, and may leave out what lies further back than is looked at."""

    source: str
    first_at: dt.datetime
    last_at: dt.datetime
    samples: tuple[Samples, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """One lane behind a verdict: what it said, seen last at ``observed_at``, and so since ``since``."""

    signal: str
    state: str
    value: str
    observed_at: dt.datetime
    since: dt.datetime | None = None
    samples: int = 0


@dataclass(frozen=True)
class Activity:
    """All signals together. ``quiet_since`` is where unbroken watched quiet begins; ``is_fresh`` says that the newest
    samples are young enough to act on; ``lost_at`` when the last capable signal was given up."""

    use: Use
    confidence: Confidence
    last_active_at: dt.datetime | None = None
    last_active: Evidence | None = None
    quiet_since: dt.datetime | None = None
    is_fresh: bool = False
    blind_since: dt.datetime | None = None
    lost_at: dt.datetime | None = None
    ssh_is_open: bool = False
    evidence: tuple[Evidence, ...] = ()


def read(
    signals: Sequence[Signal],
    *,
    floor: dt.datetime,
    acts: Iterable[tuple[str, dt.datetime]] = (),
    cloud_lost_since: dt.datetime | None = None,
    receiver_is_down: bool = False,
    now: dt.datetime,
) -> Activity:
    """The use of a run at ``now``.

    ``floor``: nothing before it counts as quiet (boot grace, outages). ``acts`` are what people did, in words and when.
    With ``receiver_is_down`` the silence of heartbeats is our own fault: it freezes the clock for as long as it takes.
    """
    signs = [sign for signal in signals for sign in _signs(signal)]
    signs += [(Lane.PERSON, at, what) for what, at in acts]
    silent = [one for one in signals if now - one.last_at > STALE[one.source]]
    lost = [
        one for one in silent if now - one.last_at >= LOST_AFTER and not _is_our_fault(one, receiver_is_down)
    ]
    blind = [one for one in silent if one not in lost]
    usable = [one for one in signals if one not in silent]
    last = max(signs, key=lambda sign: sign[1], default=None)
    is_active = now < floor or any(now - at <= WINDOWS[lane] for lane, at, _ in signs)
    since = max([floor, *(at for _, at, _ in signs)])
    quiet_since = max((_quiet_since(one, since) for one in usable), default=None)
    return Activity(
        use=_use(is_active, bool(blind) or cloud_lost_since is not None, bool(usable), bool(signs)),
        confidence=_confidence([*usable, *blind]),
        last_active_at=last[1] if last else None,
        last_active=Evidence(last[0], "active", last[2], last[1]) if last else None,
        quiet_since=quiet_since,
        is_fresh=bool(usable) and all(now - one.last_at <= _tolerated(one) for one in usable),
        blind_since=min((one.last_at for one in blind), default=cloud_lost_since),
        lost_at=max((one.last_at + LOST_AFTER for one in lost), default=None),
        ssh_is_open=any(bool(one.samples[-1].ssh_open) for one in usable if one.samples),
        evidence=tuple(_evidence(usable, silent, since, now)),
    )


def _use(is_active: bool, is_blind: bool, is_watched: bool, has_signs: bool) -> Use:
    if is_active and (is_watched or has_signs):
        return Use.ACTIVE
    if is_blind:
        return Use.BLIND
    return Use.QUIET if is_watched else Use.UNKNOWN


def _is_our_fault(signal: Signal, receiver_is_down: bool) -> bool:
    return receiver_is_down and signal.source == "heartbeat"


def _confidence(capable: Sequence[Signal]) -> Confidence:
    sources = {one.source for one in capable}
    if "heartbeat" in sources:
        return Confidence.HIGH
    return Confidence.MEDIUM if sources else Confidence.LOW


def _tolerated(signal: Signal) -> dt.timedelta:
    return signal.samples[-1].tolerated if signal.samples else ZERO


# Signs of work -------------------------------------------------------------------------------------------------------


Sign = tuple[Lane, dt.datetime, str]


def _signs(signal: Signal) -> Iterable[Sign]:
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
    if one.lines_at and _new_lines(samples, place) >= LINES_OF_WORK:
        yield Lane.LOG, one.lines_at, "new lines"


def _gpu_is_busy(one: Samples) -> bool:
    """Whether the 95th percentile of the busiest GPU is above the threshold: of few samples that is the highest."""
    return one.gpu_busy > one.count - math.ceil(0.95 * one.count)


def _new_lines(samples: Sequence[Samples], place: int) -> int:
    """Distinct new lines within the log's window up to this bucket: a line an hour is no work."""
    last_at = samples[place].last_at
    near = (one for one in samples[max(0, place - 3) : place + 1] if last_at - one.first_at <= LOG_WINDOW)
    return sum(one.lines for one in near)


# Quiet time ----------------------------------------------------------------------------------------------------------


def _quiet_since(signal: Signal, since: dt.datetime) -> dt.datetime:
    """Where the signal's unbroken watched time after ``since`` begins: behind the last gap, and not further back than
    the number of its samples covers."""
    begin, count = max(signal.last_at, since), 0
    for one in reversed(signal.samples):
        if begin - one.last_at > one.tolerated and one.last_at < begin:
            break
        if one.last_at <= since or one.gap > one.tolerated:
            begin = max(since, min(begin, one.last_at))
            break
        begin = max(since, one.first_at)
        count += one.count
    if not signal.samples:
        return begin
    enough = count * signal.samples[-1].tolerated / 2 / COVERAGE
    return max(begin, signal.last_at - enough)


# Evidence ------------------------------------------------------------------------------------------------------------


def _evidence(
    usable: Sequence[Signal], silent: Sequence[Signal], since: dt.datetime, now: dt.datetime
) -> Iterable[Evidence]:
    for signal in usable:
        lanes = OF_HEARTBEAT if signal.source == "heartbeat" else (Lane.LOG,)
        for lane in lanes:
            yield from _of_lane(signal, lane, since, now)
    for signal in silent:
        yield Evidence(signal.source, "blind", "silent", signal.last_at, signal.last_at)


def _of_lane(signal: Signal, lane: Lane, since: dt.datetime, now: dt.datetime) -> Iterable[Evidence]:
    """What one lane says now: its last sign of work, or how quiet it was since then. Nothing where it never spoke."""
    signs = [sign for sign in _signs(signal) if sign[0] == lane]
    last = max(signs, key=lambda sign: sign[1], default=None)
    if last and now - last[1] <= WINDOWS[lane]:
        yield Evidence(lane, "active", last[2], last[1])
        return
    begin = last[1] if last else max(since, signal.first_at)
    seen = [one for one in signal.samples if one.last_at > begin] or list(signal.samples[-1:])
    value = _quiet_value(lane, seen)
    if value is not None:
        count = sum(one.count for one in seen)
        yield Evidence(lane, "quiet", value, signal.last_at, begin, count)


def _quiet_value(lane: Lane, seen: Sequence[Samples]) -> str | None:
    """The highest value of a quiet lane in words; ``None`` where it never spoke."""
    if lane == Lane.GPU:
        tops = [one.gpu_top for one in seen if one.gpu_top is not None]
        return f"≤ {max(tops)} %" if tops else None
    if lane == Lane.CPU:
        loads = [one.cpu_top for one in seen if one.cpu_top is not None]
        return f"≤ {cores(max(loads))}" if loads else None
    if lane == Lane.NET:
        rates = [one.net_top for one in seen if one.net_top is not None]
        return f"≤ {megabytes(max(rates))}" if rates else None
    if lane == Lane.SSH:
        sessions = seen[-1].ssh_open if seen else None
        return None if sessions is None else "open" if sessions else "nobody signed in"
    return "unchanged" if lane == Lane.LOG else None


def cores(load: float) -> str:
    """A CPU load in words: ``0.1 cores``."""
    return f"{load:.1f} cores"


def megabytes(bytes_a_minute: int) -> str:
    return f"{bytes_a_minute / 1e6:.1f} MB/min"
