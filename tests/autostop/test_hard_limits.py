"""The hard limits of a job, which depend on nothing but clock and rows, and when a person is asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.policy import activity_of
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts, Policy
from tests.autostop.plain import (
    BATCH,
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SECOND,
    SEEN,
    T0,
    at,
    quiet,
    quiet_log,
)

NOW = at(60)


def hard(policy: Policy, facts: Facts, now: dt.datetime = NOW) -> dict[str, Deadline]:
    found = deadlines.hard(policy, facts, activity_of(policy, facts, now))
    assert len({one.rule for one in found}) == len(found)
    return {one.rule: one for one in found}


# Hard limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifetime", "ceiling", "extend", "expected"),
    [
        (240, 480, None, 240),
        (240, 480, 100, 240),
        (240, 480, 300, 300),
        (240, 480, 481, 480),
        (240, 240, 300, 240),
    ],
)
def test_an_extension_moves_the_lifetime_up_to_the_ceiling(
    lifetime: int, ceiling: int, extend: int | None, expected: int
) -> None:
    policy = replace(POLICY, lifetime=lifetime * MINUTE, ceiling=ceiling * MINUTE)
    found = hard(policy, replace(FACTS, extend_until=at(extend) if extend else None))["max_lifetime"]
    assert found.at == at(expected)


@pytest.mark.parametrize(
    "words", [{"protected_until": at(9000)}, {"kept_until": at(9000)}, {"confirmed_at": at(59)}], ids=str
)
def test_nothing_but_an_extension_moves_the_lifetime(words: dict[str, Any]) -> None:
    assert hard(POLICY, replace(SEEN, **words))["max_lifetime"].at == T0 + DAY


@pytest.mark.parametrize(
    ("lifetime", "lead", "notice"),
    [
        (DAY, 15 * MINUTE, 5 * MINUTE),
        (HOUR, 12 * MINUTE, 5 * MINUTE),
        (10 * MINUTE, 2 * MINUTE, 2 * MINUTE),
        (30 * SECOND, 10 * SECOND, 10 * SECOND),
    ],
)
def test_a_short_lifetime_is_warned_about_in_proportion(
    lifetime: dt.timedelta, lead: dt.timedelta, notice: dt.timedelta
) -> None:
    found = hard(replace(POLICY, lifetime=lifetime), FACTS)["max_lifetime"]
    assert (found.lead, found.notice, found.puts_off) == (lead, notice, dt.timedelta(0))


def test_no_limit_leaves_a_batch_job_without_deadlines() -> None:
    assert hard(Policy(lifetime=None, ceiling=None, task="BATCH"), SEEN) == {}
    assert set(hard(Policy(lifetime=None, ceiling=None), SEEN)) == {"checkin_unanswered"}


EVENING = Schedule("UTC", (StopTime(frozenset(range(7)), dt.time(18)),))


@pytest.mark.parametrize(
    ("launched", "since", "expected"),
    [
        (T0, None, T0 + 6 * HOUR),
        (T0 - DAY, None, T0 - 18 * HOUR),  # missed, and still due
        (T0 + 6 * HOUR, None, T0 + 30 * HOUR),
        (T0, T0 - DAY, T0 + 6 * HOUR),
        (T0, T0 + 7 * HOUR, T0 + 30 * HOUR),
        (T0, T0 + 6 * HOUR - MINUTE, T0 + 6 * HOUR + 14 * MINUTE),  # the full warning from its change on
    ],
)
def test_the_schedule_stops_a_job_at_its_first_stop(
    launched: dt.datetime, since: dt.datetime | None, expected: dt.datetime
) -> None:
    policy = replace(POLICY, schedule=EVENING, schedule_since=since)
    found = hard(policy, replace(FACTS, launched_at=launched))["schedule"]
    assert (found.at, found.notice) == (expected, 10 * MINUTE)


def test_no_extension_and_no_protection_moves_the_schedule() -> None:
    policy = replace(POLICY, schedule=EVENING, changed_at=T0 + 5 * HOUR)
    facts = replace(SEEN, extend_until=T0 + DAY, protected_until=T0 + DAY)
    assert hard(policy, facts)["schedule"].at == T0 + 6 * HOUR


def test_the_schedule_is_not_for_batch_jobs() -> None:
    assert "schedule" not in hard(replace(BATCH, schedule=EVENING), FACTS)


@pytest.mark.parametrize(("fact", "rule"), [("budget_reached_at", "budget"), ("rate_exceeded_at", "rate")])
@pytest.mark.parametrize("task", ["PERSISTENT", "BATCH"])
def test_what_costs_too_much_has_five_minutes(fact: str, rule: str, task: str) -> None:
    facts = replace(
        SEEN, extend_until=at(9000), protected_until=at(9000), confirmed_at=at(59), **{fact: at(58)}
    )
    found = hard(replace(POLICY, task=task), facts)[rule]
    assert (found.at, found.lead, found.notice) == (at(63), 5 * MINUTE, 5 * MINUTE)
    assert rule not in hard(POLICY, SEEN)


@pytest.mark.parametrize(
    ("limit", "lead"), [(25 * MINUTE, 5 * MINUTE), (20 * MINUTE, 4 * MINUTE), (20 * SECOND, 10 * SECOND)]
)
def test_a_run_that_does_not_start_is_given_up(limit: dt.timedelta, lead: dt.timedelta) -> None:
    policy = replace(POLICY, start_limit=limit)
    starting = replace(FACTS, running_at=None, starting_since=at(3))
    found = hard(policy, starting)["stuck_starting"]
    assert (found.at, found.lead, found.notice) == (at(3) + limit, lead, lead)
    assert "stuck_starting" not in hard(policy, FACTS)
    assert "stuck_starting" not in hard(policy, replace(starting, starting_since=None))
    assert "stuck_starting" not in hard(POLICY, starting)


# Check-ins -----------------------------------------------------------------------------------------------------------

LOST = replace(FACTS, signals=(quiet(0, 30),))  # given up at 45


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # nothing tells: two hours after it began to run, then four hours after each answer
        (FACTS, 120),
        (replace(FACTS, running_at=at(10)), 130),
        (replace(FACTS, confirmed_at=at(50)), 290),
        (replace(FACTS, confirmed_at=at(-1)), 120),
        # what people said lasts as long as they said
        (replace(FACTS, extend_until=at(100)), 120),
        (replace(FACTS, extend_until=at(300)), 300),
        (replace(FACTS, protected_until=at(300)), 300),
        (replace(FACTS, connected_at=at(110)), 125),
        (replace(FACTS, connected_at=at(50)), 120),
        # what a container asks for does not
        (replace(FACTS, kept_until=at(300)), 120),
        # a lost signal: the lease starts when it was given up
        (LOST, 165),
        (replace(LOST, confirmed_at=at(40)), 165),
        (replace(LOST, confirmed_at=at(46)), 286),
        # a machine alone is believed for twelve hours
        (SEEN, 720),
        (replace(SEEN, confirmed_at=at(30)), 750),
        (replace(SEEN, confirmed_at=at(-1)), 720),
        (replace(SEEN, extend_until=at(800)), 800),
        (replace(FACTS, signals=(quiet_log(0, 60),)), 720),
    ],
)
def test_when_a_person_is_asked(facts: Facts, expected: int) -> None:
    found = hard(POLICY, facts)["checkin_unanswered"]
    assert found.at - found.lead == at(expected)
    assert (found.lead, found.notice, found.puts_off) == (30 * MINUTE,) * 3


def test_a_changed_check_in_gives_the_full_time_to_answer() -> None:
    policy = replace(POLICY, checkin=CheckIn(10 * MINUTE, 20 * MINUTE, 15 * MINUTE))
    assert hard(policy, FACTS)["checkin_unanswered"].at == at(25)
    assert hard(replace(policy, changed_at=at(59)), FACTS)["checkin_unanswered"].at == at(74)
    assert hard(policy, replace(FACTS, confirmed_at=at(50)))["checkin_unanswered"].at == at(85)


def test_the_end_of_observing_puts_no_question_off() -> None:
    policy = replace(POLICY, checkin=CheckIn(50 * MINUTE), observes=True, observe_until=at(59))
    assert hard(policy, FACTS)["checkin_unanswered"].at == at(80)


def test_nobody_is_asked_of_a_batch_job_or_before_it_runs() -> None:
    assert "checkin_unanswered" not in hard(BATCH, FACTS)
    assert "checkin_unanswered" not in hard(POLICY, replace(FACTS, running_at=None))
