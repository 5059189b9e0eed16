"""What a row says of auto-stop, from the columns of the last verdict: tables over verdicts; no database, no request."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.accounts.models import User
from dispersed_web.autostop import deadlines
from dispersed_web.autostop.policy import State
from dispersed_web.jobs.models import Job
from dispersed_web.web import words
from dispersed_web.web.job import lease_words
from dispersed_web.web.job.lease_words import Around
from dispersed_web.web.jobs import cells, rows

# A Monday.
NOW = dt.datetime(2026, 3, 2, 14, 0, tzinfo=dt.UTC)
UTC = dt.UTC
RULES = [value for name, value in vars(deadlines).items() if name.isupper() and isinstance(value, str)]


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def made(state: str = "", rule: str = "", confidence: str = "", **fields: Any) -> Job:
    """A persistent job that was launched an hour ago and runs, in memory only."""
    values: dict[str, Any] = {
        "status": "RUNNING",
        "title": "Dev",
        "task": "PERSISTENT",
        "created_at": ago(60),
        "launched_at": ago(60),
        "running_at": ago(50),
        "reachable_at": ago(49),
        "owner": User(name="Bob Ito", email="bob@example.org"),
        "spec": {},
        "remote_uuid": "0193",
        "lifetime_s": 86400,
        "ceiling_s": 7 * 86400,
        "hourly_rate_usd": Decimal("0.69"),
        "spending_since": ago(50),
        "verdict_state": state,
        "verdict_rule": rule,
        "confidence": confidence,
    }
    return Job(**values | fields)


def soon(minutes: float = 13) -> dt.datetime:
    return ago(-minutes)


QUIET = {"quiet_since": ago(47), "idle_limit_now_s": 3600}
PROTECTED = {"protected_until": NOW + dt.timedelta(days=4, hours=4), "protected_reason": "a demo"}
FRIDAY = "Fri 18:00"

# The verdict; what stands below RUNNING, when it stops, why, the acts, the tint
LEASES = [
    (made("active", "idle", "high", stop_at=soon(59)),
     "in use", "in 59 min", "unless used", ["Connect", "Stop"], ""),
    (made("quiet", "idle", "high", stop_at=soon(48), quiet_since=ago(12), idle_limit_now_s=3600),
     "quiet 12 of 60 min", "in 48 min", "idle, unless used", ["Connect", "Stop"], ""),
    (made("quiet", "max_lifetime", "medium", stop_at=soon(48), quiet_since=ago(80), idle_limit_now_s=8 * 3600),
     "quiet 1 h 20 min of 8 h", "in 48 min", "24 h lifetime", ["Connect", "Stop"], ""),
    (made("warned", "idle", "high", stop_at=soon(), warned_at=ago(2), **QUIET),
     "quiet 47 of 60 min", "in 13 min", "idle, unless used", ["Extend", "Stop"], "warned"),
    (made("warned", "max_lifetime", "high", stop_at=soon(), warned_at=ago(2)),
     "in use", "in 13 min", "24 h lifetime", ["Extend", "Stop"], "warned"),
    (made("warned", "max_lifetime", "high", stop_at=soon(), warned_at=ago(2), lifetime_s=4380, ceiling_s=4380),
     "in use", "in 13 min", "1 h 13 min at most", ["Connect", "Stop"], "warned"),
    (made("blind", "max_lifetime", "high", stop_at=soon(), blind_since=ago(7)),
     "heartbeat silent for 7 min", "in 13 min", "24 h lifetime", ["Connect", "Stop"], ""),
    (made("blind", "max_lifetime", "medium", stop_at=soon(), blind_since=ago(7)),
     "log silent for 7 min", "in 13 min", "24 h lifetime", ["Connect", "Stop"], ""),
    (made("blind", "checkin_unanswered", "low", stop_at=soon(), blind_since=ago(7)),
     "cloud not seen for 7 min", "in 13 min", "check-in", ["Connect", "Stop"], ""),
    (made("unknown", "checkin_unanswered", "low", stop_at=soon(100)),
     "use not measured", "in 1 h 40 min", "check-in", ["Connect", "Stop"], ""),
    (made("warned", "checkin_unanswered", "low", stop_at=soon(22), warned_at=ago(8)),
     "asked: still using it?", "in 22 min", "unless answered", ["Still in use", "Stop"], "warned"),
    (made("protected", "idle", "high", stop_at=PROTECTED["protected_until"], **PROTECTED),
     f"protected until {FRIDAY}", FRIDAY, "protection ends", ["Connect", "Stop"], ""),
    (made("protected", "max_lifetime", "high", stop_at=soon(60 * 23), **PROTECTED),
     f"protected until {FRIDAY}", "tomorrow 13:00", "24 h lifetime", ["Connect", "Stop"], ""),
    (made("active", "idle", "high", stop_at=soon(), protected_until=ago(1), protected_reason="a demo"),
     "in use", "in 13 min", "unless used", ["Connect", "Stop"], ""),
    (made("observed", "max_lifetime", "high", stop_at=soon(60 * 3), quiet_since=ago(70), idle_limit_now_s=3600),
     "would have been stopped", "in 3 h 00 min", "24 h lifetime", ["Connect", "Stop"], ""),
    (made("active", "idle", "high", stop_at=soon(), extend_until=soon(13.5)),
     "in use", "in 13 min", "extended, unless used", ["Connect", "Stop"], ""),
    (made("active", "max_lifetime", "high", stop_at=soon(60 * 47), extend_until=soon(60 * 47)),
     "in use", "Wed 13:00", "extended", ["Connect", "Stop"], ""),
    (made("active", "schedule", "high", stop_at=soon(60 * 4)),
     "in use", "in 4 h 00 min", "schedule", ["Connect", "Stop"], ""),
    (made("warned", "schedule", "high", stop_at=soon(), warned_at=ago(2)),
     "in use", "in 13 min", "schedule", ["Connect", "Stop"], "warned"),
    (made("warned", "budget", "high", stop_at=soon(4), warned_at=ago(1)),
     "in use", "in 4 min", "budget used up", ["Connect", "Stop"], "warned"),
    (made("warned", "rate", "high", stop_at=soon(4), warned_at=ago(1), rate_exceeded_at=ago(1)),
     "in use", "in 4 min", "price above cap", ["Accept price", "Stop"], "warned"),
    (made("active", "idle", "high", stop_at=soon(), rate_exceeded_at=ago(9), rate_accepted_at=ago(8)),
     "in use", "in 13 min", "unless used", ["Connect", "Stop"], ""),
    (made("warned", "stuck_starting", "low", status="PREPARING", stop_at=soon(4), warned_at=ago(1)),
     "50 min of 5 min", "in 4 min", "unless it starts", ["Stop"], "warned"),
    (made("unlimited", "", "low", lifetime_s=None, ceiling_s=None),
     "use not measured", "never by itself", "no limit", ["Connect", "Stop"], ""),
    (made(), "until it is stopped", "24 h lifetime", "from its launch", ["Connect", "Stop"], ""),
    (made("unknown", "max_lifetime", "low", task="BATCH", stop_at=soon(60 * 2)),
     "ends by itself", "in 2 h 00 min", "24 h lifetime", ["Logs", "Stop"], ""),
    (made("active", "idle", "high", stop_requested_at=ago(1), stop_reason="idle"),
     "asked 1 min ago", "now", "idle", [], ""),
    (made("active", "idle", "high", stop_requested_at=ago(60), stop_reason="user"),
     "asked 1 h 00 min ago", "trying again", "$0.69 since asked", ["Details"], "alarmed"),
    (made(status="COMPLETED", reason="exited", spending_since=None), "ended by itself", "–", "", ["Launch again"], ""),
]  # fmt: skip


def plain(phrase: object) -> str:
    return str(phrase).replace(words.NBSP, " ")


@pytest.mark.parametrize(("job", "use", "stops", "why", "acts", "tone"), LEASES)
def test_a_row_says_how_it_is_used_when_it_stops_why_and_what_to_do(job, use, stops, why, acts, tone):
    if job.status == "PREPARING":
        job.assigned_at = ago(50)
    row = rows.row(job, NOW, UTC)
    assert (plain(row.story.detail), plain(row.stops), plain(row.why)) == (use, stops, why)
    assert [act.label for act in row.acts] == acts
    assert row.tone == tone


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("state", list(State))
def test_every_verdict_is_said_in_words_that_fit(state, rule):
    for fields in ({}, {"warned_at": ago(1)}, QUIET, {"blind_since": ago(3)}, PROTECTED):
        job = made(state.value, rule, "high", stop_at=soon(), **fields)
        row = rows.row(job, NOW, UTC)
        assert 0 < len(plain(row.story.detail)) <= 28
        assert 0 < len(plain(row.why)) <= 24
        assert plain(row.stops) == "in 13 min"
        assert 1 <= len(row.acts) <= 2


def test_the_reason_of_a_protection_is_said_where_one_points():
    row = rows.row(made("protected", "idle", "high", stop_at=soon(), **PROTECTED), NOW, UTC)
    assert row.story.hint == f"Protected until {FRIDAY}: a demo"
    html = cells.table_rows([row], cells.Places("/jobs/", "/launch/", "/icons.svg"))
    assert f'title="Protected until {FRIDAY}: a demo"' in html


def test_quiet_time_goes_on_in_the_browser():
    job = made("quiet", "idle", "high", stop_at=soon(), **QUIET)
    html = cells.table_rows([rows.row(job, NOW, UTC)], cells.Places("/jobs/", "/launch/", "/icons.svg"))
    assert 'quiet <time datetime="2026-03-02T13:13:00Z" data-tick="minutes">47</time> of 60\u00a0min' in html


def test_the_first_minute_is_told_in_seconds():
    begun = made("quiet", "idle", "high", **QUIET | {"quiet_since": NOW})
    assert str(lease_words.use_of(begun, NOW, UTC)) == "quiet 0\u00a0s of 60\u00a0min"
    spoken = [str(words.minutes_of(NOW, NOW + dt.timedelta(seconds=s), 600)) for s in (-5, 42, 60, 119)]
    whole = " of 10\u00a0min"
    assert spoken == [f"0\u00a0s{whole}", f"42\u00a0s{whole}", f"1{whole}", f"1{whole}"]


def test_a_check_in_is_answered_with_one_press_and_asked_about_without_scripts():
    job = made("warned", "checkin_unanswered", "low", stop_at=soon(22), warned_at=ago(8))
    html = cells.table_rows([rows.row(job, NOW, UTC)], cells.Places("/jobs/", "/launch/", "/icons.svg"))
    assert f'href="/jobs/{job.pk}/ask/in-use/" hx-post="/jobs/{job.pk}/in-use/"' in html
    assert "needs-member" in html


def test_a_held_job_waits_for_a_decision_and_leads_to_it():
    job = made("due", "idle", "high", stop_at=ago(3), warned_at=ago(20), **QUIET)
    around = Around(held=frozenset({str(job.pk)}))
    row = rows.row(job, NOW, UTC, around)
    assert (plain(row.stops), plain(row.why), row.tone) == ("held", "waits for a decision", "warned")
    assert [act.label for act in row.acts] == ["Decide", "Stop"]
    html = cells.table_rows([row], cells.Places("/jobs/", "/launch/", "/icons.svg", "/holds/9/"))
    assert 'href="/holds/9/"' in html


def test_a_job_held_because_all_fell_silent_keeps_its_own_stop():
    job = made("blind", "max_lifetime", "high", stop_at=soon(), blind_since=ago(7))
    row = rows.row(job, NOW, UTC, Around(held=frozenset({str(job.pk)})))
    assert (plain(row.stops), row.acts[0].label, row.tone) == ("in 13 min", "Decide", "warned")


def test_silence_is_not_put_on_the_heartbeat_while_the_cloud_cannot_be_seen():
    job = made("blind", "max_lifetime", "high", stop_at=soon(), blind_since=ago(7), credential_id="key")
    around = Around(unseen=frozenset({"key"}))
    assert plain(lease_words.use_of(job, NOW, UTC, around)) == "cloud not seen for 7 min"
