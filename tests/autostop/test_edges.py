"""Edges of the decision: two signals that fall silent, a hard limit beside a stop for idleness, and when to look again."""

from __future__ import annotations

from dataclasses import replace

from dispersed_web.autostop import policy
from dispersed_web.autostop.activity import Activity, read
from dispersed_web.autostop.deadlines import IDLE, LIFETIME, checkin_at
from dispersed_web.autostop.policy import decide
from dispersed_web.autostop.samples import Signal
from dispersed_web.autostop.terms import CheckIn, IdleRule, Policy
from tests.autostop.plain import (
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    Beat,
    at,
    every,
    heartbeat,
    quiet,
    quiet_log,
)

# Ends at minute 120, and is warned about from minute 105 on; idleness is warned about five minutes before.
BOTH = Policy(lifetime=2 * HOUR, ceiling=DAY, high=IdleRule(HOUR, 5 * MINUTE))


def seen(now: float, *signals: Signal) -> Activity:
    return read(signals, floor=at(0), now=at(now))


def test_of_two_signals_the_first_to_fall_silent_begins_the_blindness() -> None:
    """After an outage of ours neither is given up before it had the time to be heard again."""
    signals = (quiet(0, 24), quiet_log(0, 15))
    assert read(signals, floor=at(0), trusted_since=at(20), now=at(31)).blind_since == at(15)


def test_of_two_signals_that_were_given_up_the_last_one_counts() -> None:
    found = seen(60, quiet(0, 20), quiet_log(0, 30))
    assert (found.lost_at, found.usable) == (at(45), ())


def test_a_quiet_lane_tells_its_highest_value_of_all_the_quiet_time() -> None:
    calm = every(MINUTE, 0, 30, gpu=1, cpu=0.1, net=100_000)
    highest = Beat(at(12), gpu=3, cpu=0.2, net=300_000)
    said = {one.signal: one.value for one in seen(30, heartbeat([*calm, highest])).evidence}
    assert (said["gpu"], said["cpu"], said["net"]) == ("≤ 3 %", "≤ 0.2 cores", "≤ 0.3 MB/min")


def test_a_hard_limit_that_is_near_does_not_wait_for_an_idle_stop_that_may_not_be_announced() -> None:
    """The newest sample is too old to warn of idleness by, which would come first."""
    verdict = decide(BOTH, replace(FACTS, signals=(quiet(0, 103),)), at(106))
    assert (verdict.rule, verdict.warn) == (LIFETIME, True)


def test_an_idle_stop_that_comes_first_is_announced_although_a_hard_limit_is_near() -> None:
    used = heartbeat([*every(MINUTE, 0, 106), Beat(at(48), gpu=90)])
    verdict = decide(BOTH, replace(FACTS, signals=(used,)), at(106))
    assert (verdict.rule, verdict.warn) == (IDLE, True)


def test_the_engine_looks_again_for_the_reminder_and_then_for_the_stop() -> None:
    rules = Policy(lifetime=4 * HOUR, ceiling=DAY, task="BATCH")
    told = replace(FACTS, warned_for=at(240), warned_at=at(225))
    assert decide(rules, told, at(226)).look_again_at == at(235)
    assert decide(rules, replace(told, reminded_for=at(240)), at(236)).look_again_at == at(240)


def test_what_has_no_limit_is_not_extended() -> None:
    unlimited = Policy(lifetime=None, ceiling=None, task="BATCH")
    assert policy.extension(unlimited, FACTS, at(90), at(60)) is None


def test_a_long_answer_after_a_lost_signal_lasts_as_long_as_the_team_says() -> None:
    rules = replace(POLICY, checkin=CheckIn(every=DAY))
    known = replace(FACTS, confirmed_at=at(60))
    use = replace(seen(70, quiet(0, 20)), lost_at=at(35))
    assert checkin_at(rules, known, use) == at(60) + DAY
