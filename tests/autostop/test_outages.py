"""What others got wrong when the one who stops was down: each test is a failure seen in some other system."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from dispersed_web.autostop.deadlines import CHECKIN
from dispersed_web.autostop.policy import decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import IdleRule
from tests.autostop.plain import (
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    T0,
    Engine,
    Stream,
    at,
    every,
    quiet,
    quiet_log,
)

# The stopper was down, or gave up, and nobody noticed ----------------------------------------------------------------


def test_a_stop_that_fell_due_while_nobody_looked_comes_after_a_notice() -> None:
    for rules, lead in ((POLICY, 5 * MINUTE), (replace(POLICY, schedule=None, lifetime=HOUR), 5 * MINUTE)):
        batch = replace(rules, task="BATCH")
        missed = replace(FACTS, launched_at=T0 - 2 * DAY, resumed_at=at(60), trusted_since=at(60))
        verdict = decide(batch, missed, at(60))
        assert (verdict.warn, verdict.stop, verdict.stop_at) == (True, False, at(60) + lead)


def test_a_missed_stop_of_the_schedule_is_still_due_after_ten_minutes_of_notice() -> None:
    rules = replace(POLICY, schedule=Schedule("UTC", (StopTime(frozenset(range(7)), dt.time(13)),)))
    missed = replace(FACTS, resumed_at=at(200), trusted_since=at(200))
    verdict = decide(rules, missed, at(200))
    assert (verdict.rule, verdict.warn, verdict.stop_at) == ("schedule", True, at(210))


def test_a_stop_is_asked_for_again_at_every_look_until_it_is_made() -> None:
    told = replace(FACTS, signals=(quiet(0, 300),), warned_for=at(80), warned_at=at(65))
    assert all(decide(POLICY, told, at(minute)).stop for minute in (80, 81, 100, 300))


# After an outage the engine stopped everything on stale data ---------------------------------------------------------


def test_after_an_outage_the_first_look_may_warn_but_not_stop() -> None:
    back = at(200)
    told = replace(FACTS, warned_for=at(80), warned_at=at(65), resumed_at=back, trusted_since=back)
    for signals in ((quiet(0, 79),), (quiet(0, 200),), (), (quiet_log(0, 200),)):
        assert not decide(POLICY, replace(told, signals=signals), back).stop
    end = T0 + DAY
    missed = replace(FACTS, warned_for=end, warned_at=end - 15 * MINUTE, resumed_at=end + HOUR)
    assert not decide(replace(POLICY, task="BATCH"), missed, end + HOUR).stop
    assert decide(replace(POLICY, task="BATCH"), missed, end + HOUR + 5 * MINUTE).stop


@pytest.mark.parametrize(("limit", "stop"), [(60, 260), (30, 230), (5, 215)])
def test_after_an_outage_a_full_window_of_fresh_samples_is_needed(limit: int, stop: int) -> None:
    rules = replace(POLICY, high=IdleRule(limit * MINUTE, MINUTE))
    facts = replace(FACTS, trusted_since=at(200), resumed_at=at(200))
    job = Engine(rules, facts, Stream([*every(MINUTE, 0, 60), *every(MINUTE, 200, 600)]))
    assert job.run(at(200), at(600)) == at(stop)


def test_after_an_outage_of_ours_nobody_is_asked_about_machines_that_report_again() -> None:
    facts = replace(FACTS, trusted_since=at(400), resumed_at=at(400))
    job = Engine(POLICY, facts, Stream([*every(MINUTE, 0, 60), *every(MINUTE, 401, 430, gpu=90)]))
    assert job.run(at(400), at(430)) is None
    assert not job.warnings
    assert not any(step.verdict.lost_at for step in job.steps)


def test_what_fell_silent_during_an_outage_is_asked_about_as_if_there_had_been_none() -> None:
    facts = replace(FACTS, trusted_since=at(400), resumed_at=at(400))
    job = Engine(POLICY, facts, Stream(every(MINUTE, 0, 60)))
    job.run(at(400), at(500))
    assert [(step.now, step.verdict.rule) for step in job.warnings] == [(at(415), CHECKIN)]
