"""What others got wrong: each test is a failure seen in some other system, and what the decision answers to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from dispersed_web.autostop import policy
from dispersed_web.autostop.deadlines import CHECKIN, IDLE, LIFETIME
from dispersed_web.autostop.policy import State, decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, IdleRule
from tests.autostop.plain import (
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SECOND,
    T0,
    Beat,
    Engine,
    Stream,
    at,
    every,
    life,
    quiet,
)

WEEK = replace(POLICY, lifetime=7 * DAY, checkin=CheckIn(7 * DAY, 7 * DAY, HOUR))


# One signal used alone kills work and leaks money alike --------------------------------------------------------------


@pytest.mark.parametrize(
    "work",
    [
        {"gpu": 60},  # training
        {"cpu": 6.0, "gpu": 0},  # preparing data
        {"net": 80_000_000, "gpu": 0, "cpu": 0.1},  # a download
        {"busy": True, "gpu": None},  # what the workload says of itself
    ],
    ids=str,
)
def test_each_kind_of_work_alone_keeps_a_job(work: dict[str, object]) -> None:
    job = life(
        POLICY,
        Stream(every(MINUTE, 0, 200, **work)),
        Stream(every(5 * MINUTE, 0, 200), 5 * MINUTE, "log"),
        end=200,
    )
    assert not job.warnings
    assert job.steps[-1].verdict.state == State.ACTIVE


# "Could not ask" read as "no activity" killed; read as "active for ever" it leaked ---------------------------------------


def test_while_nobody_can_be_asked_nothing_is_idle_and_no_time_passes() -> None:
    job = Engine(POLICY, replace(FACTS, cloud_lost_since=at(70)), Stream(every(MINUTE, 0, 600)))
    assert job.run(at(70), at(400)) is None
    assert {step.verdict.state for step in job.steps} == {State.BLIND}
    back = replace(FACTS, trusted_since=at(400), signals=(quiet(0, 400),))
    assert decide(POLICY, back, at(400)).stop_at == at(460)


def test_a_signal_that_stays_silent_is_not_believed_for_ever() -> None:
    job = life(POLICY, Stream(every(MINUTE, 0, 60)))
    states = {step.now: step.verdict.state for step in job.steps}
    assert (states[at(65)], states[at(66)], states[at(74)], states[at(75)]) == (
        "quiet",
        "blind",
        "blind",
        "unknown",
    )
    told = next(step for step in job.steps if step.verdict.lost_at)
    assert (told.now, told.verdict.lost_at, told.verdict.confidence) == (at(75), at(75), "low")
    # the check-in starts then, and without an answer it stops
    assert [(step.now, step.verdict.rule) for step in job.warnings] == [(at(195), CHECKIN)]
    assert job.steps[-1].now == at(225)


def test_a_silence_of_less_than_a_quarter_of_an_hour_costs_the_quiet_time_and_asks_nobody() -> None:
    job = life(POLICY, Stream([*every(MINUTE, 0, 60), *every(MINUTE, 74, 600)]))
    assert [(step.now, step.verdict.rule) for step in job.warnings] == [(at(119), IDLE)]
    assert job.steps[-1].now == at(134)
    assert not any(step.verdict.lost_at for step in job.steps)


# A failed listing read as an empty list reclaimed every host ---------------------------------------------------------


def test_a_lost_sight_of_the_cloud_is_no_end_of_use() -> None:
    facts = replace(FACTS, cloud_lost_since=at(60), warned_for=at(80), warned_at=at(65))
    verdict = decide(POLICY, replace(facts, signals=(quiet(0, 80),)), at(80))
    assert (verdict.state, verdict.stop, verdict.rule) == (State.BLIND, False, CHECKIN)


# Looking at a page, or the tool's own polling, counted as activity ---------------------------------------------------


def test_reading_its_log_and_hearing_its_heartbeat_are_no_use() -> None:
    job = life(
        POLICY, Stream(every(10 * SECOND, 0, 120)), Stream(every(20 * SECOND, 0, 120), 5 * MINUTE, "log")
    )
    assert job.steps[-1].verdict.rule == IDLE
    assert job.steps[-1].now == at(80)


# Silent logs are not idleness ----------------------------------------------------------------------------------------


def test_a_job_with_silent_logs_that_were_never_chosen_is_not_idle() -> None:
    verdict = decide(WEEK, FACTS, at(9000))
    assert (verdict.state, verdict.confidence, verdict.quiet_since) == (State.UNKNOWN, "low", None)


def test_silent_logs_of_a_busy_machine_are_not_idleness() -> None:
    job = life(
        POLICY, Stream(every(MINUTE, 0, 600, gpu=98)), Stream(every(5 * MINUTE, 0, 600), 5 * MINUTE, "log")
    )
    assert not job.warnings


def test_work_over_ssh_that_no_log_shows_is_use() -> None:
    typing = [Beat(at(minute), ssh=1, key=at(minute - minute % 25)) for minute in range(600)]
    assert not life(POLICY, Stream(typing), Stream(every(5 * MINUTE, 0, 600), 5 * MINUTE, "log")).warnings


def test_an_hourly_line_does_not_keep_a_job() -> None:
    beats = [Beat(at(minute), lines=int(minute % 60 == 0)) for minute in range(0, 600, 5)]
    job = life(POLICY, Stream(beats, 5 * MINUTE, "log"))
    assert (job.steps[-1].now, job.steps[-1].verdict.rule) == (at(110), IDLE)


# A heartbeat alone is unsafe: healthy machines were killed when its thread stalled -----------------------------------


def test_a_stalled_heartbeat_never_ends_in_a_stop_for_idleness() -> None:
    for stalled in (30, 60, 66, 77):
        job = life(POLICY, Stream(every(MINUTE, 0, stalled)))
        assert job.steps[-1].verdict.rule == CHECKIN
        assert all(step.verdict.rule != IDLE for step in job.steps if step.now > at(stalled + 5))


# Open connections are not activity -----------------------------------------------------------------------------------


def test_a_forgotten_terminal_does_not_keep_a_machine() -> None:
    job = life(POLICY, Stream(every(MINUTE, 0, 600, ssh=4, key=at(2))))
    assert (job.steps[-1].now, job.steps[-1].verdict.rule) == (at(80), IDLE)
    assert job.warnings[0].now == at(50)


# Nobody could tell why a machine was (not) stopped -------------------------------------------------------------------


def test_every_verdict_says_why() -> None:
    schedule = Schedule("UTC", (StopTime(frozenset({0}), dt.time(18)),))
    facts = [
        FACTS,
        replace(FACTS, running_at=None),
        replace(FACTS, signals=(quiet(0, 60),)),
        replace(FACTS, signals=(quiet(0, 50),)),
        replace(FACTS, signals=(quiet(0, 60),), protected_until=at(90)),
        replace(FACTS, budget_reached_at=at(59)),
        replace(FACTS, rate_exceeded_at=at(59)),
    ]
    for one in facts:
        for rules in (
            POLICY,
            replace(POLICY, schedule=schedule, start_limit=HOUR),
            replace(POLICY, task="BATCH"),
        ):
            verdict = decide(rules, one, at(60))
            assert verdict.rule
            assert verdict.sentence.endswith(".")
            assert verdict.stop_at is not None


# No warning that reaches people, no way to extend --------------------------------------------------------------------


def test_every_stop_was_announced_and_could_have_been_extended() -> None:
    for stream in (
        [Stream(every(MINUTE, 0, 600))],
        [],
        [Stream(every(5 * MINUTE, 0, 600), 5 * MINUTE, "log")],
    ):
        job = life(POLICY, *stream)
        last = job.steps[-1]
        warning = job.warnings[-1]
        assert last.verdict.stop
        assert last.now - warning.now >= 15 * MINUTE
        assert policy.extension(POLICY, warning.facts, warning.now + 4 * HOUR, warning.now) is not None


# Stale deadlines: a changed setting did not apply, or applied without notice -----------------------------------------


def test_a_changed_setting_applies_at_once_and_with_the_full_warning() -> None:
    facts = replace(FACTS, signals=(quiet(0, 60),))
    tight = replace(POLICY, high=IdleRule(10 * MINUTE, 5 * MINUTE), changed_at=at(60))
    verdict = decide(tight, facts, at(60))
    assert (verdict.warn, verdict.stop, verdict.stop_at) == (True, False, at(65))
    # also where people were told of the old moment a while ago
    told = replace(facts, warned_for=at(30), warned_at=at(25))
    assert not decide(tight, told, at(60)).stop
    assert decide(replace(tight, changed_at=None), told, at(60)).stop


def test_a_change_while_the_stop_is_under_way_warns_anew() -> None:
    told = replace(FACTS, signals=(quiet(0, 75),), warned_for=at(80), warned_at=at(65))
    longer = replace(POLICY, high=IdleRule(90 * MINUTE, 15 * MINUTE), changed_at=at(75))
    verdict = decide(longer, told, at(75))
    assert (verdict.state, verdict.stop_at) == (State.QUIET, at(110))
    shorter = replace(POLICY, high=IdleRule(30 * MINUTE, 15 * MINUTE), changed_at=at(75))
    verdict = decide(shorter, told, at(75))
    assert (verdict.warn, verdict.stop_at) == (True, at(90))


# Set-up time counted as idle; old timestamps carried into a restarted job --------------------------------------------


def test_the_time_of_setting_up_is_not_idle() -> None:
    starting = replace(FACTS, running_at=None, signals=(quiet(0, 60),))
    assert decide(POLICY, starting, at(60)).state == State.STARTING
    assert decide(POLICY, starting, at(60)).quiet_since is None
    job = life(POLICY, Stream(every(MINUTE, 0, 600)))
    assert {step.verdict.state for step in job.steps if step.now < at(20)} == {State.ACTIVE}


def test_a_new_run_starts_afresh() -> None:
    before = replace(FACTS, confirmed_at=at(5), connected_at=at(6), extend_until=at(10))
    again = replace(before, running_at=at(300), signals=(quiet(300, 320),))
    verdict = decide(POLICY, again, at(320))
    assert (verdict.stop_at, verdict.quiet_since, verdict.last_active) == (at(380), at(320), None)
    asked = decide(POLICY, replace(again, signals=()), at(320))
    assert (asked.rule, asked.warn_at) == (CHECKIN, at(420))


# A zero deadline meant "never" ---------------------------------------------------------------------------------------


def test_a_past_moment_is_never_no_deadline() -> None:
    past = replace(FACTS, extend_until=at(-900), protected_until=at(-900), kept_until=at(-900))
    assert decide(POLICY, replace(past, signals=(quiet(0, 60),)), at(60)).stop_at == at(80)
    old = replace(FACTS, launched_at=T0 - 9 * DAY)
    verdict = decide(POLICY, old, at(60))
    assert (verdict.rule, verdict.warn, verdict.stop_at) == (LIFETIME, True, at(65))


# A limit that the user can simply cancel is no limit -----------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"extend_until": T0 + 99 * DAY},
        {"protected_until": T0 + 99 * DAY},
        {"kept_until": T0 + 99 * DAY},
        {"confirmed_at": T0 + 7 * DAY - MINUTE},
        {"extend_until": T0 + 99 * DAY, "protected_until": T0 + 99 * DAY},
    ],
    ids=str,
)
def test_nothing_that_is_said_moves_a_hard_limit_beyond_its_ceiling(said: dict[str, dt.datetime]) -> None:
    facts = replace(FACTS, **said)
    for rules in (POLICY, replace(POLICY, task="BATCH")):
        for minute in (0, 60, 60 * 24 * 7 - 1):
            verdict = decide(rules, facts, at(minute))
            assert verdict.stop_at is not None
            assert verdict.stop_at <= T0 + 7 * DAY + 5 * MINUTE


def test_what_a_machine_says_of_itself_is_believed_for_twelve_hours() -> None:
    job = life(WEEK, Stream(every(MINUTE, 600, 1000, gpu=99)), begin=700, end=1000)
    assert [(step.now, step.verdict.rule) for step in job.warnings] == [(at(720), CHECKIN)]
    assert job.steps[-1].now == at(780)
    answered = life(
        WEEK,
        Stream(every(MINUTE, 600, 800, gpu=99)),
        begin=700,
        end=800,
        facts=replace(FACTS, confirmed_at=at(400)),
    )
    assert not answered.warnings
