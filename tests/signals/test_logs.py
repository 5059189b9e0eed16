"""Logs as a signal, over real HTTP: containers that behave, clouds that fail, secrets that are written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core import serializers

from dispersed_web.autostop.activity import Confidence, Use
from dispersed_web.credentials.masking import MASK
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs, tail
from dispersed_web.signals.beat import Beat
from dispersed_web.signals.models import Bucket, LogWatch
from dispersed_web.signals.receiver import accept
from tests.jobs.world import World
from tests.signals.watching import activity, buckets, let, look, running, wait_for_run, watch_of

ONE_RUN = "GET /v1/job-runs/{uuid}"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


# Containers that behave ------------------------------------------------------------------------------------------------


def test_a_chatty_idle_server_is_quiet_once_its_chatter_is_named_as_noise(world: World) -> None:
    quiet = running(world, "chatty", log_noise=["/healthz"])
    noisy = running(world, "chatty")

    let(world, 60)

    assert activity(world, noisy).use == Use.ACTIVE
    found = activity(world, quiet)
    assert (found.use, found.confidence, found.is_fresh) == (Use.QUIET, Confidence.MEDIUM, True)
    assert found.quiet_since is not None
    assert world.clock.now - found.quiet_since > 30 * MINUTE
    assert [(one.lines, one.lines_at, one.period_s) for one in buckets(quiet)] == [(0, None, 300)] * 12


def test_two_lines_among_the_noise_are_work_again(world: World) -> None:
    job = running(world, "chatty", log_noise=["/healthz"])
    let(world, 40)
    for line in ("POST /v1/chat/completions", "216 tokens in 3.2 s"):
        world.control.behave(job.remote_uuid, log=line)

    let(world, 5)

    found = activity(world, job)
    assert (found.use, found.last_active and found.last_active.signal) == (Use.ACTIVE, "log")
    assert [one.lines for one in buckets(job)][-2:] == [0, 2]


def test_a_line_an_hour_is_no_work(world: World) -> None:
    job = running(world, "cron")

    let(world, 125)

    assert sum(one.lines for one in buckets(job)) == 2
    found = activity(world, job)
    assert found.use == Use.QUIET
    assert found.quiet_since is not None
    assert found.quiet_since < world.clock.now - 90 * MINUTE


def test_a_second_run_starts_afresh(world: World) -> None:
    job = running(world, "reset")
    let(world, 10)
    first = job.current_run_id
    assert sum(one.lines for one in buckets(job)) > 30

    world.control.restart(job.remote_uuid)
    wait_for_run(world, job)
    look(world)

    assert job.current_run_id != first
    new = Bucket.objects.get(run=job.current_run_id)
    assert (new.count, new.lines, new.lines_at) == (1, 0, None)
    assert logs.watch(first, world.clock) is False
    let(world, 5)
    assert sum(one.lines for one in buckets(job) if one.run_id == job.current_run_id) == 60


def test_training_that_logs_nothing_is_kept_by_its_heartbeat(world: World) -> None:
    job = running(world, "training")
    token = specs.heartbeat_url(job).rpartition("/")[2]
    for _ in range(20):
        let(world, 2.5)
        accept(token, Beat(gpu=91), world.clock.now)

    found = activity(world, job)

    assert sum(one.lines for one in buckets(job)) == 0
    assert (found.use, found.confidence) == (Use.ACTIVE, Confidence.HIGH)
    assert {one.signal: one.state for one in found.evidence} == {"gpu": "active", "log": "quiet"}


def test_where_logs_are_not_used_they_are_not_read(world: World) -> None:
    job = running(world, "chatty", uses_logs=False)

    let(world, 15)

    assert not LogWatch.objects.exists()
    assert activity(world, job).confidence == Confidence.LOW


# What is no sample -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 404},
        {"kind": "drop", "at": "arrival"},
        {"kind": "bad_json"},
        {"kind": "html_body"},
    ],
    ids=lambda fault: " ".join(map(str, fault.values())),
)
def test_a_log_that_cannot_be_had_is_unknown_and_asked_for_less_and_less(world: World, fault: Any) -> None:
    job = running(world, "training")
    let(world, 5)
    before = [(one.count, one.lines) for one in buckets(job)]
    rule = world.control.add_fault(ONE_RUN, **fault)

    waits = []
    for _ in range(4):
        world.clock.now = watch_of(job).due_at
        assert look(world) == 0
        waits.append(watch_of(job).due_at - world.clock.now)

    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE]
    assert [(one.count, one.lines) for one in buckets(job)] == before
    assert watch_of(job).failures == 4
    world.control.clear_faults(rule)
    world.clock.now = watch_of(job).due_at
    assert look(world) == 1
    assert (watch_of(job).failures, len(buckets(job))) == (0, len(before) + 1)


def test_when_the_cloud_says_wait_it_is_not_asked_before(world: World) -> None:
    job = running(world, "chatty")
    world.control.add_fault(ONE_RUN, "status", status=429, headers={"Retry-After": "420"})

    look(world)

    assert watch_of(job).due_at - world.clock.now == 7 * MINUTE


def test_after_three_hours_without_the_cloud_no_quiet_time_is_made_up(world: World) -> None:
    job = running(world, "training")
    let(world, 30)
    assert activity(world, job).use == Use.QUIET
    world.control.add_fault("*", "status", status=503)
    for _ in range(18):
        world.clock.advance(600)
        world.control.advance(600)
        look(world)
    assert activity(world, job).use in (Use.BLIND, Use.UNKNOWN)

    world.control.clear_faults()
    let(world, 10)

    found = activity(world, job)
    assert found.quiet_since is None or world.clock.now - found.quiet_since <= 10 * MINUTE


def test_with_a_revoked_key_nothing_is_known_and_the_cloud_is_left_alone(world: World) -> None:
    job = running(world, "training")
    let(world, 5)
    count = len(buckets(job))
    world.control.revoke_key(world.credential.public_key)

    let(world, 10)

    asked = world.control.requests(method="GET", path=f"/v1/job-runs/{job.current_run.remote_uuid}")
    assert sum(one["status"] == 401 for one in asked) <= 1
    assert len(buckets(job)) == count
    world.control.restore_key(world.credential.public_key)
    let(world, 10)
    assert len(buckets(job)) > count


def unwritten(world: World, job: Job) -> None:
    """Our row's run is now one whose container has not started, so that its log is empty."""
    world.control.add_fault("POST /v1/jobs", "stuck_preparing")
    other = world.launched(image="acme/worker", ssh_key="", ports=())
    for _ in range(20):
        world.pass_time(10)
        if run := other.runs.filter(status="PREPARING").first():
            run.delete()
            job.runs.update(remote_uuid=run.remote_uuid)
            return
    raise AssertionError("the other job has no run")


def test_a_log_without_a_line_tells_nothing(world: World) -> None:
    job = running(world, "training")
    unwritten(world, job)

    assert look(world) == 1

    watch = watch_of(job)
    assert (watch.read_at, watch.failures, watch.due_at) == (None, 0, world.clock.now + 5 * MINUTE)
    assert not buckets(job)


def test_a_log_whose_lines_are_gone_tells_nothing(world: World) -> None:
    job = running(world, "training")
    look(world)
    kept = watch_of(job).tail
    assert len(kept) == 3
    unwritten(world, job)
    world.clock.now = watch_of(job).due_at

    assert look(world) == 0

    assert (watch_of(job).failures, watch_of(job).tail) == (1, kept)
    assert len(buckets(job)) == 1


# Secrets ---------------------------------------------------------------------------------------------------------------


def test_no_secret_that_a_log_holds_is_stored_not_even_as_a_hash(world: World) -> None:
    secret = "very-secret-4711"
    job = running(world, "training", env={"HF_TOKEN": secret})
    Job.objects.filter(pk=job.pk).update(
        spec_secrets_sealed=specs.sealed_part(
            specs.restore(job), frozenset({"HF_TOKEN"}), specs.place_of(job)
        ),
        spec=specs.plain_part(specs.restore(job), frozenset({"HF_TOKEN"})),
    )
    job.refresh_from_db()
    world.control.behave(job.remote_uuid, log=f"using {secret}")

    assert look(world) == 1

    def hashed(line: str) -> str:
        return tail.read(line, (), logs._key(job.current_run)).hashes[0]

    kept = watch_of(job).tail
    assert kept[-1] == hashed(f"using {MASK}")
    assert hashed(f"using {secret}") not in kept
    rows = serializers.serialize("json", [*LogWatch.objects.all(), *Bucket.objects.all()])
    assert secret not in rows
    assert "using" not in rows
    assert all(len(one) == 16 for one in json.loads(rows)[0]["fields"]["tail"])
