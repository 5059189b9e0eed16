"""What people say and choose: observing, check-ins, connections, protections."""

from __future__ import annotations

from dataclasses import replace

from dispersed_web.autostop.policy import State, decide
from tests.autostop.plain import (
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SECOND,
    T0,
    Engine,
    Stream,
    at,
    every,
    heartbeat,
    life,
    log,
    quiet,
)

# Observing -----------------------------------------------------------------------------------------------------------


def test_while_idle_stops_are_observed_they_are_noted_and_hard_limits_act() -> None:
    rules = replace(POLICY, observes=True, observe_until=at(300))
    job = life(rules, Stream(every(MINUTE, 0, 600)))
    first = next(step for step in job.steps if step.verdict.state == State.OBSERVED)
    assert (first.now, first.verdict.would_stop_at) == (at(80), at(80))
    # the full warning from the end of observing on
    assert [step.now for step in job.warnings] == [at(300)]
    assert job.steps[-1].now == at(315)
    assert decide(replace(rules, lifetime=HOUR), replace(FACTS, signals=(quiet(0, 60),)), at(60)).warn


def test_a_hard_limit_is_announced_also_while_an_idle_stop_is_observed() -> None:
    rules = replace(POLICY, observes=True, lifetime=2 * HOUR)
    verdict = decide(rules, replace(FACTS, signals=(quiet(0, 106),)), at(106))
    assert (verdict.state, verdict.warn, verdict.would_stop_at) == (State.WARNED, True, at(80))


def test_thin_samples_are_not_even_observed_to_be_idle() -> None:
    rules = replace(POLICY, observes=True)
    job = life(rules, Stream(every(2 * MINUTE, 0, 300)), end=300)
    assert State.OBSERVED not in {step.verdict.state for step in job.steps}


# Acts of people ------------------------------------------------------------------------------------------------------


def test_an_answer_to_the_check_in_lasts_until_the_next() -> None:
    job = Engine(POLICY, FACTS)
    assert job.run(T0, at(125)) is None
    assert [step.now for step in job.warnings] == [at(120)]
    job.facts = replace(job.facts, confirmed_at=at(126))
    assert job.run(at(126), at(900)) == at(126 + 240 + 30)
    assert [step.now for step in job.warnings] == [at(120), at(366)]


def test_opening_the_connection_is_use_for_a_quarter_of_an_hour() -> None:
    facts = replace(FACTS, signals=(quiet(0, 90),), connected_at=at(70))
    assert decide(POLICY, facts, at(85)).state == State.ACTIVE
    assert decide(POLICY, facts, at(86)).state == State.QUIET
    assert decide(POLICY, facts, at(86)).stop_at == at(130)
    assert decide(POLICY, replace(FACTS, connected_at=at(115)), at(118)).warn_at == at(130)


def test_a_protection_holds_until_its_end_and_against_idleness_alone() -> None:
    facts = replace(FACTS, protected_until=at(300))
    job = life(POLICY, Stream(every(MINUTE, 0, 600)), facts=facts)
    assert {step.verdict.state for step in job.steps if at(20) < step.now < at(285)} == {State.PROTECTED}
    assert job.steps[-1].now == at(300)
    assert life(replace(POLICY, lifetime=2 * HOUR), Stream(every(MINUTE, 0, 600)), facts=facts).steps[
        -1
    ].now == at(120)


def test_a_protection_that_has_ended_is_none() -> None:
    facts = replace(FACTS, signals=(quiet(0, 60),), protected_until=at(60))
    assert decide(POLICY, facts, at(60) - SECOND).state == State.PROTECTED
    assert decide(POLICY, facts, at(60)).state == State.QUIET


def test_an_answer_ends_no_quiet_before_it_was_given() -> None:
    facts = replace(FACTS, signals=(log(every(5 * MINUTE, 0, 100)), heartbeat(every(MINUTE, 0, 100))))
    assert decide(POLICY, replace(facts, confirmed_at=at(60)), at(100)).quiet_since == at(60)
