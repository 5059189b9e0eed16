"""Rows as terms: what cannot be read lifts no other limit, of this job or of another."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.autostop import budgets, engine, facts
from dispersed_web.autostop.models import Engine
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from tests.autostop.watched import HOUR, MINUTE, NOW, make_job, make_team, see

pytestmark = pytest.mark.django_db
GONE = {"zone": "Europe/Atlantis", "stops": [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "at": "18:00"}]}


def live(jobs: list[Job], begin: int, end: int) -> None:
    for minute in range(begin, end):
        at = NOW + minute * MINUTE
        for job in jobs:
            see(job, at)
        engine.evaluate_due(at)


def stop_of(job: Job) -> tuple[dt.datetime | None, str]:
    row = Job.objects.get(pk=job.pk)
    return row.stop_requested_at, row.stop_reason


def test_a_schedule_whose_zone_is_gone_lifts_no_lifetime() -> None:
    job = make_job(make_team(schedule=GONE), lifetime_s=3600)
    other = make_job(lifetime_s=3600)
    live([job, other], 0, 62)
    assert stop_of(job) == stop_of(other) == (job.launched_at + HOUR, "max_lifetime")


@pytest.mark.parametrize(
    "mistake",
    [{"ceiling_s": 1800}, {"ceiling_s": None}, {"lifetime_s": None, "ceiling_s": 3600}],
)
def test_a_contradiction_leaves_the_lifetime(mistake: dict[str, Any]) -> None:
    job = make_job(**{"lifetime_s": 3600, "ceiling_s": 7200} | mistake)
    live([job], 0, 62)
    stopped_at, reason = stop_of(job)
    assert reason == "max_lifetime"
    assert stopped_at is not None
    assert stopped_at <= job.launched_at + HOUR


def test_budgets_that_cannot_be_looked_at_lift_no_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(budgets, "reached", broken)
    job = make_job(lifetime_s=3600)
    live([job], 0, 62)
    assert stop_of(job) == (job.launched_at + HOUR, "max_lifetime")


@pytest.mark.parametrize(
    ("worked", "failed", "is_down"),
    [
        (None, None, False),
        (0, None, False),
        (None, 0, True),
        (5, 1, True),
        (1, 5, True),
        (1, 14, True),
        (1, 15, False),
    ],
)
def test_a_receiver_counts_as_down_until_heartbeats_had_time_to_be_heard_again(
    worked: int | None, failed: int | None, is_down: bool
) -> None:
    ago = [None if minutes is None else NOW - minutes * MINUTE for minutes in (worked, failed)]
    Engine.objects.update_or_create(id=1, defaults={"receiver_ok_at": ago[0], "receiver_failed_at": ago[1]})
    assert facts.of(make_job(), NOW)[1].receiver_is_down is is_down


@pytest.mark.parametrize(
    ("offset_ms", "holds"), [(-29_000, False), (29_000, False), (31_000, True), (-31_000, True)]
)
def test_while_the_clocks_differ_by_half_a_minute_nothing_is_stopped_for_idleness(
    offset_ms: int, holds: bool
) -> None:
    job = make_job()
    Credential.objects.filter(pk=job.credential_id).update(clock_offset_ms=offset_ms)
    assert bool(facts.of(job, NOW)[1].soft_hold) is holds
