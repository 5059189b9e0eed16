"""Reading until when somebody wants a job to run."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.web.job import extending

NOW = dt.datetime(2026, 8, 25, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "UTC"])
@pytest.mark.parametrize("until", ["9999-12-31T23:59", "9999-12-31T23:59-12:00", "0001-01-01T00:00+12:00"])
def test_a_moment_at_the_end_of_all_calendars_is_refused_or_read(until: str, zone: str) -> None:
    try:
        wanted = extending.wanted(Job(), {"until": until}, NOW, zoneinfo.ZoneInfo(zone))
    except JobError:
        return
    assert wanted > NOW
