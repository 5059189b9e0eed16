"""From a recipe to a job: what the author locked holds for whatever asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dispersed_web.autostop import choices
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import as_recipe
from dispersed_web.jobs.errors import JobError, LaunchRefused
from dispersed_web.jobs.launch import Order, RecipeUse
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping, sharing
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from tests import factories
from tests.jobs.world import World
from tests.recipes.documents import INPUTS, SPEC
from tests.recipes.launching import ask_for

LOCKED = {
    "spec": {**SPEC, "env": {"MODE": "safe"}, "ports": [22, 8188]},
    "locked": ["*", "lifetime_s", "budget_usd", "title"],
    "inputs": [INPUTS["ssh_key"], INPUTS["number"], INPUTS["secret"], {**INPUTS["text"], "hidden": True}],
    "autostop": {"lifetime_s": 3600, "budget_usd": "5.00"},
}


def make(world: World, document: Any = LOCKED, **fields: Any) -> Recipe:
    author = fields.get("owner") or factories.make_member(world.team)
    values = {"name": "Locked", "visibility": "team", "owner": author, **fields}
    return keeping.create(
        world.team, document=document, actor=Actor.person(author), now=world.clock.now, **values
    )


def refusal(world: World, order: Order, **overrides: Any) -> tuple[str, str]:
    with pytest.raises(LaunchRefused) as refused:
        world.request(order, **overrides)
    assert not Job.objects.exists()
    return refused.value.code, refused.value.field


def test_an_order_as_meant_is_launched_and_counted(world: World) -> None:
    recipe = make(world)
    job = world.request(ask_for(recipe, count=2, token="hf_canary"))
    assert (job.recipe_version_id, job.spec["gpu_count"]) == (recipe.current_id, 2)
    assert {row["name"]: row["value"] for row in job.spec["env"]} == {
        "MODE": "safe",
        "MODEL": "small",
        "HF_TOKEN": None,
    }
    assert set(job.answers) == {"ssh", "count"}
    assert "canary" not in str(Job.objects.filter(pk=job.pk).values().get())
    recipe.refresh_from_db()
    assert (recipe.launches, recipe.launched_at) == (1, world.clock.now)


SPEC_CHANGES: dict[str, dict[str, Any]] = {
    "image": {"image": "evil/image"},
    "tag": {"tag": "evil"},
    "registry_host": {"registry_host": "registry.evil.example"},
    "gpu": {"gpu_name": "H100"},
    "min_vram_gb": {"min_vram_gb": 80},
    "max_node_count": {"max_node_count": 5},
    "ports": {"ports": (22, 8188, 9999)},
    "env.MODE": {"env": {"MODE": "unsafe", "MODEL": "small"}},
    "env.MODEL": {"env": {"MODE": "safe", "MODEL": "large"}},
    "env": {"env": {"MODE": "safe", "MODEL": "small", "LD_PRELOAD": "x"}},
    "count": {"gpu_count": 8},
}


@pytest.mark.parametrize("field", SPEC_CHANGES)
def test_a_locked_field_cannot_be_changed(world: World, field: str) -> None:
    order = ask_for(make(world), count=2)
    changed = replace(order, spec=replace(order.spec, **SPEC_CHANGES[field]))
    assert refusal(world, changed) == ("locked", field)


def test_neither_can_the_lifetime_the_budget_and_the_title(world: World) -> None:
    order = ask_for(make(world))
    assert refusal(world, replace(order, lifetime_s=7200)) == ("locked", "lifetime_s")
    dearer = replace(order.choices, budget_usd=None)
    assert refusal(world, replace(order, choices=dearer)) == ("locked", "budget_usd")
    assert refusal(world, replace(order, title="Mine")) == ("locked", "title")


def test_neither_can_they_on_the_running_job_but_by_who_may_change_the_recipe(world: World) -> None:
    recipe = make(world)
    job = world.send(world.request(ask_for(recipe, token="hf_canary")))
    seen = {"now": world.clock.now, "seen_version": job.limits_version}
    dearer = replace(choices.of(job), budget_usd=None)
    with pytest.raises(JobError) as refused:
        choices.change(job, dearer, actor=world.actor, **seen)
    assert (refused.value.code, refused.value.field) == ("locked", "budget_usd")
    job.refresh_from_db()
    assert job.budget_usd == 5
    assert choices.change(job, dearer, actor=Actor.person(recipe.owner), **seen)
    free = world.send(world.request(ask_for(recipe, token="hf_other"), same_again=True))
    less = replace(choices.of(free), idle_limit_s=1800)
    assert choices.change(
        free, less, actor=world.actor, now=world.clock.now, seen_version=free.limits_version
    )


def test_answers_to_what_is_not_asked_change_nothing(world: World) -> None:
    order = ask_for(make(world))
    for answers, field in (
        ({"model": "large"}, "model"),
        ({"nothing": "x"}, "nothing"),
        ({"count": 9}, "count"),
    ):
        use = RecipeUse(order.recipe.version_id, answers)
        assert refusal(world, replace(order, recipe=use)) == ("locked", field)


def test_a_secret_of_the_recipe_cannot_be_launched_in_the_clear(world: World) -> None:
    order = ask_for(make(world), token="hf_canary")
    assert refusal(world, replace(order, secret_env=frozenset())) == ("locked", "token")


@pytest.mark.parametrize(("visibility", "named"), [("team", "Locked v1"), ("private", "a private recipe v1")])
def test_the_event_names_no_private_recipe(world: World, visibility: str, named: str) -> None:
    order = ask_for(make(world, owner=world.user, visibility=visibility), token="hf_canary")
    world.request(order)
    assert Event.objects.get(kind="job.requested").data["recipe"] == named


NAMED_SECRET = {"key": "token", "type": "text", "to": "env.HF_TOKEN"}


def test_a_text_that_sets_a_variable_with_a_secrets_name_is_a_secret(world: World) -> None:
    recipe = make(world, {"spec": SPEC, "inputs": [NAMED_SECRET]})
    order = ask_for(recipe, token="hf_canary")
    given = replace(order, recipe=RecipeUse(recipe.current_id, {"token": "hf_canary"}))
    assert refusal(world, replace(given, secret_env=frozenset())) == ("locked", "token")
    job = world.request(given)
    assert (job.answers, job.spec["env"]) == ({}, [{"name": "HF_TOKEN", "value": None, "secret": True}])
    assert "canary" not in str(Job.objects.filter(pk=job.pk).values().get())


def test_an_answer_whose_variable_the_launcher_calls_secret_is_not_kept(world: World) -> None:
    recipe = make(world, {"spec": SPEC, "inputs": [{"key": "url", "type": "text", "to": "env.SOURCE"}]})
    order = ask_for(recipe, url="https://canary@example.com")
    use = RecipeUse(recipe.current_id, {"url": "https://canary@example.com"})
    job = world.request(replace(order, secret_env=frozenset({"SOURCE"}), recipe=use))
    assert job.answers == {}
    assert "canary" not in str(Job.objects.filter(pk=job.pk).values().get())


def test_a_recipe_is_not_launched_through_one_of_the_cloud(world: World) -> None:
    order = replace(ask_for(make(world)), cook_uuid="01a0114e-e7f8-4e76-a07a-f09fca41e2be")
    assert refusal(world, order)[0] == "invalid"


def test_only_the_newest_version_that_one_may_see_is_launched(world: World) -> None:
    recipe = make(world)
    order = ask_for(recipe)
    by = {"actor": Actor.person(recipe.owner), "now": world.clock.now}
    keeping.save_version(recipe, {**LOCKED, "locked": ["*"]}, seen_version=1, **by)
    assert refusal(world, order) == ("recipe_moved", "")
    recipe.refresh_from_db()
    order = ask_for(recipe)
    sharing.archive(recipe, **by)
    assert refusal(world, order)[0] == "recipe_gone"
    sharing.unarchive(recipe, **by)
    sharing.make_private(recipe, **by)
    assert refusal(world, order)[0] == "recipe_gone"


def test_a_recipe_of_another_team_launches_nothing(world: World) -> None:
    other = World(world.sandbox)
    assert refusal(world, ask_for(make(other)))[0] == "recipe_gone"


def test_a_copy_and_a_job_are_no_way_around_the_locks(world: World) -> None:
    recipe = make(world)
    copied = keeping.copy(recipe, user=world.user, actor=world.actor, now=world.clock.now)
    order = ask_for(copied)
    assert refusal(world, replace(order, spec=replace(order.spec, image="evil")))[1] == "image"
    job = world.request(order)
    with pytest.raises(RecipeRefused, match="copy that recipe"):
        as_recipe.from_job(job, world.actor)
    own = world.request(ask_for(recipe), same_again=True)
    with pytest.raises(RecipeRefused, match="copy that recipe"):
        as_recipe.from_job(own, world.actor)
    assert as_recipe.from_job(own, Actor.person(recipe.owner)).document is not None


def test_the_page_that_saves_a_job_as_a_recipe_says_so(client: Client, world: World) -> None:
    job = world.request(ask_for(make(world)))
    factories.sign_in(client, world.user)
    address = reverse("web:recipe-from-job", args=[world.team.slug, job.pk])
    answer = client.get(address, follow=True)
    assert answer.redirect_chain == [(reverse("web:job", args=[world.team.slug, job.pk]), 302)]
    assert "copy that recipe instead" in answer.content.decode()
    assert client.post(address, {"name": "Freed"}).status_code == 302
    assert Recipe.objects.count() == 1


def test_a_job_is_saved_as_a_recipe_and_launched_from_it(world: World) -> None:
    order = world.order(env={"A": "1", "HF_TOKEN": "hf_canary"}, allowed_ips=("203.0.113.7",))
    job = world.request(replace(order, secret_env=frozenset({"HF_TOKEN"}), tags=("nightly",)))
    taken = as_recipe.from_job(job, world.actor)
    assert taken.document is not None, taken.problems
    assert taken.document.tags == ("nightly",)
    assert taken.document.autostop == {"lifetime_s": 3600}
    recipe = make(world, taken.document, **taken.about)
    again = world.request(ask_for(recipe, hf_token="hf_other"), same_again=True)
    for field in ("image", "tag", "ports", "env", "allowed_ips", "ssh_key"):
        assert again.spec[field] == job.spec[field]
