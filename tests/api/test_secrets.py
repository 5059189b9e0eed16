"""The team's secrets over the API: names without values, and launches that name them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.events.record import Actor
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.teams.models import Team
from tests import factories
from tests.api.caller import Api, launch_body, make_token, token_of_role
from tests.api.shape import check
from tests.api.test_recipes import make_recipe

pytestmark = pytest.mark.django_db
VALUE = "hf_canaryTeamSecret7e1b"
PATH = "/api/v1/secrets"


def add(team: Team, name: str = "hf-token", value: str = VALUE, **fields: Any) -> TeamSecret:
    owner = factories.owner_of(team)
    values = {"user": owner, "actor": Actor.person(owner), "now": timezone.now()}
    return team_secrets.add(team, name, value, **values | fields)


def test_they_are_listed_without_their_values(api, team, document):
    add(team, note="For models")
    add(team, "ghcr", usable_by="chosen", chosen=[factories.make_member(team).pk], hosts=["ghcr.io"])
    add(factories.make_team(), "theirs")
    answer = api.get(PATH)
    body = check(document, "get", PATH, answer)
    assert [(one["name"], one["may_use"], one["hosts"]) for one in body["secrets"]] == [
        ("ghcr", False, ["ghcr.io"]),
        ("hf-token", True, []),
    ]
    assert VALUE not in answer.content.decode()


def test_a_token_that_may_not_launch_may_use_none(team):
    add(team)
    for token in (make_token(team, scope="read"), token_of_role(team, "viewer")):
        (one,) = Api(token).get(PATH).json()["secrets"]
        assert one["may_use"] is False


def test_a_row_and_the_registry_name_them(api, team, credential, document):
    secret = add(team)
    body = launch_body(
        credential,
        env=[{"name": "HF_TOKEN", "team_secret_id": str(secret.pk)}],
        registry_host="ghcr.io",
        registry_secret_id=str(secret.pk),
        volumes=[{"image": "org/data", "mount": "/data", "team_secret_id": str(secret.pk)}],
    )
    answer = api.launch(body, "k1")
    told = check(document, "post", "/api/v1/jobs", answer)
    assert VALUE not in answer.content.decode()
    assert told["spec"]["env"][0]["team_secret"] == "hf-token"
    assert told["spec"]["registry_team_secret"] == "hf-token"
    assert told["spec"]["volumes"][0]["team_secret"] == "hf-token"
    spec = specs.restore(Job.objects.get())
    assert spec.env["HF_TOKEN"] == spec.registry_secret.reveal() == spec.volumes[0].secret.reveal() == VALUE

    team_secrets.change_value(
        secret, "hf_theNext8f8f", actor=Actor.person(secret.created_by), now=timezone.now()
    )
    again = api.launch(body, "k1")
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    other = {"env": [{"name": "HF_TOKEN", "team_secret_id": str(add(team, "other").pk)}]}
    assert api.launch(body | other, "k1").json()["error"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"env": [{"name": "X"}]}, "env.0.value"),
        ({"env": [{"name": "X", "value": "y", "team_secret_id": str(uuid.uuid4())}]}, "env.0.value"),
        ({"env": [{"name": "X", "team_secret_id": "hf-token"}]}, "env.0.team_secret_id"),
        ({"registry_secret": "x", "registry_secret_id": str(uuid.uuid4())}, "registry_secret_id"),
    ],
)
def test_a_value_and_a_name_for_one_thing_are_refused(api, team, credential, changes, field):
    answer = api.launch(launch_body(credential, **changes))
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_another_teams_secret_answers_like_one_that_never_was(api, team, credential):
    foreign = add(factories.make_team(), "theirs")
    answers = []
    for secret_id in (foreign.pk, uuid.uuid4()):
        rows = [{"name": "HF_TOKEN", "team_secret_id": str(secret_id)}]
        answers.append(api.launch(launch_body(credential, env=rows)))
    assert len({(one.status_code, one.content) for one in answers}) == 1
    assert answers[0].json()["error"]["code"] == "secret_gone"
    assert not Job.objects.exists()


def test_one_that_is_not_for_the_tokens_person_is_refused_clearly(team, credential):
    secret = add(team, usable_by="admins")
    member = Api(make_token(team, factories.make_member(team)))
    answer = member.launch(launch_body(credential, env=[{"name": "X", "team_secret_id": str(secret.pk)}]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "secret_not_for_you")
    assert "env.X" in answer.json()["error"]["fields"]


@pytest.mark.parametrize("by", ["name", "id"])
def test_an_answer_to_a_recipe_names_one(api, team, credential, by):
    secret = add(team)
    recipe = make_recipe(team)
    given = {"team_secret": "HF-TOKEN"} if by == "name" else {"team_secret_id": str(secret.pk)}
    path = f"/api/v1/recipes/{recipe.pk}/launch"
    body = {"credential_id": str(credential.pk), "answers": {"token": given}}
    answer = api.post(path, body, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 201, answer.content
    job = Job.objects.get()
    assert job.answers["token"] == {"team_secret": "hf-token"}
    assert specs.restore(job).env["HF_TOKEN"] == VALUE
    assert api.post(path, body, **{"Idempotency-Key": "k1"}).status_code == 200


def test_a_recipe_that_names_one_launches_with_it_and_an_override_takes_its_place(api, team, credential):
    add(team)
    document = {
        "spec": {"task": "BATCH", "title": "Train", "image": "org/train", "max_timeout_run_ms": 3_600_000},
        "secrets": {"env.HF_TOKEN": "hf-token", "registry_secret": "hf-token"},
    }
    path = f"/api/v1/recipes/{make_recipe(team, document=document).pk}/launch"
    body: dict[str, Any] = {"credential_id": str(credential.pk)}
    assert api.post(path, body, **{"Idempotency-Key": "k1"}).status_code == 201
    spec = specs.restore(Job.objects.get())
    assert spec.env["HF_TOKEN"] == spec.registry_secret.reveal() == VALUE
    typed = {"registry_secret": "typed-here", "env": [{"name": "HF_TOKEN", "value": "typed"}]}
    body |= {"overrides": typed, "title": "Typed"}
    assert api.post(path, body, **{"Idempotency-Key": "k2"}).status_code == 201
    spec = specs.restore(Job.objects.latest("created_at"))
    assert (spec.env["HF_TOKEN"], spec.registry_secret.reveal()) == ("typed", "typed-here")


def test_a_preset_keeps_the_name(api, team):
    secret = add(team)
    recipe = make_recipe(team)
    body = {
        "name": "Mine",
        "recipe_id": str(recipe.pk),
        "answers": {"token": {"team_secret_id": str(secret.pk)}},
    }
    answer = api.post("/api/v1/presets", body)
    assert answer.status_code == 201, answer.content
    assert Preset.objects.get().answers == {"token": {"team_secret": "hf-token"}}
    assert VALUE not in json.dumps(answer.json())
