"""What a policy would have done with runs of the past. Pure; it asks :func:`dispersed_web.autostop.policy.decide`.

The past cannot answer everything. What people would have said to a check-in or a warning that never came is not known,
so check-ins count as answered and warnings as ignored; lifetimes and extensions stay as they were, budgets are left out.
Moments are exact to the five minutes of a bucket.
"""

from __future__ import annotations

import datetime as dt
import heapq
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import ZERO, Confidence, Lane, Signal, signs
from dispersed_web.autostop.policy import Verdict, decide
from dispersed_web.autostop.sentences import LANE_WORDS
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from dispersed_web.costs.estimate import price

SLOT = dt.timedelta(minutes=5)
# How far before the idle limit samples are looked at: enough to see the sign of work that ended it.
SEEN_BEFORE = dt.timedelta(minutes=45)
NEVER = dt.timedelta(days=3650)
ANSWERED = CheckIn(first=NEVER, every=NEVER, answer=NEVER)
CONFIDENCE_OF = {"heartbeat": Confidence.HIGH, "log": Confidence.MEDIUM}


@dataclass(frozen=True)
class Act:
    """What was done with a job at ``at``. ``what`` tells of people, and is empty for what the machine itself asked for;
    ``extends``, ``protects`` and ``keeps`` are the moments until then; ``lifts`` ends a protection."""

    at: dt.datetime
    what: str = ""
    connects: bool = False
    extends: dt.datetime | None = None
    protects: dt.datetime | None = None
    keeps: dt.datetime | None = None
    lifts: bool = False


@dataclass(frozen=True)
class RunHistory:
    """One run as it was: ``until`` is its end, or the present. ``signals`` hold all samples, ``acts`` are in order."""

    launched_at: dt.datetime
    running_at: dt.datetime
    until: dt.datetime
    hourly_rate_usd: Decimal | None = None
    signals: tuple[Signal, ...] = ()
    acts: tuple[Act, ...] = ()

    @cached_property
    def signs(self) -> list[tuple[dt.datetime, str]]:
        """Every sign of use, by machine and by people, in order: when, and what in words."""
        return sorted(_signs_of(self))

    @cached_property
    def slots(self) -> list[dt.datetime]:
        """The end of each five minutes that hold samples: the last sample of any source, so that none is cut in two."""
        last: dict[int, dt.datetime] = {}
        for one in (sample for signal in self.signals for sample in signal.samples):
            slot = int(one.first_at.timestamp()) // int(SLOT.total_seconds())
            last[slot] = max(last.get(slot, one.last_at), one.last_at)
        return sorted(last.values())

    @cached_property
    def ends(self) -> dict[tuple[str, str], list[dt.datetime]]:
        """Of each signal, when each of its samples was complete."""
        return {(one.source, one.node): [sample.last_at for sample in one.samples] for one in self.signals}

    @cached_property
    def had_ssh(self) -> bool:
        """Whether an SSH session was ever open, which doubles the warning."""
        return any(bool(sample.ssh_open) for signal in self.signals for sample in signal.samples)


@dataclass(frozen=True)
class Outcome:
    """What would have become of a run. Without ``stop_at`` it would have gone on to its real end. ``saved_usd`` is the
    price from the stop to the real end; ``used_again_at`` the next sign of use after the stop: a false stop."""

    stop_at: dt.datetime | None = None
    rule: str = ""
    quiet_since: dt.datetime | None = None
    saved: dt.timedelta = ZERO
    saved_usd: Decimal | None = None
    used_again_at: dt.datetime | None = None
    used_again: str = ""

    @property
    def is_false(self) -> bool:
        return self.used_again_at is not None


@dataclass(frozen=True)
class Totals:
    """``saved_usd`` counts the right stops only: a false one costs work, whatever it saves."""

    runs: int
    stops: int
    false_stops: int
    saved_usd: Decimal


def replay(policy: Policy, run: RunHistory) -> Outcome:
    """What ``policy`` would have done with ``run``."""
    return _Replay(_rules(policy), run).outcome()


def with_limit(policy: Policy, limit: dt.timedelta) -> Policy:
    """The same policy with another idle limit wherever something tells of use."""
    return replace(policy, high=IdleRule(limit, policy.high.lead), medium=IdleRule(limit, policy.medium.lead))


def sum_up(outcomes: Iterable[Outcome]) -> Totals:
    some = list(outcomes)
    stopped = [one for one in some if one.stop_at is not None]
    right = [one.saved_usd or Decimal(0) for one in stopped if not one.is_false]
    return Totals(len(some), len(stopped), len(stopped) - len(right), sum(right, Decimal(0)))


def _rules(policy: Policy) -> Policy:
    """What of the policy can be tried on the past, as if it had always held and were enforced."""
    return replace(
        policy,
        lifetime=None,
        ceiling=None,
        checkin=ANSWERED,
        start_limit=None,
        schedule_since=None,
        observes=False,
        observe_until=None,
        changed_at=None,
    )


class _Replay:
    """One run under one policy. Stops need a fresh sample, so the end of each bucket is looked at, but only in those
    stretches without a sign of use that are long enough for a warning; and the moments that the schedule sets."""

    def __init__(self, rules: Policy, run: RunHistory) -> None:
        self.rules = rules
        self.run = run
        found = (rules.idle_rule(CONFIDENCE_OF[one.source]) for one in run.signals)
        self.idle_rules = [one for one in found if one]
        self.look_back = max((one.limit for one in self.idle_rules), default=ZERO) + SEEN_BEFORE
        self.warned_for: dt.datetime | None = None
        self.warned_at: dt.datetime | None = None

    def outcome(self) -> Outcome:
        coming = [*self._ends_of_quiet_slots(), *self._scheduled()]
        heapq.heapify(coming)
        while coming:
            now = heapq.heappop(coming)
            verdict = decide(self._rules_at(now), self._facts(now), now)
            if verdict.stop:
                return self._stopped(verdict, now)
            if verdict.warn and verdict.warn_at is not None:
                # The engine looks each minute, so it had warned in time within this slot.
                self.warned_for, self.warned_at = verdict.deadline_at, max(verdict.warn_at, now - SLOT)
            if verdict.rule == deadlines.SCHEDULE:
                later = [at for at in (verdict.warn_at, verdict.stop_at) if at and now < at < self.run.until]
                if later and (not coming or min(later) != coming[0]):
                    heapq.heappush(coming, min(later))
        return Outcome()

    def _ends_of_quiet_slots(self) -> list[dt.datetime]:
        """Where idleness may stop the run, and warn of it: in time without any sign of use, longer than the limit."""
        times = 2 if self.run.had_ssh else 1
        limit = min((one.limit for one in self.idle_rules), default=NEVER)
        until_warned = min(
            (one.limit - min(times * one.lead, one.limit / 2) for one in self.idle_rules), default=NEVER
        )
        slots = self.run.slots
        floor = self.run.running_at + self.rules.boot_grace
        marks = [floor, *(at for at, _ in self.run.signs if at > floor), self.run.until]
        found: list[dt.datetime] = []
        for before, after in pairwise(marks):
            if after - before > limit:
                begin = bisect_right(slots, before + until_warned - SLOT)
                found += slots[begin : bisect_right(slots, after)]
        return [at for at in found if at < self.run.until]

    def _scheduled(self) -> list[dt.datetime]:
        at = deadlines.next_scheduled(self.rules, Facts(self.run.launched_at))
        if at is None:
            return []
        return [one for one in (at - self.rules.warn_lead, at) if self.run.launched_at < one < self.run.until]

    def _rules_at(self, now: dt.datetime) -> Policy:
        """What a protection held back is warned about in full when it is lifted."""
        lifted = [act.at for act in self.run.acts if act.lifts and act.at <= now]
        return replace(self.rules, changed_at=lifted[-1]) if lifted else self.rules

    def _facts(self, now: dt.datetime) -> Facts:
        """What was known at ``now``, with what the replay itself warned of."""
        run, acts = self.run, [act for act in self.run.acts if act.at <= now]
        lifted = max((act.at for act in acts if act.lifts), default=run.launched_at)
        protects = [act.protects for act in acts if act.protects and act.at > lifted]
        return Facts(
            launched_at=run.launched_at,
            running_at=run.running_at if run.running_at <= now else None,
            extend_until=max((act.extends for act in acts if act.extends), default=None),
            protected_until=protects[-1] if protects else None,
            kept_until=max((act.keeps for act in acts if act.keeps), default=None),
            confirmed_at=max((act.at for act in acts if act.what and not act.connects), default=None),
            connected_at=max((act.at for act in acts if act.connects), default=None),
            signals=tuple(one for one in (self._until(signal, now) for signal in run.signals) if one),
            warned_for=self.warned_for,
            warned_at=self.warned_at,
        )

    def _until(self, signal: Signal, now: dt.datetime) -> Signal | None:
        """What ``signal`` had said by ``now``, as far back as is looked at."""
        ends = self.run.ends[signal.source, signal.node]
        end = bisect_right(ends, now)
        if end == 0:
            return None
        begin = bisect_right(ends, now - self.look_back)
        return replace(signal, last_at=ends[end - 1], samples=signal.samples[begin:end])

    def _stopped(self, verdict: Verdict, now: dt.datetime) -> Outcome:
        stop_at = min(verdict.stop_at or now, now)
        saved = max(self.run.until - stop_at, ZERO)
        rate = self.run.hourly_rate_usd
        again = next((sign for sign in self.run.signs if sign[0] > stop_at), None)
        return Outcome(
            stop_at=stop_at,
            rule=verdict.rule,
            quiet_since=verdict.quiet_since,
            saved=saved,
            saved_usd=price(rate, saved) if rate is not None else None,
            used_again_at=again[0] if again else None,
            used_again=again[1] if again else "",
        )


def _signs_of(run: RunHistory) -> Iterable[tuple[dt.datetime, str]]:
    for signal in run.signals:
        for place in range(len(signal.samples)):
            for lane, at, value in signs(signal.samples, place):
                yield at, _words(lane, value)
    yield from ((act.at, act.what) for act in run.acts if act.what)


def _words(lane: Lane, value: str) -> str:
    if lane == Lane.SSH:
        return "a key was pressed in an SSH session"
    return f"{LANE_WORDS[lane]} {value}" if lane != Lane.BUSY else "the workload said that it was busy"
