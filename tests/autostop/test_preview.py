"""What would become of a job that begins now: the same verdicts that the engine would reach."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from dispersed_web.autostop import preview
from dispersed_web.autostop.activity import Confidence
from dispersed_web.autostop.schedule import from_json
from dispersed_web.autostop.terms import IdleRule, Policy

NOW = dt.datetime(2026, 11, 25, 13, 0, tzinfo=dt.UTC)  # a Wednesday
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
POLICY = Policy(lifetime=24 * HOUR, ceiling=48 * HOUR)


def test_a_job_of_which_nothing_tells_is_asked_about() -> None:
    verdict = preview.unwatched(POLICY, NOW)
    assert (verdict.rule, verdict.confidence) == ("checkin_unanswered", Confidence.LOW)
    assert (verdict.warn_at, verdict.stop_at) == (NOW + 2 * HOUR, NOW + 2.5 * HOUR)
    short = preview.unwatched(replace(POLICY, lifetime=HOUR), NOW)
    assert short.rule == "max_lifetime"


@pytest.mark.parametrize(("source", "limit", "lead"), [("heartbeat", 60, 15), ("log", 90, 20)])
def test_one_that_a_signal_tells_of_is_stopped_after_its_limit(source: str, limit: int, lead: int) -> None:
    verdict = preview.left_alone(POLICY, source, NOW)
    assert verdict.rule == "idle"
    assert verdict.idle_limit == limit * MINUTE
    assert verdict.deadline_at == NOW + POLICY.boot_grace + limit * MINUTE
    assert verdict.deadline_at - verdict.warn_at == lead * MINUTE


def test_by_idleness_alone_whatever_else_would_stop_it_or_is_only_noted() -> None:
    other = replace(POLICY, lifetime=HOUR, observes=True, high=IdleRule(3 * HOUR, 15 * MINUTE))
    assert preview.left_alone(other, "heartbeat", NOW).idle_limit == 3 * HOUR
    assert preview.left_alone(other, "heartbeat", NOW).rule == "idle"


def test_the_latest_end_is_the_lifetime_or_the_weekly_stop() -> None:
    assert preview.latest(POLICY, NOW) == preview.End(NOW + 24 * HOUR, "max_lifetime")
    today = replace(POLICY, schedule=from_json({"zone": "UTC", "stops": [{"weekdays": [2], "at": "18:00"}]}))
    assert preview.latest(today, NOW) == preview.End(NOW + 5 * HOUR, "schedule")
    assert preview.latest(replace(today, task="BATCH"), NOW).rule == "max_lifetime"
    assert preview.latest(replace(POLICY, lifetime=None, ceiling=None), NOW) is None
