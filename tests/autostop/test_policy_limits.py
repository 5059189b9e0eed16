"""The decision where limits meet: hard ones next to idleness, and what an extension may move."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop import policy
from dispersed_web.autostop.policy import decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import Facts, IdleRule, Policy
from tests.autostop.plain import (
    AT_STOP,
    DAY,
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
)

# A hard limit next to idleness ---------------------------------------------------------------------------------------

FLAPPING = replace(POLICY, lifetime=2 * HOUR, high=IdleRule(5 * MINUTE, 15 * MINUTE))


@pytest.mark.parametrize("pause", [3, 6, 7, 8])
@pytest.mark.parametrize("said", [{"gpu": 90}, {"ssh": 1}])
def test_what_a_machine_says_of_itself_keeps_no_hard_limit_off(pause: int, said: dict[str, Any]) -> None:
    """Also not where the idle limit is shorter than the time for which a sign of work counts."""
    signs = [
        Beat(at(minute), key=at(minute) if "ssh" in said else None, **said) for minute in range(0, 600, pause)
    ]
    schedule = Schedule("UTC", (StopTime(frozenset(range(7)), dt.time(14)),))
    for rules in (FLAPPING, replace(FLAPPING, lifetime=DAY, schedule=schedule)):
        job = Engine(rules, FACTS, Stream([*every(MINUTE, 0, 600), *signs]))
        stopped = job.run(T0, at(600), 15 * SECOND)
        assert stopped is not None
        assert stopped <= at(132)


def test_an_idle_stop_that_waits_keeps_no_hard_limit_from_warning_and_stopping() -> None:
    rules = replace(POLICY, lifetime=2 * HOUR)
    job = Engine(rules, replace(FACTS, soft_hold="many jobs at once"), Stream(every(MINUTE, 0, 600)))
    assert job.run(T0, at(600)) == at(120)
    assert job.warnings[-1].verdict.rule == "max_lifetime"


def test_what_is_held_back_ends_with_a_hard_limit_that_comes_at_the_same_moment() -> None:
    held = replace(AT_STOP, soft_hold="many jobs at once", reminded_for=at(80))
    rules = replace(POLICY, lifetime=80 * MINUTE + 30 * SECOND)
    assert decide(rules, held, at(80)).waits_for
    verdict = decide(rules, held, at(80) + 30 * SECOND)
    assert (verdict.rule, verdict.stop) == ("max_lifetime", True)


def test_a_stop_that_people_were_told_of_is_not_put_off_by_a_hard_limit_that_has_passed() -> None:
    verdict = decide(replace(POLICY, lifetime=79 * MINUTE), AT_STOP, at(80))
    assert (verdict.rule, verdict.stop) == ("idle", True)


def test_the_earlier_of_both_decides_and_at_the_same_moment_the_hard_limit() -> None:
    assert decide(replace(POLICY, lifetime=79 * MINUTE), SEEN, at(60)).rule == "max_lifetime"
    assert decide(replace(POLICY, lifetime=80 * MINUTE), SEEN, at(60)).rule == "max_lifetime"
    assert decide(replace(POLICY, lifetime=81 * MINUTE), SEEN, at(60)).rule == "idle"


# Extensions ----------------------------------------------------------------------------------------------------------


def test_an_extension_moves_the_stop_and_asks_for_a_new_warning() -> None:
    extended = replace(TOLD, extend_until=END + 2 * HOUR)
    verdict = decide(SHORT, extended, END)
    assert (verdict.warn, verdict.stop, verdict.stop_at) == (False, False, END + 2 * HOUR)
    assert decide(SHORT, extended, END + 2 * HOUR - 10 * MINUTE).warn


@pytest.mark.parametrize(
    ("rules", "facts", "wanted", "granted"),
    [
        (SHORT, FACTS, T0 + 6 * HOUR, T0 + 6 * HOUR),
        (SHORT, FACTS, T0 + 48 * HOUR, T0 + DAY),
        (SHORT, FACTS, END, None),
        (SHORT, FACTS, T0 + HOUR, None),
        (SHORT, replace(FACTS, extend_until=T0 + DAY), T0 + 48 * HOUR, None),
        (POLICY, SEEN, at(90), at(90)),
        (POLICY, SEEN, at(80), None),
        (POLICY, SEEN, T0 + 30 * HOUR, T0 + 30 * HOUR),
        (POLICY, FACTS, at(400), at(400)),
        (POLICY, replace(SEEN, extend_until=at(300)), at(200), None),
        # beyond what cannot be moved
        (POLICY, replace(SEEN, budget_reached_at=at(59)), at(300), None),
        (POLICY, replace(SEEN, rate_exceeded_at=at(59)), at(300), None),
        (Policy(None, None), FACTS, T0 + 900 * HOUR, T0 + 900 * HOUR),
        (Policy(None, None, task="BATCH"), FACTS, T0 + 900 * HOUR, None),
    ],
)
def test_what_an_extension_grants(
    rules: Policy, facts: Facts, wanted: dt.datetime, granted: dt.datetime | None
) -> None:
    assert policy.extension(rules, facts, wanted, at(60)) == granted


def test_a_stop_that_waits_for_its_warning_to_arrive_may_be_extended_for_a_short_while() -> None:
    """The warning may arrive any moment, and then the job is stopped."""
    waiting = replace(AT_STOP, warning_arrived=False)
    assert decide(POLICY, waiting, at(81)).stop_at == at(95)
    assert policy.extension(POLICY, waiting, at(90), at(81)) == at(90)


def test_no_extension_goes_beyond_the_schedule() -> None:
    evening = replace(POLICY, schedule=Schedule("UTC", (StopTime(frozenset(range(7)), dt.time(18)),)))
    assert policy.latest_end(evening, SEEN) == T0 + 6 * HOUR
    assert policy.extension(evening, SEEN, T0 + 9 * HOUR, at(60)) == T0 + 6 * HOUR
    assert policy.latest_end(POLICY, SEEN) == T0 + 7 * DAY
    assert policy.latest_end(Policy(None, None), SEEN) is None
