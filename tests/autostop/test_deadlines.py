"""The deadlines of a job: for idleness, and the hard ones that depend on nothing but clock and rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.policy import activity_of
from dispersed_web.autostop.terms import Facts, IdleRule, Policy
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
    Beat,
    at,
    every,
    heartbeat,
    quiet,
    quiet_log,
)

NOW = at(60)


def idle(policy: Policy, facts: Facts, now: dt.datetime = NOW) -> Deadline:
    found = deadlines.idle(policy, facts, activity_of(policy, facts, now), now)
    assert found is not None
    return found


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
        (
            {"high": IdleRule(5 * MINUTE, MINUTE), "boot_grace": dt.timedelta(0)},
            {"trusted_since": at(-1)},
            at(5),
        ),
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
