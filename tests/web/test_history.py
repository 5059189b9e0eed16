"""Verdicts of the past in words, and why a job was not stopped at some moment."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from dispersed_web.autostop.activity import Lane
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.autostop.policy import State
from dispersed_web.events.models import Event
from dispersed_web.web.job import history
from dispersed_web.web.job.evidence import LaneStory, Span
from dispersed_web.web.job.sightings import verdict_spans
from dispersed_web.web.jobs.marks import marks

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
NOW = dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.UTC)  # 14:00 in Berlin
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def change(
    minutes_ago: float, state: str, rule: str = "idle", stop_in: float = 0, sentence: str = "So."
) -> VerdictChange:
    at = NOW - minutes_ago * MINUTE
    return VerdictChange(at=at, state=state, rule=rule, stop_at=at + stop_in * MINUTE, sentence=sentence)


def event(minutes_ago: float, kind: str, **data: str) -> Event:
    return Event(
        pk=1000 - int(minutes_ago), at=NOW - minutes_ago * MINUTE, kind=kind, sentence=f"{kind}.", data=data
    )


PAST = [
    change(200, "active", stop_in=60),
    change(90, "quiet", stop_in=50, sentence="Idle for 10 min of 60 min."),
    change(55, "warned", stop_in=15),
    change(50, "active", stop_in=60),
]
GPU = LaneStory(Lane.GPU, "GPU", True, (Span(NOW - 100 * MINUTE, NOW - 50 * MINUTE, "quiet", 1),))


@pytest.mark.parametrize(
    ("minutes_ago", "sentence", "verdict", "stop"),
    [
        (120, "It was in use.", "In use since 10:40. So.", None),
        (
            70,
            "It was quiet, but not for long enough.",
            "Quiet since 12:30. Idle for 10 min of 60 min.",
            "13:20",
        ),
        (52, "The stop was announced, and its time had not come.", "Warned since 13:05. So.", "13:20"),
    ],
)
def test_why_it_was_not_stopped_then(minutes_ago, sentence, verdict, stop):
    found = history.answer(NOW - minutes_ago * MINUTE, PAST, [GPU], [], NOW, BERLIN)
    told = dict(found.details)
    assert (found.sentence, told["Verdict"], told.get("Stop due then")) == (sentence, verdict, stop)


def test_what_was_seen_and_what_people_had_done_is_told_with_it():
    acts = marks(
        [
            event(75, "job.in_use"),
            event(130, "job.extended", until=(NOW + HOUR).isoformat()),
            event(180, "job.in_use"),
        ]
    )
    found = history.answer(NOW - 70 * MINUTE, PAST, [GPU], acts, NOW, BERLIN)
    assert ("GPU", "quiet since 12:20, peak 1\u00a0%") in found.details
    assert [text for name, text in found.details if name == "People"] == [
        "11:50: job.extended.",
        "12:45: job.in_use.",
    ]


def test_of_a_time_before_the_first_look_nothing_is_claimed():
    found = history.answer(NOW - 300 * MINUTE, PAST, [GPU], [], NOW, BERLIN)
    assert "Nothing is remembered" in found.sentence
    assert found.details == ()


@pytest.mark.parametrize("state", [state.value for state in State])
def test_every_state_has_its_line_and_its_reason(state):
    line = history.lines([change(5, state, rule="max_lifetime")], NOW, BERLIN)[0]
    assert line.word != state
    assert line.icon
    assert history.answer(NOW, [change(5, state)], [], [], NOW, BERLIN).sentence.endswith(".")


def test_a_line_tells_the_stop_that_held_unless_it_moved_on_with_the_use():
    stops = [one.stops for one in history.lines(PAST, NOW, BERLIN)]
    assert stops == ["", "13:20", "13:20", ""]
    asked = history.lines([change(5, "warned", rule="checkin_unanswered", stop_in=30)], NOW, BERLIN)[0]
    assert (asked.word, asked.icon) == ("Asked", "status-unknown")


def test_the_times_of_each_state_follow_each_other():
    spans = verdict_spans([*PAST, change(20, "active")], NOW - 100 * MINUTE, NOW)
    told = [((one.start - NOW) / MINUTE, (one.end - NOW) / MINUTE, one.state) for one in spans]
    assert told == [(-100, -90, "active"), (-90, -55, "quiet"), (-55, -50, "warned"), (-50, 0, "active")]
    assert verdict_spans([], NOW - HOUR, NOW) == []


# Marks ----------------------------------------------------------------------------------------------------------------


def test_marks_are_in_order_and_only_of_what_concerns_the_strip():
    found = marks([event(5, "job.warned"), event(9, "job.status"), event(30, "job.in_use")])
    assert [(one.row, one.name) for one in found] == [("people", "still in use"), ("engine", "warned")]


def test_a_protection_that_was_lifted_ends_there():
    until = (NOW + 20 * HOUR).isoformat()
    lifted = marks([event(60, "job.protected", until=until), event(10, "job.unprotected")])
    assert lifted[0].until == NOW - 10 * MINUTE
    assert marks([event(60, "job.protected", until=until)])[0].until == NOW + 20 * HOUR
