"""The deadlines of a job: for idleness, and the hard ones that depend on nothing but clock and rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.policy import activity_of
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from tests.autostop.plain import (
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SECOND,
    T0,
    Beat,
    at,
    every,
    heartbeat,
    quiet,
    quiet_log,
)

NOW = at(60)
SEEN = replace(FACTS, signals=(quiet(0, 60),))
BATCH = replace(POLICY, task="BATCH")


def idle(policy: Policy, facts: Facts, now: dt.datetime = NOW) -> Deadline:
    found = deadlines.idle(policy, facts, activity_of(policy, facts, now), now)
    assert found is not None
    return found


def hard(policy: Policy, facts: Facts, now: dt.datetime = NOW) -> dict[str, Deadline]:
    found = deadlines.hard(policy, facts, activity_of(policy, facts, now))
    assert len({one.rule for one in found}) == len(found)
    return {one.rule: one for one in found}


# A deadline and its warning ------------------------------------------------------------------------------------------

END = Deadline(at(100), "max_lifetime", 15 * MINUTE, 5 * MINUTE)


@pytest.mark.parametrize(
    ("warned_for", "warned_at", "is_warned"),
    [
        (None, None, False),
        (at(100), None, False),
        (None, at(85), False),
        (at(100), at(85), True),
        (at(100) - SECOND, at(85), True),
        (at(100) - 59 * SECOND, at(85), True),
        (at(99), at(85), False),
        (at(100) + SECOND, at(85), False),
    ],
)
def test_a_warning_counts_for_its_moment_and_for_less_than_a_minute_after_it(
    warned_for: dt.datetime | None, warned_at: dt.datetime | None, is_warned: bool
) -> None:
    assert END.is_warned(replace(FACTS, warned_for=warned_for, warned_at=warned_at)) is is_warned


@pytest.mark.parametrize(
    ("warned_at", "resumed_at", "now", "earliest"),
    [
        # nobody was told
        (None, None, at(0), at(100)),
        (None, None, at(95), at(100)),
        (None, None, at(98), at(103)),
        (None, None, at(300), at(305)),
        # told in time, told late
        (at(85), None, at(90), at(100)),
        (at(97), None, at(99), at(102)),
        (at(97), None, at(300), at(102)),
        # it passed while nobody looked
        (at(85), at(280), at(280), at(285)),
        (at(85), at(100), at(100), at(105)),
        (at(85), at(99), at(100), at(100)),
        (at(290), at(280), at(291), at(295)),
    ],
)
def test_how_early_a_job_can_stop(
    warned_at: dt.datetime | None, resumed_at: dt.datetime | None, now: dt.datetime, earliest: dt.datetime
) -> None:
    told_of = END.at if warned_at else None
    facts = replace(FACTS, warned_for=told_of, warned_at=warned_at, resumed_at=resumed_at)
    assert END.earliest(facts, now) == earliest


def test_a_deadline_is_near_from_its_warning_on() -> None:
    assert not END.is_near(FACTS, at(85) - SECOND)
    assert END.is_near(FACTS, at(85))
    assert END.is_near(replace(FACTS, warned_for=END.at, warned_at=at(80)), at(81))


# Idleness ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "facts", "expected"),
    [
        ({}, {}, at(80)),
        ({"boot_grace": 5 * MINUTE}, {}, at(65)),
        ({"boot_grace": dt.timedelta(0)}, {}, at(60)),
        ({"high": IdleRule(2 * HOUR, MINUTE)}, {}, at(140)),
        ({"medium": IdleRule(2 * HOUR, MINUTE)}, {}, at(80)),
        ({}, {"running_at": at(-60)}, at(20)),
        ({}, {"running_at": at(10)}, at(90)),
        ({}, {"extend_until": at(79)}, at(80)),
        ({}, {"extend_until": at(81)}, at(81)),
        ({}, {"protected_until": at(81)}, at(81)),
        ({}, {"kept_until": at(81)}, at(81)),
        ({}, {"confirmed_at": at(50)}, at(110)),
        ({}, {"connected_at": at(50)}, at(110)),
        # said of the run before
        ({}, {"confirmed_at": at(-1)}, at(80)),
        ({}, {"connected_at": at(-1)}, at(80)),
        # what was not watched is not quiet
        ({}, {"trusted_since": at(40)}, at(100)),
        ({"high": IdleRule(5 * MINUTE, MINUTE)}, {"trusted_since": at(40)}, at(55)),
        ({"high": IdleRule(5 * MINUTE, MINUTE)}, {"trusted_since": at(-1)}, at(25)),
        # a change gives the full warning from it on
        ({"changed_at": at(66)}, {}, at(81)),
        ({"changed_at": at(60)}, {}, at(80)),
        ({"observes": True, "observe_until": at(59)}, {"running_at": at(-60)}, at(74)),
        ({"observes": True, "observe_until": at(61)}, {"running_at": at(-60)}, at(20)),
    ],
    ids=str,
)
def test_when_idleness_ends_a_job(
    policy: dict[str, Any], facts: dict[str, Any], expected: dt.datetime
) -> None:
    seen = replace(FACTS, signals=(quiet(-60, 60),), **facts)
    if "running_at" not in facts and "trusted_since" not in facts:
        seen = replace(seen, signals=(quiet(0, 60),))
    assert idle(replace(POLICY, **policy), seen).at == expected


def test_meaningful_logs_give_the_medium_rule() -> None:
    found = idle(POLICY, replace(FACTS, signals=(quiet_log(0, 60),)))
    assert (found.at, found.lead) == (at(110), 20 * MINUTE)


@pytest.mark.parametrize(
    ("rule", "ssh", "lead"),
    [
        (IdleRule(HOUR, 15 * MINUTE), 0, 15),
        (IdleRule(HOUR, 15 * MINUTE), 1, 30),
        (IdleRule(HOUR, 20 * MINUTE), 1, 30),
        (IdleRule(20 * MINUTE, 15 * MINUTE), 0, 10),
        (IdleRule(20 * MINUTE, 15 * MINUTE), 2, 10),
    ],
)
def test_an_open_but_silent_session_doubles_the_warning(rule: IdleRule, ssh: int, lead: int) -> None:
    found = idle(replace(POLICY, high=rule), replace(FACTS, signals=(quiet(0, 60, ssh=ssh),)))
    assert (found.lead, found.notice, found.puts_off) == (lead * MINUTE,) * 3


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({"running_at": None}, NOW),
        ({"signals": ()}, NOW),
        ({"cloud_lost_since": at(59)}, NOW),
        ({"signals": (quiet(0, 54),)}, NOW),  # blind
        ({"signals": (quiet(0, 45),)}, NOW),  # lost
    ],
    ids=str,
)
def test_where_nothing_can_tell_nothing_is_idle(changes: dict[str, Any], now: dt.datetime) -> None:
    facts = replace(SEEN, **changes)
    assert deadlines.idle(POLICY, facts, activity_of(POLICY, facts, now), now) is None


def test_a_batch_job_is_never_idle() -> None:
    assert deadlines.idle(BATCH, SEEN, activity_of(BATCH, SEEN, NOW), NOW) is None


def test_only_what_is_quiet_may_be_warned_of() -> None:
    assert idle(POLICY, SEEN).is_armed
    used = heartbeat([*every(MINUTE, 0, 60), Beat(at(58), gpu=90)])
    found = idle(POLICY, replace(FACTS, signals=(used,)))
    assert (found.is_armed, found.at) == (False, at(118))


def test_a_short_limit_waits_until_its_last_sign_of_work_has_ceased_to_count() -> None:
    short = replace(POLICY, high=IdleRule(2 * MINUTE, MINUTE))
    used = heartbeat([*every(MINUTE, 0, 60), Beat(at(58), gpu=90)])
    assert idle(short, replace(FACTS, signals=(used,))).at == at(58 + 5 + 1)
    assert idle(short, replace(SEEN, confirmed_at=at(50))).at == at(50 + 15 + 1)


@pytest.mark.parametrize(
    ("period", "armed", "proven"),
    [
        (MINUTE, True, True),
        (75 * SECOND, True, True),
        (80 * SECOND, False, False),
        (2 * MINUTE, False, False),
    ],
)
def test_thin_samples_prove_no_idleness(period: dt.timedelta, armed: bool, proven: bool) -> None:
    found = idle(POLICY, replace(FACTS, signals=(heartbeat(every(period, 0, 120)),)), at(120))
    assert (found.is_armed, found.is_proven, found.at) == (armed, proven, at(80))


def test_the_warning_needs_samples_of_what_has_passed_and_the_stop_of_the_whole_limit() -> None:
    thin_at_first = [*every(2 * MINUTE, 0, 47), *every(MINUTE, 48, 80)]
    found = idle(POLICY, replace(FACTS, signals=(heartbeat(thin_at_first),)), at(80))
    assert (found.is_armed, found.is_proven) == (True, False)


def test_what_was_held_back_for_long_is_not_warned_of_again_and_again() -> None:
    """Only the last hours are looked at, so the quiet time of a job that is held back seems to begin later and later."""
    told = replace(FACTS, warned_for=at(80), warned_at=at(65))
    for begin in (-60, 40, 200):
        seen = replace(told, running_at=T0 - DAY, signals=(quiet(begin, 600),))
        assert idle(POLICY, seen, at(600)).at == (at(80) if begin > 0 else at(0))
    assert idle(POLICY, replace(told, signals=(quiet(550, 600),)), at(600)).at == at(610)
    extended = replace(told, signals=(quiet(0, 120),), extend_until=at(150))
    assert idle(POLICY, extended, at(120)).at == at(150)


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
