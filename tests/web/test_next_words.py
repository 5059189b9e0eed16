"""What comes next, what calls it off and how sure it is: real decisions on plain facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.web.job.next_words import calls_off, steps, sureness
from tests.web.test_verdict_words import (
    AFTERNOONS,
    FACTS,
    HOUR,
    IN_USE,
    MINUTE,
    NOW,
    OBSERVING,
    QUIET,
    RULES,
    WARNED,
    heartbeat,
    log,
    outlook,
    plain,
)

SILENT = replace(FACTS, signals=(heartbeat(30, silent=10),))
DEAR = replace(IN_USE, rate_exceeded_at=NOW - MINUTE)
YOUNG = Facts(launched_at=NOW - HOUR, running_at=NOW - HOUR)
LAST = "it is stopped whatever anybody does"


@pytest.mark.parametrize(
    ("facts", "rules", "expected"),
    [
        (
            replace(QUIET, signals=(heartbeat(20),)),
            RULES,
            [
                ("14:25", "you are warned"),
                ("14:35", "you are reminded"),
                ("14:40", "it is looked at once more, and if still unused it is stopped"),
            ],
        ),
        (
            WARNED,
            RULES,
            [
                ("14:10", "you are reminded"),
                ("14:15", "it is looked at once more, and if still unused it is stopped"),
            ],
        ),
        (
            YOUNG,
            RULES,
            [
                ("15:00", "you are asked whether it is still in use"),
                ("15:25", "you are reminded"),
                ("15:30", "without an answer it is stopped"),
            ],
        ),
        (SILENT, RULES, [("14:05", "the silent signal is given up")]),
        (replace(SILENT, receiver_is_down=True), RULES, []),
        (DEAR, RULES, [("14:05", "it is stopped")]),
    ],
)
def test_what_comes_next_in_order(facts: Facts, rules: Policy, expected: list[tuple[str, str]]) -> None:
    found = [(one.when, one.what) for one in steps(outlook(facts, rules))]
    assert found.pop()[1] == LAST
    assert found == expected


def test_protection_and_observation_end_too() -> None:
    facts = replace(QUIET, protected_until=NOW + 2 * HOUR)
    found = {one.what: one.when for one in steps(outlook(facts, OBSERVING))}
    assert found["its protection ends"] == "16:00"
    assert found["unused it would be stopped; that is only noted"] == "16:00"
    assert found["stops for idleness are carried out from then on"] == "27 Nov 14:00"


@pytest.mark.parametrize(
    ("facts", "rules", "names", "words"),
    [
        (QUIET, RULES, ["Use it", "Say so", "Extend", "Looking"], "GPU at 5 % or more"),
        (
            replace(FACTS, signals=(log(40),)),
            RULES,
            ["Use it", "Say so", "Extend", "Looking"],
            "two new lines",
        ),
        (YOUNG, RULES, ["Answer", "Extend", "Looking"], "holds for 4 h"),
        (DEAR, RULES, ["Price"], "accept what it costs"),
        (IN_USE, replace(RULES, schedule=AFTERNOONS), ["Schedule", "Looking"], "change the team's schedule"),
        (IN_USE, replace(RULES, lifetime=4.5 * HOUR), ["Extend", "Looking"], "until 28 Nov 09:58 at most"),
    ],
)
def test_what_keeps_it(facts: Facts, rules: Policy, names: list[str], words: str) -> None:
    found = calls_off(outlook(facts, rules))
    assert [name for name, _ in found] == names
    assert words in plain(" ".join(text for _, text in found))


def test_at_the_ceiling_nothing_is_extended() -> None:
    ends_soon = replace(RULES, lifetime=4.5 * HOUR, ceiling=4.5 * HOUR)
    assert (
        dict(calls_off(outlook(IN_USE, ends_soon)))["Extend"]
        == "not any more: it runs as long as the team allows"
    )


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (QUIET, "high", "It stops after 1 h without use, with a warning 15 min before."),
        (
            replace(FACTS, signals=(log(40),)),
            "medium",
            "It stops after 1 h 30 min without use, with a warning 20 min before.",
        ),
        (FACTS, "low", "People are asked after 2 h, then every 4 h."),
    ],
)
def test_how_sure_it_is_and_what_follows(facts: Facts, level: str, words: str) -> None:
    found = sureness(outlook(facts))
    assert found is not None
    assert (found.level, words in plain(found.text)) == (level, True)


def test_nothing_is_sure_or_unsure_of_a_batch_job_or_before_it_runs() -> None:
    assert sureness(outlook(QUIET, replace(RULES, task="BATCH"))) is None
    assert sureness(outlook(replace(FACTS, running_at=None))) is None
