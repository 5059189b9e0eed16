"""The limits of the create call, each refused with the name of the field."""

import pytest

from .plain_client import batch, persistent

REFUSED = [
    (persistent(task="FOREVER"), "task"),
    (persistent(title=""), "title"),
    (persistent(title=7), "title"),
    (persistent(description=7), "description"),
    (persistent(gpu_count=-1), "gpu_count"),
    (persistent(gpu_count=1.5), "gpu_count"),
    (persistent(cpu_count="4"), "cpu_count"),
    (persistent(min_vram_gb=True), "min_vram_gb"),
    (persistent(max_node_count=0), "max_node_count"),
    (persistent(max_retry_count=-1), "max_retry_count"),
    (persistent(max_timeout_assign_ms=299_999), "max_timeout_assign_ms"),
    (persistent(max_timeout_start_ms=119_999), "max_timeout_start_ms"),
    (persistent(max_timeout_run_ms=3_600_000), "max_timeout_run_ms"),
    (batch(max_timeout_run_ms=None), "max_timeout_run_ms"),
    (batch(max_timeout_run_ms=59_999), "max_timeout_run_ms"),
    (persistent(gpu_name="RTX 4090", gpu_registry_uuid="0198ac1c-7063-4be8-bb94-57a5bd83548e"), "gpu_name"),
    (persistent(gpu_registry_uuid="nonsense"), "gpu_registry_uuid"),
    (persistent(allowed_region_codes=["mars-1"]), "allowed_region_codes"),
    (persistent(allowed_region_codes="us-east-1"), "allowed_region_codes"),
    (persistent(parameters={"type": "vm", "parameters": {}}), "parameters.type"),
    (persistent(parameters=None), "parameters"),
    (persistent(docker={"image": ""}), "image"),
    (persistent(docker={"tag": 1}), "tag"),
    (persistent(docker={"ports": [0]}), "ports"),
    (persistent(docker={"ports": [70_000]}), "ports"),
    (persistent(docker={"ports": "22"}), "ports"),
    (persistent(docker={"allowed_ips": ["somewhere"]}), "allowed_ips"),
    (persistent(docker={"env": {"A": 1}}), "env"),
    (persistent(docker={"volumes": ["x"]}), "volumes"),
    (persistent(docker={"volumes": [{"image": "data"}]}), "volumes"),
    (persistent(docker={"volumes": [{"image": "data", "mount": "/data", "tag": 3}]}), "volumes: tag"),
    ([], "object"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED)
def test_a_body_out_of_range_is_refused_with_its_field(client, control, body, field):
    answer = client.post("/v1/jobs", body)
    assert (answer.status, answer.code) == (400, "validation_error")
    assert field in answer.json["error"]["message"]
    assert control.jobs() == []


@pytest.mark.parametrize(
    "body",
    [
        persistent(max_timeout_assign_ms=300_000, max_timeout_start_ms=120_000),
        batch(max_timeout_run_ms=60_000),
        persistent(gpu_count=0, min_ram_gb=0, allowed_region_codes=[]),
        persistent(docker={"ports": None, "env": None, "volumes": [], "host": "", "secret": ""}),
        persistent(docker={"allowed_ips": ["0.0.0.0/0", "2001:db8::/32", "203.0.113.9"]}),
        persistent(docker={"imagesrc": "x", "volumes": [{"image": "data", "mount": "/data", "secret": ""}]}),
        persistent(something_new={"from": "the future"}),
    ],
)
def test_bodies_at_their_limits_are_accepted(client, body):
    assert client.post("/v1/jobs", body).status == 201


def test_an_omitted_run_timeout_is_null_for_a_persistent_job(client):
    body = persistent()
    del body["max_timeout_run_ms"]
    assert client.post("/v1/jobs", body).json["max_timeout_run_ms"] is None


def test_a_body_that_is_no_json_is_refused_after_its_signature_was_checked(client):
    raw = b'{"title": '
    answer = client.exchange("POST", "/v1/jobs", raw, client.sign("POST", "/v1/jobs", [], raw))
    assert (answer.status, answer.code) == (400, "invalid_json")


def test_the_job_echoes_its_body_with_defaults_and_secrets(client):
    body = persistent(docker={"secret": "registry-token", "env": {"TOKEN": "s3cret"}})
    job = client.post("/v1/jobs", body).json
    assert job["object"] == "job"
    assert job["status"] == "PENDING"
    assert job["parameters"] == body["parameters"]
    assert (job["gpu_count"], job["max_retry_count"], job["max_timeout_start_ms"]) == (1, 0, 300_000)
    assert job["timeout_assign_at_ms"] > 0
    assert job["started_at"] is None
    assert job["completed_at"] is None
    assert not {"node_urls", "hourly_rate_usd", "data"} & set(job)
