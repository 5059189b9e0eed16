"""Containers that behave, in the simulated cloud over real HTTP, with the real receiver: no busy one is stopped, each idle
one is, within a tick of its deadline; and outages stop nothing that should live and keep nothing that should end.

The cloud, our rows and the heartbeats move in steps of one minute; every step makes the passes that the tasks make.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from dispersed_web.autostop import engine
from dispersed_web.autostop.models import Engine
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import specs, sync
from dispersed_web.jobs.models import Job
from dispersed_web.signals import beat, receiver
from dispersed_web.teams.models import AutostopPolicy
from tests.autostop.watched import MINUTE
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
GRACE, IDLE = 1, 60


class Watched(World):
    """A team that enforces; a launch is a container with a behaviour, whose heartbeats go to the real receiver."""

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        AutostopPolicy.objects.create(
            team=self.team, mode="enforce", observe_until=None, boot_grace_s=60 * GRACE, high_idle_s=60 * IDLE
        )
        self.unreachable = False
        self.is_down = False
        self.passed = 0

    def container(self, behaviour: str, **fields: Any) -> Job:
        job = self.launched(env={"SANDBOX_BEHAVIOUR": behaviour}, title=behaviour)
        Job.objects.filter(pk=job.pk).update(lifetime_s=24 * 3600, **fields)
        while Job.objects.get(pk=job.pk).run_running_at is None:
            self.clock.advance(10)
            self.control.advance(10)
            Credential.objects.update(sync_lease_until=None)
            self.sync()
        self.control.behave(job.remote_uuid, period_s=3600)  # its heartbeats are sent below, one by one
        return Job.objects.get(pk=job.pk)

    def minute(self, *jobs: Job) -> None:
        """One minute passes everywhere. A cloud that is down is asked now and then only: each time takes seconds."""
        self.clock.advance(60)
        self.control.advance(60)
        self.passed += 1
        if not self.is_down or self.passed % 90 == 0:
            Credential.objects.update(sync_lease_until=None)
            sync.sync(self.credential.pk, self.clock)
        for job in jobs:
            self.send_heartbeat(job)
        engine.evaluate_due(self.clock.now)
        Job.objects.filter(warned_at__isnull=False, warning_delivered_at=None).update(
            warning_delivered_at=self.clock.now
        )
        if not self.is_down:
            self.sweep()

    def minutes(self, count: int, *jobs: Job) -> None:
        for _ in range(count):
            self.minute(*jobs)

    def send_heartbeat(self, job: Job) -> None:
        """What the container says of itself now, to the receiver as it stands."""
        now = row(job)
        if self.unreachable or not now.is_active or now.stop_requested_at:
            return
        report = self.control.behave(job.remote_uuid)
        if report.pop("is_beating"):
            token = specs.heartbeat_url(now).rpartition("/")[2]
            outcome = receiver.accept(token, beat.parse(json.dumps(report).encode()), self.clock.now).outcome
            assert outcome == receiver.Outcome.TAKEN


def row(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def told(job: Job, kind: str) -> int:
    return Event.objects.filter(subject_id=str(job.pk), kind=kind).count()


@pytest.fixture
def world(db: None, sandbox: Any) -> Watched:
    return Watched(sandbox)


def test_none_of_the_busy_ones_is_stopped_and_each_idle_one_is_within_a_tick(world: Watched) -> None:
    training = world.container("training")
    lie = world.container("lie")
    stall = world.container("stall")
    typing = world.container("ssh")
    for _ in range(4):
        world.container("training")  # or the idle ones would be too many at once
    world.control.behave(typing.remote_uuid, heartbeat="on")
    idle, chatty = world.container("idle"), world.container("chatty")
    # The last one starts to be quiet later, so that the two do not come due together.
    for step in range(100):
        world.control.behave(typing.remote_uuid, typing=step % 20 * 60.0)
        if step < 15:
            world.control.behave(chatty.remote_uuid, gpu=70)
        elif step == 15:
            world.control.behave(chatty.remote_uuid, gpu=0)
        world.minute(training, lie, stall, typing, idle, chatty)
    for busy in (training, lie, stall, typing):
        assert row(busy).stop_requested_at is None, busy.title
        assert told(busy, "job.warned") == 0, busy.title
    for quiet in (idle, chatty):
        stopped = row(quiet)
        assert stopped.stop_reason == "idle", quiet.title
        due = dt.datetime.fromisoformat(stopped.stop_evidence["deadline_at"])
        assert dt.timedelta(0) <= stopped.stop_requested_at - due <= MINUTE
    assert (
        row(stall).confidence == "low"
    )  # it stalled while the GPU worked: a person is asked, nothing is inferred
    assert told(stall, "job.blind") == 1
    assert [one["effect"] for one in world.control.cancels()].count("taken") == 2


def test_a_second_run_of_the_same_job_starts_afresh(world: Watched) -> None:
    job = world.container("idle")
    world.minutes(50, job)
    world.control.restart(job.remote_uuid)
    world.minutes(30, job)
    assert row(job).stop_requested_at is None
    began = row(job).run_running_at
    assert began > job.run_running_at
    world.minutes(40, job)
    assert row(job).stop_reason == "idle"
    assert row(job).stop_requested_at >= began + dt.timedelta(minutes=GRACE + IDLE)


def test_an_ssh_box_without_a_heartbeat_is_asked_and_with_one_it_is_watched(world: Watched) -> None:
    job = world.container("ssh")
    world.minutes(118, job)
    assert (row(job).verdict_state, row(job).confidence) == ("unknown", "low")
    assert told(job, "job.checkin") == 0
    world.control.behave(job.remote_uuid, heartbeat="on")
    world.minutes(6, job)
    assert row(job).confidence == "high"
    world.minutes(70, job)
    assert told(job, "job.checkin") == 0
    assert row(job).stop_reason == "idle"


def test_the_cloud_down_for_three_hours_stops_nothing_and_the_clock_begins_anew(world: Watched) -> None:
    job = world.container("idle")
    world.minutes(50, job)
    assert told(job, "job.warned") == 1
    world.control.add_fault("*", "status", status=503)
    world.is_down = True
    world.minutes(180, job)
    assert (row(job).stop_requested_at, row(job).verdict_state) == (None, "blind")
    assert "unknown is not idle" in Event.objects.filter(kind="job.called_off").first().sentence
    world.control.clear_faults()
    world.is_down = False
    back = world.clock.now
    world.minutes(50, job)
    assert row(job).stop_requested_at is None
    world.minutes(15, job)
    assert row(job).stop_requested_at >= back + dt.timedelta(minutes=IDLE)
    world.minutes(3, job)
    assert row(job).status == "CANCELLED"


def test_a_key_revoked_while_a_stop_is_due_is_alarmed_and_the_stop_goes_out_with_one_that_works(
    world: Watched,
) -> None:
    job = world.container("idle")
    others = [world.container("training") for _ in range(2)]
    world.minutes(59, job, *others)
    world.control.revoke_key(world.credential.public_key)
    Credential.objects.update(listed_at=world.clock.now)
    Job.objects.filter(pk=job.pk).update(lifetime_s=60)  # a hard limit: it does not wait for the cloud
    world.minutes(20, job, *others)
    stuck = row(job)
    assert (stuck.stop_reason, stuck.status) == ("max_lifetime", "RUNNING")
    assert stuck.stop_attempts > 1
    assert Event.objects.filter(kind="credential.broken").count() == 1
    assert told(job, "job.stop_unconfirmed") >= 1
    world.control.restore_key(world.credential.public_key)
    world.minutes(3, job, *others)
    assert row(job).status == "CANCELLED"
    assert all(row(one).stop_requested_at is None for one in others)


def test_heartbeats_that_cannot_reach_us_count_against_no_job(world: Watched) -> None:
    jobs = [world.container("idle") for _ in range(2)]
    world.minutes(30, *jobs)
    world.unreachable = True
    Engine.objects.update_or_create(
        id=1, defaults={"receiver_ok_at": world.clock.now - MINUTE, "receiver_failed_at": world.clock.now}
    )
    world.minutes(180, *jobs)
    assert [row(job).verdict_state for job in jobs] == ["blind", "blind"]
    assert not Event.objects.filter(kind__in=["job.blind", "job.checkin", "job.stop_requested"]).exists()
