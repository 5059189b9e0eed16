"""What a machine is told of its own future."""

import datetime as dt

import pytest

from dispersed_web.signals.answer import answer_for
from tests.signals.beating import NOW

RUNNING = {
    "running_at": NOW - dt.timedelta(hours=1),
    "stop_at": None,
    "verdict_state": "active",
    "verdict_rule": "",
    "stop_requested_at": None,
    "stop_reason": "",
}


def told(in_s: float | None = None, **columns):
    if in_s is not None:
        columns["stop_at"] = NOW + dt.timedelta(seconds=in_s)
    return answer_for(RUNNING | columns, NOW)


def test_an_active_machine_is_told_when_it_stops_but_its_terminals_are_left_alone():
    assert told(5400, verdict_rule="max_lifetime").as_json() == {
        "state": "active",
        "stop_at": "2026-11-25T15:32:00Z",
        "in_s": 5400,
        "reason": "max_lifetime",
        "message": "",
        "next_s": 60,
    }


def test_a_machine_without_a_limit():
    answer = told(verdict_state="unlimited")

    assert (answer.state, answer.stop_at, answer.in_s, answer.next_s) == ("active", None, None, 60)


def test_before_the_first_verdict():
    assert told(verdict_state="").state == "unknown"
    assert told(verdict_state="", running_at=None).state == "starting"


def test_a_state_that_the_script_does_not_know_is_unknown():
    assert told(verdict_state="confused").state == "unknown"


def test_a_warned_machine_is_told_when_why_and_what_helps():
    answer = told(600, verdict_state="warned", verdict_rule="idle")

    assert answer.message == (
        "This machine stops at 14:12 UTC, in less than 15 min (idle). "
        "Use it, or extend it in Dispersed Web, and it goes on."
    )


def test_the_terminals_are_told_few_times_not_every_minute():
    messages = {told(in_s, verdict_state="warned", stop_at=None).message for in_s in range(0, 900, 60)}

    times_away = {m.split(",")[1] for m in messages}
    assert times_away == {
        " in less than 15 min. Save what you need.",
        " in less than 5 min. Save what you need.",
        " within a minute. Save what you need.",
    }


def test_a_stop_that_was_asked_for():
    answer = told(
        5400, verdict_state="active", stop_requested_at=NOW - dt.timedelta(seconds=3), stop_reason="user"
    )

    assert (answer.state, answer.in_s, answer.reason, answer.next_s) == ("stopping", 0, "user", 10)
    assert answer.message == "This machine is being stopped now (stopped by a person). Save what you need."


@pytest.mark.parametrize(("in_s", "next_s"), [(840, 60), (110, 60), (109, 59), (61, 11), (55, 10), (40, 20)])
def test_the_next_report_comes_in_time_for_the_last_call(in_s, next_s):
    assert told(in_s, verdict_state="warned").next_s == next_s


def test_every_stop_is_seen_in_its_last_minute_but_not_too_late_for_the_hook():
    for start in range(60, 900):
        left = start
        while left > 60:
            left -= told(left, verdict_state="warned").next_s
        assert 40 <= left <= 60


def test_a_stop_time_that_passed_without_a_warning_is_not_told():
    answer = told(-30, verdict_state="quiet", verdict_rule="idle")

    assert (answer.stop_at, answer.in_s, answer.message) == (None, None, "")


def test_a_warned_stop_that_is_late_is_due_now():
    assert told(-30, verdict_state="warned").in_s == 0
