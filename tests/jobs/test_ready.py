"""The word that a machine is ready: told at most once for each run, to those who waited."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.events.models import Event
from dispersed_web.jobs import applying
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery, Wishes
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
URL = {"description": "ssh", "hostname": "ml3.example.net", "port": 41822, "protocol": "tcp", "tls": False}


@pytest.fixture
def job() -> Job:
    """A machine whose image is being pulled since two minutes."""
    return factories.make_job(
        factories.make_team(), "PREPARING", now=NOW, launched_at=NOW - dt.timedelta(minutes=2)
    )


def shown(job: Job, *runs: RemoteRun, status: str = "RUNNING", at: dt.datetime = NOW) -> bool:
    """One sight of the job at the cloud."""
    job.refresh_from_db()
    remote = RemoteJob.from_json({"uuid": job.remote_uuid, "status": status, "task": job.task})
    return applying.apply_alone(job, remote, runs, at)


def run_of(
    job: Job, uuid: str = "r1", status: str = "RUNNING", urls: Any = (URL,), ended: dt.datetime | None = None
) -> RemoteRun:
    said = {"uuid": uuid, "job_uuid": job.remote_uuid, "status": status, "node_urls": list(urls)}
    return RemoteRun.from_json(said | ({"ended_at_ms": int(ended.timestamp() * 1000)} if ended else {}))


def told(job: Job) -> list[str]:
    return list(
        Event.objects.filter(kind="job.ready", subject_id=str(job.pk))
        .order_by("pk")
        .values_list("sentence", flat=True)
    )


def minutes(number: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=number)


def test_it_is_told_when_the_address_comes_and_only_then(job):
    shown(job, run_of(job, urls=()))
    assert told(job) == []
    assert shown(job, run_of(job), at=minutes(1))
    assert told(job) == ["The machine is ready and can be reached. It took 3 minutes."]
    job.refresh_from_db()
    assert job.reachable_at == minutes(1)
    for later in (2, 3):
        shown(job, run_of(job), at=minutes(later))
    assert len(told(job)) == 1


def test_two_who_see_it_at_the_same_time_tell_it_once(job):
    first, second = Job.objects.get(pk=job.pk), Job.objects.get(pk=job.pk)
    remote = RemoteJob.from_json({"uuid": job.remote_uuid, "status": "RUNNING", "task": job.task})
    assert applying.apply_alone(first, remote, [run_of(job)], NOW)
    second.status = "RUNNING"  # as it stands after the first
    applying.apply_alone(second, remote, [run_of(job)], NOW)
    assert len(told(job)) == 1


def test_an_address_that_comes_and_goes_is_no_news_twice(job):
    for number, urls in enumerate(((URL,), (), (URL,))):
        shown(job, run_of(job, urls=urls), at=minutes(number))
    assert len(told(job)) == 1


def test_an_address_before_the_container_runs_is_not_ready(job):
    shown(job, run_of(job, status="PREPARING"))
    assert told(job) == []


@pytest.mark.parametrize(("seconds", "times"), [(20, 0), (59, 0), (60, 1), (600, 1)])
def test_who_hardly_waited_is_told_nothing(seconds, times):
    launched = NOW - dt.timedelta(seconds=seconds)
    job = factories.make_job(factories.make_team(), "PREPARING", now=NOW, launched_at=launched)
    shown(job, run_of(job))
    assert len(told(job)) == times
    job.refresh_from_db()
    assert job.reachable_at == NOW


def test_a_batch_job_is_never_told_ready():
    job = factories.make_job(factories.make_team(), "PREPARING", task="BATCH", now=NOW)
    shown(job, run_of(job))
    assert told(job) == []


def test_a_job_that_is_being_stopped_is_not_told_ready(job):
    Job.objects.filter(pk=job.pk).update(stop_requested_at=NOW, stop_reason="user")
    shown(job, run_of(job))
    assert told(job) == []


@pytest.mark.parametrize(
    ("origin", "times"), [("adopted", 0), ("imported", 0), ("found", 1), ("launched", 1)]
)
def test_a_machine_that_was_reachable_before_it_was_ours_is_no_news(job, origin, times):
    Job.objects.filter(pk=job.pk).update(origin=origin)
    shown(job, run_of(job))
    assert len(told(job)) == times


def test_a_second_node_is_no_news(job):
    shown(job, run_of(job, "r1", urls=()), run_of(job, "r2", urls=()))
    shown(job, run_of(job, "r1"), run_of(job, "r2", urls=()), at=minutes(1))
    shown(job, run_of(job, "r1"), run_of(job, "r2"), at=minutes(2))
    assert len(told(job)) == 1
    shown(job, run_of(job, "r1", status="FAILED"), run_of(job, "r2"), at=minutes(9))
    assert len(told(job)) == 1


def test_the_machine_in_place_of_a_lost_one_is_told_with_its_own_waiting_time(job):
    shown(job, run_of(job))
    shown(job, run_of(job, status="FAILED"), run_of(job, "r2", "PREPARING", ()), at=minutes(10))
    job.refresh_from_db()
    assert job.reachable_at is None
    shown(job, run_of(job, "r2"), at=minutes(14))
    assert told(job)[-1] == "The machine is ready again, with new addresses. It took 4 minutes."


def test_a_replacement_that_is_seen_before_the_old_one_has_ended_is_told_too(job):
    shown(job, run_of(job))
    shown(job, run_of(job), run_of(job, "r2", "PREPARING", ()), at=minutes(10))
    shown(job, run_of(job, status="FAILED", ended=minutes(9)), run_of(job, "r2"), at=minutes(12))
    assert len(told(job)) == 2


def test_a_restart_does_not_take_the_first_sight_away(job):
    shown(job, run_of(job))
    run = JobRun.objects.get(job=job)
    assert (run.running_at, run.reachable_at) == (NOW, NOW)
    shown(job, run_of(job, urls=()), at=minutes(1))
    run.refresh_from_db()
    assert run.reachable_at == NOW


@pytest.mark.parametrize("wants_mail", [True, False])
def test_the_owner_gets_it_in_the_inbox_and_by_email_as_wished(job, wants_mail):
    factories.make_channel(job.team)
    if not wants_mail:
        Wishes.objects.create(user=job.owner, email_my_jobs=False)
    shown(job, run_of(job))
    outbox.fan_out(NOW)
    ways = set(Delivery.objects.filter(event__kind="job.ready").values_list("way", flat=True))
    assert ways == ({"inbox", "email"} if wants_mail else {"inbox"})
