"""Verdicts in words: one sentence for each rule, and durations as people say them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.policy import activity_of, decide
from dispersed_web.autostop.samples import Lane
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.sentences import LANE_WORDS, quiet_words, words
from dispersed_web.autostop.terms import Facts, IdleRule, Policy
from dispersed_web.jobs.states import Reason
from tests.autostop.plain import (
    BATCH,
    DAY,
    FACTS,
    HOUR,
    MINUTE,
    POLICY,
    SEEN,
    Beat,
    at,
    every,
    heartbeat,
    quiet,
    quiet_log,
)

EVENING = Schedule("Europe/Berlin", (StopTime(frozenset(range(5)), dt.time(14, 5)),))
STARTING = replace(FACTS, running_at=None)
USED = (heartbeat([*every(MINUTE, 0, 60), Beat(at(58), gpu=90)]),)

OF_RULE: list[tuple[str, Policy, Facts, str]] = [
    ("max_lifetime", BATCH, FACTS, "Its maximum lifetime of 24 h ends."),
    ("max_lifetime", replace(BATCH, lifetime=90 * MINUTE), FACTS, "Its maximum lifetime of 1 h 30 min ends."),
    ("max_lifetime", BATCH, replace(FACTS, extend_until=at(60) + DAY), "The extension ends."),
    (
        "max_lifetime",
        BATCH,
        replace(FACTS, extend_until=at(60) + 9 * DAY),
        "The longest lifetime that the team allows, 7 days, ends.",
    ),
    (
        "schedule",
        replace(POLICY, schedule=EVENING),
        SEEN,
        "The team's schedule stops jobs Monday to Friday at 14:05 (Europe/Berlin).",
    ),
    ("budget", POLICY, replace(SEEN, budget_reached_at=at(59)), "A budget is used up."),
    (
        "budget",
        POLICY,
        replace(SEEN, budget_reached_at=at(59), budget_name="Ann's budget of the month"),
        "Ann's budget of the month is used up.",
    ),
    ("rate", POLICY, replace(SEEN, rate_exceeded_at=at(59)), "It costs more than was allowed at launch."),
    (
        "rate",
        POLICY,
        replace(SEEN, rate_exceeded_at=at(59), rate_words="$4.14 per hour instead of at most $0.69"),
        "It costs more than was allowed at launch: $4.14 per hour instead of at most $0.69.",
    ),
    (
        "stuck_starting",
        replace(POLICY, start_limit=25 * MINUTE),
        STARTING,
        "A start may take 25 min at most.",
    ),
    (
        "checkin_unanswered",
        POLICY,
        FACTS,
        "Nothing tells whether it is used, so people are asked: without an answer within 30 min it stops.",
    ),
    (
        "checkin_unanswered",
        POLICY,
        replace(FACTS, signals=(quiet(0, 40),)),
        "Its heartbeat fell silent, so people are asked: without an answer within 30 min it stops.",
    ),
    (
        "checkin_unanswered",
        POLICY,
        replace(FACTS, signals=(quiet_log(0, 40),)),
        "Its log fell silent, so people are asked: without an answer within 30 min it stops.",
    ),
    (
        "checkin_unanswered",
        POLICY,
        replace(FACTS, signals=(quiet(0, 40), quiet_log(0, 40))),
        "Its heartbeat fell silent, so people are asked: without an answer within 30 min it stops.",
    ),
    (
        "checkin_unanswered",
        replace(POLICY, observes=True),
        SEEN,
        "Only the machine itself said that it is used, for 12 h: somebody must confirm it.",
    ),
    (
        "idle",
        POLICY,
        SEEN,
        "Idle for 40 min of 1 h: GPU 0 % for 40 min, 41 samples; nobody signed in by SSH.",
    ),
    (
        "idle",
        POLICY,
        replace(FACTS, signals=(quiet_log(0, 60),)),
        "Idle for 40 min of 1 h 30 min: log unchanged for 40 min.",
    ),
    ("idle", POLICY, replace(FACTS, signals=USED), "Stops 1 h after its last use."),
    (
        "idle",
        replace(POLICY, high=IdleRule(2 * HOUR, MINUTE)),
        replace(FACTS, signals=USED),
        "Stops 2 h after its last use.",
    ),
    ("idle", POLICY, replace(SEEN, extend_until=at(90)), "The extension ends, and it is not used."),
    ("idle", POLICY, replace(SEEN, protected_until=at(90)), "Its protection ends, and it is not used."),
    (
        "idle",
        POLICY,
        replace(SEEN, kept_until=at(90)),
        "What its container asked for ends, and it is not used.",
    ),
    ("", Policy(None, None, task="BATCH"), FACTS, "No limit: runs until somebody stops it."),
]


@pytest.mark.parametrize(("rule", "policy", "facts", "sentence"), OF_RULE)
def test_why_a_job_stops(rule: str, policy: Policy, facts: Facts, sentence: str) -> None:
    verdict = decide(policy, facts, at(60))
    assert (verdict.rule, verdict.sentence) == (rule, sentence)


def test_every_rule_has_its_sentence_and_is_a_reason() -> None:
    names = ("IDLE", "CHECKIN", "LIFETIME", "SCHEDULE", "BUDGET", "RATE", "STUCK")
    rules = {getattr(deadlines, name) for name in names}
    assert {rule for rule, *_ in OF_RULE} - {""} == rules
    assert rules <= {reason.value for reason in Reason}


def test_what_has_just_become_quiet_was_not_idle_for_nothing() -> None:
    verdict = decide(POLICY, replace(FACTS, signals=(quiet(0, 20),)), at(20))
    assert (verdict.state, verdict.sentence) == ("quiet", "Stops 1 h after its last use.")


def test_sentences_are_short_plain_and_end() -> None:
    for *_, sentence in OF_RULE:
        assert len(sentence) <= 120
        assert re.fullmatch(r"[A-Z][^!—]*\.", sentence)


# What was quiet ------------------------------------------------------------------------------------------------------


def said(*signals: object) -> str:
    facts = replace(FACTS, signals=signals)
    return quiet_words(activity_of(POLICY, facts, at(60)), at(60))


def test_what_was_quiet_is_said_with_its_numbers() -> None:
    assert said(quiet(0, 60, gpu=1)) == "GPU ≤ 1 % for 40 min, 41 samples; nobody signed in by SSH"
    open_one = heartbeat([Beat(one.at, ssh=1, key=at(-2)) for one in every(MINUTE, 0, 60)])
    assert said(open_one) == "GPU 0 % for 40 min, 41 samples; SSH open, no key pressed for 1 h 2 min"
    assert said(quiet(0, 60, gpu=1, ssh=None), quiet_log(0, 60)) == (
        "GPU ≤ 1 % for 40 min, 41 samples; log unchanged for 40 min"
    )


def test_a_machine_without_a_gpu_is_told_of_by_what_it_has() -> None:
    assert said(quiet(0, 60, gpu=None, ssh=None)) == (
        "CPU ≤ 0.0 cores for 40 min, 41 samples; network ≤ 0.0 MB/min for 40 min, 41 samples"
    )
    assert said(quiet(0, 60, gpu=None, cpu=None, net=None, ssh=None)) == "no sign of use"


def test_every_lane_has_words() -> None:
    assert set(LANE_WORDS) == {lane.value for lane in Lane} | {"heartbeat"}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (90, "90 s"),
        (119, "119 s"),
        (120, "2 min"),
        (2700, "45 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (9000, "2 h 30 min"),
        (86400, "24 h"),
        (90000, "25 h"),
        (172800, "2 days"),
        (259200, "3 days"),
    ],
)
def test_durations_in_words(seconds: int, expected: str) -> None:
    assert words(dt.timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("facts", "minute", "expected"),
    [
        (FACTS, 150, "Nothing tells whether it is used, and nobody answered within 30 min."),
        (
            replace(FACTS, signals=(quiet(0, 40),)),
            205,
            "Its heartbeat fell silent, and nobody answered within 30 min.",
        ),
        (
            replace(FACTS, signals=(quiet(0, 750, gpu=90),)),
            750,
            "Only the machine itself said that it is used, for 12 h, and nobody confirmed it within 30 min.",
        ),
    ],
)
def test_once_nobody_answered_it_says_so(facts: Facts, minute: int, expected: str) -> None:
    deadline_at = decide(POLICY, facts, at(minute)).deadline_at
    told = replace(facts, warned_for=deadline_at, warned_at=at(minute - 30))
    verdict = decide(POLICY, told, at(minute))
    assert (verdict.stop, verdict.rule, verdict.sentence) == (True, "checkin_unanswered", expected)
