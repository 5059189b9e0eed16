"""The scope decides, not the role alone: an owner's token does what its scope is worth, however deep in the domain the
question is asked."""

from __future__ import annotations

import pytest

from dispersed_web.credentials.models import UsableBy
from dispersed_web.jobs.models import Job
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.api.caller import Api, launch_body, make_token
from tests.api.test_recipes import DOCUMENT, make_recipe

pytestmark = pytest.mark.django_db
RECIPES = "/api/v1/recipes"


@pytest.fixture(params=["owner", "admin"])
def person(request, team):
    return factories.make_member(team, request.param)


def with_scope(team, person, scope: str) -> Api:
    return Api(make_token(team, person, scope))


def code(answer) -> str:
    return answer.json()["error"]["code"]


@pytest.mark.parametrize(("scope", "status"), [("operate", 409), ("admin", 200)])
def test_a_copy_loses_its_locks_only_to_a_token_to_administer(team, person, scope, status):
    api = with_scope(team, person, scope)
    copied = api.post(f"{RECIPES}/{make_recipe(team).pk}/copy", {}).json()["id"]
    unlocked = {"seen_version": 1, "document": DOCUMENT | {"locked": []}}
    answer = api.post(f"{RECIPES}/{copied}/versions", unlocked)
    assert answer.status_code == status
    locked = Recipe.objects.get(pk=copied).current.document.get("locked", [])
    assert locked == ([] if scope == "admin" else ["image", "tag"])


@pytest.mark.parametrize(("scope", "status"), [("operate", 403), ("admin", 201)])
def test_a_credential_for_admins_is_for_tokens_to_administer(team, person, credential, nudges, scope, status):
    type(credential).objects.update(usable_by=UsableBy.ADMINS)
    api = with_scope(team, person, scope)
    (told,) = api.get("/api/v1/credentials").json()["credentials"]
    assert told["may_launch"]["allowed"] is (scope == "admin")
    assert api.launch(launch_body(credential)).status_code == status
    assert Job.objects.count() == (scope == "admin")


@pytest.mark.parametrize(("scope", "status"), [("operate", 403), ("admin", 201)])
def test_a_secret_for_admins_is_for_tokens_to_administer(team, person, credential, nudges, scope, status):
    secret = factories.make_secret(team, usable_by=UsableBy.ADMINS)
    api = with_scope(team, person, scope)
    (told,) = api.get("/api/v1/secrets").json()["secrets"]
    assert told["may_use"] is (scope == "admin")
    rows = [{"name": "HF_TOKEN", "team_secret_id": str(secret.pk)}]
    assert api.launch(launch_body(credential, env=rows)).status_code == status


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("operate", 403), ("admin", 200)])
def test_prices_are_asked_with_a_key_for_admins_by_tokens_to_administer(team, person, sandbox, scope, status):
    key = factories.make_credential(team, sandbox, usable_by=UsableBy.ADMINS)
    answer = with_scope(team, person, scope).get("/api/v1/gpus", credential_id=str(key.pk))
    assert answer.status_code == status


def test_no_token_does_what_only_owners_do(team):
    AutostopPolicy.objects.update_or_create(team=team, defaults={"team_day_usd": 5})
    raised = {"version": 1, "team_day_usd": "50"}
    answer = Api(make_token(team, scope="admin")).post("/api/v1/autostop", raised)
    assert (answer.status_code, code(answer)) == (403, "not_allowed")
    assert AutostopPolicy.of(team.pk).team_day_usd == 5


@pytest.mark.parametrize("scope", ["read", "operate", "admin"])
def test_me_tells_the_role_and_what_the_token_may(team, person, scope):
    me = with_scope(team, person, scope).get("/api/v1/me").json()
    assert me["role"] in ("owner", "admin")
    assert ("manage_limits" in me["may"]) is (scope == "admin")
