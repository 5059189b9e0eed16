"""From silent logs to a stop: warned, looked at once more, and called off by whatever is new."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.autostop import engine
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from tests.jobs.world import World
from tests.signals.watching import evaluate, log_calls, look, running

pytestmark = pytest.mark.django_db
IDLE_S = 1200
LEAD = dt.timedelta(seconds=IDLE_S / 2)
STEP_S = 60


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    world = World(sandbox)
    AutostopPolicy.of(world.team.pk)
    AutostopPolicy.objects.update(mode="enforce", boot_grace_s=60)
    return world


def idle_job(world: World, behaviour: str = "training", **columns: Any) -> Job:
    return running(world, behaviour, idle_limit_s=IDLE_S, **columns)


def step(world: World) -> None:
    world.pass_time(STEP_S)
    look(world)
    evaluate(world)


def until(world: World, job: Job, column: str) -> None:
    for _ in range(40):
        step(world)
        job.refresh_from_db()
        if getattr(job, column) is not None:
            return
    raise AssertionError(f"{column} of a job that is {job.verdict_state}")


def kinds(job: Job) -> list[str]:
    rows = Event.objects.filter(subject_id=str(job.pk), actor_kind="engine").order_by("pk")
    wanted = ("job.warned", "job.called_off", "job.stop_requested", "job.stop_sent")
    return [kind for kind in rows.values_list("kind", flat=True) if kind in wanted]


def test_a_silent_job_is_warned_looked_at_and_stopped(world: World) -> None:
    job = idle_job(world)
    until(world, job, "warned_at")
    warned_at = job.warned_at
    assert warned_at is not None
    assert job.confidence == "medium"

    until(world, job, "stop_requested_at")

    assert job.stop_requested_at - warned_at >= LEAD
    assert kinds(job) == ["job.warned", "job.stop_requested", "job.stop_sent"]
    assert [one["effect"] for one in world.control.cancels(job.remote_uuid)] == ["taken"]
    assert job.stop_evidence["sentence"].startswith("Idle for 20 min of 20 min: log unchanged for")


def test_right_before_the_cancel_the_log_is_read_once_more(world: World) -> None:
    job = idle_job(world)
    until(world, job, "warned_at")
    for _ in range(30):
        world.pass_time(STEP_S)
        look(world)
        before = log_calls(world, job)
        engine.evaluate_due(world.clock.now)
        Job.objects.filter(warning_delivered_at=None).update(warning_delivered_at=world.clock.now)
        job.refresh_from_db()
        if job.stop_requested_at is not None:
            break
    for line in ("epoch 3 begins", "loss 0.21"):
        world.control.behave(job.remote_uuid, log=line)

    world.sweep()

    assert log_calls(world, job) == before + 1
    job.refresh_from_db()
    assert (job.stop_requested_at, job.stop_reason) == (None, "")
    assert world.control.cancels(job.remote_uuid) == []
    assert kinds(job) == ["job.warned", "job.stop_requested", "job.called_off"]


def test_a_log_that_cannot_be_read_at_the_last_look_stops_nothing(world: World) -> None:
    job = idle_job(world)
    until(world, job, "warned_at")
    for _ in range(30):
        world.pass_time(STEP_S)
        look(world)
        engine.evaluate_due(world.clock.now)
        Job.objects.filter(warning_delivered_at=None).update(warning_delivered_at=world.clock.now)
        job.refresh_from_db()
        if job.stop_requested_at is not None:
            break
    world.control.add_fault("GET /v1/job-runs/{uuid}", "status", status=503)

    world.sweep()

    job.refresh_from_db()
    assert job.stop_requested_at is None
    assert world.control.cancels(job.remote_uuid) == []
    called_off = Event.objects.get(subject_id=str(job.pk), kind="job.called_off")
    assert called_off.sentence == "The stop is called off, because its log could not be read."


def test_new_lines_hasten_the_engine_of_a_warned_job(world: World) -> None:
    job = idle_job(world)
    until(world, job, "warned_at")
    tomorrow = world.clock.now + dt.timedelta(days=1)
    Job.objects.filter(pk=job.pk).update(evaluate_at=tomorrow)
    world.pass_time(STEP_S)
    look(world)
    job.refresh_from_db()
    assert job.evaluate_at == tomorrow
    for line in ("epoch 3 begins", "loss 0.21"):
        world.control.behave(job.remote_uuid, log=line)

    world.pass_time(STEP_S)
    look(world)

    job.refresh_from_db()
    assert job.evaluate_at == world.clock.now
    evaluate(world)
    job.refresh_from_db()
    assert (job.warned_at, job.verdict_state) == (None, "active")
    called_off = Event.objects.get(subject_id=str(job.pk), kind="job.called_off")
    assert "log" in called_off.sentence


def test_new_lines_of_a_job_that_nobody_was_warned_of_hasten_nothing(world: World) -> None:
    job = idle_job(world, "reset")
    step(world)
    job.refresh_from_db()
    before = job.evaluate_at

    for _ in range(6):
        world.clock.advance(STEP_S)
        world.control.advance(STEP_S)
        look(world)

    job.refresh_from_db()
    assert job.evaluate_at == before


def test_a_job_that_uses_no_logs_is_stopped_without_asking_for_one(world: World) -> None:
    job = idle_job(world, uses_logs=False)
    Job.objects.filter(pk=job.pk).update(
        stop_requested_at=world.clock.now, stop_reason="idle", stop_next_at=world.clock.now
    )
    world.sweep()
    assert log_calls(world) == 0
