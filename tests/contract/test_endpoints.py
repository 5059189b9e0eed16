"""What the calls do at the sandbox, compared with its ledger: what was asked arrives, and keys see only their own."""

from __future__ import annotations

import datetime as dt

import pytest

from dispersed_web.dispersed import (
    Client,
    JobSpec,
    KeyPair,
    NotFound,
    Outcome,
    Rejected,
    Secret,
    Unauthorized,
    problems_of,
)
from dispersed_web.sandbox import DEMO_KEYS
from dispersed_web.sandbox.control import Control

from .clouds import Cloud, once
from .conftest import SSH_KEY, batch, persistent
from .test_faults import LLAMA

NORTH = DEMO_KEYS[0][0]


def test_every_field_of_a_specification_arrives(client: Client, control: Control) -> None:
    spec = JobSpec(
        task="BATCH", title="All of it", description="x", image="team/app", tag="v1", registry_host="ghcr.io",
        registry_user="robot", registry_secret=Secret("token"), cpu_count=4, gpu_count=2, gpu_name="RTX 4090",
        min_vram_gb=24, min_ram_gb=16, min_storage_gb=50, max_node_count=2, max_retry_count=3,
        max_timeout_assign_ms=600_000, max_timeout_start_ms=1_800_000, max_timeout_run_ms=7_200_000,
        allowed_region_codes=("us-east-1", "eu-central-1"), ssh_key=SSH_KEY, ports=(22, 8080),
        allowed_ips=("203.0.113.7/32",), env={"A": "1", "B": 'quo"te\\n\t/'},
    )  # fmt: skip
    assert problems_of(spec) == {}
    job = client.create_job(spec.to_body(), **once(client))
    arrived = control.job(job.uuid)["spec"]
    assert {name: arrived[name] for name in spec.to_body()} == spec.to_body()
    assert client.get_job(job.uuid) == job


def test_the_same_signature_is_sent_that_was_stored(client: Client, control: Control) -> None:
    stored = once(client)
    client.create_job(persistent(), **stored)
    row = control.requests(method="POST")[0]
    assert (row["x_time"], row["nonce"]) == (str(stored["time_ms"]), stored["nonce"])


def test_a_request_is_dead_once_its_window_has_passed(client: Client, control: Control) -> None:
    stored = once(client)
    control.set_clock_skew(301)
    with pytest.raises(Unauthorized) as caught:
        client.create_job(persistent(), **stored)
    assert (caught.value.code, caught.value.outcome) == ("timestamp_out_of_range", Outcome.UNKNOWN)
    assert control.jobs() == []


def test_a_batch_job_goes_through_its_life(client: Client, control: Control) -> None:
    job = client.create_job(batch(env={"SANDBOX_RUN_S": "30"}), **once(client))
    seen = [job.status]
    for _ in range(90):
        control.advance(1)
        status = client.get_job(job.uuid).status
        if status != seen[-1]:
            seen.append(status)
    assert seen == ["PENDING", "ASSIGNED", "RUNNING", "COMPLETED"]
    (run,) = client.complete_job_runs(job.uuid)
    assert run.status == "COMPLETED"
    bill = control.billing(job.uuid)[0]
    assert run.duration_ms == pytest.approx(bill["billed_s"] * 1000, abs=2)
    booked = sum(entry.amount_usd or 0 for entry in client.list_transactions(job_run_uuid=run.uuid))
    assert float(booked) == pytest.approx(bill["billed_usd"], abs=0.0001)
    assert booked > 0


def test_cooking_keeps_the_recipe(client: Client, control: Control) -> None:
    job = client.cook_job_recipe(LLAMA, {"title": "Mine", "min_vram_gb": 48}, **once(client))
    assert (job.source_recipe_uuid, job.title, job.min_vram_gb) == (LLAMA, "Mine", 48)
    assert control.jobs()[0]["recipe_uuid"] == LLAMA


def test_a_cancel_is_repeated_without_harm(client: Client, control: Control) -> None:
    job = client.create_job(persistent(), **once(client))
    control.advance(60)
    for _ in range(2):
        answer = client.cancel_job(job.uuid, "enough")
        assert answer is not None
        assert answer.status == "CANCELLING"
    control.advance(10)
    with pytest.raises(Rejected) as caught:
        client.cancel_job(job.uuid, "enough")
    assert caught.value.status == 409
    assert [row["effect"] for row in control.cancels()] == ["taken", "repeated", "finished"]
    assert client.get_job(job.uuid).status == "CANCELLED"


def test_another_accounts_key_sees_and_stops_nothing(
    client: Client, stranger: Client, control: Control
) -> None:
    job = client.create_job(persistent(), **once(client))
    control.advance(60)
    run = client.complete_job_runs(job.uuid)[0]
    assert stranger.complete_jobs() == []
    assert stranger.complete_job_runs() == []
    for read in (lambda: stranger.get_job(job.uuid), lambda: stranger.get_job_run(run.uuid)):
        with pytest.raises(NotFound):
            read()
    with pytest.raises(NotFound):
        stranger.cancel_job(job.uuid, "not mine")
    assert client.get_job(job.uuid).status == "RUNNING"
    assert control.cancels() == []


def test_a_lagging_list_hides_what_a_single_look_shows(client: Client, control: Control) -> None:
    control.set_listing_lag(60)
    job = client.create_job(persistent(), **once(client))
    assert client.complete_jobs() == []
    assert client.get_job(job.uuid).uuid == job.uuid
    control.advance(61)
    assert [each.uuid for each in client.complete_jobs()] == [job.uuid]


def test_a_listing_of_many_pages_ends_where_it_is_told_to(client: Client, control: Control) -> None:
    control.seed_jobs(130, age_s=13_000)
    assert len(client.complete_jobs()) == 130
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=3000)
    before = len(control.requests(path="/v1/jobs"))
    recent = client.complete_jobs(older_than=since)
    assert len(control.requests(path="/v1/jobs")) - before == 1
    assert len([job for job in recent if job.created_at and job.created_at >= since]) in (29, 30, 31)


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (lambda c: c.revoke_key(NORTH), 401, "api_key_revoked"),
        (lambda c: c.expire_key(NORTH), 401, "api_key_expired"),
        (lambda c: c.set_allowed_ips(NORTH, ["203.0.113.7"]), 403, "ip_not_allowed"),
        (lambda c: c.set_permissions(NORTH, forbid=["jobs.create.own"]), 403, "forbidden"),
    ],
    ids=["revoked", "expired", "foreign address", "permission"],
)
def test_a_key_that_may_not_launch_is_refused_for_certain(
    client: Client, control: Control, spoil, status, code
) -> None:
    spoil(control)
    with pytest.raises(Unauthorized) as caught:
        client.create_job(persistent(), **once(client))
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.outcome is Outcome.REFUSED
    assert control.jobs() == []


def test_two_clients_of_one_key_do_not_disturb_each_other(
    cloud: Cloud, client: Client, control: Control
) -> None:
    with cloud.client(keys=KeyPair(*DEMO_KEYS[0][:2])) as other:
        for _ in range(5):
            client.list_jobs()
            other.list_jobs()
    nonces = [row["nonce"] for row in control.requests()]
    assert len(set(nonces)) == len(nonces) == 10
