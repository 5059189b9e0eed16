import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dispersed_web.dispersed import (
    LIVE,
    TERMINAL,
    Authorization,
    BadReply,
    Balance,
    Gpu,
    GpuModel,
    Job,
    JobRun,
    JobSpec,
    NodeUrl,
    Offer,
    Page,
    Recipe,
    RecipePayload,
    Secret,
    Transaction,
    User,
    is_terminal,
)
from dispersed_web.dispersed.parse import load_json
from tests.dispersed.test_spec import PERSISTENT_SPEC

UUID = "01a04047-3a57-4aac-aa54-3083e126f509"
CANARY = "canary-hunter2"
JOB = {
    "object": "job",
    "uuid": UUID,
    "status": "RUNNING",
    "status_reason": "because",
    "task": "PERSISTENT",
    "title": "demo dw-1",
    "description": "text",
    "created_at": "2026-08-26",
    "updated_at": "2026-08-26T10:00:00.000Z",
    "started_at": None,
    "cpu_count": "4",
    "gpu_count": 1,
    "gpu_name": "NVIDIA RTX 4090",
    "gpu_registry_uuid": "0198ac1c-7063-4be8-bb94-57a5bd83548e",
    "min_vram_gb": 24,
    "max_timeout_run_ms": None,
    "max_timeout_assign_ms": "300000",
    "timeout_assign_at_ms": 1706918400000,
    "image_size_bytes": 22_700_000_000,
    "container_access_tokens": ["t1", {"token": "t2"}],
    "allowed_region_codes": ["us-east-1"],
    "source_recipe_uuid": "r",
    "a_field_of_the_future": {"x": [1]},
    "parameters": {
        "type": "docker",
        "parameters": {
            "image": "dispersednetwork/base",
            "tag": "latest",
            "host": "registry.example.com",
            "user": CANARY,
            "secret": CANARY,
            "sshkey": CANARY,
            "ports": [22, "8000", "x"],
            "allowed_ips": ["203.0.113.7/32"],
            "env": {"HF_TOKEN": CANARY, "DW_LAUNCH": "dw-abcd-0123", "A": CANARY},
            "volumes": [{"image": "data", "secret": CANARY, "user": CANARY}],
        },
    },
}


def without(data, *names):
    return {name: value for name, value in data.items() if name not in names}


def test_a_job_as_documented():
    job = Job.from_json(JOB)
    assert (job.uuid, job.status, job.task) == (UUID, "RUNNING", "PERSISTENT")
    assert job.created_at == datetime(2026, 8, 26, tzinfo=UTC)
    assert job.updated_at == datetime(2026, 8, 26, 10, tzinfo=UTC)
    assert job.started_at is job.completed_at is job.max_timeout_run_ms is None
    assert (job.cpu_count, job.max_timeout_assign_ms, job.image_size_bytes) == (4, 300_000, 22_700_000_000)
    assert job.access_tokens == (Secret("t1"), Secret("t2"))
    assert job.allowed_region_codes == ("us-east-1",)
    assert job.docker.ports == (22, 8000)
    assert job.docker.env_names == ("A", "DW_LAUNCH", "HF_TOKEN")
    assert job.docker.launch_label == "dw-abcd-0123"
    assert (job.docker.image, job.docker.tag, job.docker.host) == (
        "dispersednetwork/base",
        "latest",
        "registry.example.com",
    )


def test_nothing_secret_that_is_echoed_is_kept():
    job = Job.from_json(JOB)
    assert CANARY not in repr(job)
    assert CANARY not in str(vars(job)) + str(vars(job.docker))
    assert "t1" not in repr(job.access_tokens)


@pytest.mark.parametrize("field", sorted(set(JOB) - {"uuid", "status"}))
@pytest.mark.parametrize("value", ["absent", None, [], {}, "?", True, -1])
def test_any_optional_field_of_a_job_may_be_missing_or_odd(field, value):
    data = without(JOB, field) if value == "absent" else {**JOB, field: value}
    job = Job.from_json(data)
    assert (job.uuid, job.status) == (UUID, "RUNNING")


@pytest.mark.parametrize("label", ["x" * 65, "two words", "", 7, None, "a\nb", {"a": 1}])
def test_a_launch_label_is_a_short_word_or_nothing(label):
    data = {**JOB, "parameters": {"parameters": {"env": {"DW_LAUNCH": label}}}}
    assert Job.from_json(data).docker.launch_label == ""


@pytest.mark.parametrize(
    "broken", [{"uuid": None}, {"uuid": ""}, {"uuid": "a/b"}, {"uuid": 7}, {"status": None}, {"status": ""}]
)
def test_a_job_without_identity_or_status_is_malformed(broken):
    with pytest.raises(BadReply):
        Job.from_json({**JOB, **broken})


def test_statuses():
    assert [is_terminal(status) for status in TERMINAL] == [True] * 3
    assert not any(is_terminal(status) for status in (*LIVE, "PAUSED", "", "completed"))
    assert Job.from_json({**JOB, "status": "PAUSED"}).status == "PAUSED"
    assert not set(LIVE) & set(TERMINAL)


RUN = {
    "object": "job_run",
    "uuid": "run-1",
    "job_uuid": UUID,
    "status": "RUNNING",
    "started_at_ms": 1706918400000,
    "ended_at_ms": 0,
    "duration_ms": "389000",
    "hourly_rate_usd": 0.69,
    "node_urls": [
        {"description": "ssh", "hostname": "a.proxy.dispersed.com", "port": "40022", "protocol": "tcp"},
        {"description": "8000", "hostname": "203.0.113.9", "port": 40080, "protocol": "TCP", "tls": "true"},
    ],
    "container_access_tokens": [{"token": "t"}],
}


def test_a_run_as_seen_in_the_field():
    run = JobRun.from_json(load_json(json.dumps(RUN).encode()))
    assert run.started_at == datetime(2024, 2, 3, tzinfo=UTC)
    assert run.ended_at is run.logs is run.created_at is None
    assert run.duration_ms == 389_000
    assert run.hourly_rate_usd == Decimal("0.69")
    assert [url.container_port for url in run.node_urls] == [22, 8000]
    assert [url.port for url in run.node_urls] == [40022, 40080]
    assert [url.tls for url in run.node_urls] == [False, True]
    assert run.node_urls[1].protocol == "tcp"


def test_older_forms_of_a_run():
    run = JobRun.from_json(
        {
            **without(RUN, "job_uuid", "started_at_ms"),
            "job_snapshot": {"uuid": "j"},
            "started_at": "2026-01-01",
        }
    )
    assert (run.job_uuid, run.started_at) == ("j", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("field", sorted(set(RUN) - {"uuid", "status", "job_uuid"}))
@pytest.mark.parametrize("value", ["absent", None, [], {}, "?", True])
def test_any_optional_field_of_a_run_may_be_missing_or_odd(field, value):
    data = without(RUN, field) if value == "absent" else {**RUN, field: value}
    assert JobRun.from_json(data).uuid == "run-1"


@pytest.mark.parametrize("field", ["uuid", "status", "job_uuid"])
def test_a_run_that_belongs_to_nothing_is_malformed(field):
    with pytest.raises(BadReply):
        JobRun.from_json(without(RUN, field))
    with pytest.raises(BadReply):
        JobRun.from_json({**RUN, field: None})


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ("a\nb", "a\nb"),
        (["a\n", "b", {"message": "c"}, 4], "a\nb\nc"),
        ([], ""),
        ("", ""),
        ("x\x00y", "x\ufffdy"),
        (None, None),
        ({}, None),
    ],
)
def test_logs_as_text_or_lines(logs, expected):
    assert JobRun.from_json({**RUN, "logs": logs}).logs == expected


@pytest.mark.parametrize(
    "change",
    [
        {"hostname": "a; rm -rf /"},
        {"hostname": "-oProxyCommand=x"},
        {"hostname": "a b"},
        {"hostname": ""},
        {"hostname": None},
        {"hostname": "a\n"},
        {"port": 0},
        {"port": 65536},
        {"port": None},
        {"port": "ssh"},
    ],
)
def test_an_address_that_is_none_is_left_out(change):
    url = {"description": "ssh", "hostname": "h.example.com", "port": 1, "protocol": "tcp"}
    assert NodeUrl.from_json({**url, **change}) is None
    assert JobRun.from_json({**RUN, "node_urls": [{**url, **change}, url, "x"]}).node_urls == (
        NodeUrl.from_json(url),
    )


@pytest.mark.parametrize("hostname", ["203.0.113.9", "a.proxy.dispersed.com", "2001:db8::7", "::1"])
def test_addresses(hostname):
    assert NodeUrl.from_json({"hostname": hostname, "port": 1}).hostname == hostname


@pytest.mark.parametrize(
    ("description", "port"),
    [("ssh", 22), ("SSH", 22), ("8000", 8000), ("web", None), ("", None), ("0", None), (8000, 8000)],
)
def test_the_container_port_is_in_the_description(description, port):
    assert NodeUrl.from_json({"description": description, "hostname": "h", "port": 1}).container_port == port


def test_an_offer():
    offer = Offer.from_json(
        load_json(
            json.dumps(
                {
                    "offer_id": "o1",
                    "region_code": "us-west-2",
                    "availability": {"status": "AVAILABLE"},
                    "pricing": {"hourly_rate_usd": 4.14, "quoted_at": "2026-08-26T00:00:00Z"},
                    "hardware_summary": {
                        "cpu_cores": 32,
                        "gpu_count": "6",
                        "gpu_model_label": "6x RTX 5090",
                        "gpu_models": [
                            {"name": "RTX 5090", "count": 6, "gpu_registry_uuid": "g", "min_vram_gib": 31.8},
                            3,
                        ],
                        "gpu_registry_uuid": "g",
                        "min_gpu_vram_gib": 31.8,
                        "ram_gib": 256,
                        "storage_gib": "2000",
                    },
                }
            ).encode()
        )
    )
    assert offer.hourly_rate_usd == Decimal("4.14")
    assert (offer.gpu_count, offer.ram_gb, offer.storage_gb, offer.vram_gb) == (6, 256, 2000, Decimal("31.8"))
    assert offer.gpu_models == (GpuModel("RTX 5090", 6, "g", Decimal("31.8")),)
    assert offer.availability == "AVAILABLE"
    assert Offer.from_json({"offer_id": 7}).offer_id == "7"


def test_other_models_need_only_their_identity():
    assert Gpu.from_json({"uuid": "g", "name": "RTX 5090"}).vram_gb is None
    assert Gpu.from_json({"uuid": "g", "name": "RTX 5090", "vram_gib": "32"}).vram_gb == 32
    assert Recipe.from_json({"uuid": "r"}).inputs == ()
    assert Transaction.from_json({"uuid": "t", "amount_usd": "0.10"}).amount_usd == Decimal("0.10")
    assert Authorization.from_json({"uuid": "a"}).approved is None
    assert User.from_json({"uuid": "u"}).email == ""


@pytest.mark.parametrize("model", [Gpu, Offer, Recipe, Transaction, Authorization, User])
def test_without_identity_they_are_malformed(model):
    with pytest.raises(BadReply):
        model.from_json({"object": "x"})


QUESTION = {
    "key": "n",
    "type": "number",
    "required": True,
    "default_value": 4,
    "options": [{"label": "Four", "value": 4}],
}


def test_a_recipe_keeps_nothing_secret():
    recipe = Recipe.from_json(
        {
            "uuid": "r",
            "name": "llama",
            "is_official": "true",
            "visibility": "ARCHIVED",
            "payload": {**without(JOB, "uuid", "status"), "gpu_count": 2},
            "input_schema": [QUESTION],
        }
    )
    assert CANARY not in repr(recipe)
    payload = recipe.payload
    assert payload.secrets == ("registry_secret", "env.HF_TOKEN", "volumes.")
    assert payload.env == {"DW_LAUNCH": "dw-abcd-0123", "A": CANARY}
    assert payload.volumes[0].secret is None
    assert (payload.image, payload.gpu_count, recipe.is_official, recipe.is_owner, recipe.is_archived) == (
        "dispersednetwork/base",
        2,
        True,
        False,
        True,
    )
    (question,) = recipe.inputs
    assert (question.key, question.default_value, question.options, question.required) == (
        "n",
        "4",
        (("4", "Four"),),
        True,
    )


def test_a_recipe_keeps_all_that_it_launches():
    body = PERSISTENT_SPEC.to_body() | {"image_size_bytes": "7000000000"}
    payload = Recipe.from_json({"uuid": "r", "payload": body}).payload
    for name in (item.name for item in dataclasses.fields(JobSpec)):
        if name not in ("registry_secret", "env", "volumes"):
            assert getattr(payload, name) == getattr(PERSISTENT_SPEC, name), name
    assert payload.env == {"_A1": ""}
    assert payload.image_size_bytes == 7_000_000_000
    assert [volume.to_plain() for volume in payload.volumes] == [
        volume.to_plain() for volume in PERSISTENT_SPEC.volumes
    ]
    assert payload.secrets == ("registry_secret", "env.TOKEN", "volumes./data")


@pytest.mark.parametrize("payload", [None, [], "x", {"parameters": 3}, {"parameters": {"parameters": []}}])
def test_a_recipe_without_a_readable_payload_is_still_one(payload):
    assert Recipe.from_json({"uuid": "r", "payload": payload}).payload == RecipePayload()


def test_questions_without_a_key_are_counted_and_left_out():
    recipe = Recipe.from_json(
        {"uuid": "r", "input_schema": [{}, 3, {"key": ""}, QUESTION, {"key": "on", "default_value": True}]}
    )
    assert [question.key for question in recipe.inputs] == ["n", "on"]
    assert recipe.inputs[1].default_value == "true"
    assert recipe.unreadable_inputs == 3


def test_a_balance_in_another_currency_is_not_shown_as_dollars():
    assert Balance.from_json({"available_balance": "12.50", "currency": "usd"}).available_usd == Decimal(
        "12.50"
    )
    assert Balance.from_json({"available_balance": 3}).available_usd == 3
    euros = Balance.from_json({"available_balance": 3, "currency": "EUR"})
    assert (euros.available, euros.available_usd) == (3, None)
    assert Balance.from_json({}).available is None


def test_models_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Job.from_json(JOB).status = "COMPLETED"


def page_of(data, **asked):
    return Page.from_json(data, Job.from_json, **asked)


def test_a_page_and_a_bare_list():
    page = page_of({"data": [JOB], "page": "2", "limit": 1, "total": 2, "more": 1}, page=2)
    assert (len(page), page.page, page.limit, page.total) == (1, 2, 1, 2)
    assert [job.uuid for job in page] == [UUID]
    bare = page_of([JOB], page=3, limit=7)
    assert (len(bare.items), bare.page, bare.limit, bare.total) == (1, 3, 7, None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        "x",
        3,
        {},
        {"data": []},
        {"data": None, "page": 1, "limit": 50, "total": 0},
        {"data": {}, "page": 1, "limit": 50, "total": 0},
        {"data": [], "page": 1, "limit": 50},
        {"data": [], "page": 1, "limit": 0, "total": 0},
        {"data": [], "page": 1, "limit": 50, "total": -1},
        {"data": [], "page": 2, "limit": 50, "total": 0},
        {"data": [JOB, {"uuid": UUID}], "page": 1, "limit": 50, "total": 2},
        {"data": [JOB, None], "page": 1, "limit": 50, "total": 2},
        [JOB, "x"],
    ],
)
def test_a_malformed_page_is_void_and_never_empty(data):
    with pytest.raises(BadReply):
        page_of(data)
