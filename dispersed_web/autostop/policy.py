"""When a job stops, and why: one pure function over frozen values. Standard library only; no clock, no rows, no I/O.

The engine, the launch form's preview, the replay over history and the tests all call :func:`decide`. Every job has a
lease: evidence of activity renews it, a person may extend it, hard limits bound it::

    quiet_since  = max(this run's RUNNING + boot grace, latest activity), and watched ever since
    idle_stop_at = quiet_since + idle limit                           where a signal can tell
    hard_stop_at = min(lifetime, schedule, budget, price above the cap, unanswered check-in, stuck starting)
    stop_at      = min(max(idle_stop_at, extend_until, protected_until), hard_stop_at)

Deadlines are computed from facts each time. The one stored fact about a deadline is which one people were warned of, so
a moved deadline warns again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from dispersed_web.autostop import activity, deadlines, sentences
from dispersed_web.autostop.activity import Activity, Confidence, Evidence, Use
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.terms import Facts, Policy

REMINDER = dt.timedelta(minutes=5)
# Sooner after the warning a reminder says nothing new.
APART = dt.timedelta(minutes=4)
SOON = dt.timedelta(seconds=10)
A_MINUTE = dt.timedelta(minutes=1)
NOW_AND_THEN = dt.timedelta(minutes=5)
NOT_ARRIVED = "the warning to reach somebody"
FRESH_SAMPLE = "a fresh sample"
MORE_SAMPLES = "samples of its whole idle time"


class State(StrEnum):
    """Where the job stands on the ladder from start to stop. ``unknown``: nothing tells whether it is used, so a person
    is asked; ``observed``: it would have been stopped, if idle stops were enforced."""

    STARTING = "starting"
    ACTIVE = "active"
    QUIET = "quiet"
    BLIND = "blind"
    UNKNOWN = "unknown"
    PROTECTED = "protected"
    OBSERVED = "observed"
    WARNED = "warned"
    DUE = "due"
    UNLIMITED = "unlimited"


@dataclass(frozen=True)
class Verdict:
    """What auto-stop thinks of one job at one moment.

    ``rule`` is the reason code of the limit that decides, ``deadline_at`` the moment that this limit sets, ``stop_at``
    when the job really stops by it: later, where people must be warned first. ``warn``, ``remind`` and ``stop`` say what
    is due now; ``waits_for`` why a due stop waits all the same. ``would_stop_at`` is the stop that is only observed;
    ``lost_at`` when the last capable signal was given up.
    ``look_again_at`` is the next moment at which the answer can change by time alone.
    """

    state: State
    stop_at: dt.datetime | None
    warn_at: dt.datetime | None
    rule: str
    confidence: Confidence
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    warn: bool = False
    remind: bool = False
    stop: bool = False
    waits_for: str = ""
    deadline_at: dt.datetime | None = None
    quiet_since: dt.datetime | None = None
    idle_limit: dt.timedelta | None = None
    last_active: Evidence | None = None
    blind_since: dt.datetime | None = None
    lost_at: dt.datetime | None = None
    would_stop_at: dt.datetime | None = None
    look_again_at: dt.datetime | None = None


def decide(policy: Policy, facts: Facts, now: dt.datetime) -> Verdict:
    """The verdict on one job at ``now``. Never raises; the same arguments give the same answer."""
    use = activity_of(policy, facts, now)
    idle = deadlines.idle(policy, facts, use, now)
    observes = idle is not None and policy.is_observing(now)
    limits = deadlines.hard(policy, facts, use)
    deadline = _nearest(limits, None if observes else idle, facts, now)
    verdict = _verdict(policy, facts, use, deadline, now)
    if verdict.waits_for and verdict.rule == deadlines.IDLE:
        verdict = _unless_a_hard_limit_acts(verdict, policy, facts, use, limits, now)
    would_stop_at = idle.at if idle is not None and observes else None
    if idle and would_stop_at and would_stop_at <= now and idle.is_proven and verdict.state == State.QUIET:
        verdict = replace(verdict, state=State.OBSERVED)
    return replace(
        verdict, would_stop_at=would_stop_at, look_again_at=_look_again_at(verdict, use, would_stop_at, now)
    )


def activity_of(policy: Policy, facts: Facts, now: dt.datetime) -> Activity:
    """What the signals say of the run; nothing before it runs, and nothing of a BATCH job."""
    if facts.running_at is None or policy.task != "PERSISTENT":
        return Activity(Use.UNKNOWN, Confidence.LOW)
    floor = max(
        [facts.running_at + policy.boot_grace, *([facts.trusted_since] if facts.trusted_since else [])]
    )
    acts = [(what, at) for what, at in facts.acts if at >= facts.running_at]
    return activity.read(
        facts.signals,
        floor=floor,
        acts=acts,
        trusted_since=facts.trusted_since,
        cloud_lost_since=facts.cloud_lost_since,
        receiver_is_down=facts.receiver_is_down,
        now=now,
    )


def _nearest(
    limits: list[Deadline], idle: Deadline | None, facts: Facts, now: dt.datetime
) -> Deadline | None:
    """The deadline that stops the job first.

    A hard limit that is near does not stand back behind a stop for idleness that cannot come yet, and one that has passed
    behind none that people were not told of: else what a machine says of itself could keep it off for ever.
    """
    if idle is not None and not idle.is_warned(facts):
        is_near = any(one.is_near(facts, now) for one in limits)
        is_over = any(one.at <= now for one in limits)
        may_warn = idle.is_armed and now >= idle.at - idle.lead
        if is_over or (is_near and not may_warn):
            idle = None
    found = limits if idle is None else [*limits, idle]
    return min(found, key=lambda one: (one.earliest(facts, now), one.rule == deadlines.IDLE), default=None)


def _unless_a_hard_limit_acts(
    verdict: Verdict,
    policy: Policy,
    facts: Facts,
    use: Activity,
    limits: list[Deadline],
    now: dt.datetime,
) -> Verdict:
    """A stop for idleness that waits, however long, keeps no hard limit from warning and stopping."""
    nearest = min(limits, key=lambda one: one.earliest(facts, now), default=None)
    if nearest is None:
        return verdict
    other = _verdict(policy, facts, use, nearest, now)
    return other if other.warn or other.remind or other.stop else verdict


def _verdict(
    policy: Policy, facts: Facts, use: Activity, deadline: Deadline | None, now: dt.datetime
) -> Verdict:
    base = _of_use(policy, facts, use, now)
    if deadline is None:
        return replace(base, state=State.UNLIMITED)
    earliest = deadline.earliest(facts, now)
    warned = deadline.is_warned(facts)
    warn = not warned and now >= deadline.at - deadline.lead and deadline.is_armed
    reached = warned and now >= earliest
    waits_for = _waits_for(facts, use, deadline, now) if reached else ""
    if not (warned or warn) and use.use == Use.QUIET and now >= deadline.at - deadline.lead:
        waits_for = MORE_SAMPLES if use.is_fresh else FRESH_SAMPLE
    if waits_for == NOT_ARRIVED:
        earliest += deadline.puts_off
    remind = (
        warned
        and not deadlines.is_same(deadline.at, facts.reminded_for)
        and earliest - REMINDER <= now < earliest
        and facts.warned_at is not None
        and earliest - REMINDER - facts.warned_at >= APART
    )
    state = base.state
    sentence = sentences.why(policy, facts, use, deadline, now)
    if reached and not waits_for:
        state = State.DUE
        sentence = sentences.unanswered(policy, use) if deadline.rule == deadlines.CHECKIN else sentence
    elif warned or warn:
        state = State.WARNED
    return replace(
        base,
        state=state,
        stop_at=earliest,
        warn_at=deadline.at - deadline.lead,
        rule=deadline.rule,
        sentence=sentence,
        warn=warn,
        remind=remind,
        stop=reached and not waits_for,
        waits_for=waits_for,
        deadline_at=deadline.at,
    )


def _of_use(policy: Policy, facts: Facts, use: Activity, now: dt.datetime) -> Verdict:
    """What the signals alone say, before any deadline."""
    limit = policy.idle_rule(use.confidence)
    return Verdict(
        state=_state(facts, use, now),
        stop_at=None,
        warn_at=None,
        rule="",
        confidence=use.confidence,
        sentence=sentences.NO_LIMIT,
        evidence=use.evidence,
        quiet_since=use.quiet_since if use.use == Use.QUIET else None,
        idle_limit=limit.limit if limit else None,
        last_active=use.last_active,
        blind_since=use.blind_since if use.use == Use.BLIND else None,
        lost_at=use.lost_at,
    )


def _waits_for(facts: Facts, use: Activity, deadline: Deadline, now: dt.datetime) -> str:
    """Why a stop for idleness is not carried out although its time has come. Hard limits wait for nothing, an unanswered
    check-in only for its question to arrive."""
    if not facts.warning_arrived and now < deadline.earliest(facts, now) + deadline.puts_off:
        return NOT_ARRIVED
    if deadline.rule != deadlines.IDLE:
        return ""
    if facts.soft_hold:
        return facts.soft_hold
    if use.use != Use.QUIET or not use.is_fresh:
        return FRESH_SAMPLE
    return "" if deadline.is_proven else MORE_SAMPLES


def _state(facts: Facts, use: Activity, now: dt.datetime) -> State:
    if facts.running_at is None:
        return State.STARTING
    if facts.protected_until is not None and facts.protected_until > now:
        return State.PROTECTED
    return State(use.use.value)


def _look_again_at(
    verdict: Verdict, use: Activity, would_stop_at: dt.datetime | None, now: dt.datetime
) -> dt.datetime | None:
    """Signals change without telling the engine, so the nearer a stop is the more often it looks."""
    if verdict.stop:
        return None
    watched = use.use != Use.UNKNOWN
    if verdict.state == State.WARNED:
        moments = [verdict.stop_at, now + SOON if watched else None]
        if verdict.stop_at and verdict.stop_at - REMINDER > now:
            moments.append(verdict.stop_at - REMINDER)
    else:
        often = A_MINUTE if verdict.state in (State.QUIET, State.BLIND, State.OBSERVED) else NOW_AND_THEN
        # A signal that speaks for the first time tells nobody either.
        may_speak = watched or verdict.state not in (State.STARTING, State.UNLIMITED)
        moments = [verdict.warn_at, now + often if may_speak else None, would_stop_at]
    later = [at for at in moments if at is not None and at > now]
    if verdict.waits_for or (len(later) < sum(at is not None for at in moments) and watched):
        later.append(now + SOON)
    return min(later, default=None)


# Extensions ----------------------------------------------------------------------------------------------------------


def latest_end(policy: Policy, facts: Facts) -> dt.datetime | None:
    """The moment beyond which nobody's extension can move the stop: the team's ceiling, or a stop of its schedule."""
    ends = [deadlines.ceiling(policy, facts), deadlines.next_scheduled(policy, facts)]
    return min((end for end in ends if end is not None), default=None)


def extension(policy: Policy, facts: Facts, wanted: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """The stop time that an extension to ``wanted`` would give, cut at the hard limits; ``None`` if it would change
    nothing. An extension never shortens."""
    before = decide(policy, facts, now).stop_at
    latest = latest_end(policy, facts)
    until = min(wanted, latest) if latest else wanted
    if until <= now or (facts.extend_until is not None and until <= facts.extend_until):
        return None
    after = decide(policy, replace(facts, extend_until=until), now).stop_at
    if before is None or after is None or after <= before:
        return None
    return until
