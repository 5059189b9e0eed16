"""A person's word where the cloud says nothing, and what follows when it was wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import finding, settling, stop
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from tests import factories
from tests.jobs.world import World

CREATE = "POST /v1/jobs"


def in_doubt(world: World, at: str = "before", *, enforced: bool = False) -> Job:
    probe = {**factories.PROBE, "window_enforced": enforced}
    Credential.objects.filter(pk=world.credential.pk).update(probe=probe)
    world.control.add_fault(CREATE, "drop", times=1, at=at)
    if at == "after":
        world.control.set_listing_lag(100_000)
    return world.send(world.request())


def settled(world: World, job: Job) -> Job:
    job.refresh_from_db()
    settling.settle(job, actor=world.actor, now=world.clock.now)
    job.refresh_from_db()
    return job


def test_a_launch_that_cannot_be_proved_absent_ends_on_somebodys_word(world: World) -> None:
    job = in_doubt(world)
    world.settle()
    ended = settled(world, job)
    assert (ended.status, ended.reason, ended.ended_at) == (
        Status.FAILED,
        Reason.NEVER_ARRIVED,
        world.clock.now,
    )
    assert world.actor.label in ended.reason_text
    event = Event.objects.get(kind="job.settled")
    assert (event.subject_id, event.audience, event.sentence) == (str(job.pk), "job_owner", ended.reason_text)
    world.team.max_active_jobs = 1
    world.team.save()
    assert world.send(world.request(same_again=True)).remote_uuid  # it takes no place any more


def test_one_that_turns_up_after_all_is_taken_in_again_with_an_alarm(world: World) -> None:
    job = in_doubt(world, "after")
    world.settle()
    assert settled(world, job).status == Status.FAILED
    world.control.set_listing_lag(0)
    world.pass_time(60)
    job.refresh_from_db()
    assert job.is_active
    assert [job.remote_uuid] == [row["uuid"] for row in world.in_ledger(job)]
    assert Event.objects.filter(kind="job.found", audience="admins", subject_id=str(job.pk)).exists()


def test_one_that_was_found_while_somebody_decided_goes_on(world: World) -> None:
    job = in_doubt(world, "after")
    world.settle()
    seen = Job.objects.get(pk=job.pk)
    world.control.set_listing_lag(0)
    world.pass_time(60)
    with pytest.raises(TooLate):
        settling.settle(seen, actor=world.actor, now=world.clock.now)
    job.refresh_from_db()
    assert job.is_active
    assert job.remote_uuid
    assert not Event.objects.filter(kind="job.settled").exists()


def test_a_wish_to_stop_it_is_kept_until_it_turns_up(world: World) -> None:
    job = in_doubt(world, "after")
    stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    world.settle()
    settled(world, job)
    world.control.set_listing_lag(0)
    for _ in range(4):
        world.pass_time(30)
    job.refresh_from_db()
    assert [row["status"] for row in world.in_ledger(job)] == ["CANCELLED"]
    assert job.status == Status.CANCELLED


@pytest.mark.parametrize(("minutes", "enforced"), [(0, False), (5, False), (60, None)])
def test_nobodys_word_is_taken_while_looking_may_still_tell(
    world: World, minutes: int, enforced: bool | None
) -> None:
    job = in_doubt(world, enforced=bool(enforced))
    probe = {**factories.PROBE, "window_enforced": enforced}
    Credential.objects.filter(pk=world.credential.pk).update(probe=probe)
    for _ in range(minutes):
        world.clock.advance(60)
        world.sweep()
    with pytest.raises(JobError) as refused:
        settled(world, job)
    assert refused.value.code == "not_yet"
    assert job.status == Status.UNCONFIRMED


def test_after_a_day_it_is_taken_whatever_is_known_of_the_cloud(world: World) -> None:
    job = in_doubt(world, enforced=True)
    world.control.add_fault("GET /v1/jobs", "status", status=503)
    for _ in range(2):
        world.clock.advance(12 * 3600 + 60)
        world.sweep()
    finding.ask_people(world.clock.now)
    asked = Event.objects.get(kind="job.unresolved", subject_id=str(job.pk))
    assert "say so on the job's page" in asked.sentence
    assert settled(world, job).reason == Reason.NEVER_ARRIVED


def lost(**fields: Any) -> Job:
    now = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    values = {
        "launched_at": now - dt.timedelta(hours=5),
        "running_at": now - dt.timedelta(hours=4),
        "missing_since": now - dt.timedelta(hours=2),
        "missing_alarmed_at": now - dt.timedelta(minutes=118),
        "hourly_rate_usd": Decimal("0.5000"),
        "spending_since": now - dt.timedelta(hours=4),
        "spent_usd": Decimal("1.0000"),
    }
    return factories.make_job(factories.make_team(), "RUNNING", **values | fields)


NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_a_job_that_was_lost_sight_of_ends_with_its_cost_at_last_sight() -> None:
    job = lost()
    settling.settle(job, actor=factories.LAUNCHER, now=NOW)
    job.refresh_from_db()
    assert (job.status, job.reason, job.ended_at) == (Status.FAILED, Reason.LOST, NOW - dt.timedelta(hours=2))
    assert (job.spent_usd, job.meter.read(NOW + dt.timedelta(days=9))) == (
        Decimal("2.0000"),
        Decimal("2.0000"),
    )
    with pytest.raises(TooLate):
        settling.settle(job, actor=factories.LAUNCHER, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"missing_since": NOW - dt.timedelta(minutes=59)},
        {"missing_alarmed_at": None},
        {"missing_since": None, "missing_alarmed_at": None},
    ],
)
def test_a_job_that_is_shown_or_was_missed_a_moment_ago_is_not_settled(fields: dict[str, Any]) -> None:
    job = lost(**fields)
    with pytest.raises(JobError):
        settling.settle(job, actor=factories.LAUNCHER, now=NOW)


@pytest.mark.django_db
def test_one_that_is_shown_again_meanwhile_goes_on() -> None:
    job = lost()
    Job.objects.filter(pk=job.pk).update(missing_since=None, missing_alarmed_at=None)
    with pytest.raises(TooLate):
        settling.settle(job, actor=factories.LAUNCHER, now=NOW)
    job.refresh_from_db()
    assert (job.status, Event.objects.filter(kind="job.settled").exists()) == (Status.RUNNING, False)


def test_a_settled_job_that_the_cloud_shows_again_is_watched_again(world: World) -> None:
    job = world.launched()
    for _ in range(4):
        world.pass_time(60)
    gone_since = world.clock.now - dt.timedelta(hours=3)
    Job.objects.filter(pk=job.pk).update(missing_since=gone_since, missing_alarmed_at=gone_since)
    assert settled(world, job).status == Status.FAILED
    world.pass_time(60)
    job.refresh_from_db()
    assert (job.status, job.reason, job.ended_at) == (Status.RUNNING, "", None)
    assert Event.objects.filter(kind="job.back", audience="admins").exists()
