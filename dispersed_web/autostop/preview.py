"""What would become of a job that begins to run now. Pure: the verdicts of :func:`dispersed_web.autostop.policy.decide` on
jobs that there are not yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import Samples, Signal
from dispersed_web.autostop.policy import Verdict, decide
from dispersed_web.autostop.terms import Facts, Policy


@dataclass(frozen=True)
class End:
    """The last moment at which the job runs whatever anybody does now, and the reason code of the limit that sets it."""

    at: dt.datetime
    rule: str


def unwatched(policy: Policy, now: dt.datetime) -> Verdict:
    """The verdict on a job of which nothing tells whether it is used."""
    return decide(policy, Facts(launched_at=now, running_at=now), now)


def left_alone(policy: Policy, source: str, now: dt.datetime) -> Verdict:
    """The verdict by idleness alone, as if it were enforced, on one that ``source`` (``heartbeat`` or ``log``) tells of
    and that nobody uses, right when it may be idle for the first time."""
    alone = replace(policy, lifetime=None, ceiling=None, schedule=None, observes=False)
    at = now + policy.boot_grace
    signal = Signal(source, at, at, (Samples(first_at=at, last_at=at, ssh_open=0),))
    return decide(alone, Facts(launched_at=now, running_at=now, signals=(signal,)), at)


def latest(policy: Policy, now: dt.datetime) -> End | None:
    """When its lifetime or the team's schedule ends it; ``None`` without either."""
    facts = Facts(launched_at=now)
    lifetime = deadlines.lifetime(policy, facts)
    scheduled = deadlines.next_scheduled(policy, facts)
    ends = [End(lifetime.at, deadlines.LIFETIME)] if lifetime else []
    ends += [End(scheduled, deadlines.SCHEDULE)] if scheduled else []
    return min(ends, key=lambda end: end.at, default=None)
