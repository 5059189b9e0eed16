"""Plain values for tests of the pure decision: a job, a policy, and what its signals said, in buckets of five minutes as
the receiver makes them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dispersed_web.autostop.policy import State, Verdict, decide
from dispersed_web.autostop.samples import Samples, Signal
from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.signals.thresholds import CPU_BUSY_CORES, GPU_BUSY_PERCENT, NET_BUSY_BYTES_A_MINUTE

SECOND, MINUTE, HOUR, DAY = (dt.timedelta(**{name: 1}) for name in ("seconds", "minutes", "hours", "days"))
T0 = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
BUCKET = 300

# Launched and running at T0. Idle at 13:20 where a heartbeat is quiet from the start: 20 minutes of grace, an hour.
POLICY = Policy(lifetime=DAY, ceiling=7 * DAY)
BATCH = replace(POLICY, task="BATCH")
FACTS = Facts(launched_at=T0, running_at=T0, starting_since=T0)


def at(minutes: float) -> dt.datetime:
    return T0 + minutes * MINUTE


@dataclass(frozen=True)
class Beat:
    """One report, or one look at a log. ``key`` is when a key was pressed last."""

    at: dt.datetime
    gpu: int | None = 0
    cpu: float | None = 0.01
    net: int | None = 0
    ssh: int | None = 0
    key: dt.datetime | None = None
    busy: bool = False
    lines: int = 0


def every(period: dt.timedelta, begin: float, end: float, **said: object) -> list[Beat]:
    """Reports from minute ``begin`` to minute ``end`` of the job, both included."""
    count = int((end - begin) * MINUTE / period) + 1
    return [Beat(at(begin) + n * period, **said) for n in range(count)]


def heartbeat(beats: Iterable[Beat], period: dt.timedelta = MINUTE) -> Signal:
    """What the receiver would have stored of these reports."""
    return _signal("heartbeat", beats, period)


def log(beats: Iterable[Beat], period: dt.timedelta = 5 * MINUTE) -> Signal:
    """What the reader of logs would have stored of these looks."""
    return _signal("log", beats, period)


def quiet(begin: float = 0, end: float = 600, **said: object) -> Signal:
    """A heartbeat a minute that is not busy."""
    return heartbeat(every(MINUTE, begin, end, **said))


def quiet_log(begin: float = 0, end: float = 600) -> Signal:
    return log(every(5 * MINUTE, begin, end))


def _signal(source: str, beats: Iterable[Beat], period: dt.timedelta) -> Signal:
    stream = Stream(beats, period, source)
    return stream.known(stream.times[-1])[0]


def _slot(beat: Beat) -> int:
    return int(beat.at.timestamp()) // BUCKET


def _bucket(source: str, beats: Sequence[Beat], period: dt.timedelta) -> Samples:
    times = [one.at for one in beats]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    common = Samples(times[0], times[-1], len(beats), max(gaps, default=dt.timedelta(0)), period)
    if source == "log":
        new = [one for one in beats if one.lines]
        return replace(common, lines=sum(one.lines for one in new), lines_at=_last(one.at for one in new))
    return replace(
        common,
        gpu_top=_top(one.gpu for one in beats),
        gpu_busy=sum((one.gpu or 0) >= GPU_BUSY_PERCENT for one in beats),
        gpu_at=_last(one.at for one in beats if (one.gpu or 0) >= GPU_BUSY_PERCENT),
        cpu_top=_top(one.cpu for one in beats),
        cpu_at=_last(one.at for one in beats if (one.cpu or 0) >= CPU_BUSY_CORES),
        net_top=_top(one.net for one in beats),
        net_at=_last(one.at for one in beats if (one.net or 0) >= NET_BUSY_BYTES_A_MINUTE),
        ssh_open=next((one.ssh for one in reversed(beats) if one.ssh is not None), None),
        key_at=_last(one.key for one in beats if one.key),
        busy_at=_last(one.at for one in beats if one.busy),
    )


def _top(values: Iterable[float | None]) -> float | None:
    return max((one for one in values if one is not None), default=None)


def _last(times: Iterable[dt.datetime]) -> dt.datetime | None:
    return max(times, default=None)


# A life of a job -----------------------------------------------------------------------------------------------------


class Stream:
    """Reports as they come in: what is known at each moment. ``look_back`` leaves out older buckets, as rows do."""

    def __init__(
        self,
        beats: Iterable[Beat],
        period: dt.timedelta = MINUTE,
        source: str = "heartbeat",
        look_back: dt.timedelta = 365 * DAY,
    ) -> None:
        self.source, self.period, self.look_back = source, period, look_back
        self.beats = sorted(beats, key=lambda one: one.at)
        self.times = [one.at for one in self.beats]
        self.starts = [
            n for n, one in enumerate(self.beats) if n == 0 or _slot(one) != _slot(self.beats[n - 1])
        ]
        ends = [*self.starts[1:], len(self.beats)]
        self.closed = [self._bucket(*ends_of) for ends_of in zip(self.starts, ends, strict=True)]

    def known(self, now: dt.datetime) -> tuple[Signal, ...]:
        """The signal at ``now``; nothing before its first report."""
        end = bisect_right(self.times, now)
        if end == 0:
            return ()
        last = bisect_right(self.starts, end - 1) - 1
        samples = (*self.closed[:last], self._bucket(self.starts[last], end))
        samples = tuple(one for one in samples if one.last_at > now - self.look_back) or samples[-1:]
        return (Signal(self.source, samples[0].first_at, samples[-1].last_at, samples),)

    def _bucket(self, begin: int, end: int) -> Samples:
        return _bucket(self.source, self.beats[begin:end], self.period)


@dataclass(frozen=True)
class Step:
    """One look of the engine: the facts that it saw, and its verdict."""

    now: dt.datetime
    facts: Facts
    verdict: Verdict


def warned(facts: Facts, verdict: Verdict, now: dt.datetime) -> Facts:
    """The facts once people were warned as the verdict says."""
    return replace(facts, warned_for=verdict.deadline_at, warned_at=now)


class Engine:
    """What the engine does with the verdicts on one job: it warns, reminds, calls off, and ends with the stop. What each
    stream knows becomes a signal."""

    def __init__(self, policy: Policy, facts: Facts, *streams: Stream) -> None:
        self.policy, self.facts, self.streams = policy, facts, streams
        self.steps: list[Step] = []

    def look(self, now: dt.datetime) -> Verdict:
        if self.streams:
            signals = tuple(signal for stream in self.streams for signal in stream.known(now))
            self.facts = replace(self.facts, signals=signals)
        verdict = decide(self.policy, self.facts, now)
        self.steps.append(Step(now, self.facts, verdict))
        if verdict.warn:
            self.facts = warned(self.facts, verdict, now)
        elif verdict.remind:
            self.facts = replace(self.facts, reminded_for=verdict.deadline_at)
        elif verdict.state not in (State.WARNED, State.DUE):
            self.facts = replace(self.facts, warned_for=None, warned_at=None)
        return verdict

    def run(self, begin: dt.datetime, end: dt.datetime, every: dt.timedelta = MINUTE) -> dt.datetime | None:
        """Looks again and again; returns when it stopped the job, or nothing."""
        now = begin
        while now <= end:
            if self.look(now).stop:
                return now
            now += every
        return None

    def run_by_itself(self, begin: dt.datetime, end: dt.datetime) -> dt.datetime | None:
        """Looks when the last verdict says so, but after a quarter of an hour at the latest; returns when it stopped."""
        now = begin
        while now <= end:
            verdict = self.look(now)
            if verdict.stop:
                return now
            longest = now + 15 * MINUTE
            now = min(verdict.look_again_at or longest, longest)
        return None

    @property
    def warnings(self) -> list[Step]:
        return [step for step in self.steps if step.verdict.warn]


def life(
    policy: Policy, *streams: Stream, begin: float = 0, end: float = 400, facts: Facts = FACTS
) -> Engine:
    """The engine's looks at a job, minute by minute, until the stop or ``end``."""
    job = Engine(policy, facts, *streams)
    job.run(at(begin), at(end))
    return job


# Facts that several tests begin with. Quiet for an hour, and quiet until the stop that was warned of.
SEEN = replace(FACTS, signals=(quiet(0, 60),))
AT_STOP = replace(FACTS, signals=(quiet(0, 80),), warned_for=at(80), warned_at=at(65))
# Hard limits alone: a job that ends by itself, and its lifetime
END = at(240)
SHORT = Policy(lifetime=4 * HOUR, ceiling=DAY, task="BATCH")
TOLD = replace(FACTS, warned_for=END, warned_at=END - 15 * MINUTE)
