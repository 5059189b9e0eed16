"""The terms of a decision: one good value for each argument, and each case changes one thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from dispersed_web.autostop.policy import Verdict, decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from tests.autostop.plain import DAY, FACTS, HOUR, MINUTE, POLICY, SECOND, SEEN, T0, at, quiet, quiet_log

ZERO = dt.timedelta(0)
OFFICE = Schedule("UTC", (StopTime(frozenset(range(7)), dt.time(13, 10)),))

NOW = at(60)
# Then a job that was quiet from the start is 20 minutes from its stop for idleness.
TOLD = replace(FACTS, signals=(quiet(0, 80),), warned_for=at(80), warned_at=at(65))
STARTING = replace(FACTS, running_at=None)
EARLIER = replace(TOLD, running_at=at(-60), signals=(quiet(-60, 60),), warned_for=at(20), warned_at=at(5))


@dataclass(frozen=True)
class Case:
    """With this value of the argument instead of the usual one, ``read`` finds ``then`` in the verdict, and not before."""

    name: str
    value: Any
    read: Callable[[Verdict], Any]
    then: Any
    facts: Facts = SEEN
    policy: Policy = POLICY
    now: dt.datetime = NOW

    def __str__(self) -> str:
        return self.name


def rule(verdict: Verdict) -> Any:
    return verdict.rule


def state(verdict: Verdict) -> Any:
    return verdict.state.value


def stop_at(verdict: Verdict) -> Any:
    return verdict.stop_at


def warn_at(verdict: Verdict) -> Any:
    return verdict.warn_at


def acts(verdict: Verdict) -> Any:
    return verdict.warn, verdict.remind, verdict.stop


def sentence(verdict: Verdict) -> Any:
    return verdict.sentence


OF_POLICY = [
    Case("lifetime", 70 * MINUTE, rule, "max_lifetime"),
    Case("ceiling", 36 * HOUR, stop_at, T0 + 36 * HOUR, facts=replace(SEEN, extend_until=T0 + 2 * DAY)),
    Case("warn_lead", 5 * MINUTE, warn_at, T0 + DAY - 5 * MINUTE, policy=replace(POLICY, task="BATCH")),
    Case("task", "BATCH", rule, "max_lifetime"),
    Case("high", IdleRule(45 * MINUTE, 10 * MINUTE), warn_at, at(55)),
    Case(
        "medium",
        IdleRule(80 * MINUTE, 20 * MINUTE),
        stop_at,
        at(100),
        replace(FACTS, signals=(quiet_log(0, 60),)),
    ),
    Case("checkin", CheckIn(first=HOUR), stop_at, at(90), facts=FACTS),
    Case("boot_grace", 10 * MINUTE, stop_at, at(75)),
    Case("start_limit", 70 * MINUTE, rule, "stuck_starting", facts=STARTING),
    Case("schedule", OFFICE, rule, "schedule"),
    Case("schedule_since", at(71), rule, "idle", policy=replace(POLICY, schedule=OFFICE)),
    Case("observes", True, rule, "checkin_unanswered"),
    Case("observe_until", at(30), rule, "idle", policy=replace(POLICY, observes=True)),
    Case("changed_at", at(59), acts, (True, False, False), facts=EARLIER),
]
OF_FACTS = [
    Case("launched_at", at(60) - DAY, rule, "max_lifetime"),
    Case("running_at", None, state, "starting"),
    Case("starting_since", at(10), stop_at, at(80), STARTING, replace(POLICY, start_limit=70 * MINUTE)),
    Case("extend_until", at(120), stop_at, at(120)),
    Case("protected_until", at(120), state, "protected"),
    Case("confirmed_at", at(50), stop_at, at(110)),
    Case("connected_at", at(50), stop_at, at(110)),
    Case("kept_until", at(120), stop_at, at(120)),
    Case("signals", (), state, "unknown"),
    Case("trusted_since", at(40), stop_at, at(100)),
    Case("resumed_at", at(80), acts, (False, False, False), facts=TOLD, now=at(80)),
    Case("cloud_lost_since", at(59), state, "blind"),
    Case("receiver_is_down", True, state, "blind", facts=replace(FACTS, signals=(quiet(0, 40),))),
    Case("budget_reached_at", at(59), rule, "budget"),
    Case(
        "budget_name",
        "The team's budget of the day",
        sentence,
        "The team's budget of the day is used up.",
        facts=replace(SEEN, budget_reached_at=at(59)),
    ),
    Case("rate_exceeded_at", at(59), rule, "rate"),
    Case(
        "rate_words",
        "$3.00 per hour",
        sentence,
        "It costs more than was allowed at launch: $3.00 per hour.",
        facts=replace(SEEN, rate_exceeded_at=at(59)),
    ),
    Case("warned_for", None, acts, (True, False, False), facts=TOLD, now=at(80)),
    Case("warned_at", at(70), stop_at, at(85), facts=TOLD, now=at(80)),
    Case("warning_arrived", False, acts, (False, False, False), facts=TOLD, now=at(80)),
    Case("reminded_for", at(80), acts, (False, False, False), facts=TOLD, now=at(76)),
    Case("soft_hold", "the clocks differ", acts, (False, False, False), facts=TOLD, now=at(80)),
]


def test_what_the_good_values_lead_to() -> None:
    verdict = decide(POLICY, SEEN, at(60))
    assert (rule(verdict), state(verdict), warn_at(verdict), stop_at(verdict)) == (
        "idle",
        "quiet",
        at(65),
        at(80),
    )
    assert acts(decide(POLICY, TOLD, at(76))) == (False, True, False)
    assert acts(decide(POLICY, TOLD, at(80))) == (False, False, True)


@pytest.mark.parametrize("case", OF_POLICY, ids=str)
def test_what_each_argument_of_a_policy_changes(case: Case) -> None:
    assert case.read(decide(case.policy, case.facts, case.now)) != case.then
    changed = replace(case.policy, **{case.name: case.value})
    assert case.read(decide(changed, case.facts, case.now)) == case.then


@pytest.mark.parametrize("case", OF_FACTS, ids=str)
def test_what_each_fact_changes(case: Case) -> None:
    assert case.read(decide(case.policy, case.facts, case.now)) != case.then
    changed = replace(case.facts, **{case.name: case.value})
    assert case.read(decide(case.policy, changed, case.now)) == case.then


def test_no_argument_is_left_out() -> None:
    assert {case.name for case in OF_POLICY} == {field.name for field in fields(Policy)}
    assert {case.name for case in OF_FACTS} == {field.name for field in fields(Facts)}


# Mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [ZERO, -SECOND])
@pytest.mark.parametrize("name", ["lifetime", "ceiling", "start_limit", "warn_lead"])
def test_a_limit_of_nothing_is_a_mistake_and_never_no_limit(name: str, value: dt.timedelta) -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        replace(POLICY, **{name: value})


@pytest.mark.parametrize("value", [ZERO, -SECOND])
@pytest.mark.parametrize(
    ("good", "name"),
    [
        (IdleRule(HOUR, MINUTE), "limit"),
        (IdleRule(HOUR, MINUTE), "lead"),
        (CheckIn(), "first"),
        (CheckIn(), "every"),
        (CheckIn(), "answer"),
    ],
)
def test_an_idle_rule_and_a_check_in_of_nothing_are_mistakes(
    good: IdleRule | CheckIn, name: str, value: dt.timedelta
) -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        replace(good, **{name: value})


def test_no_boot_grace_is_a_choice_but_less_than_none_is_a_mistake() -> None:
    assert replace(POLICY, boot_grace=ZERO).boot_grace == ZERO
    with pytest.raises(ValueError, match="boot grace"):
        replace(POLICY, boot_grace=-SECOND)


@pytest.mark.parametrize("name", ["lifetime", "ceiling"])
def test_one_limit_that_is_missing_is_a_mistake_and_never_no_limit(name: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        replace(POLICY, **{name: None})
    assert Policy(lifetime=None, ceiling=None).lifetime is None


def test_a_ceiling_below_the_lifetime_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Policy(lifetime=2 * HOUR, ceiling=HOUR)
    assert Policy(lifetime=HOUR, ceiling=HOUR).ceiling == HOUR


def test_the_shortest_lifetime_is_a_lifetime() -> None:
    assert decide(replace(POLICY, lifetime=SECOND, ceiling=SECOND), SEEN, NOW).rule == "max_lifetime"


# Observing, and changes of a policy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observes", "ends", "now", "expected"),
    [
        (False, None, at(0), False),
        (False, at(10), at(0), False),
        (True, None, at(99999), True),
        (True, at(10), at(10) - SECOND, True),
        (True, at(10), at(10), False),
    ],
)
def test_until_when_a_policy_observes(
    observes: bool, ends: dt.datetime | None, now: dt.datetime, expected: bool
) -> None:
    assert replace(POLICY, observes=observes, observe_until=ends).is_observing(now) is expected


@pytest.mark.parametrize(
    ("changed", "observes", "ends", "expected"),
    [
        (None, False, None, None),
        (at(5), False, None, at(5)),
        (None, True, at(10), at(10)),
        (at(5), True, at(10), at(10)),
        (at(15), True, at(10), at(15)),
        (at(5), True, at(30), at(5)),
        (None, False, at(10), None),
    ],
)
def test_the_full_warning_counts_from_the_latest_change(
    changed: dt.datetime | None, observes: bool, ends: dt.datetime | None, expected: dt.datetime | None
) -> None:
    policy = replace(POLICY, changed_at=changed, observes=observes, observe_until=ends)
    assert policy.notice_from(at(20)) == expected


def test_what_people_did_is_said_in_words() -> None:
    assert FACTS.acts == ()
    facts = replace(FACTS, confirmed_at=at(1), connected_at=at(2))
    assert [(what.split()[0], when) for what, when in facts.acts] == [
        ("somebody", at(1)),
        ("somebody", at(2)),
    ]
    assert len({what for what, _ in facts.acts}) == 2
