"""Launching over the API: once per key, refused in one shape, never telling a secret."""

from __future__ import annotations

import json
import threading
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.events.models import Event
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, Market
from tests import factories
from tests.api.caller import Api, launch_body, make_token
from tests.api.shape import check

PATH = "/api/v1/jobs"


@pytest.fixture
def team(db):
    return factories.make_team(default_lifetime_s=3600)


@pytest.fixture
def credential(team):
    return factories.make_credential(team)


@pytest.fixture
def api(team):
    return Api(make_token(team))


@pytest.fixture
def nudges(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: sent.append((task, *ids)))
    return sent


def every_field(credential):
    return launch_body(
        credential,
        task="PERSISTENT",
        title="Entwicklung für Jürgen",
        description="For the paper",
        registry_host="registry.example.org",
        registry_user="puller",
        registry_secret="canary-registry-secret",
        cpu_count=8,
        gpu_count=2,
        min_vram_gb=24,
        min_ram_gb=64,
        min_storage_gb=200,
        allowed_region_codes=["us-east-1"],
        max_node_count=2,
        max_retry_count=1,
        max_timeout_assign_ms=600_000,
        max_timeout_start_ms=240_000,
        max_timeout_run_ms=None,
        ports=[22, 8888],
        allowed_ips=["203.0.113.7"],
        ssh_key=factories.SSH_KEY,
        env=[
            {"name": "HF_TOKEN", "value": "canary-env-value"},
            {"name": "MODE", "value": "plain value"},
            {"name": "ODD", "value": " canary-odd ", "secret": True},
        ],
        lifetime_s=7200,
    )


def test_every_field_reaches_the_stored_specification(api, team, credential, nudges, document):
    answer = api.launch(every_field(credential))
    assert answer.status_code == 201
    body = check(document, "post", PATH, answer)
    job = Job.objects.get()
    assert answer.headers["Location"] == f"{PATH}/{job.pk}"
    assert nudges == [(tasks.send_launch, job.pk)]
    spec = specs.restore(job)
    assert spec.problems() == {}
    assert (spec.gpu_count, spec.ports, spec.allowed_ips) == (2, (22, 8888), ("203.0.113.7",))
    assert spec.env == {"HF_TOKEN": "canary-env-value", "MODE": "plain value", "ODD": " canary-odd "}
    assert spec.registry_secret.reveal() == "canary-registry-secret"
    assert (job.title, job.lifetime_s, job.created_by) == (
        "Entwicklung für Jürgen",
        7200,
        factories.owner_of(team),
    )
    assert body["spec"]["env"][0] == {"name": "HF_TOKEN", "value": None, "secret": True}
    assert body["spec"]["env"][1] == {"name": "MODE", "value": "plain value", "secret": False}
    assert body["status"] == "QUEUED"
    assert body["limits"]["lifetime_s"] == 7200
    event = Event.objects.get(kind="job.requested")
    assert event.actor_kind == "token"
    assert "“ci”" in event.actor_label


def test_what_is_left_out_has_the_teams_default(api, credential):
    body = launch_body(
        credential, task="PERSISTENT", max_timeout_run_ms=None, ssh_key=factories.SSH_KEY, env=None
    )
    assert api.launch(body).json()["limits"]["lifetime_s"] == 3600


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
    job = api.launch(every_field(credential)).json()
    assert job["cost"]["quoted_hourly_usd"] == "3.0000"
    assert job["gpu"] == "2 × RTX 5090"


# Idempotency -----------------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_give_the_same_job(api, credential, nudges, document):
    first = api.launch(every_field(credential), "k1")
    again = api.launch(every_field(credential), "k1")
    assert "Idempotent-Replay" not in first.headers
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")
    assert check(document, "post", PATH, again)["id"] == first.json()["id"]
    assert Job.objects.count() == 1
    assert len(nudges) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"image": "debian"},
        {"description": "Another"},
        {"lifetime_s": 7300},
        {"registry_secret": "another"},
        {"env": [{"name": "HF_TOKEN", "value": "another"}]},
        {"env": [{"name": "HF_TOKEN", "value": "canary-env-value", "secret": False}]},
        {"credential_id": "other"},
    ],
    ids=str,
)
def test_the_same_key_with_another_body_is_refused(api, team, credential, change, document):
    body = every_field(credential) | {"env": [{"name": "HF_TOKEN", "value": "canary-env-value"}]}
    assert api.launch(body, "k1").status_code == 201
    if "credential_id" in change:
        change = {"credential_id": str(factories.make_credential(team).pk)}
    answer = api.launch(body | change, "k1")
    assert answer.status_code == 409
    assert check(document, "post", PATH, answer)["error"]["code"] == "idempotency_key_reused"
    assert Job.objects.count() == 1


def test_keys_belong_to_their_person_and_team(team, credential):
    other = factories.make_member(team)
    body = launch_body(credential)
    answers = [Api(make_token(team, user)).launch(body, "k1") for user in (factories.owner_of(team), other)]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_refused_call_leaves_its_key_free(api, credential):
    assert api.launch(launch_body(credential, image="ubuntu:24.04"), "k1").status_code == 400
    assert api.launch(launch_body(credential), "k1").status_code == 201


def test_a_repeated_key_answers_even_when_a_new_launch_would_be_refused(api, team, credential):
    api.launch(launch_body(credential), "k1")
    team.launches_frozen = True
    team.save()
    assert api.launch(launch_body(credential), "k1").status_code == 200
    assert api.launch(launch_body(credential), "k2").json()["error"]["code"] == "frozen"


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "required"), ("two words", "invalid"), ("x" * 101, "invalid"), ("käse", "invalid")],
)
def test_a_key_is_required_and_plain(api, credential, key, code):
    answer = api.post(PATH, launch_body(credential), **({"Idempotency-Key": key} if key else {}))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == f"idempotency_key_{code}"
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_call_several_times_at_once_launches_once():
    team = factories.make_team()
    token, body = make_token(team), launch_body(factories.make_credential(team))
    start, answers = threading.Barrier(4), []

    def call() -> None:
        api = Api(token)
        start.wait()
        answers.append(api.launch(body, "k1"))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201], [
        a.content for a in answers
    ]
    assert {answer.json()["id"] for answer in answers} == {str(Job.objects.get().pk)}


# Refusals --------------------------------------------------------------------------------------------------------------


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
    answers = [api.launch(every_field(credential), "k1") for _ in range(2)]
    job_id = answers[0].json()["id"]
    wrong = every_field(credential)
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
