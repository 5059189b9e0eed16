"""One launch for one Idempotency-Key, however often and however fast it is sent."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from tests import factories
from tests.api.caller import Api, every_field_body, launch_body, make_token
from tests.api.shape import check

PATH = "/api/v1/jobs"


def test_the_same_key_and_body_give_the_same_job(api, credential, nudges, document):
    first = api.launch(every_field_body(credential), "k1")
    again = api.launch(every_field_body(credential), "k1")
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
        {"volumes": [{"image": "data", "mount": "/data"}]},
        {"env": [{"name": "HF_TOKEN", "value": "another"}]},
        {"env": [{"name": "HF_TOKEN", "value": "canary-env-value", "secret": False}]},
        {"credential_id": "other"},
    ],
    ids=str,
)
def test_the_same_key_with_another_body_is_refused(api, team, credential, change, document):
    body = every_field_body(credential) | {"env": [{"name": "HF_TOKEN", "value": "canary-env-value"}]}
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


@pytest.mark.parametrize("state", ["retired", "gone"])
def test_a_repetition_after_the_keys_were_replaced_is_the_same_launch(api, team, credential, state):
    """Else a program that never heard the answer would launch anew."""
    body = launch_body(credential)
    first = api.launch(body, key="k").json()["id"]
    Job.objects.update(credential=factories.make_credential(team))
    Credential.objects.filter(pk=credential.pk).update(state=state)
    again = api.launch(body, key="k")
    assert (again.status_code, again.json()["id"]) == (200, first)
