"""Two teams with keys of one cloud account: whatever one does, no request is ever signed with the other's key. What the
cloud saw decides, not what we meant to send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dispersed_web.credentials import keeping
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cloud_recipes, history, logs, market, pursuit, sending, stop, sync
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.jobs.states import Reason
from dispersed_web.sandbox.recipes import RECIPES
from tests import factories
from tests.jobs.world import World

TWIN = ("pk_sim_twin00000000", "sk_sim_twin00000000")
LLAMA = RECIPES[0]["uuid"]


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


@pytest.fixture
def theirs(world: World) -> Credential:
    """Another team's key of the same account, which sees and could stop everything."""
    world.control.add_key(*TWIN, world.sandbox.keys[0][2])
    return factories.make_credential(factories.make_team(), world.sandbox, *TWIN)


def signed_with(world: World, act: Callable[[], object]) -> set[str]:
    """The keys of every request that reached the cloud during ``act``."""
    before = max((row["id"] for row in world.control.requests()), default=0)
    act()
    return {row["key"] for row in world.control.requests(since_id=before)}


def everything(world: World) -> None:
    """A launch, a cook, listings, logs, prices, recipes, past jobs, probes and a stop, all of the first team."""
    job = world.launched()
    world.send(world.request(world.order("Cooked", cook_uuid=LLAMA), same_again=True))
    world.control.advance(700)
    world.clock.advance(700)
    world.sync()
    logs.fetch(job, job.runs.get(), world.clock.now)
    market.refresh(world.credential.pk, world.clock)
    cloud_recipes.refresh(world.credential.pk, world.clock)
    cloud_recipes.look(world.credential, LLAMA, team_id=world.team.pk)
    past = history.request(world.credential, user=world.user, actor=world.actor, now=world.clock.now)
    history.go_on(past.pk, world.clock)
    Credential.objects.filter(pk=world.credential.pk).update(probed_at=None)
    keeping.probe_again(Credential.objects.get(pk=world.credential.pk), world.clock)
    stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    pursuit.pursue(job.pk, world.clock, lambda *_: True)


def test_all_that_one_team_does_is_signed_with_its_own_key(world: World, theirs: Credential) -> None:
    assert signed_with(world, lambda: everything(world)) == {world.credential.public_key}


def test_the_other_teams_passes_look_with_their_own_key_and_change_nothing(
    world: World, theirs: Credential
) -> None:
    job = world.launched()
    rows = Job.objects.filter(pk=job.pk)
    before = rows.values().get()
    assert signed_with(world, lambda: sync.sync(theirs.pk, world.clock)) == {theirs.public_key}
    assert rows.values().get() == before
    assert UnmanagedJob.objects.get().title == "A job of another team"


@pytest.mark.parametrize("way", ["send", "cook", "logs", "stop", "look"])
def test_a_row_that_names_another_teams_key_has_nothing_signed_with_it(
    world: World, theirs: Credential, way: str
) -> None:
    """No door makes such a row; should one come to be, by whatever fault, it gets nowhere."""
    asked = world.request(world.order(cook_uuid=LLAMA if way == "cook" else ""), same_again=True)
    running = world.launched(image="other/image") if way in ("logs", "stop") else None
    if running:
        world.control.advance(700)
        world.sync()
        stop.request_stop(running, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    Job.objects.update(credential=theirs)

    def act() -> None:
        if way in ("send", "cook"):
            with pytest.raises(Credential.DoesNotExist):
                sending.send(asked.pk, world.clock)
        elif way == "look":
            assert cloud_recipes.look(theirs, LLAMA, team_id=world.team.pk).recipe is None
        elif way == "logs":
            job = Job.objects.get(pk=running.pk)
            assert "does not belong to the team" in logs.fetch(job, job.runs.get(), world.clock.now).trouble
        else:
            pursuit.pursue(running.pk, world.clock, lambda *_: True)
            assert Job.objects.get(pk=running.pk).stop_attempts == 1, "the team's own key stops it"

    assert theirs.public_key not in signed_with(world, act)
