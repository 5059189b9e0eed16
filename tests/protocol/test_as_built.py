"""The orders of events in which the real rows were once wrong, against the simulated cloud."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Client
from dispersed_web.jobs import pursuit
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import request_stop
from tests.jobs.world import World


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


def stop(world: World, job: Job) -> None:
    assert request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)


def running(world: World) -> Job:
    job = world.launched()
    world.control.advance(60)
    return job


def cancelled(world: World) -> Job:
    """A job whose cancel was sent and took effect in the cloud; we have not looked again."""
    job = running(world)
    stop(world, job)
    tasks.pursue(job.pk, world.clock)
    world.control.advance(10)
    world.clock.advance(6)
    return job


def test_two_looks_at_one_moment_do_not_confirm_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pursuer's look takes long, and meanwhile the sync is the first to note the end."""
    job = cancelled(world)
    list_runs = Client.complete_job_runs

    def slow(self: Client, *args: Any, **options: Any) -> Any:
        found = list_runs(self, *args, **options)
        monkeypatch.setattr(Client, "complete_job_runs", list_runs)
        world.sync()
        world.clock.advance(25)
        return found

    monkeypatch.setattr(Client, "complete_job_runs", slow)
    tasks.pursue(job.pk, world.clock)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert job.is_stopping
    world.clock.advance(21)
    tasks.pursue(job.pk, world.clock)
    job.refresh_from_db()
    assert not job.is_stopping


def test_a_second_look_that_fails_is_not_repeated_at_once(world: World) -> None:
    job = cancelled(world)
    tasks.pursue(job.pk, world.clock)
    world.clock.advance(21)
    world.control.revoke_key(world.credential.public_key)
    tasks.pursue(job.pk, world.clock)
    assert list(pursuit.due_by_key(world.clock.now)) == []
    world.clock.advance(60)
    assert list(pursuit.due_by_key(world.clock.now)) == [job.pk]


def test_a_stop_during_a_launch_that_never_left_ends_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Credential.objects.filter(pk=world.credential.pk).update(api_url="http://127.0.0.1:9")
    job = world.request()
    create = Client.create_job

    def stopped_meanwhile(self: Client, *args: Any, **options: Any) -> Any:
        stop(world, Job.objects.get(pk=job.pk))
        return create(self, *args, **options)

    monkeypatch.setattr(Client, "create_job", stopped_meanwhile)
    world.send(job)
    assert job.status == Status.QUEUED
    world.clock.advance(1)
    world.sweep()
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.USER)


def test_an_absurd_price_neither_hides_a_job_nor_keeps_it_alive(world: World) -> None:
    world.control.set_offer("", hourly_rate_usd=2_000_000.0)
    world.control.set_balance("demo-north", 1e9)
    job = running(world)
    assert world.sync()
    stop(world, job)
    tasks.pursue(job.pk, world.clock)
    world.control.advance(10)
    world.settle(2)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert not job.is_stopping


def test_without_a_probe_absence_is_not_believed(world: World) -> None:
    Credential.objects.update(probe={})
    world.control.add_fault("POST /v1/jobs", "drop", times=1, at="before")
    job = world.send(world.request())
    world.settle()
    job.refresh_from_db()
    assert job.status == Status.UNCONFIRMED
