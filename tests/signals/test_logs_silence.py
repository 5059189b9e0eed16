"""A BATCH job that says nothing for six hours is told of once, and never stopped for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.events.models import Event
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import kinds
from dispersed_web.signals import silence
from dispersed_web.signals.beat import Beat
from dispersed_web.signals.receiver import accept
from tests.jobs.world import World
from tests.signals.watching import buckets, evaluate, log_calls, look, running

HALF_AN_HOUR = 1800


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


def notices(job: Job) -> list[Event]:
    return list(Event.objects.filter(subject_id=str(job.pk), kind="job.batch_silent"))


def let_half_hours(world: World, count: int) -> None:
    for _ in range(count):
        world.pass_time(HALF_AN_HOUR)
        look(world)


def test_six_silent_hours_are_told_once_and_stop_nothing(world: World) -> None:
    job = running(world, "training", task="BATCH")
    look(world)
    assert log_calls(world) == 0
    let_half_hours(world, 12)
    assert (notices(job), log_calls(world)) == ([], 12)

    let_half_hours(world, 1)

    (notice,) = notices(job)
    assert (notice.audience, notice.actor_kind) == ("job_owner", "engine")
    assert notice.sentence.startswith("It runs, and for 6 h nothing new has been in its log")
    assert "\u2014" not in notice.sentence
    assert kinds.kind_of(notice.kind).subject == "Silent for long"
    let_half_hours(world, 3)
    evaluate(world)
    job.refresh_from_db()
    assert (len(notices(job)), log_calls(world)) == (1, 13)
    assert (job.status, job.stop_requested_at) == ("RUNNING", None)


def test_a_line_now_and_then_is_no_silence(world: World) -> None:
    job = running(world, "cron", task="BATCH")

    let_half_hours(world, 16)

    assert sum(one.lines for one in buckets(job)) == 8
    assert notices(job) == []


def test_a_busy_machine_is_not_silent_whatever_its_log_says(world: World) -> None:
    job = running(world, "training", task="BATCH")
    token = specs.heartbeat_url(job).rpartition("/")[2]
    for hour in range(9):
        let_half_hours(world, 2)
        accept(token, Beat(gpu=95 if hour < 2 else 0), world.clock.now)
    look(world)
    assert len(notices(job)) == 1
    at = dt.datetime.fromisoformat(notices(job)[0].data["silent_since"])
    assert (notices(job)[0].at - at) >= silence.SILENT_FOR
    busy = [one.gpu_at for one in job.current_run.buckets.filter(gpu_at__isnull=False)]
    assert at == max(busy)


def test_hours_in_which_nobody_could_look_are_no_silence_by_themselves(world: World) -> None:
    job = running(world, "cron", task="BATCH")
    let_half_hours(world, 2)
    rule = world.control.add_fault("GET /v1/job-runs/{uuid}", "status", status=503)
    let_half_hours(world, 13)
    assert notices(job) == []
    world.control.clear_faults(rule)

    let_half_hours(world, 1)

    assert notices(job) == []


def test_another_run_is_watched_anew_and_the_owner_is_told_once_a_job(world: World) -> None:
    job = running(world, "training", task="BATCH")
    let_half_hours(world, 8)
    world.control.restart(job.remote_uuid)
    let_half_hours(world, 8)
    assert notices(job) == []

    let_half_hours(world, 8)

    assert len(notices(job)) == 1


def test_whoever_asked_for_its_stop_knows(world: World) -> None:
    job = running(world, "training", task="BATCH")
    let_half_hours(world, 12)
    job.refresh_from_db()
    later = world.clock.now + dt.timedelta(hours=2)
    Job.objects.filter(pk=job.pk).update(stop_requested_at=later, stop_reason="user")
    assert silence.tell(job, later) is False
    Job.objects.filter(pk=job.pk).update(stop_requested_at=None, stop_reason="")
    assert silence.tell(job, later) is True
    assert silence.tell(job, later) is False
