"""The terms on which :func:`dispersed_web.autostop.policy.decide` decides: a job's policy, and the facts of the job.
Frozen values; standard library only. A zero or negative limit is a mistake, never "no limit"."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop.activity import ZERO, Confidence, Signal
from dispersed_web.autostop.schedule import Schedule

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@dataclass(frozen=True)
class IdleRule:
    """Stop after ``limit`` of quiet, warn ``lead`` before."""

    limit: dt.timedelta
    lead: dt.timedelta

    def __post_init__(self) -> None:
        if self.limit <= ZERO or self.lead <= ZERO:
            raise ValueError("An idle limit and its warning must be longer than nothing.")


@dataclass(frozen=True)
class CheckIn:
    """Where nothing tells whether a job is used, a person is asked ``first`` after it began to run and ``every`` so long
    after each answer; without an answer within ``answer`` the job stops."""

    first: dt.timedelta = 2 * HOUR
    every: dt.timedelta = 4 * HOUR
    answer: dt.timedelta = 30 * MINUTE

    def __post_init__(self) -> None:
        if min(self.first, self.every, self.answer) <= ZERO:
            raise ValueError("The times of check-ins must be longer than nothing.")


@dataclass(frozen=True)
class Policy:
    """What holds for one job: its limits as copied at launch, the team's policy, and the job's own choices inside it.

    ``lifetime`` counts from the launch; a person may extend it up to ``ceiling``. ``None`` for both means that an admin
    chose no limit. ``changed_at``: what a change since then makes due gets a full warning from it on. ``start_limit``
    bounds the time from a launch to RUNNING. ``schedule_since``: stops of the schedule before it do not count.
    """

    lifetime: dt.timedelta | None
    ceiling: dt.timedelta | None
    warn_lead: dt.timedelta = 15 * MINUTE
    task: str = "PERSISTENT"
    high: IdleRule = IdleRule(60 * MINUTE, 15 * MINUTE)
    medium: IdleRule = IdleRule(90 * MINUTE, 20 * MINUTE)
    checkin: CheckIn = CheckIn()
    boot_grace: dt.timedelta = 20 * MINUTE
    start_limit: dt.timedelta | None = None
    schedule: Schedule | None = None
    schedule_since: dt.datetime | None = None
    observes: bool = False
    observe_until: dt.datetime | None = None
    changed_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        for name in ("lifetime", "ceiling", "start_limit"):
            value = getattr(self, name)
            if value is not None and value <= ZERO:
                raise ValueError(f"{name} must be longer than nothing, or absent; a zero limit is a mistake.")
        if self.warn_lead <= ZERO or self.boot_grace < ZERO:
            raise ValueError("A warning must be longer than nothing, and the boot grace not less.")
        if (self.lifetime is None) != (self.ceiling is None):
            raise ValueError("Either both the lifetime and its ceiling are limited, or neither is.")
        if self.lifetime and self.ceiling and self.ceiling < self.lifetime:
            raise ValueError("The ceiling must not be shorter than the lifetime.")

    def idle_rule(self, confidence: Confidence) -> IdleRule | None:
        """The rule at this confidence; with a low one nothing is inferred."""
        return {Confidence.HIGH: self.high, Confidence.MEDIUM: self.medium}.get(confidence)

    def is_observing(self, now: dt.datetime) -> bool:
        """Whether stops for idleness are only noted at ``now``."""
        return self.observes and (self.observe_until is None or now < self.observe_until)

    def notice_from(self, now: dt.datetime) -> dt.datetime | None:
        """The last moment at which the policy changed, so that a full warning counts from it."""
        began = self.observe_until if self.observes and not self.is_observing(now) else None
        return max((at for at in (self.changed_at, began) if at is not None), default=None)


@dataclass(frozen=True)
class Facts:
    """What is known of one job. All times are aware UTC.

    ``running_at`` is when the present run was first seen RUNNING, ``starting_since`` when it began to start.
    ``acts`` are what people did in the app, in words and when; ``confirmed_at`` the last time somebody said that the job
    is in use, ``connected_at`` opened its connection; ``kept_until`` is what its own container asked for.
    ``trusted_since``: nothing observed before it counts as quiet; ``resumed_at``: when the engine came back from an
    outage.
    ``warned_for`` is the deadline that people were told of, ``warned_at`` when they were told, ``warning_arrived``
    whether that reached anybody. ``soft_hold`` says why stops for idleness are held back.
    """

    launched_at: dt.datetime
    running_at: dt.datetime | None = None
    starting_since: dt.datetime | None = None
    extend_until: dt.datetime | None = None
    protected_until: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    connected_at: dt.datetime | None = None
    kept_until: dt.datetime | None = None
    signals: tuple[Signal, ...] = ()
    trusted_since: dt.datetime | None = None
    resumed_at: dt.datetime | None = None
    cloud_lost_since: dt.datetime | None = None
    receiver_is_down: bool = False
    budget_reached_at: dt.datetime | None = None
    budget_name: str = ""
    rate_exceeded_at: dt.datetime | None = None
    rate_words: str = ""
    warned_for: dt.datetime | None = None
    warned_at: dt.datetime | None = None
    warning_arrived: bool = True
    reminded_for: dt.datetime | None = None
    soft_hold: str = ""

    @property
    def acts(self) -> tuple[tuple[str, dt.datetime], ...]:
        """What people did, in words and when."""
        said = [("somebody said that it is in use", self.confirmed_at)]
        said.append(("somebody opened its connection", self.connected_at))
        return tuple((what, at) for what, at in said if at is not None)
