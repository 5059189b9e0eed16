"""Until when a job is protected: moments of the reader's own week, and what cannot be one."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from dispersed_web.web.forms.protect import ProtectForm, presets

HOUR = dt.timedelta(hours=1)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MEMBER, ADMIN = 72 * HOUR, 14 * 24 * HOUR


def offered(now: dt.datetime, longest: dt.timedelta = ADMIN, zone: dt.tzinfo = BERLIN) -> dict[str, str]:
    return {one.label: f"{one.at.astimezone(zone):%a %H:%M}" for one in presets(now, zone, longest)}


@pytest.mark.parametrize(
    ("now", "longest", "expected"),
    [
        (
            (2026, 11, 25, 13),
            MEMBER,
            {"Tonight 20:00": "Wed 20:00", "Tomorrow 9:00": "Thu 09:00", "Friday 18:00": "Fri 18:00"},
        ),
        # Monday: Friday is too far for a member
        ((2026, 11, 23, 13), MEMBER, {"Tonight 20:00": "Mon 20:00", "Tomorrow 9:00": "Tue 09:00"}),
        (
            (2026, 11, 23, 13),
            ADMIN,
            {"Tonight 20:00": "Mon 20:00", "Tomorrow 9:00": "Tue 09:00", "Friday 18:00": "Fri 18:00"},
        ),
        # a quarter to eight in the evening is too near, and so is Friday at a quarter to six
        ((2026, 11, 25, 18, 45), MEMBER, {"Tomorrow 9:00": "Thu 09:00", "Friday 18:00": "Fri 18:00"}),
        (
            (2026, 11, 27, 10),
            MEMBER,
            {"Tonight 20:00": "Fri 20:00", "Tomorrow 9:00": "Sat 09:00", "Today 18:00": "Fri 18:00"},
        ),
        (
            (2026, 11, 27, 16, 45),
            ADMIN,
            {"Tonight 20:00": "Fri 20:00", "Tomorrow 9:00": "Sat 09:00", "Friday 18:00": "Fri 18:00"},
        ),
        # near midnight of the reader, not of UTC
        (
            (2026, 11, 25, 23, 30),
            MEMBER,
            {"Tonight 20:00": "Thu 20:00", "Tomorrow 9:00": "Fri 09:00", "Friday 18:00": "Fri 18:00"},
        ),
    ],
)
def test_what_is_offered(now, longest, expected):
    assert offered(dt.datetime(*now, tzinfo=dt.UTC), longest) == expected


def test_an_hour_that_the_clock_leaves_out_or_repeats_is_read():
    for day in ((2026, 3, 28), (2026, 10, 24)):
        now = dt.datetime(*day, 12, tzinfo=dt.UTC)
        assert offered(now)["Tomorrow 9:00"] == "Sun 09:00"


def form(now: dt.datetime, **data: str) -> ProtectForm:
    return ProtectForm({"reason": "the demo", **data}, now=now, zone=BERLIN, longest=MEMBER)


NOW = dt.datetime(2026, 11, 25, 13, tzinfo=dt.UTC)


def test_a_preset_and_another_moment_are_read_in_the_readers_zone():
    preset = form(NOW, when="2026-11-25T19:00:00+00:00")
    assert preset.is_valid()
    assert preset.cleaned_data["moment"] == NOW + 6 * HOUR
    other = form(NOW, when="other", until="2026-11-26T10:30")
    assert other.is_valid()
    assert other.cleaned_data["moment"] == dt.datetime(2026, 11, 26, 9, 30, tzinfo=dt.UTC)


def test_a_preset_that_was_offered_when_the_form_was_opened_still_means_the_same():
    late = form(NOW + 5.75 * HOUR, when="2026-11-25T19:00:00+00:00")
    assert "Tonight 20:00" not in offered(NOW + 5.75 * HOUR)
    assert late.is_valid()
    assert late.cleaned_data["moment"] == NOW + 6 * HOUR


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"when": "other"}, "until"),
        ({"when": "other", "until": "soon"}, "until"),
        ({"when": "other", "until": "9999-12-31T23:59-12:00"}, "until"),
        ({"when": "2026-11-25T19:00:00"}, "when"),
        ({"when": "never"}, "when"),
        ({}, "when"),
        ({"when": "other", "until": "2026-11-26T10:30", "reason": " "}, "reason"),
        ({"when": "other", "until": "2026-11-26T10:30", "reason": "x" * 201}, "reason"),
    ],
)
def test_what_is_no_moment_or_no_reason_is_said_beside_its_field(data, field):
    refused = form(NOW, **data)
    assert not refused.is_valid()
    assert list(refused.errors) == [field]
