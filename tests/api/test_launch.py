"""Launching over the API: once per key, refused in one shape, never telling a secret."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.dispersed import problems_of
from dispersed_web.events.models import Event
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, Market
from tests import factories
from tests.api.caller import every_field_body, launch_body
from tests.api.shape import check

PATH = "/api/v1/jobs"


def test_every_field_reaches_the_stored_specification(api, team, credential, nudges, document):
    answer = api.launch(every_field_body(credential))
    assert answer.status_code == 201
    body = check(document, "post", PATH, answer)
    job = Job.objects.get()
    assert answer.headers["Location"] == f"{PATH}/{job.pk}"
    assert nudges == [(tasks.send_launch, job.pk)]
    spec = specs.restore(job)
    assert problems_of(spec) == {}
    assert (spec.gpu_count, spec.ports, spec.allowed_ips) == (2, (22, 8888), ("203.0.113.7",))
    assert spec.env == {"HF_TOKEN": "canary-env-value", "MODE": "plain value", "ODD": " canary-odd "}
    assert spec.registry_secret.reveal() == "canary-registry-secret"
    assert [volume.mount for volume in spec.volumes] == ["/data", "/models"]
    assert spec.volumes[0].secret.reveal() == "canary-volume"
    assert [volume["has_secret"] for volume in body["spec"]["volumes"]] == [True, False]
    assert (job.title, job.lifetime_s, job.created_by) == (
        "Entwicklung für Jürgen",
        7200,
        factories.owner_of(team),
    )
    assert body["spec"]["env"][0] == {
        "name": "HF_TOKEN",
        "value": None,
        "secret": True,
        "team_secret": None,
    }
    assert body["spec"]["env"][1] == {
        "name": "MODE",
        "value": "plain value",
        "secret": False,
        "team_secret": None,
    }
    assert body["status"] == "QUEUED"
    assert body["limits"]["lifetime_s"] == 7200
    event = Event.objects.get(kind="job.requested")
    assert event.actor_kind == "token"
    assert "“ci”" in event.actor_label


def test_a_recipe_of_the_cloud_is_cooked_with_the_body_as_overrides(api, credential, document):
    body = launch_body(credential, cook_uuid="01a0114e-e7f8-4e76-a07a-f09fca41e2be")
    answer = check(document, "post", PATH, api.launch(body, "k1"))
    assert (answer["cook_uuid"], Job.objects.get().cook_uuid) == (body["cook_uuid"], body["cook_uuid"])
    assert api.launch(body, "k1").status_code in (200, 201)
    assert api.launch(body | {"cook_uuid": ""}, "k1").status_code == 409
    refused = api.launch(body | {"cook_uuid": "../jobs"}, "k2")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["cook_uuid"])


def test_what_is_left_out_has_the_teams_default(api, team, credential):
    body = launch_body(
        credential, task="PERSISTENT", max_timeout_run_ms=None, ssh_key=factories.SSH_KEY, env=None
    )
    assert api.launch(body).json()["limits"]["lifetime_s"] == team.default_lifetime_s


def test_the_price_is_quoted_at_the_dearest_offer_of_the_wanted_regions(api, credential):
    offer = {"gpu_registry_uuid": "g1", "gpu_label": "RTX 5090", "gpu_count": 2}
    Market.objects.create(
        credential=credential,
        gpus=[{"uuid": "g1", "name": "NVIDIA RTX 5090", "vram_gb": 32}],
        offers=[
            offer | {"region_code": "us-east-1", "hourly_rate_usd": "1.25"},
            offer | {"region_code": "us-east-1", "hourly_rate_usd": "1.50"},
            offer | {"region_code": "eu-central-1", "hourly_rate_usd": "9.00"},
        ],
        fetched_at=timezone.now(),
    )
    job = api.launch(every_field_body(credential)).json()
    assert job["cost"]["quoted_hourly_usd"] == "3.0000"
    assert job["gpu"] == "2 × RTX 5090"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"task": "FOREVER"}, "task"),
        ({"image": "ubuntu:24.04"}, "image"),
        ({"description": "für"}, "description"),
        ({"max_timeout_run_ms": None}, "max_timeout_run_ms"),
        ({"max_timeout_run_ms": 10**30}, "max_timeout_run_ms"),
        ({"max_timeout_assign_ms": 1000}, "max_timeout_assign_ms"),
        ({"gpu_count": "many"}, "gpu_count"),
        ({"gpu_count": -1}, "gpu_count"),
        ({"allowed_region_codes": ["ATLANTIS"]}, "allowed_region_codes.0"),
        ({"ports": [0]}, "ports"),
        ({"allowed_ips": ["300.1.1.1"]}, "allowed_ips"),
        ({"ssh_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "ssh_key"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "B"}]}, "env.1.value"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "env"),
        ({"env": [{"name": "DW_LAUNCH", "value": "1"}]}, "env"),
        ({"env": {"A": "1"}}, "env"),
        ({"volumes": [{"image": "data"}]}, "volumes.0.mount"),
        ({"volumes": [{"image": "data", "mount": "data"}]}, "volumes"),
        ({"volumes": [{"image": "data", "mount": "/data", "path": "/x"}]}, "volumes.0.path"),
        ({"lifetime_s": 60}, "lifetime_s"),
        ({"lifetme_s": 60}, "lifetme_s"),
        ({"credential_id": "nonsense"}, "credential_id"),
        ({"task": "PERSISTENT", "max_timeout_run_ms": None, "lifetime_s": 10**8}, "lifetime_s"),
    ],
    ids=str,
)
def test_a_fault_is_named_by_its_field_and_nothing_is_stored(api, credential, change, field, document):
    answer = api.launch(launch_body(credential, **change))
    assert answer.status_code == 400
    error = check(document, "post", PATH, answer)["error"]
    assert error["code"] == "invalid"
    assert list(error["fields"]) == [field]
    assert error["fields"][field]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"state": "disabled"}, "credential_disabled"),
        ({"state": "broken", "failure": "It is not known there."}, "credential_broken"),
        ({"cancel_refused_at": timezone.now()}, "cannot_stop"),
        ({"clock_offset_ms": 60_000}, "clock_off"),
        ({"expires_at": timezone.now()}, "key_expires"),
        ({"listed_at": None, "failures": 3, "failure": "No answer."}, "cannot_see"),
    ],
)
def test_a_credential_that_cannot_be_used_says_so_before_and_at_the_launch(api, team, fields, code, document):
    credential = factories.make_credential(team, **fields)
    answer = api.launch(launch_body(credential))
    assert answer.status_code == 409
    assert check(document, "post", PATH, answer)["error"]["code"] == code
    listed = api.get("/api/v1/credentials")
    told = check(document, "get", "/api/v1/credentials", listed)["credentials"][0]
    assert (told["may_launch"]["allowed"], told["may_launch"]["code"]) == (False, code)


def test_the_same_again_is_asked_for(api, credential):
    api.launch(launch_body(credential))
    answer = api.launch(launch_body(credential))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "same_again"
    assert "same_again: true" in answer.json()["error"]["fields"]["same_again"]
    assert api.launch(launch_body(credential, same_again=True)).status_code == 201


def test_a_job_takes_the_place_of_a_lost_one_of_its_team_only(api, team, credential):
    lost = factories.make_job(team, "UNCONFIRMED", credential=credential)
    foreign = factories.make_job(factories.make_team(), "UNCONFIRMED")
    for wrong in (foreign.pk, uuid.uuid4()):
        answer = api.launch(launch_body(credential, supersedes=str(wrong)))
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "cannot_supersede")
    job = api.launch(launch_body(credential, supersedes=str(lost.pk))).json()
    lost.refresh_from_db()
    assert str(lost.superseded_by_id) == job["id"]


def test_caps_hold(api, team, credential):
    team.max_hourly_usd = Decimal("0.50")
    team.save()
    factories.make_job(team, credential=credential)
    assert api.launch(launch_body(credential)).json()["error"]["code"] == "too_expensive"


def test_no_answer_and_no_event_holds_a_secret(api, credential, caplog):
    answers = [api.launch(every_field_body(credential), "k1") for _ in range(2)]
    job_id = answers[0].json()["id"]
    wrong = every_field_body(credential)
    answers += [
        api.launch(wrong | {"env": [{"name": "1", "value": "canary-bad-name"}]}),
        api.launch(wrong | {"registry_secret": "canary-two words"}),
        api.launch(wrong | {"registry_secret": {"canary": "canary"}}),
        api.launch(wrong | {"env": [{"name": "A", "value": ["canary"]}]}),
        api.client.post(
            PATH,
            '{"registry_secret": canary',
            content_type="application/json",
            headers=api.headers | {"Idempotency-Key": "k2"},
        ),
        api.get(PATH),
        api.get(f"{PATH}/{job_id}"),
        api.post(f"{PATH}/{job_id}/stop", {}),
        api.get("/api/v1/credentials"),
        api.get("/api/v1/me"),
    ]
    said = [answer.content.decode() for answer in answers]
    said.append(json.dumps(list(Event.objects.values("sentence", "data")), default=str))
    said.append(caplog.text)
    for canary in ("canary", credential.secret_sealed, "sk_sim", "dwp_"):
        assert not [text for text in said if canary in text], canary


def test_a_highest_price_below_every_offer_launches_nothing(api, credential):
    offer = {"gpu_registry_uuid": "g1", "gpu_label": "RTX 5090", "gpu_count": 1, "region_code": "us-west-2"}
    Market.objects.create(
        credential=credential,
        gpus=[{"uuid": "g1", "name": "NVIDIA RTX 5090", "vram_gb": 32}],
        offers=[offer | {"hourly_rate_usd": price} for price in ("0.69", "0.77")],
        fetched_at=timezone.now(),
    )
    answer = api.launch(launch_body(credential, rate_cap_usd="0.68"))
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, {"rate_cap_usd"})
    assert not Job.objects.exists()
    assert api.launch(launch_body(credential, rate_cap_usd="0.70"), key="k").status_code == 201
    Market.objects.update(offers=[offer | {"hourly_rate_usd": "0.90"}])
    assert api.launch(launch_body(credential, rate_cap_usd="0.70"), key="k").status_code == 200
