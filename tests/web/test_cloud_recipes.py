"""The pages of the cloud's own recipes: who may, what they say when something is wrong, and taking one over."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cloud_recipes
from dispersed_web.jobs.models import CloudCatalog
from dispersed_web.recipes.models import Recipe
from dispersed_web.sandbox.recipes import OWN, RECIPES
from dispersed_web.teams.models import Team
from tests import factories

pytestmark = pytest.mark.django_db
LIST, ONE = "GET /v1/job-recipes", "GET /v1/job-recipes/{uuid}"
LLAMA, MINE, ARCHIVED = RECIPES[0]["uuid"], OWN[0]["uuid"], OWN[1]["uuid"]
GONE = "01a0ffff-0000-4000-8000-000000000000"


@pytest.fixture
def team(sandbox: Any) -> Team:
    return factories.make_team()


@pytest.fixture
def credential(team: Team, sandbox: Any) -> Credential:
    return factories.make_credential(team, sandbox, name="Lab account")


@pytest.fixture
def member(client: Client, team: Team) -> User:
    return factories.sign_in(client, factories.make_member(team))


def at(name: str, team: Team, *arguments: str, **query: Any) -> str:
    return reverse(f"web:{name}", args=[team.slug, *arguments], query=query)


def page(client: Client, *where: Any, status: int = 200, **query: Any) -> str:
    answer = client.get(at(*where, **query))
    assert answer.status_code == status
    return answer.content.decode()


# Who ---------------------------------------------------------------------------------------------------------------

ADDRESSES = [
    ("cloud-recipes", "get", ()),
    ("cloud-recipe", "get", (LLAMA,)),
    ("cloud-recipes-refresh", "post", ()),
    ("cloud-recipe-import", "post", (LLAMA,)),
]


@pytest.mark.parametrize(("name", "method", "arguments"), ADDRESSES)
def test_strangers_are_not_told_that_there_is_a_team(
    client: Client, team: Team, credential: Credential, name: str, method: str, arguments: tuple[str, ...]
) -> None:
    path = at(name, team, *arguments)
    anonymous = getattr(client, method)(path)
    assert (anonymous.status_code, anonymous.url.split("?")[0]) == (302, reverse("account_login"))
    factories.sign_in(client, factories.make_user())
    assert getattr(client, method)(path).status_code == 404
    factories.sign_in(client, factories.make_member(team))
    assert getattr(client, method)(path).status_code in (200, 302)
    other = {"get": "post", "post": "get"}[method]
    assert getattr(client, other)(path).status_code == 405


@pytest.mark.parametrize("name", ["cloud-recipes", "cloud-recipe"])
def test_the_credential_of_another_team_is_not_found(
    client: Client, team: Team, member: User, sandbox: Any, name: str
) -> None:
    factories.make_credential(team, sandbox)
    other = factories.make_credential(factories.make_team())
    arguments = (LLAMA,) if name == "cloud-recipe" else ()
    for wanted in (other.pk, "nonsense"):
        assert client.get(at(name, team, *arguments, credential=wanted)).status_code == 404


def test_a_viewer_looks_and_makes_nothing(client: Client, team: Team, credential: Credential) -> None:
    factories.sign_in(client, factories.make_member(team, "viewer"))
    shown = page(client, "cloud-recipe", team, LLAMA)
    assert "Import as a recipe" not in shown
    assert "?cook=" not in shown
    assert client.post(at("cloud-recipe-import", team, LLAMA)).status_code == 403
    assert not Recipe.objects.exists()


# The list ----------------------------------------------------------------------------------------------------------


def test_the_list_shows_official_and_own_recipes_without_a_broker(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    shown = page(client, "cloud-recipes", team)
    for recipe in (*RECIPES, OWN[0]):
        assert recipe["name"] in shown
    assert OWN[1]["name"] not in shown
    assert "sandbox-" not in shown
    own = page(client, "cloud-recipes", team, kind="own")
    assert (OWN[0]["name"] in own, RECIPES[0]["name"] in own) == (True, False)
    assert "No recipe matches" in page(client, "cloud-recipes", team, q="nothing like this")
    assert RECIPES[1]["name"] in page(client, "cloud-recipes", team, q="comfyui")


def test_what_is_old_is_shown_and_asked_for_in_the_background(
    client: Client,
    team: Team,
    credential: Credential,
    member: User,
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Any,
) -> None:
    page(client, "cloud-recipes", team)
    CloudCatalog.objects.update(fetched_at=timezone.now() - cloud_recipes.FRESH * 2)
    nudged: list[Any] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: nudged.append((task, *ids)))
    before = len(sandbox.control.requests())
    assert RECIPES[0]["name"] in page(client, "cloud-recipes", team)
    assert (tasks.refresh_cloud_recipes, credential.pk) in nudged
    assert len(sandbox.control.requests()) == before


def test_without_a_credential_it_says_who_adds_one(client: Client, team: Team, member: User) -> None:
    shown = page(client, "cloud-recipes", team)
    assert "No credential that can ask" in shown
    assert reverse("web:credential-add", args=[team.slug]) not in shown
    factories.sign_in(client, factories.owner_of(team))
    assert reverse("web:credential-add", args=[team.slug]) in page(client, "cloud-recipes", team)
    assert client.get(at("cloud-recipe", team, LLAMA)).status_code == 404


FAULTS = {
    "500": ({"kind": "status", "status": 500}, "has a fault of its own (500)"),
    "403": ({"kind": "status", "status": 403}, "does not let this key do that (403)"),
    "401": ({"kind": "status", "status": 401}, "refused the key (401)"),
    "429": ({"kind": "status", "status": 429}, "asks for fewer requests (429)"),
    "HTML": ({"kind": "html_body"}, "cannot be read"),
    "no uuid": ({"kind": "no_uuid"}, "cannot be read"),
    "drop": ({"kind": "drop", "at": "before"}, "broke the connection"),
    "redirect": ({"kind": "redirect"}, "redirect (307)"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_list_is_told_with_and_without_something_to_show(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any, name: str
) -> None:
    fault, said = FAULTS[name]
    sandbox.control.add_fault(LIST, **fault)
    shown = page(client, "cloud-recipes", team)
    assert said in shown
    assert "Nothing to show yet" in shown
    sandbox.control.clear_faults()
    CloudCatalog.objects.update(due_at=timezone.now())
    assert client.post(at("cloud-recipes-refresh", team)).status_code == 302
    assert RECIPES[0]["name"] in page(client, "cloud-recipes", team)
    sandbox.control.add_fault(LIST, **fault)
    CloudCatalog.objects.update(due_at=timezone.now())
    client.post(at("cloud-recipes-refresh", team), {"credential": credential.pk})
    again = page(client, "cloud-recipes", team)
    assert said in again
    assert "This is not fresh" in again
    assert RECIPES[0]["name"] in again


def test_an_account_without_any_recipe(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any
) -> None:
    sandbox.control.add_fault(LIST, "empty_list")
    assert "Dispersed has no recipes for this account" in page(client, "cloud-recipes", team)


def test_a_broken_credential_is_not_asked_with_and_says_why(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any
) -> None:
    page(client, "cloud-recipes", team)
    Credential.objects.update(state="broken", failure="Dispersed refuses the key: it was revoked.")
    before = len(sandbox.control.requests())
    shown = page(client, "cloud-recipes", team)
    assert "it was revoked" in shown
    assert RECIPES[0]["name"] in shown
    one = page(client, "cloud-recipe", team, LLAMA)
    assert "does not work" in one
    assert "?cook=" not in one
    assert len(sandbox.control.requests()) == before


def test_two_credentials_see_what_their_accounts_see(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any
) -> None:
    other = factories.make_credential(team, sandbox, name="Zweites Konto")
    assert OWN[0]["name"] in page(client, "cloud-recipes", team)
    shown = page(client, "cloud-recipes", team, credential=other.pk)
    assert OWN[0]["name"] not in shown
    assert f'value="{other.pk}" selected' in shown


# One recipe ----------------------------------------------------------------------------------------------------------


def test_a_recipe_says_what_it_asks_launches_and_keeps_secret(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    shown = page(client, "cloud-recipe", team, MINE)
    for text in ("Base model", "registry-user/finetune:v3", "HF_TOKEN", "/data", "9.0 GB", "Data set"):
        assert text in shown, text
    assert "sandbox-" not in shown
    cook = reverse("web:launch", args=[team.slug]) + f"?cook={MINE}&amp;credential={credential.pk}"
    assert cook in shown


def test_an_archived_one_can_be_imported_and_not_launched(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    shown = page(client, "cloud-recipe", team, ARCHIVED)
    assert "Archived at Dispersed" in shown
    assert "?cook=" not in shown


def test_one_that_is_gone_or_out_of_reach(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any
) -> None:
    assert "does not have this recipe" in page(client, "cloud-recipe", team, GONE, status=404)
    assert client.get(at("cloud-recipe", team, "a b")).status_code == 404
    sandbox.control.add_fault(ONE, "status", status=503)
    shown = page(client, "cloud-recipe", team, LLAMA)
    assert "could not be fetched" in shown
    assert "(503)" in shown


def test_markdown_of_strangers_is_tamed(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    page(client, "cloud-recipes", team)
    catalog = CloudCatalog.objects.get()
    stored = next(one for one in catalog.recipes if one["uuid"] == LLAMA)
    stored["quickstart_md"] = (
        "<script>alert(1)</script> [x](javascript:alert(1)) ![x](https://evil.example/x.png)"
    )
    stored["name"] = "<b>bold</b>"
    catalog.save()
    for shown in (page(client, "cloud-recipe", team, LLAMA), page(client, "cloud-recipes", team)):
        assert "<script>alert" not in shown
        assert "<b>bold" not in shown
        assert "<img" not in shown
        assert 'href="javascript' not in shown


# Taking over ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [*RECIPES, *OWN], ids=lambda recipe: recipe["name"])
def test_every_recipe_is_imported_as_a_private_one_and_opened_for_a_look(
    client: Client, team: Team, credential: Credential, member: User, recipe: dict[str, Any]
) -> None:
    answer = client.post(at("cloud-recipe-import", team, recipe["uuid"]), follow=True)
    kept = Recipe.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("web:recipe-edit", args=[team.slug, kept.pk])
    assert answer.status_code == 200
    assert (kept.name, kept.owner, kept.visibility, kept.source) == (
        recipe["name"],
        member,
        "private",
        f"cloud:{recipe['uuid']}",
    )
    assert "sandbox-" not in str(kept.current.document)
    is_listed = recipe["visibility"] != "ARCHIVED"
    assert ("Imported</span>" in page(client, "cloud-recipes", team)) == is_listed
    assert kept.name in page(client, "cloud-recipe", team, recipe["uuid"])


def test_notes_of_an_import_are_told(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    said = client.post(at("cloud-recipe-import", team, MINE), follow=True).content.decode()
    assert "of a kind that is not known here (dataset_picker)" in said
    assert "Check that the image reads these" in said


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_during_an_import_makes_nothing_and_is_told(
    client: Client, team: Team, credential: Credential, member: User, sandbox: Any, name: str
) -> None:
    fault, said = FAULTS[name]
    sandbox.control.add_fault(ONE, **fault)
    answer = client.post(at("cloud-recipe-import", team, LLAMA), follow=True)
    assert "Nothing was imported" in answer.content.decode()
    assert said in answer.content.decode()
    assert not Recipe.objects.exists()


def test_what_has_no_image_cannot_be_imported_and_says_so(
    client: Client, team: Team, credential: Credential, member: User
) -> None:
    page(client, "cloud-recipes", team)
    catalog = CloudCatalog.objects.get()
    for stored in catalog.recipes:
        stored["payload"]["image"] = "no image"
    catalog.save()
    shown = page(client, "cloud-recipe", team, LLAMA)
    assert "It cannot be imported" in shown
    assert "Not readable here" in page(client, "cloud-recipes", team)
    answer = client.post(at("cloud-recipe-import", team, LLAMA), follow=True)
    assert "This recipe cannot be imported" in answer.content.decode()
