"""Verdicts in words: real decisions on plain facts, told to a reader in Berlin, one hour ahead of UTC."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop.activity import Samples, Signal
from dispersed_web.autostop.policy import State, Verdict, decide
from dispersed_web.autostop.record import as_json
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.web.job.evidence_words import share, stopped_words
from dispersed_web.web.job.verdict_words import Outlook, Told, told

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.UTC)  # 14:00 in Berlin
BEGUN = NOW - 4 * HOUR
RULES = Policy(lifetime=24 * HOUR, ceiling=72 * HOUR)
FACTS = Facts(launched_at=BEGUN - 2 * MINUTE, running_at=BEGUN)


def heartbeat(quiet: float, *, silent: float = 0, ssh: int = 0, key: float = 0, gpu: int = 87) -> Signal:
    """A machine that worked up to ``quiet`` minutes ago and spoke up to ``silent`` minutes ago; a key was pressed ``key``
    minutes ago in its ``ssh`` sessions."""
    samples = []
    for ago in range(235, -1, -5):
        last_at = NOW - ago * MINUTE
        if ago < silent:
            break
        busy = ago >= quiet
        pressed = NOW - key * MINUTE
        samples.append(
            Samples(
                first_at=last_at - 4 * MINUTE,
                last_at=last_at,
                count=5,
                gap=MINUTE,
                gpu_top=gpu if busy else 1,
                gpu_busy=5 if busy else 0,
                gpu_at=last_at if busy else None,
                ssh_open=ssh,
                key_at=pressed if key and last_at - 5 * MINUTE < pressed <= last_at else None,
            )
        )
    return Signal("heartbeat", samples[0].first_at, samples[-1].last_at, tuple(samples))


def log(unchanged: float) -> Signal:
    samples = tuple(
        Samples(
            at, at, period=5 * MINUTE, lines=9 * (ago >= unchanged), lines_at=at if ago >= unchanged else None
        )
        for ago in range(235, -1, -5)
        for at in [NOW - ago * MINUTE]
    )
    return Signal("log", samples[0].first_at, samples[-1].last_at, samples)


def log_silent(silent: float) -> Signal:
    """A log that was read up to ``silent`` minutes ago."""
    seen = [one for one in log(60).samples if one.last_at <= NOW - silent * MINUTE]
    return Signal("log", seen[0].first_at, seen[-1].last_at, tuple(seen))


def outlook(facts: Facts = FACTS, rules: Policy = RULES, **more: Any) -> Outlook:
    values = {
        "policy": rules,
        "facts": facts,
        "verdict": decide(rules, facts, NOW),
        "now": NOW,
        "zone": BERLIN,
    }
    return Outlook(**{**values, "asked": "you are", **more})


def said(facts: Facts = FACTS, rules: Policy = RULES, **more: Any) -> Told:
    return told(outlook(facts, rules, **more))


def plain(words: object) -> str:
    return str(words).replace("\u00a0", " ")


QUIET = replace(FACTS, signals=(heartbeat(45),))
ALL_DAY = replace(FACTS, launched_at=NOW - 13 * HOUR, running_at=NOW - 12 * HOUR + 15 * MINUTE)
WARNED = replace(QUIET, warned_for=NOW + 15 * MINUTE, warned_at=NOW - MINUTE)
OVERDUE = replace(FACTS, warned_for=NOW - 5 * MINUTE, warned_at=NOW - 20 * MINUTE)
IN_USE = replace(FACTS, signals=(heartbeat(0),))
AFTERNOONS = Schedule("Europe/Berlin", (StopTime(frozenset(range(5)), dt.time(14, 30)),))
OBSERVING = replace(RULES, observes=True, observe_until=NOW + 48 * HOUR)
CASES = {
    "in use": (
        {"facts": IN_USE},
        "Stops at 15:00, in 1 h 00 min, unless used",
        "Last used 14:00 (GPU 87 %).",
    ),
    "quiet": (
        {"facts": replace(FACTS, signals=(heartbeat(25, ssh=1, key=62), log(52)))},
        "Stops at 14:35, in 35 min, unless used",
        "Idle 25 of 60 min: GPU ≤ 1 % since 13:35, 25 samples; SSH open, no key pressed for 1 h 02 min; "
        "log unchanged since 13:05.",
    ),
    "quiet, nobody signed in": (
        {"facts": replace(FACTS, signals=(heartbeat(20),))},
        "Stops at 14:40, in 40 min, unless used",
        "Idle 20 of 60 min: GPU ≤ 1 % since 13:40, 20 samples; nobody signed in by SSH.",
    ),
    "only the log": (
        {"facts": replace(FACTS, signals=(log(40),))},
        "Stops at 14:50, in 50 min, unless used",
        "Idle 40 of 90 min: log unchanged since 13:20.",
    ),
    "just begun": (
        {
            "facts": Facts(
                launched_at=NOW - 6 * MINUTE,
                running_at=NOW - 5 * MINUTE,
                signals=(
                    Signal("heartbeat", NOW - MINUTE, NOW, (Samples(NOW - MINUTE, NOW, 2, gpu_top=1),)),
                ),
            )
        },
        "Stops at 15:15, in 1 h 15 min, unless used",
        "It runs since 13:55: nothing before 14:15 counts as idle.",
    ),
    "warned": (
        {"facts": WARNED},
        "Stops at 14:15, in 15 min, unless used",
        "Idle 45 of 60 min: GPU ≤ 1 % since 13:15, 45 samples; nobody signed in by SSH.",
    ),
    "extended": (
        {"facts": replace(FACTS, signals=(heartbeat(0),), extend_until=NOW + 3 * HOUR)},
        "Stops at 17:00, in 3 h 00 min, unless used",
        "Extended until 17:00. Last used 14:00 (GPU 87 %).",
    ),
    "nothing tells": (
        {"facts": replace(FACTS, running_at=NOW - HOUR, launched_at=NOW - HOUR)},
        "You are asked at 15:00, in 1 h 00 min",
        "Nothing tells whether it is used: you are asked at 15:00, and without an answer by 15:30 it stops.",
    ),
    "nothing tells somebody else": (
        {"facts": replace(FACTS, running_at=NOW - HOUR, launched_at=NOW - HOUR), "asked": "its owner is"},
        "Its owner is asked at 15:00, in 1 h 00 min",
        "Nothing tells whether it is used: its owner is asked at 15:00, and without an answer by 15:30 it stops.",
    ),
    "asked": (
        {
            "facts": replace(
                FACTS,
                running_at=NOW - 130 * MINUTE,
                warned_for=NOW + 20 * MINUTE,
                warned_at=NOW - 10 * MINUTE,
            )
        },
        "Without an answer it stops at 14:20, in 20 min",
        "Nothing tells whether it is used, so people are asked: without an answer within 30 min it stops.",
    ),
    "silent": (
        {"facts": replace(FACTS, signals=(heartbeat(30, silent=10),))},
        "Its heartbeat has been silent for 10 min",
        "Silence is neither use nor idleness, so the time does not count. If it stays silent until 14:05, what else is "
        "known decides; where nothing is, you are asked.",
    ),
    "silence of our own": (
        {"facts": replace(FACTS, signals=(heartbeat(30, silent=10),), receiver_is_down=True)},
        "Its heartbeat has been silent for 10 min",
        "Heartbeats cannot reach this server right now, so their silence counts against nobody.",
    ),
    "cloud out of sight": (
        {"facts": replace(QUIET, cloud_lost_since=NOW - 7 * MINUTE)},
        "Dispersed cannot be seen for 7 min",
        "While it cannot be seen nothing is stopped for idleness; the idle time begins anew afterwards.",
    ),
    "given up": (
        {"facts": replace(FACTS, signals=(heartbeat(40, silent=20),))},
        "You are asked at 15:55, in 1 h 55 min",
        "Its heartbeat fell silent at 13:40: you are asked at 15:55, and without an answer by 16:25 it stops.",
    ),
    "log given up": (
        {"facts": replace(FACTS, signals=(log_silent(20),))},
        "You are asked at 15:55, in 1 h 55 min",
        "Its log fell silent at 13:40: you are asked at 15:55, and without an answer by 16:25 it stops.",
    ),
    "one of two machines silent": (
        {"facts": replace(FACTS, signals=(heartbeat(0), replace(heartbeat(30, silent=10), node="b")))},
        "Stops at 15:00, in 1 h 00 min, unless used",
        "Last used 14:00 (GPU 87 %).",
    ),
    "one of two quiet machines silent": (
        {"facts": replace(FACTS, signals=(heartbeat(30), replace(heartbeat(30, silent=10), node="b")))},
        "1 of 2 machines silent for 10 min",
        "Silence is neither use nor idleness, so the time does not count. If it stays silent until 14:05, what else is "
        "known decides; where nothing is, you are asked.",
    ),
    "the machine alone, and one of two given up": (
        {"facts": replace(ALL_DAY, signals=(heartbeat(0), replace(heartbeat(40, silent=20), node="b")))},
        "You are asked at 14:15, in 15 min",
        "Only the machine itself says that it is used: you are asked at 14:15, and without an answer by 14:45 it stops. "
        "Last used 14:00 (GPU 87 %).",
    ),
    "protected": (
        {"facts": replace(QUIET, protected_until=NOW + 6 * HOUR), "protected_reason": "the demo"},
        "Protected until 20:00",
        "Because “the demo”. Idle 45 of 60 min: GPU ≤ 1 % since 13:15, 45 samples; nobody signed in by SSH. After that "
        "it stops at 20:00 unless used.",
    ),
    "protected beyond its lifetime": (
        {"facts": replace(QUIET, protected_until=NOW + 30 * HOUR), "protected_reason": "the demo"},
        "Protected until tomorrow 20:00",
        "Because “the demo”. Idle 45 of 60 min: GPU ≤ 1 % since 13:15, 45 samples; nobody signed in by SSH. It stops "
        "tomorrow 09:58 at the latest, the end of its lifetime.",
    ),
    "observed": (
        {"facts": replace(FACTS, signals=(heartbeat(75),)), "rules": OBSERVING},
        "Would have been stopped at 13:45",
        "Idle for 1 h 15 min, more than 1 h: GPU ≤ 1 % since 12:45, 75 samples; nobody signed in by SSH. Stops for "
        "idleness are only noted until 27 Nov 14:00, so it goes on.",
    ),
    "to be observed": (
        {
            "facts": replace(QUIET, confirmed_at=NOW - 3 * HOUR),
            "rules": replace(OBSERVING, lifetime=8 * HOUR),
        },
        "Stops at 17:58, in 3 h 58 min",
        "Its maximum lifetime of 8 h ends. Idle 45 of 60 min: GPU ≤ 1 % since 13:15, 45 samples; nobody signed in by SSH. "
        "Unused it would be stopped at 14:15, but stops for idleness are only noted until 27 Nov 14:00.",
    ),
    "only the machine says so": (
        {"facts": replace(FACTS, signals=(heartbeat(0),), extend_until=None), "rules": OBSERVING},
        "You are asked at 22:00, in 8 h 00 min",
        "Only the machine itself says that it is used: you are asked at 22:00, and without an answer by 22:30 it stops. "
        "Last used 14:00 (GPU 87 %). Unused it would be stopped at 15:00, but stops for idleness are only noted until "
        "27 Nov 14:00.",
    ),
    "held": (
        {"facts": WARNED, "held": "5 of 12 jobs would be stopped at once.", "hold_id": 3},
        "Held back: a person decides",
        "5 of 12 jobs would be stopped at once. Idle 45 of 60 min: GPU ≤ 1 % since 13:15, 45 samples; nobody signed in by "
        "SSH.",
    ),
    "put off for a fresh sample": (
        {
            "facts": replace(
                FACTS, signals=(heartbeat(64, silent=4),), warned_for=NOW - 5 * MINUTE, warned_at=NOW - HOUR
            )
        },
        "Its time is up, but the stop waits for a fresh sample",
        "Nothing is stopped on old evidence. Idle for 1 h 05 min, more than 1 h: GPU ≤ 1 % since 12:55, 60 samples; "
        "nobody signed in by SSH.",
    ),
    "put off by the clocks": (
        {
            "facts": replace(
                FACTS,
                signals=(heartbeat(60),),
                warned_for=NOW,
                warned_at=NOW - HOUR,
                soft_hold="the clocks differ",
            )
        },
        "Its time is up, but the stop is put off",
        "The reason: the clocks differ. Idle 60 of 60 min: GPU ≤ 1 % since 13:00, 60 samples; nobody signed in by SSH.",
    ),
    "put off because nobody was reached": (
        {"facts": replace(OVERDUE, signals=(heartbeat(65),), warning_arrived=False)},
        "Put off until 14:10, in 10 min",
        "The warning has reached nobody yet, so people get as much time once more. Idle for 1 h 05 min, more than 1 h: "
        "GPU ≤ 1 % since 12:55, 65 samples; nobody signed in by SSH.",
    ),
    "lifetime": (
        {
            "facts": replace(FACTS, signals=(heartbeat(0),), confirmed_at=BEGUN),
            "rules": replace(RULES, lifetime=250 * MINUTE),
        },
        "Stops at 14:08, in 8 min",
        "Its maximum lifetime of 4 h 10 min ends. Last used 14:00 (GPU 87 %).",
    ),
    "schedule": (
        {"facts": IN_USE, "rules": replace(RULES, schedule=AFTERNOONS)},
        "Stops at 14:30, in 30 min",
        "The team's schedule stops jobs Monday to Friday at 14:30 (Europe/Berlin). Last used 14:00 (GPU 87 %).",
    ),
    "too dear": (
        {
            "facts": replace(
                FACTS,
                signals=(heartbeat(0),),
                rate_exceeded_at=NOW - MINUTE,
                rate_words="$4.14 instead of $1.00",
            )
        },
        "Stops at 14:05, in 5 min",
        "It costs more than was allowed at launch: $4.14 instead of $1.00. Last used 14:00 (GPU 87 %).",
    ),
    "starting": (
        {
            "facts": Facts(launched_at=NOW - 3 * MINUTE, starting_since=NOW - 3 * MINUTE),
            "rules": replace(RULES, start_limit=25 * MINUTE),
        },
        "Given up at 14:22, in 22 min unless it runs",
        "Nothing counts as idle before it runs.",
    ),
    "batch": (
        {"facts": FACTS, "rules": replace(RULES, task="BATCH")},
        "Stops tomorrow 09:58, in 19 h 58 min",
        "Its maximum lifetime of 24 h ends. A batch job ends by itself, so it is never stopped for idleness.",
    ),
    "no limit": (
        {"facts": replace(FACTS, running_at=None), "rules": Policy(lifetime=None, ceiling=None)},
        "Nothing stops it",
        "No limit: runs until somebody stops it.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(case: str) -> None:
    terms, title, text = CASES[case]
    found = said(**terms)
    assert plain(found.title) == title
    assert text is None or plain(found.text) == text


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words_a_tone_and_a_shape(state: State) -> None:
    verdict = replace(decide(RULES, QUIET, NOW), state=state)
    found = said(QUIET, verdict=verdict)
    assert str(found.title)
    assert found.text
    assert found.tone in ("green", "amber", "violet", "blue", "grey", "accent")
    assert found.icon


@pytest.mark.parametrize(
    ("minutes", "limit", "words"),
    [
        (0.7, HOUR, "42 s of 60 min"),
        (47, HOUR, "47 of 60 min"),
        (60, HOUR, "60 of 60 min"),
        (61, HOUR, "for 1 h 01 min, more than 1 h"),
        (47, 8 * HOUR, "47 min of 8 h"),
        (100, 90 * MINUTE, "for 1 h 40 min, more than 1 h 30 min"),
        (5, None, "for 5 min"),
    ],
)
def test_a_share_of_a_limit(minutes: float, limit: dt.timedelta | None, words: str) -> None:
    assert plain(share(minutes * MINUTE, limit)) == words


def test_a_stop_is_told_the_day_after_as_it_was_decided() -> None:
    verdict: Verdict = decide(RULES, replace(FACTS, signals=(heartbeat(60, ssh=2, key=70),)), NOW)
    told_later = stopped_words(as_json(verdict), NOW, NOW + 24 * HOUR, BERLIN)
    assert plain(told_later) == (
        "Idle 60 of 60 min: GPU ≤ 1 % since yesterday 13:00, 60 samples; SSH open, no key pressed for 1 h 10 min."
    )
    assert (
        stopped_words({"rule": "budget", "sentence": "A budget is used up."}, NOW, NOW, BERLIN)
        == "A budget is used up."
    )
