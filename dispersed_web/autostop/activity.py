"""What the signals of one run say about its use: active, quiet, blind or not known. Pure; standard library only.

Unknown is never idle. A signal that never spoke cannot fall silent; while one is silent nothing is quiet; and what is
quiet must have been watched all the while (see ``samples.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispersed_web.autostop.samples import (
    LOG_WINDOW,
    STALE,
    WINDOWS,
    ZERO,
    Lane,
    Samples,
    Sign,
    Signal,
    cores,
    covered,
    megabytes,
    signs,
    signs_of,
    watched_since,
)

# What it reads belongs to it for whoever asks it.
__all__ = ["LOG_WINDOW", "STALE", "ZERO", "Lane", "Samples", "Signal", "cores", "megabytes", "signs"]

# A signal that is silent for so long is given up: the others decide, or a person is asked.
LOST_AFTER = dt.timedelta(minutes=15)
COVERAGE = 0.8
OF_HEARTBEAT = (Lane.GPU, Lane.CPU, Lane.NET, Lane.SSH, Lane.BUSY)


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
    """All signals together. ``quiet_since`` is where unbroken watched quiet begins, ``active_until`` where the last sign
    of work ceases to count; ``is_fresh`` says that the newest samples are young enough to act on; ``lost_at`` when the
    last capable signal was given up; ``usable`` are the signals that decide."""

    use: Use
    confidence: Confidence
    last_active_at: dt.datetime | None = None
    last_active: Evidence | None = None
    active_until: dt.datetime | None = None
    quiet_since: dt.datetime | None = None
    is_fresh: bool = False
    blind_since: dt.datetime | None = None
    lost_at: dt.datetime | None = None
    ssh_is_open: bool = False
    evidence: tuple[Evidence, ...] = ()
    usable: tuple[Signal, ...] = ()

    def covers(self, window: dt.timedelta, now: dt.datetime) -> bool:
        """Whether the samples of every signal that decides stand for enough of the last ``window``."""
        enough = COVERAGE * window
        return bool(self.usable) and all(covered(one, now - window) >= enough for one in self.usable)


def read(
    signals: Sequence[Signal],
    *,
    floor: dt.datetime,
    acts: Iterable[tuple[str, dt.datetime]] = (),
    trusted_since: dt.datetime | None = None,
    cloud_lost_since: dt.datetime | None = None,
    receiver_is_down: bool = False,
    now: dt.datetime,
) -> Activity:
    """The use of a run at ``now``.

    ``floor``: nothing before it counts as quiet (boot grace, outages). ``acts`` are what people did, in words and when.
    No signal is given up before it had the time to be heard since ``trusted_since``, the end of an outage of ours.
    With ``receiver_is_down`` the silence of heartbeats is our own fault: it freezes the clock for as long as it takes.
    """
    by_source: dict[str, list[Sign]] = defaultdict(list)
    for one in signals:
        by_source[one.source] += signs_of(one)
    found = [sign for some in by_source.values() for sign in some]
    found += [(Lane.PERSON, at, what) for what, at in acts]
    silent = [one for one in signals if now - one.last_at > one.stale_after]
    lost = [one for one in silent if _is_lost(one, trusted_since, receiver_is_down, now)]
    blind = [one for one in silent if one not in lost]
    usable = [one for one in signals if one not in silent]
    last = max(found, key=lambda sign: sign[1], default=None)
    is_active = now < floor or any(now - at <= WINDOWS[lane] for lane, at, _ in found)
    lost_at = max((one.last_at + LOST_AFTER for one in lost), default=None)
    since = max([floor, *(at for _, at, _ in found)])
    # What was blind until a signal was given up was not quiet, whatever the others said.
    begin = max(since, lost_at) if lost_at else since
    return Activity(
        use=_use(is_active, bool(blind) or cloud_lost_since is not None, bool(usable), bool(found)),
        confidence=_confidence([*usable, *blind]),
        last_active_at=last[1] if last else None,
        last_active=Evidence(last[0], "active", last[2], last[1]) if last else None,
        active_until=max((at + WINDOWS[lane] for lane, at, _ in found), default=None),
        quiet_since=max((watched_since(one, begin) for one in usable), default=None),
        is_fresh=bool(usable) and all(now - one.last_at <= one.tolerated for one in usable),
        blind_since=min((one.last_at for one in blind), default=cloud_lost_since),
        lost_at=lost_at,
        ssh_is_open=any(bool(one.samples[-1].ssh_open) for one in usable if one.samples),
        evidence=tuple(_evidence(usable, silent, by_source, since, now)),
        usable=tuple(usable),
    )


def _use(is_active: bool, is_blind: bool, is_watched: bool, has_signs: bool) -> Use:
    if is_active and (is_watched or has_signs):
        return Use.ACTIVE
    if is_blind:
        return Use.BLIND
    return Use.QUIET if is_watched else Use.UNKNOWN


def _is_lost(
    signal: Signal, trusted_since: dt.datetime | None, receiver_is_down: bool, now: dt.datetime
) -> bool:
    """Whether the silence of the signal has lasted long enough to give it up, and is not our own fault."""
    if receiver_is_down and signal.source == "heartbeat":
        return False
    heard = max(signal.last_at, trusted_since) if trusted_since else signal.last_at
    return now - heard >= LOST_AFTER


def _confidence(capable: Sequence[Signal]) -> Confidence:
    sources = {one.source for one in capable}
    if "heartbeat" in sources:
        return Confidence.HIGH
    return Confidence.MEDIUM if sources else Confidence.LOW


# Evidence ------------------------------------------------------------------------------------------------------------


def _evidence(
    usable: Sequence[Signal],
    silent: Sequence[Signal],
    by_source: Mapping[str, Sequence[Sign]],
    since: dt.datetime,
    now: dt.datetime,
) -> Iterable[Evidence]:
    for signal in _together(usable):
        lanes = OF_HEARTBEAT if signal.source == "heartbeat" else (Lane.LOG,)
        for lane in lanes:
            found = [sign for sign in by_source[signal.source] if sign[0] == lane]
            yield from _of_lane(signal, lane, found, since, now)
    for signal in _together(silent):
        count = sum(one.source == signal.source for one in silent)
        every = count + sum(one.source == signal.source for one in usable)
        value = "silent" if every == 1 else f"{count} of {every} machines silent"
        yield Evidence(signal.source, "blind", value, signal.last_at, signal.last_at)


def _together(signals: Sequence[Signal]) -> Iterable[Signal]:
    """One for each source: what all machines of the job said by it."""
    by_source: dict[str, list[Signal]] = defaultdict(list)
    for one in signals:
        by_source[one.source].append(one)
    for source, some in by_source.items():
        samples = sorted(
            (sample for one in some for sample in one.samples), key=lambda sample: sample.last_at
        )
        first_at, last_at = min(one.first_at for one in some), min(one.last_at for one in some)
        yield some[0] if len(some) == 1 else Signal(source, first_at, last_at, tuple(samples))


def _of_lane(
    signal: Signal, lane: Lane, found: Sequence[Sign], since: dt.datetime, now: dt.datetime
) -> Iterable[Evidence]:
    """What one lane says now: its last sign of work, or how quiet it was since then. Nothing where it never spoke."""
    last = max(found, key=lambda sign: sign[1], default=None)
    if last and now - last[1] <= WINDOWS[lane]:
        yield Evidence(lane, "active", last[2], last[1])
        return
    begin = last[1] if last else max(since, signal.first_at)
    # What holds the sign itself is left out: its highest value is not that of the quiet behind it.
    seen = [one for one in signal.samples if (one.first_at if last else one.last_at) > begin]
    seen = seen or list(signal.samples[-1:])
    value = _quiet_value(lane, seen)
    if value is not None:
        count = sum(one.count for one in seen)
        yield Evidence(lane, "quiet", value, signal.last_at, begin, count)


def _quiet_value(lane: Lane, seen: Sequence[Samples]) -> str | None:
    """The highest value of a quiet lane in words; ``None`` where it never spoke."""
    if lane == Lane.GPU:
        tops = [one.gpu_top for one in seen if one.gpu_top is not None]
        return f"{'≤ ' * bool(max(tops))}{max(tops)} %" if tops else None
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
