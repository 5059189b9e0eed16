"""What is known of jobs that were lost sight of: their cost in bounds, and when a person is asked to look."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.events.models import Event
from dispersed_web.jobs import missing
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import request_stop
from tests import factories
from tests.jobs.world import World

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


def lost(**fields: object) -> Job:
    values = {
        "spent_usd": Decimal(1),
        "hourly_rate_usd": Decimal("2.00"),
        "spending_since": NOW - dt.timedelta(hours=3),
        "missing_since": NOW - dt.timedelta(hours=1),
    }
    return Job(**values | fields)


def test_it_cost_so_much_at_last_sight_and_so_much_if_it_still_runs() -> None:
    span = missing.cost_span(lost(), NOW)
    assert (span.at_last_sight, span.up_to) == (Decimal(5), Decimal(7))
    assert span.words == "At last sight it had cost $5.00; up to $7.00 if it still runs."


def test_without_a_price_nothing_is_claimed() -> None:
    job = lost(spent_usd=Decimal(0), hourly_rate_usd=None, spending_since=None)
    assert missing.cost_span(job, NOW).words == ""
    assert missing.sentence(job, NOW).endswith("the console of Dispersed.")


def test_the_alarm_names_both(world: World) -> None:
    job = world.launched()
    for seconds in (60, 600):
        world.pass_time(seconds)
    Job.objects.filter(pk=job.pk).update(remote_uuid="01a209c6-588c-4feb-ae25-000000000000")
    for seconds in (30, 61, 30):
        world.pass_time(seconds)
    alarm = Event.objects.get(kind="job.missing")
    assert "up to $" in alarm.sentence
    assert Decimal(alarm.data["at_last_sight_usd"]) < Decimal(alarm.data["up_to_usd"])
    job.refresh_from_db()
    assert job.is_active


def test_a_cancel_that_finds_nothing_is_no_proof_that_it_is_missing(world: World) -> None:
    """Only a list that lacks the job and a look at it alone are, and here the list fails."""
    job = world.launched()
    world.pass_time(60)
    world.control.add_fault("GET /v1/jobs", "status", status=500)
    world.control.add_fault("PUT /v1/jobs/{uuid}/cancel", "cancel_status", status=404)
    assert request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    for _ in range(10):
        world.pass_time(30)
    job.refresh_from_db()
    assert job.stop_attempts > 1
    assert (job.missing_since, job.missing_alarmed_at, job.is_active) == (None, None, True)


@pytest.mark.django_db
def test_after_a_day_in_doubt_a_person_is_asked_even_if_the_key_shows_nothing() -> None:
    team = factories.make_team()
    old = timezone.now() - dt.timedelta(hours=25)
    job = factories.make_job(team, "UNCONFIRMED", unknown_since=old)
    fresh = factories.make_job(team, "UNCONFIRMED", unknown_since=timezone.now())
    for _ in range(2):
        tasks.sweep_launches_with(lambda job_id: None, lambda key_id: None)
    event = Event.objects.get(kind="job.unresolved")
    assert (event.subject_id, event.audience) == (str(job.pk), "admins")
    job.refresh_from_db()
    fresh.refresh_from_db()
    assert (job.status, fresh.status) == (Status.UNCONFIRMED, Status.UNCONFIRMED)
