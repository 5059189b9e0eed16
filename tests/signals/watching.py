"""Jobs in the simulated cloud whose logs are watched."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dispersed_web.autostop import engine, facts, policy
from dispersed_web.autostop.activity import Activity
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs
from dispersed_web.signals.models import Bucket, LogWatch, Source
from tests.jobs.world import World

STEP_S = 150


def running(world: World, behaviour: str, *, env: dict[str, str] | None = None, **columns: Any) -> Job:
    """A job that uses its logs, or a BATCH job; its container behaves so, and has been running for a minute at most."""
    task = columns.pop("task", "PERSISTENT")
    fields: dict[str, Any] = {"ssh_key": "", "ports": ()}
    if task == "BATCH":
        fields = {"max_timeout_run_ms": 24 * 3_600_000}
    job = world.launched(
        task=task,
        image="acme/worker",
        env={"SANDBOX_BEHAVIOUR": behaviour, "SANDBOX_RUN_S": "80000", **(env or {})},
        **fields,
    )
    wait_for_run(world, job)
    changes = {"uses_logs": task == "PERSISTENT", "lifetime_s": 80000} | columns
    Job.objects.filter(pk=job.pk).update(**changes)
    job.refresh_from_db()
    return job


def wait_for_run(world: World, job: Job) -> None:
    """Until the job's present run is seen RUNNING."""
    for _ in range(10):
        world.pass_time(60)
        job.refresh_from_db()
        if job.status == "RUNNING" and job.run_running_at is not None:
            return
    raise AssertionError(job.status)


def look(world: World) -> int:
    """What the sweep does; how many looks learned something."""
    logs.begin(world.clock.now)
    return sum(logs.watch(run_id, world.clock) for run_id in logs.due(world.clock.now))


def let(world: World, minutes: float, step_s: float = STEP_S) -> None:
    """Time passes, and the background work comes by."""
    for _ in range(round(minutes * 60 / step_s)):
        world.pass_time(step_s)
        look(world)


def evaluate(world: World) -> None:
    """The engine comes by, its warnings arrive, and what is to be stopped is pursued."""
    engine.evaluate_due(world.clock.now)
    told = Job.objects.filter(warned_at__isnull=False, warning_delivered_at=None)
    told.update(warning_delivered_at=world.clock.now)
    world.sweep()


def activity(world: World, job: Job) -> Activity:
    job.refresh_from_db()
    return policy.activity_of(*facts.of(job, world.clock.now), world.clock.now)


def buckets(job: Job) -> list[Bucket]:
    """Of all the job's runs, as their logs told."""
    return list(Bucket.objects.filter(run__job=job, source=Source.LOG).order_by("start"))


def watch_of(job: Job) -> LogWatch:
    return LogWatch.objects.get(run=job.current_run_id)


def log_calls(world: World, job: Job | None = None) -> int:
    """How often the cloud was asked for a log."""
    path = f"/v1/job-runs/{job.current_run.remote_uuid}" if job else "/v1/job-runs/"
    return sum(one["path"].startswith(path) for one in world.control.requests(method="GET"))


def since(job: Job, **ago: float) -> dt.datetime:
    assert job.run_running_at is not None
    return job.run_running_at + dt.timedelta(**ago)
