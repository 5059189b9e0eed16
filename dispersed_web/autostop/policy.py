"""When a job stops, and why: one pure function over frozen values. Standard library only; no clock, no rows, no I/O.

The engine, the launch form's preview and the tests all call :func:`decide`. Every job has a lease: evidence of activity
renews it, a person may extend it, hard limits bound it::

    quiet_since  = max(RUNNING time + boot grace, latest activity)
    idle_stop_at = quiet_since + idle limit                       where idleness is known at all
    lifetime end = launched_at + lifetime, or later by extension, at most launched_at + ceiling
    stop_at      = min(max(idle_stop_at, extend_until), hard limits)

Deadlines are computed from facts each time. The one stored fact about a deadline is which one people were warned of, so
a moved deadline warns again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

SHORTEST_LEAD = dt.timedelta(seconds=10)
LATE_NOTICE = dt.timedelta(minutes=5)
REMINDER = dt.timedelta(minutes=5)


class State(StrEnum):
    """Where the job stands on the ladder from start to stop."""

    STARTING = "starting"
    ACTIVE = "active"
    QUIET = "quiet"
    BLIND = "blind"
    WARNED = "warned"
    DUE = "due"
    UNLIMITED = "unlimited"


class Confidence(StrEnum):
    """How well idleness is known: ``high`` by a heartbeat, ``medium`` by meaningful logs, ``low`` not at all."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Policy:
    """The limits of one job, as copied when it was launched.

    ``lifetime`` counts from the launch; a person may extend it up to ``ceiling``. ``None`` for both means that an admin
    chose no limit. ``idle_limit`` applies only where activity is known.
    """

    lifetime: dt.timedelta | None
    ceiling: dt.timedelta | None
    warn_lead: dt.timedelta = dt.timedelta(minutes=15)
    idle_limit: dt.timedelta | None = None
    boot_grace: dt.timedelta = dt.timedelta(minutes=20)

    def __post_init__(self) -> None:
        for name in ("lifetime", "ceiling", "idle_limit"):
            value = getattr(self, name)
            if value is not None and value <= dt.timedelta(0):
                raise ValueError(f"{name} must be longer than nothing, or absent; a zero limit is a mistake.")
        if self.lifetime and self.ceiling and self.ceiling < self.lifetime:
            raise ValueError("The ceiling must not be shorter than the lifetime.")


@dataclass(frozen=True)
class Evidence:
    """One observation behind a verdict: which signal, what it said, when."""

    signal: str
    value: str
    observed_at: dt.datetime


@dataclass(frozen=True)
class Activity:
    """What the signals say about use: ``quiet`` only when every capable signal is fresh and quiet."""

    state: State
    confidence: Confidence
    last_active_at: dt.datetime | None = None
    evidence: tuple[Evidence, ...] = ()


NO_SIGNAL = Activity(State.ACTIVE, Confidence.LOW)


@dataclass(frozen=True)
class Facts:
    """What is known of one job. All times are aware UTC.

    ``warned_for`` is the stop time that people were told of, ``warned_at`` when they were told.
    """

    launched_at: dt.datetime
    running_at: dt.datetime | None = None
    extend_until: dt.datetime | None = None
    warned_for: dt.datetime | None = None
    warned_at: dt.datetime | None = None
    activity: Activity = NO_SIGNAL


@dataclass(frozen=True)
class Verdict:
    """What auto-stop thinks of one job at one moment.

    ``rule`` is the reason code of the limit that decides; ``warn`` and ``stop`` say what is due now; ``look_again_at``
    is the next moment at which the answer can change by time alone.
    """

    state: State
    stop_at: dt.datetime | None
    warn_at: dt.datetime | None
    rule: str
    confidence: Confidence
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    warn: bool = False
    stop: bool = False
    look_again_at: dt.datetime | None = None


@dataclass(frozen=True)
class Deadline:
    """A moment at which the job stops, and the reason code of the limit that sets it."""

    at: dt.datetime
    rule: str


def decide(policy: Policy, facts: Facts, now: dt.datetime) -> Verdict:
    """The verdict on one job at ``now``. Never raises; the same arguments give the same answer."""
    deadline = stop_deadline(policy, facts)
    if deadline is None:
        return Verdict(
            State.UNLIMITED,
            None,
            None,
            "",
            facts.activity.confidence,
            "No limit: runs until somebody stops it.",
        )
    lead = warn_lead(policy, facts, deadline)
    warn_at = deadline.at - lead
    warned = facts.warned_for == deadline.at and facts.warned_at is not None
    earliest = (
        max(deadline.at, facts.warned_at + min(lead, LATE_NOTICE)) if warned and facts.warned_at else None
    )
    stop = earliest is not None and now >= earliest
    warn = not warned and now >= warn_at
    return Verdict(
        state=_state(facts, warned=warned or warn, stop=stop),
        stop_at=earliest or (max(deadline.at, now + min(lead, LATE_NOTICE)) if warn else deadline.at),
        warn_at=warn_at,
        rule=deadline.rule,
        confidence=facts.activity.confidence,
        sentence=sentence(policy, facts, deadline),
        evidence=facts.activity.evidence,
        warn=warn,
        stop=stop,
        look_again_at=None if stop else (earliest if warned else max(warn_at, now)),
    )


def stop_deadline(policy: Policy, facts: Facts) -> Deadline | None:
    """The moment at which the job stops and the limit that says so; ``None`` where nothing limits it."""
    hard = lifetime_end(policy, facts)
    soft = idle_end(policy, facts)
    candidates = [
        Deadline(at, rule) for at, rule in ((soft, "idle"), (hard, "max_lifetime")) if at is not None
    ]
    return min(candidates, key=lambda candidate: candidate.at, default=None)


def lifetime_end(policy: Policy, facts: Facts) -> dt.datetime | None:
    """The end of the maximum lifetime, moved by an extension but never beyond the ceiling."""
    if policy.lifetime is None:
        return None
    end = facts.launched_at + policy.lifetime
    if facts.extend_until is not None:
        end = max(end, facts.extend_until)
    ceiling = latest_end(policy, facts.launched_at)
    return min(end, ceiling) if ceiling else end


def latest_end(policy: Policy, launched_at: dt.datetime) -> dt.datetime | None:
    """The moment beyond which nobody's extension can move the stop."""
    return launched_at + policy.ceiling if policy.ceiling is not None else None


def idle_end(policy: Policy, facts: Facts) -> dt.datetime | None:
    """When the job stops for idleness, if it is known to be quiet and never was used again."""
    if policy.idle_limit is None or facts.running_at is None or facts.activity.state != State.QUIET:
        return None
    quiet_since = max(facts.running_at + policy.boot_grace, facts.activity.last_active_at or facts.running_at)
    end = quiet_since + policy.idle_limit
    return max(end, facts.extend_until) if facts.extend_until else end


def warn_lead(policy: Policy, facts: Facts, deadline: Deadline) -> dt.timedelta:
    """How long before the stop people are warned: the policy's lead, but at most a fifth of the whole time."""
    whole = deadline.at - facts.launched_at
    return max(min(policy.warn_lead, whole / 5), SHORTEST_LEAD)


def extension(policy: Policy, facts: Facts, wanted: dt.datetime) -> dt.datetime | None:
    """The stop time that an extension to ``wanted`` would give, cut at the ceiling; ``None`` if it would change nothing.

    An extension never shortens.
    """
    before = stop_deadline(policy, facts)
    ceiling = latest_end(policy, facts.launched_at)
    until = min(wanted, ceiling) if ceiling else wanted
    if before is None or until <= before.at:
        return None
    return until


def sentence(policy: Policy, facts: Facts, deadline: Deadline) -> str:
    """Why it stops then, in words; times are left to the page, which knows the reader's zone."""
    if deadline.rule == "idle":
        return f"Not used for {words(policy.idle_limit or dt.timedelta(0))}."
    if policy.ceiling is not None and deadline.at == latest_end(policy, facts.launched_at):
        return f"The longest lifetime that the team allows, {words(policy.ceiling)}, ends."
    if facts.extend_until == deadline.at:
        return "The extension ends."
    return f"Its maximum lifetime of {words(policy.lifetime or dt.timedelta(0))} ends."


def words(duration: dt.timedelta) -> str:
    """A duration as people say it: ``90 s``, ``45 min``, ``2 h 30 min``, ``3 days``."""
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds % 86400 == 0:
        return f"{seconds // 86400} days" if seconds > 86400 else "24 h"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _state(facts: Facts, *, warned: bool, stop: bool) -> State:
    if stop:
        return State.DUE
    if warned:
        return State.WARNED
    if facts.running_at is None:
        return State.STARTING
    return facts.activity.state
