"""Logs as a signal, over real HTTP against containers that behave."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.autostop import facts, policy
from dispersed_web.autostop.activity import Confidence, Use
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs
from dispersed_web.signals.models import Bucket, LogWatch
from tests.jobs.world import World

PROBES = ["/healthz"]


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


def running(world: World, behaviour: str = "chatty", **columns: Any) -> Job:
    """A job that uses its logs, whose container behaves like this and has been running for a minute at most."""
    task = columns.pop("task", "PERSISTENT")
    ssh = {"ssh_key": "", "ports": ()} if task == "PERSISTENT" else {}
    env = {"SANDBOX_BEHAVIOUR": behaviour} | columns.pop("env", {})
    job = world.launched(task=task, image="acme/worker", env=env, **ssh)
    for _ in range(10):
        world.pass_time(60)
        job.refresh_from_db()
        if job.run_running_at:
            break
    assert job.run_running_at, job.status
    Job.objects.filter(pk=job.pk).update(**{"uses_logs": True} | columns)
    job.refresh_from_db()
    return job


def look(world: World) -> int:
    """What the sweep does; how many looks it made."""
    logs.begin(world.clock.now)
    return sum(logs.watch(run_id, world.clock) for run_id in logs.due(world.clock.now))


def test_smoke(world: World) -> None:
    job = running(world, "chatty")
    for _ in range(12):
        look(world)
        world.pass_time(60)
    for b in Bucket.objects.all():
        print(b.start, b.count, b.lines, b.lines_at, b.gap, b.first_at, b.last_at)
    print(LogWatch.objects.values())
    print(logs.logs.read(job, job.current_run))
