"""A signal that comes and goes puts off for ever neither what people are asked, nor a near limit."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from dispersed_web.autostop import deadlines, policy
from dispersed_web.autostop.activity import Activity, Confidence, Use
from dispersed_web.autostop.samples import Samples, Signal
from dispersed_web.autostop.terms import Facts, IdleRule, Policy

T0 = dt.datetime(2026, 11, 23, 0, 0, tzinfo=dt.UTC)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
POLICY = Policy(lifetime=7 * 24 * HOUR, ceiling=7 * 24 * HOUR)
FACTS = Facts(launched_at=T0, running_at=T0)


@pytest.mark.parametrize(
    ("lost_after", "said_after", "asked_after"),
    [
        (1 * HOUR, None, 3 * HOUR),
        (9 * HOUR, None, 11 * HOUR),
        (11 * HOUR, None, 12 * HOUR),
        (30 * HOUR, None, 12 * HOUR),
        (30 * HOUR, 20 * HOUR, 32 * HOUR),
        (30 * HOUR, 31 * HOUR, 35 * HOUR),
    ],
)
def test_a_signal_that_is_lost_again_and_again_does_not_put_the_question_off(
    lost_after: dt.timedelta, said_after: dt.timedelta | None, asked_after: dt.timedelta
) -> None:
    use = Activity(Use.UNKNOWN, Confidence.LOW, lost_at=T0 + lost_after)
    facts = replace(FACTS, confirmed_at=T0 + said_after if said_after else None)
    assert deadlines.checkin_at(POLICY, facts, use) == T0 + asked_after


def test_a_stop_for_idleness_that_is_not_announced_yet_hides_no_warning_that_was_given() -> None:
    """The lifetime ends in ten minutes, and people know; the machine has been quiet for three of its ten minutes."""
    end = T0 + 12 * HOUR
    now = end - 8 * MINUTE
    rules = Policy(lifetime=12 * HOUR, ceiling=24 * HOUR, high=IdleRule(10 * MINUTE, 2 * MINUTE))
    beats = Samples(
        now - 60 * MINUTE, now, count=61, gap=MINUTE, gpu_top=50, gpu_busy=60, gpu_at=now - 6 * MINUTE
    )
    heartbeat = Signal("heartbeat", T0, now, (beats,))
    told = {"warned_for": end, "warned_at": end - 15 * MINUTE, "confirmed_at": T0 + 11 * HOUR}
    verdict = policy.decide(rules, replace(FACTS, signals=(heartbeat,), **told), now)
    assert (verdict.rule, verdict.state, verdict.stop_at) == ("max_lifetime", "warned", end)
