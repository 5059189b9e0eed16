from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.costs.budget import (
    Budget,
    day_start,
    left_usd,
    marks,
    month_start,
    percent,
    reached,
    runs_out_at,
)

T0 = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

BUDGET = Budget("the team's budget for today", Decimal(20), Decimal(5), Decimal("2.50"))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# How much is used ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spent", "used", "passed"),
    [
        ("0", 0, ()),
        ("9.9999", 49, ()),
        ("10", 50, (50,)),
        ("15.9999", 79, (50,)),
        ("16", 80, (50, 80)),
        ("19.9999", 99, (50, 80)),
        ("20", 100, (50, 80, 100)),
        ("20.0001", 100, (50, 80, 100)),
        ("61", 305, (50, 80, 100)),
    ],
)
def test_a_mark_is_passed_when_it_is_reached_and_not_before(
    spent: str, used: int, passed: tuple[int, ...]
) -> None:
    budget = replace(BUDGET, spent_usd=Decimal(spent))
    assert percent(budget) == used
    assert marks(budget) == passed
    assert reached(budget) == (100 in passed)


def test_what_is_left_is_never_less_than_nothing() -> None:
    assert left_usd(BUDGET) == 15
    assert left_usd(replace(BUDGET, spent_usd=Decimal(21))) == 0


@pytest.mark.parametrize("limit", ["0", "0.00", "-1", "NaN", "Infinity"])
def test_a_budget_of_nothing_is_a_mistake(limit: str) -> None:
    with pytest.raises(ValueError, match="budget must be") as refusal:
        replace(BUDGET, limit_usd=Decimal(limit))
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("field", ["spent_usd", "rate_usd"])
def test_an_amount_that_is_no_number_is_a_mistake(field: str) -> None:
    with pytest.raises(ValueError, match="must be numbers"):
        replace(BUDGET, **{field: Decimal("NaN")})


# When it runs out ----------------------------------------------------------------------------------------------------


def test_a_budget_runs_out_at_the_rate_of_now() -> None:
    assert runs_out_at(BUDGET, T0) == T0 + 6 * HOUR


def test_it_is_never_said_to_run_out_too_early() -> None:
    sevenths = Budget("the job's budget", Decimal(1), Decimal(0), Decimal(7))
    assert runs_out_at(sevenths, T0) == T0 + dt.timedelta(seconds=514, microseconds=285715)


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_where_nothing_burns_nothing_runs_out(rate: str) -> None:
    assert runs_out_at(replace(BUDGET, rate_usd=Decimal(rate)), T0) is None


@pytest.mark.parametrize(("spent", "rate"), [("20", "0"), ("20", "1"), ("25", "1")])
def test_what_is_used_up_has_run_out_now(spent: str, rate: str) -> None:
    assert runs_out_at(replace(BUDGET, spent_usd=Decimal(spent), rate_usd=Decimal(rate)), T0) == T0


@pytest.mark.parametrize("rate", ["0.0001", "0.000000000001"])
def test_a_budget_that_outlasts_the_calendar_does_not_run_out(rate: str) -> None:
    vast = replace(BUDGET, limit_usd=Decimal("99999999.99"), rate_usd=Decimal(rate))
    assert runs_out_at(vast, T0) is None


amounts = st.decimals("0", "9999", places=4)
budgets = st.builds(
    Budget, st.just("the job's budget"), st.decimals("0.01", "9999", places=2), amounts, amounts
)


@given(budgets)
def test_the_figures_of_a_budget_agree(budget: Budget) -> None:
    assert reached(budget) == (left_usd(budget) == 0) == (100 in marks(budget)) == (percent(budget) >= 100)
    assert (
        percent(budget) * budget.limit_usd
        <= budget.spent_usd * 100
        < (percent(budget) + 1) * budget.limit_usd
    )
    assert (runs_out_at(budget, T0) == T0) == reached(budget)


@given(budgets)
def test_by_the_time_it_runs_out_it_is_used_up_and_not_much_earlier(budget: Budget) -> None:
    end = runs_out_at(budget, T0)
    if end is None or end == T0:
        return
    burnt = budget.rate_usd * ((end - T0) // dt.timedelta(microseconds=1)) / 3_600_000_000
    at_end = round(budget.spent_usd + burnt, 4)  # the databases keep hundredths of a cent
    before = round(budget.spent_usd + burnt * Decimal("0.999"), 4)
    assert reached(replace(budget, spent_usd=at_end))
    assert before <= at_end <= budget.limit_usd + Decimal("0.01")
    assert before < budget.limit_usd or left_usd(budget) < Decimal("0.1")


# When a day and a month begin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-11-23 12:00", "2026-11-23 00:00"),
        ("UTC", "2026-11-23 00:00", "2026-11-23 00:00"),
        ("Europe/Berlin", "2026-11-23 22:59:59", "2026-11-22 23:00"),
        ("Europe/Berlin", "2026-11-23 23:00", "2026-11-23 23:00"),
        ("Europe/Berlin", "2026-03-29 20:00", "2026-03-28 23:00"),  # a day of 23 hours
        ("Europe/Berlin", "2026-10-25 22:30", "2026-10-24 22:00"),  # and one of 25
        ("America/New_York", "2026-11-23 03:00", "2026-11-22 05:00"),
        ("Asia/Kathmandu", "2026-05-01 18:15", "2026-05-01 18:15"),
        ("Africa/Cairo", "2024-04-26 12:00", "2024-04-25 22:00"),  # midnight does not exist
        ("America/Sao_Paulo", "2018-11-04 03:00", "2018-11-04 03:00"),  # nor here
        ("America/Sao_Paulo", "2018-11-04 02:59:59", "2018-11-03 03:00"),
        ("America/Havana", "2025-11-02 05:15", "2025-11-02 04:00"),  # midnight occurs twice
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00"),  # the day before does not exist
        ("Pacific/Apia", "2011-12-30 09:59", "2011-12-29 10:00"),
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, now: str, expected: str) -> None:
    assert day_start(utc(now), zone) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-11-23 12:00", "2026-11-01 00:00"),
        ("Europe/Berlin", "2026-10-31 22:59", "2026-09-30 22:00"),
        ("Europe/Berlin", "2026-10-31 23:00", "2026-10-31 23:00"),
        ("America/New_York", "2027-01-01 04:59", "2026-12-01 05:00"),
        ("Asia/Amman", "2016-04-01 12:00", "2016-03-31 22:00"),  # the month begins at one o'clock
        ("Pacific/Kiritimati", "2026-12-31 10:00", "2026-12-31 10:00"),
    ],
)
def test_a_month_begins_at_its_first_instant(zone: str, now: str, expected: str) -> None:
    assert month_start(utc(now), zone) == utc(expected)


@pytest.mark.parametrize("start", [day_start, month_start])
def test_an_unknown_zone_is_a_mistake(start: object) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        start(T0, "Mars/Phobos")  # type: ignore[operator]


ZONES = (
    "Africa/Cairo",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Atlantic/Azores",
    "Europe/Berlin",
)
moments = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2036, 1, 1), timezones=st.just(dt.UTC))


@given(moments, st.sampled_from(ZONES))
def test_a_start_is_not_later_than_its_moment_and_is_its_own_start(now: dt.datetime, zone: str) -> None:
    day, month = day_start(now, zone), month_start(now, zone)
    assert month <= day <= now
    assert now - day < 25 * HOUR
    assert now - month < 31 * 24 * HOUR + HOUR
    assert day_start(day, zone) == day
    assert month_start(month, zone) == month_start(day, zone) == month
    assert day_start(day - dt.timedelta(microseconds=1), zone) < day
