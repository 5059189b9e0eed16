"""What is kept of the cloud's own recipes."""

from __future__ import annotations

import pytest

from dispersed_web.jobs import cloud_recipes
from dispersed_web.jobs.models import CloudCatalog
from dispersed_web.sandbox.recipes import OWN, RECIPES
from tests import factories
from tests.jobs.world import World

LIST, ONE = "GET /v1/job-recipes", "GET /v1/job-recipes/{uuid}"
MINE, ARCHIVED = (recipe["uuid"] for recipe in OWN)
OFFICIAL = {recipe["uuid"] for recipe in RECIPES}


def kept(world: World) -> set[str]:
    return {recipe.uuid for recipe in cloud_recipes.recipes(cloud_recipes.of(world.credential))}


def refresh(world: World) -> CloudCatalog:
    cloud_recipes.refresh(world.credential.pk, world.clock)
    return cloud_recipes.of(world.credential)


def test_official_and_own_recipes_are_kept_and_archived_ones_are_not(world: World) -> None:
    catalog = refresh(world)
    assert not cloud_recipes.is_stale(catalog, world.clock.now)
    assert kept(world) == OFFICIAL | {MINE}
    found = cloud_recipes.recipes(catalog)
    assert [recipe.is_official for recipe in found] == [True, True, True, False]


def test_nothing_secret_is_stored(world: World) -> None:
    refresh(world)
    stored = str(CloudCatalog.objects.values().get())
    assert "sandbox-registry-secret" not in stored
    assert "sandbox-volume-secret" not in stored
    assert "sandbox-hugging-face-token" not in stored
    mine = cloud_recipes.find(world.credential.pk, MINE)
    assert mine
    assert mine.payload.secrets == ("registry_secret", "env.HF_TOKEN", "volumes./data")
    assert mine.payload.env == {"MODEL": "tiny"}


def test_what_is_kept_is_what_the_cloud_said(world: World) -> None:
    refresh(world)
    look = cloud_recipes.look(world.credential, MINE, team_id=world.team.pk)
    assert look.recipe == cloud_recipes.find(world.credential.pk, MINE)
    assert look.recipe
    assert look.recipe.inputs[1].options == (("tiny", "Tiny (1B)"), ("large", "Large (8B)"))
    assert look.recipe.payload.volumes[0].mount == "/data"


def test_it_is_asked_for_at_most_every_twenty_seconds(world: World) -> None:
    refresh(world)
    before = len(world.control.requests())
    refresh(world)
    assert len(world.control.requests()) == before
    world.clock.advance(21)
    refresh(world)
    assert len(world.control.requests()) == before + 2


FAULTS = {
    "500": {"kind": "status", "status": 500},
    "HTML": {"kind": "html_body"},
    "bad JSON": {"kind": "bad_json"},
    "an empty page": {"kind": "void_page"},
    "no uuid": {"kind": "no_uuid"},
    "drop": {"kind": "drop", "at": "before"},
    "429": {"kind": "status", "status": 429},
    "403": {"kind": "status", "status": 403},
    "redirect": {"kind": "redirect"},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_keeps_what_is_stored_and_says_so(world: World, name: str) -> None:
    refresh(world)
    world.clock.advance(601)
    world.control.add_fault(LIST, **FAULTS[name])
    cloud_recipes.refresh(world.credential.pk, world.clock, patient=False)
    catalog = cloud_recipes.of(world.credential)
    assert catalog.failure
    assert cloud_recipes.is_stale(catalog, world.clock.now)
    assert kept(world) == OFFICIAL | {MINE}
    world.control.clear_faults()
    world.clock.advance(21)
    assert refresh(world).failure == ""


@pytest.mark.parametrize("kind", ["bare_list", "numbers_as_text", "dates_without_time", "unknown_fields"])
def test_other_ways_of_saying_the_same_are_read(world: World, kind: str) -> None:
    world.control.add_fault(LIST, kind)
    refresh(world)
    assert kept(world) == OFFICIAL | {MINE}


def test_a_key_that_cannot_be_opened_is_told_in_words(world: World) -> None:
    world.credential.secret_sealed = "nonsense"
    world.credential.save()
    assert refresh(world).failure
    assert cloud_recipes.look(world.credential, MINE, team_id=world.team.pk).trouble


def test_one_recipe_that_is_gone_archived_or_out_of_reach(world: World) -> None:
    gone = cloud_recipes.look(world.credential, "01a0ffff-0000-4000-8000-000000000000", team_id=world.team.pk)
    assert (gone.recipe, gone.is_gone) == (None, True)
    archived = cloud_recipes.look(world.credential, ARCHIVED, team_id=world.team.pk)
    assert archived.recipe
    assert archived.recipe.is_archived
    world.control.add_fault(ONE, "drop", at="before")
    lost = cloud_recipes.look(world.credential, MINE, team_id=world.team.pk)
    assert lost.trouble
    assert not lost.is_gone


def test_another_account_has_other_recipes(world: World) -> None:
    other = factories.make_credential(world.team, world.sandbox)
    cloud_recipes.refresh(other.pk, world.clock)
    assert {recipe.uuid for recipe in cloud_recipes.recipes(cloud_recipes.of(other))} == OFFICIAL


def test_what_an_older_release_kept_otherwise_is_left_out(world: World) -> None:
    refresh(world)
    catalog = CloudCatalog.objects.get()
    catalog.recipes = [{"uuid": "x"}, *catalog.recipes]
    catalog.save()
    assert kept(world) == OFFICIAL | {MINE}
