"""Watching: our rows against the simulated cloud's ledger."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import AuthShapes
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.events.models import Event
from dispersed_web.jobs import applying, logs, runs, sync, tokens
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.world import World


def step(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    world.control.advance(seconds)
    assert world.sync()


def test_a_job_is_followed_from_pending_to_running_with_price_and_address(world: World) -> None:
    job = world.launched()
    seen = []
    for _ in range(30):
        step(world, 2)
        job.refresh_from_db()
        seen.append(job.status)
    assert list(dict.fromkeys(seen))[-1] == Status.RUNNING
    assert Status.PREPARING in seen
    (run,) = job.runs.all()
    assert [url["container_port"] for url in run.node_urls] == [22, 8888]
    (billed,) = world.control.billing(job.remote_uuid)
    assert job.hourly_rate_usd == Decimal(str(billed["hourly_rate_usd"]))
    assert job.running_at is not None


def test_a_batch_job_ends_by_itself(world: World) -> None:
    job = world.launched(task="BATCH", env={"SANDBOX_RUN_S": "30"})
    for _ in range(12):
        step(world, 15)
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.COMPLETED, Reason.EXITED)
    assert job.ended_at is not None
    assert job.spent_usd > 0


def test_a_failure_says_the_clouds_reason(world: World) -> None:
    job = world.launched(task="BATCH", env={"SANDBOX_RUN_S": "5", "SANDBOX_EXIT_CODE": "3"})
    for _ in range(8):
        step(world, 15)
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.FAILED, Reason.CLOUD)
    assert "code 3" in job.reason_text
    assert Event.objects.get(subject_id=str(job.pk), kind="job.ended").audience == "job_owner"


def test_a_six_gpu_node_is_billed_at_its_own_price(world: World) -> None:
    world.control.add_fault("POST /v1/jobs", "six_gpu_node", times=1)
    job = world.launched()
    step(world, 40)
    step(world, 5)
    job.refresh_from_db()
    assert job.quoted_usd is not None
    assert job.hourly_rate_usd is not None
    assert job.hourly_rate_usd > 5 * job.quoted_usd


def test_an_unknown_status_is_not_an_end(world: World) -> None:
    job = world.launched()
    step(world, 40)
    world.control.add_fault("*", "unknown_status", status="HIBERNATING")
    step(world, 10)
    job.refresh_from_db()
    assert job.is_active
    assert job.remote_status == "HIBERNATING"


@pytest.mark.parametrize("lie", ["empty_list", "void_page"])
def test_an_empty_list_is_not_believed(world: World, lie: str) -> None:
    job = world.launched()
    step(world, 40)
    world.control.add_fault("GET /v1/jobs", lie)
    for _ in range(5):
        world.clock.advance(30)
        world.sync()
    job.refresh_from_db()
    assert (job.status, job.missing_since) == (Status.RUNNING, None)


def test_a_job_that_nobody_finds_is_missing_and_never_ended(world: World) -> None:
    job = world.launched()
    step(world, 40)
    Job.objects.filter(pk=job.pk).update(remote_uuid="01a209c6-588c-4feb-ae25-000000000000")
    step(world, 30)
    job.refresh_from_db()
    assert job.missing_since is not None
    assert not Event.objects.filter(kind="job.missing").exists()
    step(world, 61)
    step(world, 30)
    job.refresh_from_db()
    assert job.is_active
    assert Event.objects.filter(kind="job.missing", audience="admins").count() == 1


def test_a_job_of_somebody_else_on_the_key_is_shown_and_left_alone(world: World) -> None:
    world.control.seed_jobs(3, keys=[world.credential.public_key], title="external")
    step(world, 5)
    assert UnmanagedJob.objects.filter(credential=world.credential).count() == 3
    assert UnmanagedJob.objects.filter(hourly_rate_usd__isnull=False).count() == 3
    assert world.control.cancels() == []
    for row in world.control.jobs():
        world.control.finish_job(row["uuid"])
    step(world, 5)
    assert not UnmanagedJob.objects.exists()


def test_an_end_that_turns_out_false_is_taken_back(world: World) -> None:
    job = world.launched()
    step(world, 40)
    Job.objects.filter(pk=job.pk).update(
        status=Status.CANCELLED,
        ended_at=world.clock.now,
        stop_requested_at=world.clock.now,
        stop_reason="user",
    )
    step(world, 10)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert job.stop_next_at is not None
    assert Event.objects.filter(subject_id=str(job.pk), kind="job.back").exists()


def test_runs_of_other_jobs_that_the_cloud_lets_pass_are_no_runs_of_this_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = world.launched(), world.launched(description="other")
    world.control.advance(40)
    listed = sync._all_pages
    monkeypatch.setattr(sync, "_all_pages", lambda fetch: listed(partial(fetch, job_uuid=None)))
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        sync.look_singly(job, client, world.clock)
    assert (job.runs.count(), other.runs.count()) == (1, 0)


def test_a_run_that_ended_while_its_job_goes_on_stops_costing(world: World) -> None:
    world.control.add_fault("*", "run_lost", times=1, after_s=60, phase="RUNNING", runs=1)
    job = world.launched(max_retry_count=1)
    for _ in range(14):
        step(world, 15)
    job.refresh_from_db()
    assert job.runs.count() == 2
    assert job.runs.filter(ended_at=None).count() == 1
    live = [run for run in world.control.billing(job.remote_uuid) if run["status"] == "RUNNING"]
    assert job.hourly_rate_usd == Decimal(str(live[0]["hourly_rate_usd"]))


def test_one_job_that_cannot_be_applied_concerns_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, job = world.launched(), world.launched(description="other")
    apply = applying.apply_seen

    def fail_for_one(row: Job, *args: Any) -> bool:
        return 1 / 0 if row.pk == odd.pk else apply(row, *args)

    monkeypatch.setattr(applying, "apply_seen", fail_for_one)
    step(world, 60)
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert Credential.objects.get().state == "active"


def test_a_second_job_with_our_marker_is_told_of_once(world: World) -> None:
    job = world.launched()
    body = world.control.job(job.remote_uuid or "")["spec"]
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        clone = client.create_job(
            body, time_ms=client.cloud_now_ms(), nonce=uuid.uuid4().hex, auth_shapes=AuthShapes()
        )
    for _ in range(3):
        step(world, 5)
    alarm = Event.objects.get(kind="job.duplicate")
    assert (alarm.subject_id, alarm.data) == (str(job.pk), {"remote_uuid": clone.uuid})
    assert UnmanagedJob.objects.get().remote_uuid == clone.uuid


def test_another_key_of_the_same_account_shows_no_job_of_ours_as_a_strangers(world: World) -> None:
    world.launched()
    world.control.add_key("pk_sim_second000000", "sk_sim_second000000", world.sandbox.keys[0][2])
    second = factories.make_credential(
        world.team, world.sandbox, "pk_sim_second000000", "sk_sim_second000000"
    )
    assert sync.sync(second.pk, world.clock)
    assert not UnmanagedJob.objects.exists()


def test_a_list_without_end_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.control.seed_jobs(60, keys=[world.credential.public_key])
    world.control.add_fault("GET /v1/jobs", "bare_list")
    monkeypatch.setattr(sync, "MAX_PAGES", 1)
    assert not world.sync()
    assert "more than 1 pages" in Credential.objects.get().failure


def test_several_runs_cost_together(world: World) -> None:
    job = world.launched(max_retry_count=1)
    world.control.add_fault("*", "run_lost", times=1)
    step(world, 40)
    Job.objects.get(pk=job.pk)
    billed = sum(Decimal(str(run["billed_usd"])) for run in world.control.billing(job.remote_uuid))
    job.refresh_from_db()
    cost = job.meter.read(world.clock.now)
    assert cost is not None
    assert abs(cost - billed) < Decimal("0.02")


def test_one_pass_costs_two_lists_however_many_jobs(world: World) -> None:
    world.control.seed_jobs(120, keys=[world.credential.public_key], title="many")
    for row in world.control.jobs():
        factories.make_job(world.team, "RUNNING", credential=world.credential, remote_uuid=row["uuid"])
    step(world, 1)
    before = len(world.control.requests())
    step(world, 5)
    requests = world.control.requests()[before:]
    paths = [row["path"] for row in requests]
    assert paths == ["/v1/jobs"] * 3 + ["/v1/job-runs"] * 3


def test_an_unchanged_pass_writes_nothing_visible(world: World) -> None:
    world.launched()
    step(world, 60)
    step(world, 5)
    version = Team.objects.get(pk=world.team.pk).version
    with CaptureQueriesContext(connection) as queries:
        step(world, 5)
    assert Team.objects.get(pk=world.team.pk).version == version
    assert not [q for q in queries if q["sql"].startswith(('UPDATE "jobs_job"', "INSERT"))]


def test_a_credential_that_fails_does_not_delay_another(world: World) -> None:
    second = factories.make_credential(world.team, world.sandbox)
    world.control.revoke_key(world.credential.public_key)
    assert not world.sync()
    assert sync.sync(second.pk, world.clock)
    world.credential.refresh_from_db()
    assert (world.credential.state, world.credential.failures) == ("broken", 1)
    assert Credential.objects.get(pk=second.pk).failures == 0


def test_two_processes_never_sync_one_credential_at_once(world: World) -> None:
    assert sync._lease(world.credential.pk, world.clock.now) is not None
    assert not world.sync()
    world.clock.advance(91)
    assert world.sync()


def test_the_interval_follows_what_goes_on(world: World) -> None:
    def wait() -> dt.timedelta:
        Credential.objects.update(sync_due_at=None)
        world.sync()
        return Credential.objects.get(pk=world.credential.pk).sync_due_at - world.clock.now

    assert wait() > dt.timedelta(seconds=20)
    job = world.launched()
    assert wait() <= dt.timedelta(seconds=5)
    world.control.advance(60)
    world.sync()
    assert Job.objects.get(pk=job.pk).status == Status.RUNNING
    assert wait() > dt.timedelta(seconds=20)


def test_a_machine_whose_address_is_awaited_is_looked_at_often_for_a_while(world: World) -> None:
    world.control.add_fault("POST /v1/jobs", "empty_node_urls")
    world.launched()
    world.control.advance(60)

    def wait() -> dt.timedelta:
        Credential.objects.update(sync_due_at=None)
        world.sync()
        return Credential.objects.get(pk=world.credential.pk).sync_due_at - world.clock.now

    assert wait() <= dt.timedelta(seconds=5)
    world.clock.advance(181)
    assert wait() > dt.timedelta(seconds=20)


def test_a_clock_that_is_off_is_learned(world: World) -> None:
    world.control.set_clock_skew(40)
    assert world.sync()
    world.credential.refresh_from_db()
    assert 38_000 < world.credential.clock_offset_ms < 42_000
    assert world.credential.clock_is_off()


def test_a_clock_that_is_set_back_keeps_no_key_from_being_listed_with(world: World) -> None:
    tomorrow = world.clock.now + dt.timedelta(days=1)
    Credential.objects.update(sync_due_at=tomorrow, sync_lease_until=tomorrow)
    assert sync.due(world.clock.now) == [world.credential.pk]
    assert world.sync()
    assert sync.due(world.clock.now) == []


@pytest.mark.parametrize(
    "faults", [(), ("tokens_on_job",), ("tokens_as_text",), ("tokens_on_job", "tokens_as_text")]
)
def test_an_access_token_is_found_wherever_and_however_the_cloud_shows_it(
    world: World, faults: tuple[str, ...]
) -> None:
    for kind in faults:
        world.control.add_fault("*", kind)
    image = "dispersednetwork/llama.cpp_accesstoken_preload"
    job = world.launched(image=image, max_timeout_start_ms=1_800_000)
    for seconds in (10, 300, 300, 300, 20):
        step(world, seconds)
    run = job.runs.get()
    shown = tokens.show(job, run, actor=world.actor, now=world.clock.now)
    with client_for(world.credential, team_id=world.team.pk, purpose="logs") as client:
        assert shown == [token.reveal() for token in client.get_job(job.remote_uuid).access_tokens]
    assert logs._tokens(job, run) == shown  # and so it is masked in the log


@pytest.mark.django_db
def test_a_run_of_which_the_cloud_gives_the_date_alone_costs_nothing_from_before_its_launch() -> None:
    now = dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC)
    job = factories.make_job(factories.make_team(), launched_at=now - dt.timedelta(minutes=30))
    midnight = now.replace(hour=0)
    remote = RemoteRun(
        "r1", job.remote_uuid, "ASSIGNED", created_at=midnight, hourly_rate_usd=Decimal("0.60")
    )
    found = runs.take_over(job, [], [remote], now)
    assert found[0].started_at == job.launched_at
    assert runs.meter(found).read(now) == Decimal("0.3000")
