"""Weekly stop times, held against wall clocks that were read minute by minute."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import zoneinfo
from bisect import bisect_left
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispersed_web.autostop.schedule import Schedule, StopTime, from_json, instant, next_stop, to_json, words

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
FIRST, LAST = dt.datetime(2024, 1, 1), dt.datetime(2036, 1, 1)
WORKDAYS = frozenset(range(5))
WEEKEND = frozenset({5, 6})

# Whole, half and quarter hours; changes at midnight, by half an hour and by two; Ramadan; negative summer time; none
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Kiritimati",
    "Pacific/Norfolk",
    "UTC",
)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def local(text: str, zone: str) -> dt.datetime:
    wall = dt.datetime.fromisoformat(text)
    return instant(zone, wall.date(), wall.time())


def stop(weekdays: frozenset[int], at: str) -> StopTime:
    return StopTime(weekdays, dt.time.fromisoformat(at))


OFFICE = Schedule("Europe/Berlin", (stop(WORKDAYS, "18:00"), stop(frozenset({5}), "12:00")))

# The second opinion: what the wall clock shows, minute by minute -----------------------------------------------------


class Change(NamedTuple):
    """A moment at which a zone's clock jumps, and its offset to UTC before and after."""

    zone: str
    at: dt.datetime
    before: dt.timedelta
    after: dt.timedelta


def offset(zone: str, moment: dt.datetime) -> dt.timedelta:
    """How far the clock is ahead; ``moment`` is UTC, without saying so."""
    shown = moment.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone))
    return shown.replace(tzinfo=None) - moment


def find_changes(zone: str) -> list[Change]:
    found = []
    moment, after = FIRST, offset(zone, FIRST)
    while moment < LAST:
        before, after = after, offset(zone, moment + DAY)
        if before != after:
            last = moment
            for step in (HOUR, MINUTE):
                while offset(zone, last + step) == before:
                    last += step
            found.append(Change(zone, last + MINUTE, before, after))
        moment += DAY
    return found


CHANGES = [change for zone in ZONES for change in find_changes(zone)]
GAPS = [change for change in CHANGES if change.after > change.before]
FOLDS = [change for change in CHANGES if change.after < change.before]


class Scan(NamedTuple):
    """The UTC minutes of some days, and the latest time that the wall clock had shown by each."""

    minutes: list[dt.datetime]
    reached: list[dt.datetime]

    def first_moment(self, wall: dt.datetime) -> dt.datetime:
        return self.minutes[bisect_left(self.reached, wall)]

    def stops(self, schedule: Schedule) -> list[dt.datetime]:
        """Every stop after the first minute of the scan."""
        days = sorted({wall.date() for wall in self.reached})
        walls = [
            dt.datetime.combine(day, each.at)
            for day in days
            for each in schedule.stops
            if day.weekday() in each.weekdays
        ]
        seen = (wall for wall in walls if self.reached[0] < wall <= self.reached[-1])
        return sorted({self.first_moment(wall) for wall in seen})


@cache
def scan(zone: str, around: dt.datetime, span: dt.timedelta = 36 * HOUR) -> Scan:
    place = zoneinfo.ZoneInfo(zone)
    start = (around - span).replace(tzinfo=dt.UTC)
    minutes = [start + n * MINUTE for n in range(2 * span // MINUTE)]
    shown = (minute.astimezone(place).replace(tzinfo=None, fold=0) for minute in minutes)
    return Scan(minutes, list(itertools.accumulate(shown, max)))


# One local time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("UTC", "2026-02-28 18:00", "2026-02-28 18:00"),
        ("Europe/Berlin", "2026-01-15 18:00", "2026-01-15 17:00"),
        ("Europe/Berlin", "2026-07-15 18:00", "2026-07-15 16:00"),
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 02:59", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("Pacific/Chatham", "2026-09-27 03:00", "2026-09-26 14:00"),
        ("Africa/Casablanca", "2025-04-06 02:30", "2025-04-06 02:00"),
        ("Africa/Casablanca", "2025-02-23 02:30", "2025-02-23 01:30"),
        ("Antarctica/Troll", "2024-03-31 02:30", "2024-03-31 01:00"),
        ("Antarctica/Troll", "2024-10-27 01:30", "2024-10-26 23:30"),
        ("America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00"),
        ("America/Sao_Paulo", "2019-02-16 23:30", "2019-02-17 01:30"),
        ("America/Havana", "2025-11-02 00:30", "2025-11-02 04:30"),
        ("Africa/Cairo", "2024-04-26 00:00", "2024-04-25 22:00"),
        ("Asia/Kathmandu", "2026-05-01 18:00", "2026-05-01 12:15"),
        ("Pacific/Apia", "2011-12-29 23:59", "2011-12-30 09:59"),
        ("Pacific/Apia", "2011-12-30 00:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-30 18:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31 00:01", "2011-12-30 10:01"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, wall: str, expected: str) -> None:
    assert local(wall, zone) == utc(expected)
    assert local(wall, zone).utcoffset() == dt.timedelta(0)


def test_the_second_opinion_has_something_to_say() -> None:
    assert len(ZONES) >= 20
    assert len(GAPS) > 150
    assert len(FOLDS) > 150
    assert {change.after - change.before for change in GAPS} >= {n * 30 * MINUTE for n in (1, 2, 4)}


def test_a_local_time_that_does_not_exist_counts_right_after_the_gap() -> None:
    for change in GAPS:
        wall, end = change.at + change.before, change.at + change.after
        while wall < end:
            assert instant(change.zone, wall.date(), wall.time()) == change.at.replace(tzinfo=dt.UTC), change
            wall += 5 * MINUTE


def test_a_local_time_that_occurs_twice_counts_once_and_first() -> None:
    for change in FOLDS:
        wall, end = change.at + change.after, change.at + change.before
        while wall < end:
            first = (wall - change.before).replace(tzinfo=dt.UTC)
            assert instant(change.zone, wall.date(), wall.time()) == first, change
            assert instant(change.zone, wall.date(), wall.time().replace(fold=1)) == first, change
            wall += 5 * MINUTE


@given(st.sampled_from(CHANGES), st.integers(-33 * 60, 33 * 60))
def test_an_instant_is_the_first_minute_at_which_the_clock_has_reached_it(
    change: Change, minutes: int
) -> None:
    wall = change.at + change.before + minutes * MINUTE
    expected = scan(change.zone, change.at).first_moment(wall)
    assert instant(change.zone, wall.date(), wall.time()) == expected


# The next stop -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-05-06 08:00", "2026-05-06 16:00"),  # a Wednesday
        ("2026-05-06 15:59:59.999999", "2026-05-06 16:00"),
        ("2026-05-06 16:00", "2026-05-07 16:00"),
        ("2026-05-08 16:00", "2026-05-09 10:00"),
        ("2026-05-09 10:00", "2026-05-11 16:00"),
        ("2026-05-10 22:30", "2026-05-11 16:00"),  # Monday in Berlin already
        ("2026-03-27 17:00", "2026-03-28 11:00"),
        ("2026-03-28 11:00", "2026-03-30 16:00"),  # over the change to summer time
        ("2026-10-24 10:00", "2026-10-26 17:00"),  # and back
    ],
)
def test_the_office_closes(after: str, expected: str) -> None:
    assert next_stop(OFFICE, utc(after)) == utc(expected)


def test_a_stop_once_a_week_comes_a_week_later() -> None:
    schedule = Schedule("Europe/Berlin", (stop(frozenset({2}), "18:00"),))
    assert next_stop(schedule, utc("2026-05-06 16:00")) == utc("2026-05-13 16:00")


def test_the_zone_in_which_the_moment_is_said_does_not_matter() -> None:
    moment = utc("2026-05-10 22:30")
    tokyo = moment.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert next_stop(OFFICE, tokyo) == next_stop(OFFICE, moment)
    with pytest.raises(TypeError):
        next_stop(OFFICE, moment.replace(tzinfo=None))


def test_two_stops_in_one_gap_are_one() -> None:
    schedule = Schedule("Europe/Berlin", (stop(frozenset({6}), "02:15"), stop(frozenset({6}), "02:45")))
    gap = utc("2026-03-29 01:00")
    assert next_stop(schedule, gap - MINUTE) == gap
    assert next_stop(schedule, gap) == utc("2026-04-05 00:15")


def test_the_second_time_around_nothing_stops() -> None:
    schedule = Schedule("America/New_York", (stop(frozenset({6}), "01:30"),))
    assert next_stop(schedule, utc("2026-11-01 05:00")) == utc("2026-11-01 05:30")
    assert next_stop(schedule, utc("2026-11-01 05:30")) == utc("2026-11-08 06:30")


def test_the_friday_that_samoa_left_out_still_stops() -> None:
    schedule = Schedule("Pacific/Apia", (stop(frozenset({4}), "12:00"), stop(frozenset({4}), "18:00")))
    thursday = utc("2011-12-30 03:00")
    assert next_stop(schedule, thursday) == utc("2011-12-30 10:00")
    assert next_stop(schedule, utc("2011-12-30 10:00")) == utc("2012-01-05 22:00")


zones = st.sampled_from(ZONES)
moments = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))
# half of the stops in the small hours, when clocks change
times = st.builds(
    dt.time, st.integers(0, 4) | st.integers(0, 23), st.sampled_from((0, 15, 30)) | st.integers(0, 59)
)
stops = st.builds(StopTime, st.frozensets(st.integers(0, 6), min_size=1), times)
several = st.lists(stops, min_size=1, max_size=5).map(tuple)


@given(st.sampled_from(CHANGES), several)
@settings(max_examples=200)
def test_around_a_change_of_clocks_no_stop_is_skipped_and_none_comes_twice(
    change: Change, stop_times: tuple[StopTime, ...]
) -> None:
    schedule = Schedule(change.zone, stop_times)
    seen = scan(change.zone, change.at)
    end = seen.minutes[-1]
    walked = []
    moment = next_stop(schedule, seen.minutes[0])
    while moment <= end:
        walked.append(moment)
        moment = next_stop(schedule, moment)
    assert walked == seen.stops(schedule)


@given(zones, several, moments, st.timedeltas(dt.timedelta(0), 8 * DAY))
def test_the_next_stop_is_later_and_never_moves_back(
    zone: str, stop_times: tuple[StopTime, ...], after: dt.datetime, step: dt.timedelta
) -> None:
    schedule = Schedule(zone, stop_times)
    first, second = next_stop(schedule, after), next_stop(schedule, after + step)
    assert after < first <= after + 8 * DAY
    assert first <= second
    if after + step < first:
        assert second == first


@given(zones, several, moments)
@settings(max_examples=20)
def test_on_any_day_the_next_stop_is_the_one_that_a_scan_finds(
    zone: str, stop_times: tuple[StopTime, ...], after: dt.datetime
) -> None:
    schedule = Schedule(zone, stop_times)
    middle = after.replace(tzinfo=None, second=0, microsecond=0) + 3 * DAY
    found = scan(zone, middle, 5 * DAY).stops(schedule)
    assert next_stop(schedule, after) == min(moment for moment in found if moment > after)


# In storage and in words ---------------------------------------------------------------------------------------------


@given(zones, several)
def test_a_schedule_survives_storage(zone: str, stop_times: tuple[StopTime, ...]) -> None:
    schedule = Schedule(zone, stop_times)
    assert from_json(json.loads(json.dumps(to_json(schedule)))) == schedule


def test_what_is_stored_is_plain() -> None:
    assert to_json(OFFICE) == {
        "zone": "Europe/Berlin",
        "stops": [{"weekdays": [0, 1, 2, 3, 4], "at": "18:00"}, {"weekdays": [5], "at": "12:00"}],
    }


STOP = {"weekdays": [0], "at": "18:00"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "A schedule must have zone and stops"),
        ([], "A schedule must have zone and stops"),
        ({}, "A schedule must have zone and stops"),
        ({"zone": "UTC"}, "A schedule must have zone and stops"),
        ({"zone": "UTC", "stops": [STOP], "off": True}, "and nothing else"),
        ({"zone": None, "stops": [STOP]}, "must be a name"),
        ({"zone": "", "stops": [STOP]}, "no time zone ''"),
        ({"zone": "Mars/Phobos", "stops": [STOP]}, "no time zone 'Mars/Phobos'"),
        ({"zone": "europe/berlin", "stops": [STOP]}, "no time zone"),
        ({"zone": "../zoneinfo/UTC", "stops": [STOP]}, "no time zone"),
        ({"zone": "localtime", "stops": [STOP]}, "no time zone"),
        ({"zone": "UTC", "stops": None}, "must be a list"),
        ({"zone": "UTC", "stops": []}, "at least one stop time"),
        ({"zone": "UTC", "stops": ["18:00"]}, "A stop time must have weekdays and at"),
        ({"zone": "UTC", "stops": [{"at": "18:00"}]}, "A stop time must have weekdays and at"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": []}]}, "at least one weekday"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": 0}]}, "list of whole numbers"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": [True]}]}, "list of whole numbers"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": [[0]]}]}, "list of whole numbers"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": [0, 0]}]}, "same weekday twice"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": [7]}]}, "from 0 \\(Monday\\) to 6"),
        ({"zone": "UTC", "stops": [{**STOP, "weekdays": [-1]}]}, "from 0 \\(Monday\\) to 6"),
        *(
            ({"zone": "UTC", "stops": [{**STOP, "at": at}]}, "an hour and a minute")
            for at in ("24:00", "18:60", "8:00", "18", "18:00:00", "18:00Z", "18:00\n", "١٨:٠٠", "", 18, None)
        ),
    ],
)
def test_anything_else_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        from_json(data)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "at", [dt.time(18, 0, 1), dt.time(18, 0, 0, 1), dt.time(18, tzinfo=dt.UTC), dt.time(2, 30, fold=1)]
)
def test_a_stop_time_is_a_plain_minute(at: dt.time) -> None:
    with pytest.raises(ValueError, match="an hour and a minute"):
        StopTime(WORKDAYS, at)


@pytest.mark.parametrize("weekdays", [frozenset(), frozenset({True}), frozenset({0.0}), frozenset({0, 7})])
def test_a_weekday_is_one_of_seven_numbers(weekdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="weekday"):
        StopTime(weekdays, dt.time(18))


def test_a_schedule_without_stops_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one stop time"):
        Schedule("Europe/Berlin", ())


@pytest.mark.parametrize(
    ("stop_times", "expected"),
    [
        (OFFICE.stops, "Monday to Friday at 18:00 and Saturday at 12:00"),
        ((stop(WORKDAYS | WEEKEND, "00:05"),), "every day at 00:05"),
        ((stop(WEEKEND, "12:00"),), "Saturday and Sunday at 12:00"),
        ((stop(frozenset({0, 2, 4}), "20:00"),), "Monday, Wednesday and Friday at 20:00"),
        ((stop(frozenset({0, 1, 2, 5}), "20:00"),), "Monday to Wednesday and Saturday at 20:00"),
        (
            (stop(frozenset({0}), "08:00"), stop(frozenset({1}), "09:00"), stop(frozenset({6}), "10:00")),
            "Monday at 08:00, Tuesday at 09:00 and Sunday at 10:00",
        ),
    ],
)
def test_a_schedule_in_words(stop_times: tuple[StopTime, ...], expected: str) -> None:
    assert words(Schedule("Europe/Berlin", stop_times)) == f"{expected} (Europe/Berlin)"
