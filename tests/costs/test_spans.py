"""The day and the month of a budget, by the calendar of its zone."""

from __future__ import annotations

import datetime as dt

import pytest

from dispersed_web.costs.spans import Kind, span

HOUR = dt.timedelta(hours=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "now", "zone", "since", "until", "key"),
    [
        (Kind.DAY, "2026-11-24T12:00", "UTC", "2026-11-24T00:00", "2026-11-25T00:00", "day:2026-11-24"),
        (Kind.MONTH, "2026-12-31T23:59", "UTC", "2026-12-01T00:00", "2027-01-01T00:00", "month:2026-12"),
        (Kind.MONTH, "2028-02-29T12:00", "UTC", "2028-02-01T00:00", "2028-03-01T00:00", "month:2028-02"),
        (
            Kind.DAY,
            "2026-11-24T23:30",
            "Europe/Berlin",
            "2026-11-24T23:00",
            "2026-11-25T23:00",
            "day:2026-11-25",
        ),
        (
            Kind.MONTH,
            "2026-10-31T23:30",
            "Europe/Berlin",
            "2026-10-31T23:00",
            "2026-11-30T23:00",
            "month:2026-11",
        ),
        # Clocks go forward, back, and at midnight itself, which that day does not have.
        (
            Kind.DAY,
            "2026-03-29T12:00",
            "Europe/Berlin",
            "2026-03-28T23:00",
            "2026-03-29T22:00",
            "day:2026-03-29",
        ),
        (
            Kind.DAY,
            "2026-10-25T12:00",
            "Europe/Berlin",
            "2026-10-24T22:00",
            "2026-10-25T23:00",
            "day:2026-10-25",
        ),
        (
            Kind.DAY,
            "2026-09-06T12:00",
            "America/Santiago",
            "2026-09-06T04:00",
            "2026-09-07T03:00",
            "day:2026-09-06",
        ),
    ],
)
def test_a_span_begins_and_ends_as_the_wall_clock_says(
    kind: Kind, now: str, zone: str, since: str, until: str, key: str
) -> None:
    found = span(kind, utc(now), zone)
    assert (found.since, found.until, found.key) == (utc(since), utc(until), key)


@pytest.mark.parametrize(("date", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(date: str, hours: int) -> None:
    found = span(Kind.DAY, utc(f"{date}T12:00"), "Europe/Berlin")
    assert found.until - found.since == hours * HOUR


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"])
def test_where_one_ends_the_next_begins(zone: str) -> None:
    for kind in Kind:
        at = utc("2026-01-01T12:00")
        while at < utc("2027-02-01T00:00"):
            found = span(kind, at, zone)
            following = span(kind, found.until, zone)
            assert (following.since, following.key != found.key) == (found.until, True)
            at = found.until


def test_when_it_begins_anew_is_said_by_the_clock_of_the_zone() -> None:
    assert span(Kind.DAY, utc("2026-11-24T12:00"), "UTC").anew == "on 25 November at 00:00 (UTC)"
    assert span(Kind.DAY, utc("2026-09-05T12:00"), "America/Santiago").anew == (
        "on 6 September at 01:00 (America/Santiago)"
    )


def test_an_unknown_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        span(Kind.MONTH, utc("2026-11-24T12:00"), "Berlin")
