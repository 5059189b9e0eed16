"""The message of each kind of event."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.notifications import kinds, mail
from dispersed_web.notifications.notice import Notice, compose, one_line
from tests import factories

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
STOP_AT = "2026-11-23T13:12:00+00:00"
BERLIN = "Europe/Berlin"

SUBJECTS = [
    ("job.warned", {"stop_at": STOP_AT, "rule": "idle"}, "Stops at 14:12: Dev Box"),
    ("job.warned", {"stop_at": "2026-11-24T13:12:00+00:00"}, "Stops at 14:12 on 24 Nov: Dev Box"),
    ("job.warned", {}, "Stops soon: Dev Box"),
    ("job.warned", {"stop_at": "2026-11-23T13:12:00"}, "Stops soon: Dev Box"),
    ("job.warned", {"stop_at": 5}, "Stops soon: Dev Box"),
    ("job.reminded", {"stop_at": STOP_AT}, "Reminder: stops at 14:12: Dev Box"),
    ("job.called_off", {"why": "it is used"}, "Stop called off: Dev Box"),
    ("job.extended", {"until": STOP_AT}, "Now stops at 14:12: Dev Box"),
    ("job.checkin", {"stop_at": STOP_AT, "hourly": "0.69"}, "Still using it? Dev Box"),
    ("job.blind", {"signal": "heartbeat"}, "Signal lost: Dev Box"),
    ("job.would_stop", {"would_stop_at": STOP_AT}, "Would have stopped at 14:12: Dev Box"),
    ("job.batch_silent", {}, "Silent for long: Dev Box"),
    ("job.rate_exceeded", {}, "Costs more than stated: Dev Box"),
    ("job.stop_requested", {"reason": "idle"}, "Being stopped: Dev Box"),
    ("job.ended", {"reason": "idle", "status": "CANCELLED"}, "Ended (idle): Dev Box"),
    ("job.ended", {"reason": "unheard of"}, "Ended: Dev Box"),
    ("job.stop_unconfirmed", {}, "Stop not confirmed: Dev Box"),
    ("job.something_new", {}, "Notice: Dev Box"),
    ("team.hold", {}, "Stops are held back, decide on them: Lab"),
    ("team.engine_late", {}, "Auto-stop is late: Lab"),
    ("budget.reached", {"percent": 80}, "80 % of a budget is used: Lab"),
    ("budget.reached", {}, "A budget is nearly used: Lab"),
]


def made(kind: str, data: dict[str, Any], sentence: str = "It is so.", **fields: Any) -> Notice:
    team = factories.make_team("Lab")
    subject = factories.make_job(team, title="Dev Box", **fields) if kind.startswith("job.") else team
    return compose(factories.make_event(team, kind, subject, sentence, now=AT, data=data))


@pytest.mark.parametrize(("kind", "data", "subject"), SUBJECTS)
def test_every_kind_has_its_subject_in_the_readers_zone(kind: str, data: Any, subject: str) -> None:
    notice = made(kind, data)
    reader = factories.make_user(time_zone=BERLIN)
    assert mail.said(notice.subject, reader, notice) == subject
    message = mail.written(notice, reader, ())
    assert "It is so." in message.body
    assert subject in message.alternatives[0].content


def test_every_kind_is_among_those_looked_at() -> None:
    ours = {
        name for name in kinds.KINDS if kinds.KINDS[name].follows or name in ("job.warned", "job.checkin")
    }
    assert ours - {kind for kind, *_ in SUBJECTS} == {
        "job.in_use",
        "job.kept",
        "job.protected",
        "job.rate_accepted",
    }


def test_a_warning_says_why_without_words_that_go_stale() -> None:
    data = {"stop_at": STOP_AT, "rule": "idle", "sentence": "Idle for 47 min of 60 min: GPU ≤ 1 %."}
    notice = made("job.warned", data, "Stops in 15 min. Idle for 47 min of 60 min: GPU ≤ 1 %.")
    assert notice.sentence == "Idle for 47 min of 60 min: GPU ≤ 1 %."
    assert notice.calls_off == "Use it again or extend it, and the stop is called off."


def test_an_end_says_the_cost_and_leads_to_the_same_again() -> None:
    notice = made("job.ended", {"reason": "idle"}, "Stopped: idle. GPU 0 %.", status="CANCELLED")
    assert ("Cost", ("$0.69 (estimate)",)) in notice.facts
    assert notice.again.endswith(f"/t/{notice.event.team.slug}/launch/?again={notice.job.pk}")
    assert notice.offers(in_channel=False) == ()


@pytest.mark.parametrize(
    ("kind", "rule", "in_channel", "acts"),
    [
        ("job.warned", "idle", False, ["extend 30", "extend 60", "extend 240", "stop"]),
        ("job.warned", "max_lifetime", True, ["extend 30", "extend 60", "extend 240", "stop"]),
        ("job.warned", "budget", False, ["stop"]),
        ("job.warned", "schedule", True, ["stop"]),
        ("job.reminded", "checkin_unanswered", False, ["keep", "stop"]),
        ("job.checkin", "checkin_unanswered", False, ["keep", "stop"]),
        ("job.checkin", "checkin_unanswered", True, ["extend 30", "extend 60", "extend 240", "stop"]),
        ("job.rate_exceeded", "", False, ["stop"]),
        ("job.called_off", "", False, []),
        ("job.something_new", "", False, []),
    ],
)
def test_what_may_be_done_from_a_message(kind: str, rule: str, in_channel: bool, acts: list[str]) -> None:
    offers = made(kind, {"rule": rule}).offers(in_channel=in_channel)
    assert [f"{one.act} {one.minutes or ''}".strip() for one in offers] == acts


@pytest.mark.parametrize(("ceiling_h", "acts"), [(3, ["extend", "extend", "extend", "stop"]), (2, ["stop"])])
def test_no_extension_is_offered_that_would_be_refused(ceiling_h: int, acts: list[str]) -> None:
    stop_at = dt.datetime.fromisoformat(STOP_AT)
    times = {"launched_at": stop_at - dt.timedelta(hours=2), "ceiling_s": ceiling_h * 3600}
    notice = made("job.warned", {"rule": "max_lifetime", "stop_at": STOP_AT}, **times)
    assert [one.act for one in notice.offers(in_channel=False)] == acts
    assert ("nobody can extend it" in notice.calls_off) == (acts == ["stop"])


def test_nothing_is_offered_for_a_job_that_is_being_stopped() -> None:
    assert made("job.warned", {"rule": "idle"}, stop_requested_at=AT).offers(in_channel=False) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nBcc: b\tc", "a Bcc: b c"),
        ("\u202eevil\u2069 \x07bell", "evil bell"),
        ("x" * 100, "x" * 79 + "…"),
        ("  ", ""),
    ],
)
def test_text_of_others_becomes_one_line(text: str, line: str) -> None:
    assert one_line(text, 80) == line
