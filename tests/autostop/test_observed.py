"""Stops that were only observed: what they would have saved until the job was used again or ended."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.autostop import engine, observed
from dispersed_web.autostop.models import ObservedStop
from dispersed_web.jobs.models import Job
from tests import factories
from tests.autostop.watched import HOUR, MINUTE, NOW, beat, kinds, make_job, make_team, see

pytestmark = pytest.mark.django_db
AT = NOW - 10 * HOUR


@pytest.mark.parametrize(
    ("fields", "ended_at", "until", "is_false"),
    [
        ({}, None, NOW, False),
        ({}, AT + 3 * HOUR, AT + 3 * HOUR, False),
        ({"used_again_at": AT + 2 * HOUR, "used_again": "GPU 88 %"}, None, AT + 2 * HOUR, True),
        ({"used_again_at": AT + 2 * HOUR, "used_again": "GPU 88 %"}, AT + 3 * HOUR, AT + 2 * HOUR, True),
    ],
)
def test_money_counts_until_it_was_used_again_or_ended(
    fields: dict[str, Any], ended_at: dt.datetime | None, until: dt.datetime, is_false: bool
) -> None:
    team = make_team()
    stop_of(team, ended_at=ended_at, **fields)
    (one,) = observed.of_team(team.pk, NOW - 24 * HOUR, NOW)
    assert (one.until, one.is_false) == (until, is_false)
    assert one.saved_usd == Decimal((until - AT) // HOUR)


def test_totals_leave_the_money_of_mistakes_out() -> None:
    team = make_team()
    stop_of(team, ended_at=AT + 3 * HOUR)
    stop_of(team, used_again_at=AT + HOUR, used_again="people")
    stop_of(team, hourly_rate_usd=None, rate=None)
    stop_of(factories.make_team())
    found = observed.of_team(team.pk, NOW - 24 * HOUR, NOW)
    assert observed.sum_up(found) == observed.Observed(3, 1, Decimal(3))
    assert observed.of_team(team.pk, NOW - HOUR, NOW) == []


def stop_of(
    team: Any, ended_at: dt.datetime | None = None, rate: Decimal | None = Decimal(1), **fields: Any
) -> ObservedStop:
    job = factories.make_job(team, created_at=AT - 2 * HOUR, hourly_rate_usd=rate)
    Job.objects.filter(pk=job.pk).update(ended_at=ended_at)
    values = {"at": AT, "quiet_since": AT - HOUR, "sentence": "Idle.", "hourly_rate_usd": rate}
    return ObservedStop.objects.create(team=team, job=job, **values | fields)


SHORT = {f"{sure}_{name}": 600 for sure in ("high", "medium") for name in ("idle_s", "idle_max_s")}


def watch(job: Job, begin: int, end: int, **said: Any) -> None:
    for minute in range(begin, end):
        at = NOW + minute * MINUTE
        see(job, at)
        beat(job, at, **said)
        engine.evaluate_due(at)


def test_a_quiet_time_longer_than_samples_are_looked_at_is_noted_once() -> None:
    team = make_team(mode="observe", high_lead_s=120, medium_lead_s=120, **SHORT)
    job = make_job(team)
    watch(job, 0, 100)
    assert kinds(job, "job.would_stop") == ["job.would_stop"]
    noted = ObservedStop.objects.get()
    assert noted.at == NOW + 11 * MINUTE
    watch(job, 100, 103, gpu=90)
    noted.refresh_from_db()
    assert noted.used_again_at == NOW + 100 * MINUTE
    watch(job, 103, 120)
    assert kinds(job, "job.would_stop") == ["job.would_stop"] * 2


def test_use_after_a_silent_while_is_noted_too() -> None:
    team = make_team(mode="observe", high_lead_s=120, medium_lead_s=120, **SHORT)
    job = make_job(team)
    watch(job, 0, 15)
    for minute in range(15, 25):
        see(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert Job.objects.get(pk=job.pk).verdict_state == "blind"
    watch(job, 25, 27, gpu=90)
    assert ObservedStop.objects.get().used_again_at is not None
