"""Two at once, with real connections."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping, sharing, starters
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World
from tests.recipes.documents import SPEC
from tests.recipes.launching import ask_for

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


def make(world: World) -> Recipe:
    about = {"name": "Machine", "owner": world.user, "visibility": "team"}
    return keeping.create(
        world.team, document={"spec": SPEC}, actor=world.actor, now=world.clock.now, **about
    )


def test_of_editors_who_saw_the_same_version_one_saves(world: World) -> None:
    recipe = make(world)
    save = lambda n: keeping.save_version(  # noqa: E731
        recipe, {"spec": {**SPEC, "tag": str(n)}}, seen_version=1, actor=world.actor, now=world.clock.now
    )
    results = at_once([lambda n=n: save(n) for n in range(THREADS)])
    saved = [one for one in results if not isinstance(one, Exception)]
    refused = [one.code for one in results if isinstance(one, RecipeRefused)]
    assert (len(saved), refused) == (1, ["changed_meanwhile"] * (THREADS - 1))
    recipe.refresh_from_db()
    assert recipe.current == saved[0]
    assert list(recipe.versions.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert Event.objects.filter(kind="recipe.changed").count() == 1


def test_starters_that_many_ask_for_come_once(world: World) -> None:
    results = at_once([lambda: starters.install(world.team, timezone.now())] * 3)
    assert sorted(len(one) for one in results) == [0, 0, len(starters.known())]
    assert Recipe.objects.filter(team=world.team).count() == len(starters.known())


def test_launching_and_editing_at_once_wait_for_each_other(world: World) -> None:
    recipe = Recipe.objects.select_related("current").get(pk=make(world).pk)
    orders = [ask_for(recipe, **{}) for _ in range(3)]
    acts: list[Any] = [lambda order=order: world.request(order, same_again=True) for order in orders]
    acts += [
        lambda: sharing.share(recipe, actor=world.actor, now=world.clock.now),
        lambda: keeping.change_about(recipe, name="Other", actor=world.actor, now=world.clock.now),
        lambda: sharing.hand_over(
            recipe, factories.owner_of(world.team), actor=Actor.person(world.user), now=world.clock.now
        ),
    ]
    results = at_once(acts)
    assert not [one for one in results if isinstance(one, Exception) and not isinstance(one, RecipeRefused)]
    recipe.refresh_from_db()
    assert recipe.launches == Job.objects.count() == 3
