"""Recipes over the API: what they ask, and launches that are held to what their authors locked."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.events.models import Event
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.recipes.document import Document, complete
from dispersed_web.recipes.models import Recipe, RecipeVersion
from tests import factories
from tests.api.caller import Api, make_token
from tests.api.shape import check

pytestmark = pytest.mark.django_db
PATH = "/api/v1/recipes/{recipe_id}"
DOCUMENT = {
    "spec": {
        "task": "BATCH",
        "title": "Benchmark",
        "image": "dispersednetwork/benchmark",
        "min_vram_gb": 16,
        "max_timeout_run_ms": 3_600_000,
        "env": {"CUDA_VISIBLE_DEVICES": "0"},
    },
    "inputs": [
        {"key": "steps", "type": "number", "to": "env.STEPS", "default": 10, "minimum": 1, "maximum": 100},
        {"key": "token", "type": "secret", "to": "env.HF_TOKEN", "label": "Token", "required": True},
        {"key": "mode", "type": "text", "to": "env.MODE", "default": "fast", "locked": True},
        {"key": "inner", "type": "text", "to": "env.INNER", "default": "x", "hidden": True},
    ],
    "locked": ["image", "tag"],
    "tags": ["bench"],
}


def make_recipe(team, *, document: dict[str, Any] = DOCUMENT, **fields: Any) -> Recipe:
    recipe = Recipe.objects.create(team=team, **{"name": "Benchmark", "visibility": "team"} | fields)
    add_version(recipe, 1, document)
    return recipe


def add_version(recipe: Recipe, number: int, document: dict[str, Any]) -> None:
    whole = complete(Document.from_json(document)).to_json()
    recipe.current = RecipeVersion.objects.create(recipe=recipe, number=number, document=whole)
    recipe.save()


@pytest.fixture
def recipe(team):
    return make_recipe(team)


def body(credential, **more: Any) -> dict[str, Any]:
    return {"credential_id": str(credential.pk), "answers": {"token": "canary-token"}} | more


def launch(api, recipe, sent, key: str = ""):
    return api.post(
        f"/api/v1/recipes/{recipe.pk}/launch", sent, **{"Idempotency-Key": key or uuid.uuid4().hex}
    )


def test_a_recipe_tells_what_it_asks_and_hides_what_it_does_not(api, team, recipe, document):
    listed = check(document, "get", "/api/v1/recipes", api.get("/api/v1/recipes"))["recipes"]
    assert [(one["name"], one["version"]) for one in listed] == [("Benchmark", 1)]
    told = check(document, "get", PATH, api.get(f"/api/v1/recipes/{recipe.pk}"))
    assert [one["key"] for one in told["current"]["inputs"]] == ["steps", "token", "mode"]
    assert told["current"]["document"]["spec"]["image"] == "dispersednetwork/benchmark"
    versions = check(document, "get", f"{PATH}/versions", api.get(f"/api/v1/recipes/{recipe.pk}/versions"))
    assert [one["number"] for one in versions["versions"]] == [1]
    one = api.get(f"/api/v1/recipes/{recipe.pk}/versions/1")
    assert check(document, "get", f"{PATH}/versions/{{number}}", one)["number"] == 1
    assert api.get(f"/api/v1/recipes/{recipe.pk}/versions/2").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Alpha", "Benchmark"]),
        ({"q": "bench"}, ["Benchmark"]),
        ({"category": "batch"}, ["Alpha"]),
        ({"archived": "true"}, ["Old"]),
    ],
)
def test_they_are_found_by_words_category_and_archive(api, team, recipe, query, found):
    make_recipe(team, name="Alpha", category="batch")
    make_recipe(team, name="Old", archived_at=timezone.now())
    assert [one["name"] for one in api.get("/api/v1/recipes", **query).json()["recipes"]] == found


def test_private_ones_of_others_and_other_teams_ones_are_not_there(api, team, recipe):
    hidden = [
        make_recipe(team, visibility="private", owner=factories.make_member(team)),
        make_recipe(factories.make_team()),
    ]
    mine = make_recipe(team, name="Mine", visibility="private", owner=factories.owner_of(team))
    names = {one["id"] for one in api.get("/api/v1/recipes").json()["recipes"]}
    assert names == {str(recipe.pk), str(mine.pk)}
    credential = factories.make_credential(team)
    for one in hidden:
        path = f"/api/v1/recipes/{one.pk}"
        for answer in (api.get(path), api.get(f"{path}/versions"), launch(api, one, body(credential))):
            assert answer.status_code == 404
    assert not Job.objects.exists()


def test_a_launch_fills_the_inputs_in_and_stores_no_secret(api, team, recipe, credential, nudges, document):
    answer = launch(api, recipe, body(credential, answers={"token": "canary-token", "steps": 20}))
    assert answer.status_code == 201
    check(document, "post", f"{PATH}/launch", answer)
    job = Job.objects.get()
    assert nudges == [(tasks.send_launch, job.pk)]
    assert specs.restore(job).env == {
        "CUDA_VISIBLE_DEVICES": "0",
        "STEPS": "20",
        "HF_TOKEN": "canary-token",
        "MODE": "fast",
        "INNER": "x",
    }
    assert (job.recipe_version, job.answers) == (recipe.current, {"steps": 20})
    assert [tag.name for tag in job.tags.all()] == ["bench"]
    assert "canary" not in str(job.spec) + str(answer.content)
    recipe.refresh_from_db()
    assert recipe.launches == 1
    assert Event.objects.get(kind="job.requested").data["recipe"] == "Benchmark v1"


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"answers": {}}, {"answers.token"}),
        ({"answers": {"token": "t", "steps": 0}}, {"answers.steps"}),
        ({"answers": {"token": "t", "steps": "many"}}, {"answers.steps"}),
        ({"answers": {"token": "t", "nothing": 1}}, {"answers.nothing"}),
        ({"answers": {"token": "t", "mode": "slow"}}, {"answers.mode"}),
        ({"answers": {"token": "t", "inner": "y"}}, {"answers.inner"}),
        ({"overrides": {"nothing": 1}}, {"overrides.nothing"}),
        ({"overrides": {"credential_id": "x"}}, {"overrides.credential_id"}),
    ],
)
def test_a_bad_answer_is_named_and_nothing_is_launched(api, recipe, credential, more, fields):
    answer = launch(api, recipe, body(credential, **more))
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, fields)
    assert not Job.objects.exists()


def test_what_is_open_can_be_overridden(api, recipe, credential):
    overrides = {"min_vram_gb": 24, "env": [{"name": "MORE", "value": "1"}], "budget_usd": "5.00"}
    assert launch(api, recipe, body(credential, title="Mine", overrides=overrides)).status_code == 201
    job = Job.objects.get()
    assert (job.title, job.spec["min_vram_gb"], str(job.budget_usd)) == ("Mine", 24, "5.00")
    assert specs.restore(job).env["MORE"] == "1"


@pytest.mark.parametrize(
    "overrides",
    [
        {"image": "evil/image"},
        {"tag": "other"},
        {"env": [{"name": "MODE", "value": "slow"}]},
        {"env": [{"name": "INNER", "value": "y"}]},
        {"env": [{"name": "STEPS", "value": "1000"}]},
        {"env": [{"name": "HF_TOKEN", "value": "open", "secret": False}]},
    ],
)
def test_what_is_locked_or_bounded_cannot(api, recipe, credential, overrides):
    answer = launch(api, recipe, body(credential, overrides=overrides))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "locked")
    assert not Job.objects.exists()


def test_a_repeated_call_gives_the_same_job_also_after_the_recipe_moved(api, recipe, credential):
    first = launch(api, recipe, body(credential), key="once")
    add_version(recipe, 2, DOCUMENT | {"locked": []})
    again = launch(api, recipe, body(credential), key="once")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert again.headers["Idempotent-Replay"] == "true"
    other = launch(api, recipe, body(credential, answers={"token": "canary-token", "steps": 11}), key="once")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert Job.objects.count() == 1


def test_a_version_that_is_not_the_current_one_launches_nothing(api, recipe, credential):
    add_version(recipe, 2, DOCUMENT)
    answer = launch(api, recipe, body(credential, version=1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "recipe_moved")
    assert launch(api, recipe, body(credential, version=2)).status_code == 201


def test_an_archived_one_launches_nothing(api, recipe, credential):
    Recipe.objects.update(archived_at=timezone.now())
    answer = launch(api, recipe, body(credential))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "recipe_gone")


def test_reading_tokens_and_viewers_only_look(team, recipe, credential):
    reader = Api(make_token(team, scope="read"))
    assert reader.get(f"/api/v1/recipes/{recipe.pk}").status_code == 200
    answer = launch(reader, recipe, body(credential))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_too_small")
    assert launch(Api(), recipe, body(credential)).status_code == 401
    assert not Job.objects.exists()
