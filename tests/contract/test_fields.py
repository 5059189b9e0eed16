"""The fields of every object: none is missing that the client needs, none is there that nobody knows of, and the client
makes something of all that the sandbox sends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from dispersed_web.dispersed import Client, JobSpec, Secret
from dispersed_web.sandbox.control import Control

from . import fields
from .clouds import Cloud, once, raw
from .conftest import SSH_KEY
from .fields import Fields
from .test_shapes import READS, as_values

pytestmark = pytest.mark.usefixtures("life")

LISTED = {
    "/v1/jobs": fields.JOB,
    "/v1/job-runs": fields.RUN,
    "/v1/job-recipes": fields.RECIPE,
    "/v1/gpu-registry": fields.GPU,
    "/v1/compute/offers": fields.OFFER,
    "/v1/compute/ledger/transactions": fields.TRANSACTION,
    "/v1/compute/ledger/authorizations": fields.AUTHORIZATION,
}


def check(data: dict[str, Any], expected: Fields, where: str) -> None:
    missing, news = expected.always - set(data), set(data) - expected.known
    assert not missing, f"{where}: without {sorted(missing)}"
    assert not news, f"{where}: fields that nobody knew of, please report them: {sorted(news)}"


@pytest.mark.parametrize("path", LISTED)
def test_the_objects_of_a_list(client: Client, path: str) -> None:
    envelope = raw(client, path, limit=50)
    check(envelope, fields.ENVELOPE, path)
    if not envelope["data"]:
        pytest.skip("the account has none")
    for item in envelope["data"]:
        check(item, LISTED[path], path)


def test_objects_within_objects(client: Client) -> None:
    for offer in raw(client, "/v1/compute/offers")["data"]:
        check(offer["pricing"], fields.PRICING, "an offer's pricing")
        check(offer["hardware_summary"], fields.HARDWARE, "an offer's hardware")
    for run in raw(client, "/v1/job-runs")["data"]:
        for url in run.get("node_urls") or ():
            check(url, fields.NODE_URL, "a run's address")


def test_single_objects(client: Client) -> None:
    me = raw(client, "/v1/users/me")
    check(me, fields.USER, "the user")
    check(raw(client, f"/v1/accounts/{me['uuid']}/balance"), fields.BALANCE, "the balance")
    for path in ("/v1/jobs", "/v1/job-runs", "/v1/job-recipes"):
        for item in raw(client, path, limit=1)["data"]:
            check(raw(client, f"{path}/{item['uuid']}"), LISTED[path], path)


# What the client reads although the sandbox never sends it: the registry's fields are not documented.
NEVER_SENT = {"Gpu.hourly_rate_usd", "Gpu.available_count"}
# Sent, but empty in every object that the sandbox has.
EMPTY_HERE = {
    "NodeUrl.tls", "Recipe.unreadable_inputs", "RecipePayload.gpu_registry_uuid",
    "RecipePayload.ssh_key", "Transaction.memo",
}  # fmt: skip


def empty_fields(found: Any) -> Iterator[str]:
    """The names of those fields of what was read that are empty in every object."""
    objects = found if isinstance(found, list) else [found]
    for field in dataclasses.fields(objects[0]):
        values = [getattr(each, field.name) for each in objects]
        if all(value in (None, "", (), False) for value in values):
            yield f"{type(objects[0]).__name__}.{field.name}"


def test_the_client_makes_something_of_every_field(cloud: Cloud, client: Client, control: Control) -> None:
    """A field that is called otherwise on the two sides would stay empty here."""
    full = JobSpec(
        task="BATCH", title="Full", description="all there is", image="dispersednetwork/llama_accesstoken",
        tag="latest", registry_host="ghcr.io", cpu_count=2, gpu_count=1, gpu_name="RTX 4090", min_vram_gb=24,
        min_ram_gb=8, min_storage_gb=20, max_node_count=1, max_retry_count=1, max_timeout_assign_ms=300_000,
        max_timeout_start_ms=1_800_000, max_timeout_run_ms=900_000, allowed_region_codes=("us-east-1",),
        ssh_key=SSH_KEY, ports=(22,), allowed_ips=("203.0.113.7",), env={"DW_LAUNCH": "dw-abcd-1", "SANDBOX_RUN_S": "60"},
    )  # fmt: skip
    job = client.create_job(full.to_body(), **once(client))
    registered = client.list_gpus().items[0].uuid
    cook = {"title": "Cooked", "gpu_registry_uuid": registered, "min_vram_gb": 1}
    recipe = client.list_job_recipes().items[0]
    cooked = client.cook_job_recipe(recipe.uuid, cook, **once(client))
    control.advance(50)
    live = client.complete_job_runs(job.uuid)
    assert [run.status for run in live] == ["RUNNING"]
    control.finish_job(job.uuid, exit_code=0)
    run = client.complete_job_runs(job.uuid)[0]
    jobs = [client.get_job(job.uuid), client.get_job(cooked.uuid), client.complete_jobs()[-1]]
    control.finish_job(cooked.uuid, exit_code=3)
    jobs.append(client.get_job(cooked.uuid))

    empty = {
        *empty_fields(jobs),
        *empty_fields(jobs[0].docker),
        *empty_fields([*live, run, client.get_job_run(run.uuid)]),
        *empty_fields(list(live[0].node_urls)),
        *empty_fields(list(client.list_gpus())),
        *empty_fields(list(client.list_offers())),
        *empty_fields(list(client.list_job_recipes())),
        *empty_fields([one.payload for one in client.list_job_recipes()]),
        *empty_fields([question for one in client.list_job_recipes() for question in one.inputs]),
        *empty_fields(list(client.list_transactions())),
        *empty_fields(list(client.list_authorizations())),
        *empty_fields(client.me()),
        *empty_fields(client.balance(client.me().uuid)),
    }
    assert empty == NEVER_SENT | EMPTY_HERE


def test_what_is_secret_is_echoed_by_the_cloud_and_dropped_by_the_client(
    cloud: Cloud, client: Client, control: Control
) -> None:
    spec = JobSpec(
        task="PERSISTENT", title="Secret", image="private", registry_user="canary-user",
        registry_secret=Secret("canary-secret"), env={"TOKEN": "canary-token"}, ssh_key=SSH_KEY,
    )  # fmt: skip
    job = client.create_job(spec.to_body(), **once(client))
    control.advance(60)
    echoed = str(raw(client, f"/v1/jobs/{job.uuid}")) + str(raw(client, "/v1/job-runs"))
    for canary in ("canary-user", "canary-secret", "canary-token"):
        assert canary in echoed
    shown = str([as_values(read(client)) for read in READS.values()]) + repr([job, client.get_job(job.uuid)])
    assert "canary" not in shown
