"""Decisions by a schedule in zones whose clocks change, from 2024 to 2035."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.autostop import policy
from dispersed_web.autostop.policy import decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts
from tests.autostop.drawn import few, minutes
from tests.autostop.plain import DAY, HOUR, MINUTE, POLICY
from tests.autostop.test_schedule import CHANGES, FOLDS, GAPS, ZONES, Change

ZERO = dt.timedelta(0)


# Schedules, where clocks change --------------------------------------------------------------------------------------


def scheduled(change: Change, wall: dt.datetime, launched: dt.datetime) -> policy.Verdict:
    """The decision on a job that a daily stop at ``wall`` ends, in the zone of the change."""
    daily = Schedule(change.zone, (StopTime(frozenset(range(7)), wall.time()),))
    rules = replace(POLICY, schedule=daily, lifetime=7 * DAY, checkin=CheckIn(7 * DAY, 7 * DAY, HOUR))
    return decide(rules, Facts(launched, launched), launched)


def utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC)


def test_there_are_enough_zones_and_changes() -> None:
    assert len(ZONES) >= 20
    assert len(CHANGES) > 300
    assert {change.at.year for change in CHANGES} >= set(range(2024, 2036))


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_stop_in_a_gap_of_the_clock_comes_at_its_end(part: float) -> None:
    for change in GAPS:
        width = change.after - change.before
        wall = change.at + change.before + int(part * width / MINUTE) * MINUTE
        verdict = scheduled(change, wall, utc(change.at) - 6 * HOUR)
        assert (verdict.rule, verdict.deadline_at) == ("schedule", utc(change.at)), change
        assert not verdict.stop


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_stop_at_a_time_that_comes_twice_comes_the_first_time_and_only_then(part: float) -> None:
    for change in FOLDS:
        width = change.before - change.after
        wall = change.at + change.after + int(part * width / MINUTE) * MINUTE
        first = utc(wall - change.before)
        assert scheduled(change, wall, utc(change.at) - 6 * HOUR).deadline_at == first, change
        between = scheduled(change, wall, first + MINUTE)
        assert between.deadline_at is not None
        assert between.deadline_at - first > 22 * HOUR, change


@given(st.sampled_from(CHANGES), st.integers(0, 24 * 60 - 1), minutes(0, 60 * 30))
@few(100)
def test_around_a_change_of_clocks_a_job_is_warned_and_stopped_by_the_wall(
    change: Change, minute: int, before: dt.timedelta
) -> None:
    wall = dt.datetime(2024, 1, 1) + minute * MINUTE
    verdict = scheduled(change, wall, utc(change.at) - before)
    assert verdict.deadline_at is not None
    shown = verdict.deadline_at.astimezone(zoneinfo.ZoneInfo(change.zone)).replace(tzinfo=None)
    late = (shown - shown.replace(hour=wall.hour, minute=wall.minute)) % DAY
    assert late <= max(change.after - change.before, ZERO)
    assert ZERO < verdict.deadline_at - utc(change.at - before) <= DAY + 3 * HOUR
