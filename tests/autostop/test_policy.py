"""The decision: the ladder from start to stop, what moves it, and what a verdict tells."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop.activity import Confidence
from dispersed_web.autostop.policy import FRESH_SAMPLE, MORE_SAMPLES, NOT_ARRIVED, State, decide
from dispersed_web.autostop.terms import Facts, IdleRule, Policy
from tests.autostop.plain import (
    AT_STOP,
    END,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SECOND,
    SEEN,
    SHORT,
    T0,
    TOLD,
    Beat,
    Engine,
    Stream,
    at,
    every,
    heartbeat,
    quiet,
    quiet_log,
)


def used(minute: float, **said: Any) -> tuple[Any, ...]:
    return (heartbeat([*every(MINUTE, 0, minute), Beat(at(minute), **said)]),)


# States --------------------------------------------------------------------------------------------------------------

OF_STATE: dict[State, tuple[Policy, Facts, dt.datetime]] = {
    State.STARTING: (POLICY, replace(FACTS, running_at=None), at(1)),
    State.ACTIVE: (POLICY, replace(FACTS, signals=used(60, gpu=87)), at(60)),
    State.QUIET: (POLICY, SEEN, at(60)),
    State.BLIND: (POLICY, SEEN, at(66)),
    State.UNKNOWN: (POLICY, FACTS, at(60)),
    State.PROTECTED: (POLICY, replace(SEEN, protected_until=at(61)), at(60)),
    State.OBSERVED: (replace(POLICY, observes=True), replace(FACTS, signals=(quiet(0, 81),)), at(81)),
    State.WARNED: (POLICY, replace(FACTS, signals=(quiet(0, 65),)), at(65)),
    State.DUE: (POLICY, AT_STOP, at(80)),
    State.UNLIMITED: (Policy(lifetime=None, ceiling=None, task="BATCH"), FACTS, at(99999)),
}


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached(state: State) -> None:
    assert decide(*OF_STATE[state]).state == state


@pytest.mark.parametrize(
    ("facts", "now", "warn", "stop", "state"),
    [
        (FACTS, T0 + HOUR, False, False, State.UNKNOWN),
        (replace(FACTS, running_at=None), T0 + MINUTE, False, False, State.STARTING),
        (FACTS, END - 16 * MINUTE, False, False, State.UNKNOWN),
        (FACTS, END - 15 * MINUTE, True, False, State.WARNED),
        (TOLD, END - 5 * MINUTE, False, False, State.WARNED),
        (TOLD, END - SECOND, False, False, State.WARNED),
        (TOLD, END, False, True, State.DUE),
        (TOLD, END + 3 * HOUR, False, True, State.DUE),
        # nobody was told: even long after the deadline people get notice first
        (FACTS, END + 3 * HOUR, True, False, State.WARNED),
        # told late: five minutes pass before the stop
        (replace(TOLD, warned_at=END + HOUR), END + HOUR + 4 * MINUTE, False, False, State.WARNED),
        (replace(TOLD, warned_at=END + HOUR), END + HOUR + 5 * MINUTE, False, True, State.DUE),
        # told of another deadline: that warning does not count
        (replace(TOLD, warned_for=END - HOUR), END + MINUTE, True, False, State.WARNED),
        # a job that never got to run is stopped all the same: it bills from its launch on
        (replace(TOLD, running_at=None), END, False, True, State.DUE),
    ],
)
def test_the_ladder_from_start_to_stop(
    facts: Facts, now: dt.datetime, warn: bool, stop: bool, state: State
) -> None:
    verdict = decide(SHORT, facts, now)
    assert (verdict.warn, verdict.stop, verdict.state) == (warn, stop, state)
    assert verdict.rule == "max_lifetime"


def test_a_verdict_explains_itself() -> None:
    verdict = decide(POLICY, SEEN, at(60))
    assert (verdict.deadline_at, verdict.stop_at, verdict.warn_at) == (at(80), at(80), at(65))
    assert (verdict.quiet_since, verdict.idle_limit) == (at(20), HOUR)
    assert verdict.confidence is Confidence.HIGH
    assert verdict.sentence.startswith("Idle for 40 min of 1 h: GPU 0 % for 40 min, 41 samples")
    assert {one.signal for one in verdict.evidence} == {"gpu", "cpu", "net", "ssh"}
    active = decide(POLICY, replace(FACTS, signals=used(60, gpu=87)), at(60))
    assert active.last_active is not None
    assert (active.last_active.value, active.quiet_since, active.stop_at) == ("87 %", None, at(120))


def test_no_limit_at_all_is_said_plainly() -> None:
    verdict = decide(*OF_STATE[State.UNLIMITED])
    assert (verdict.stop_at, verdict.stop, verdict.look_again_at) == (None, False, None)
    assert verdict.sentence == "No limit: runs until somebody stops it."


# Idleness, step by step ----------------------------------------------------------------------------------------------


def test_what_stays_quiet_is_warned_reminded_and_stopped() -> None:
    job = Engine(POLICY, FACTS, Stream(every(MINUTE, 0, 600)))
    assert job.run(T0, at(600)) == at(80)
    assert [step.now for step in job.warnings] == [at(65)]
    assert [step.now for step in job.steps if step.verdict.remind] == [at(75)]
    states = [step.verdict.state for step in job.steps]
    assert states == ["active"] * 20 + ["quiet"] * 45 + ["warned"] * 15 + ["due"]


def test_meaningful_logs_stop_after_ninety_minutes_of_quiet() -> None:
    job = Engine(POLICY, FACTS, Stream(every(5 * MINUTE, 0, 600), 5 * MINUTE, "log"))
    assert job.run(T0, at(600)) == at(110)
    assert [step.now for step in job.warnings] == [at(90)]


def test_use_after_the_warning_calls_the_stop_off() -> None:
    job = Engine(POLICY, FACTS, Stream([*every(MINUTE, 0, 300), Beat(at(70), gpu=50)]))
    assert job.run(T0, at(300)) == at(130)
    assert [step.now for step in job.warnings] == [at(65), at(115)]
    assert {step.verdict.state for step in job.steps if at(70) <= step.now <= at(75)} == {State.ACTIVE}


def test_an_open_but_silent_session_is_warned_twice_as_early() -> None:
    job = Engine(POLICY, FACTS, Stream(every(MINUTE, 0, 600, ssh=1, key=at(1))))
    assert job.run(T0, at(600)) == at(80)
    assert [step.now for step in job.warnings] == [at(50)]


@pytest.mark.parametrize(
    ("changes", "now", "why"),
    [
        ({"soft_hold": "the clocks differ"}, at(80), "the clocks differ"),
        ({}, at(83), FRESH_SAMPLE),
        ({"warning_arrived": False}, at(80), NOT_ARRIVED),
        (
            {"signals": (heartbeat([*every(MINUTE, 0, 50), *every(2 * MINUTE, 52, 80)]),)},
            at(80),
            MORE_SAMPLES,
        ),
    ],
    ids=str,
)
def test_why_a_stop_for_idleness_waits(changes: dict[str, Any], now: dt.datetime, why: str) -> None:
    verdict = decide(POLICY, replace(AT_STOP, **changes), now)
    assert (verdict.stop, verdict.waits_for, verdict.state) == (False, why, State.WARNED)
    assert verdict.look_again_at is not None
    assert verdict.look_again_at <= now + 15 * SECOND


def test_nobody_is_warned_on_an_old_sample() -> None:
    verdict = decide(POLICY, replace(FACTS, signals=(quiet(0, 62),)), at(65))
    assert (verdict.state, verdict.warn, verdict.waits_for) == (State.QUIET, False, FRESH_SAMPLE)
    assert verdict.look_again_at == at(65) + 10 * SECOND


def test_a_question_that_reached_nobody_is_looked_after_closely() -> None:
    asked = replace(FACTS, warned_for=at(150), warned_at=at(120), warning_arrived=False)
    verdict = decide(POLICY, asked, at(150))
    assert (verdict.stop, verdict.waits_for, verdict.stop_at) == (False, NOT_ARRIVED, at(180))
    assert verdict.look_again_at == at(150) + 10 * SECOND
    assert decide(POLICY, asked, at(180)).stop


def test_hard_limits_wait_for_nothing() -> None:
    facts = replace(TOLD, soft_hold="the clocks differ", warning_arrived=False, cloud_lost_since=at(1))
    assert decide(SHORT, facts, END).stop


def test_what_reports_too_seldom_is_never_idle_and_says_so() -> None:
    job = Engine(POLICY, FACTS, Stream(every(90 * SECOND, 500, 800)))
    assert job.run(at(560), at(800)) == at(750)  # nobody answers the question of the twelfth hour
    assert [step.verdict.rule for step in job.warnings] == ["checkin_unanswered"]
    waiting = job.steps[100].verdict
    assert (waiting.state, waiting.waits_for, waiting.warn) == (State.QUIET, MORE_SAMPLES, False)


def test_a_warning_that_reached_nobody_puts_the_stop_off_once() -> None:
    facts = replace(AT_STOP, signals=(quiet(0, 95),), warning_arrived=False)
    for minute, stop in ((80, False), (94, False), (95, True)):
        verdict = decide(POLICY, facts, at(minute))
        assert verdict.stop is stop
        assert stop or verdict.stop_at == at(95)
    assert decide(POLICY, replace(facts, warning_arrived=True), at(81)).stop


@pytest.mark.parametrize(
    ("reminded_for", "now", "remind"),
    [
        (None, at(75) - SECOND, False),
        (None, at(75), True),
        (None, at(80) - SECOND, True),
        (None, at(80), False),
        (at(80), at(76), False),
        (at(80) - 30 * SECOND, at(76), False),
        (at(50), at(76), True),
    ],
)
def test_people_are_reminded_once_shortly_before(
    reminded_for: dt.datetime | None, now: dt.datetime, remind: bool
) -> None:
    assert decide(POLICY, replace(AT_STOP, reminded_for=reminded_for), now).remind is remind


def test_a_warning_shorter_than_the_reminder_has_none() -> None:
    short = replace(POLICY, high=IdleRule(8 * MINUTE, 4 * MINUTE))
    facts = replace(FACTS, signals=(quiet(0, 27),), warned_for=at(28), warned_at=at(24))
    assert not decide(short, facts, at(27)).remind


@pytest.mark.parametrize(("told_at", "remind"), [(85, True), (91, True), (92, False), (98, False)])
def test_a_reminder_comes_some_minutes_after_the_warning_or_not_at_all(told_at: int, remind: bool) -> None:
    rules = Policy(lifetime=100 * MINUTE, ceiling=300 * MINUTE)
    facts = Facts(launched_at=at(0), warned_for=at(100), warned_at=at(told_at))
    told = [decide(rules, facts, at(told_at) + step * 10 * SECOND) for step in range(90)]
    assert any(verdict.remind for verdict in told) is remind


def test_a_stop_that_moved_by_less_than_a_minute_is_not_warned_of_again() -> None:
    moved = replace(AT_STOP, warned_for=at(80) - 59 * SECOND)
    assert decide(POLICY, moved, at(70)).state == State.WARNED
    assert not decide(POLICY, moved, at(70)).warn
    assert decide(POLICY, moved, at(80)).stop
    earlier = replace(AT_STOP, warned_for=at(80) + SECOND)
    verdict = decide(POLICY, earlier, at(80))
    assert (verdict.warn, verdict.stop, verdict.stop_at) == (True, False, at(95))


# When to look again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "facts", "now", "expected"),
    [
        (SHORT, replace(FACTS, running_at=None), at(60), END - 15 * MINUTE),
        (SHORT, FACTS, END - 18 * MINUTE, END - 15 * MINUTE),
        (SHORT, TOLD, END - 12 * MINUTE, END - 5 * MINUTE),
        (SHORT, TOLD, END - 3 * MINUTE, END),
        (SHORT, TOLD, END, None),
        (POLICY, FACTS, at(60), at(65)),  # a signal may speak for the first time
        (POLICY, FACTS, at(118), at(120)),
        (POLICY, SEEN, at(60), at(61)),
        (POLICY, replace(FACTS, signals=(quiet(0, 64.5),)), at(64.5), at(65)),
        (POLICY, AT_STOP, at(70), at(70) + 10 * SECOND),
        (POLICY, replace(FACTS, signals=used(60, gpu=87)), at(60), at(65)),
        (POLICY, SEEN, at(67), at(68)),
        (replace(POLICY, observes=True), replace(FACTS, signals=(quiet(0, 79),)), at(79.5), at(80)),
        (POLICY, replace(SEEN, protected_until=at(300)), at(60), at(65)),
        (POLICY, replace(FACTS, signals=(quiet_log(0, 60),)), at(60), at(61)),
    ],
)
def test_when_to_look_again(
    rules: Policy, facts: Facts, now: dt.datetime, expected: dt.datetime | None
) -> None:
    assert decide(rules, facts, now).look_again_at == expected
