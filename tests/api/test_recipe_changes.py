"""Making and changing recipes over the API, and presets of them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes.models import Recipe
from tests import factories
from tests.api.caller import Api, make_token, token_of_role
from tests.api.shape import check
from tests.api.test_recipes import DOCUMENT, make_recipe

pytestmark = pytest.mark.django_db
LIST = "/api/v1/recipes"
ACTS = ["versions", "roll-back", "copy", "share", "make-private", "archive", "unarchive"]
BODIES: dict[str, dict[str, Any]] = {
    "versions": {"seen_version": 1, "document": DOCUMENT | {"tags": ["other"]}},
    "roll-back": {"seen_version": 1, "to": 1},
}


def act(api: Api, recipe: Recipe, name: str, body: Any = None):
    return api.post(f"{LIST}/{recipe.pk}/{name}", BODIES.get(name, {}) if body is None else body)


def patch(api: Api, recipe: Recipe, body: Any):
    return api.client.patch(
        f"{LIST}/{recipe.pk}", json.dumps(body), content_type="application/json", headers=api.headers
    )


@pytest.fixture
def recipe(team):
    return make_recipe(team)


def test_a_recipe_is_made_and_is_its_persons_own(api, team, document):
    answer = api.post(LIST, {"name": "Box", "document": DOCUMENT, "category": "batch"})
    told = check(document, "post", LIST, answer)
    assert answer.status_code == 201
    assert (told["visibility"], told["version"], told["category"]) == ("private", 1, "batch")
    assert Recipe.objects.get(pk=told["id"]).owner == factories.owner_of(team)
    assert Event.objects.get(kind="recipe.created").actor_kind == "token"


def test_a_faulty_document_is_told_fault_by_fault(api):
    faulty = DOCUMENT | {
        "inputs": [
            {"key": "a", "type": "number", "to": "image"},
            {"key": "a", "type": "text", "to": "env.X"},
        ],
        "nothing": 1,
    }
    for document in (faulty, DOCUMENT | {"inputs": faulty["inputs"]}):
        answer = api.post(LIST, {"name": "Box", "document": document})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "invalid")
        assert error["fields"]
        assert all(path.startswith("document") for path in error["fields"])
    assert len(error["fields"]) >= 2
    assert not Recipe.objects.exists()


def test_it_is_renamed_and_gets_versions_and_goes_back(team, recipe, document):
    api = Api(make_token(team, scope="admin"))
    told = check(document, "patch", f"{LIST}/{{recipe_id}}", patch(api, recipe, {"name": "Other"}))
    assert told["name"] == "Other"
    told = check(document, "post", f"{LIST}/{{recipe_id}}/versions", act(api, recipe, "versions"))
    assert (told["version"], told["current"]["document"]["tags"]) == (2, ["other"])
    stale = act(api, recipe, "versions")
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "changed_meanwhile")
    told = check(
        document,
        "post",
        f"{LIST}/{{recipe_id}}/roll-back",
        act(api, recipe, "roll-back", {"seen_version": 2, "to": 1}),
    )
    assert (told["version"], told["current"]["document"]["tags"]) == (3, ["bench"])


def test_it_is_shared_hidden_archived_and_brought_back(api, team, document):
    recipe = make_recipe(team, visibility="private", owner=factories.owner_of(team))
    seen = []
    for name in ("share", "make-private", "archive", "unarchive"):
        told = check(document, "post", f"{LIST}/{{recipe_id}}/{name}", act(api, recipe, name))
        seen.append((told["visibility"], told["archived_at"] is not None))
    assert seen == [("team", False), ("private", False), ("private", True), ("private", False)]


def test_a_member_copies_what_they_may_not_change(team, recipe, document):
    member = Api(make_token(team, factories.make_member(team)))
    for name in ("versions", "roll-back", "archive"):
        answer = act(member, recipe, name)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert patch(member, recipe, {"name": "Mine"}).status_code == 403
    told = check(document, "post", f"{LIST}/{{recipe_id}}/copy", act(member, recipe, "copy"))
    copied = Recipe.objects.get(pk=told["id"])
    unlocked = {"seen_version": 1, "document": DOCUMENT | {"locked": []}}
    answer = act(member, copied, "versions", unlocked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "locked")


def test_the_teams_recipes_are_changed_by_admins_with_a_token_to_administer(api, team, recipe):
    for name in ("versions", "roll-back", "share", "archive"):
        assert act(api, recipe, name).json()["error"]["code"] == "scope_too_small"
    assert patch(api, recipe, {"name": "Other"}).status_code == 403
    assert act(Api(make_token(team, scope="admin")), recipe, "archive").status_code == 200


@pytest.mark.parametrize("name", ACTS)
def test_viewers_reading_tokens_and_other_teams_change_nothing(team, recipe, name):
    other = Api(make_token(factories.make_team()))
    assert act(other, recipe, name).status_code == 404
    for token in (token_of_role(team, "viewer"), make_token(team, scope="read")):
        assert act(Api(token), recipe, name).status_code == 403
    assert act(Api(), recipe, name).status_code == 401
    assert Recipe.objects.get().current.number == 1
    assert not Event.objects.filter(kind__startswith="recipe.").exists()


# Presets -------------------------------------------------------------------------------------------------------------


def preset_body(recipe: Recipe, **more: Any) -> dict[str, Any]:
    return {"name": "Mine", "recipe_id": str(recipe.pk), "answers": {"steps": 20}} | more


def test_a_preset_is_saved_listed_and_deleted(api, team, recipe, document):
    made = check(document, "post", "/api/v1/presets", api.post("/api/v1/presets", preset_body(recipe)))
    assert made["answers"] == {"steps": 20}
    assert made["launch_url"].endswith(f"/recipes/{recipe.pk}/launch/?preset={made['id']}")
    path = f"/api/v1/presets/{made['id']}"
    assert check(document, "get", "/api/v1/presets/{preset_id}", api.get(path)) == made
    assert check(document, "get", "/api/v1/presets", api.get("/api/v1/presets"))["presets"] == [made]
    left = check(document, "post", "/api/v1/presets/{preset_id}/delete", api.post(f"{path}/delete", {}))
    assert left["presets"] == []


def test_a_preset_keeps_no_secret_and_changes_nothing_that_is_locked(api, recipe):
    answers = {"steps": 20, "token": "canary-token"}
    assert api.post("/api/v1/presets", preset_body(recipe, answers=answers)).status_code == 201
    assert Preset.objects.get().answers == {"steps": 20}
    for wrong in ({"mode": "slow"}, {"inner": "y"}, {"steps": 0}, {"nothing": 1}):
        answer = api.post("/api/v1/presets", preset_body(recipe, name="Other", answers=wrong))
        assert (answer.status_code, set(answer.json()["error"]["fields"])) == (
            400,
            {f"answers.{next(iter(wrong))}"},
        )
    assert Preset.objects.count() == 1


def test_one_preset_is_the_usual_one_and_each_name_is_taken_once(api, recipe):
    for name in ("One", "Two"):
        assert api.post("/api/v1/presets", preset_body(recipe, name=name, is_usual=True)).status_code == 201
    assert list(Preset.objects.filter(is_usual=True).values_list("name", flat=True)) == ["Two"]
    answer = api.post("/api/v1/presets", preset_body(recipe, name="One"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "name_taken")


def test_presets_are_ones_own(api, team, recipe):
    made = api.post("/api/v1/presets", preset_body(recipe)).json()
    colleague = Api(make_token(team, factories.make_member(team)))
    assert colleague.get("/api/v1/presets").json()["presets"] == []
    for path in (f"/api/v1/presets/{made['id']}", f"/api/v1/presets/{uuid.uuid4()}"):
        assert colleague.get(path).status_code == 404
        assert colleague.post(f"{path}/delete", {}).status_code == 404
    hidden = make_recipe(team, visibility="private", owner=factories.make_member(team))
    assert api.post("/api/v1/presets", preset_body(hidden, name="X")).status_code == 400
    assert Preset.objects.count() == 1
