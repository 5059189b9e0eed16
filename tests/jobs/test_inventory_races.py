"""Adopting while somebody else adopts, or a list is applied: with real connections, every thread its own."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import history, inventory, strangers, sync
from dispersed_web.jobs.inventory import Hand, InventoryRefused
from dispersed_web.jobs.models import HistoryImport, Job, UnmanagedJob
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import request_stop
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


@pytest.fixture
def row(world: World) -> UnmanagedJob:
    world.control.seed_jobs(1, keys=[world.credential.public_key], title="external")
    assert world.sync()
    return UnmanagedJob.objects.select_related("credential__team").get()


def adopt(world: World, row: UnmanagedJob, user: Any) -> Job:
    hand = Hand(user, Actor.person(user))
    return inventory.adopt(row, owner=user, lifetime_s=3600, hand=hand, now=world.clock.now)


def test_of_many_who_adopt_at_once_one_makes_the_job(world: World, row: UnmanagedJob) -> None:
    people = [factories.make_member(world.team) for _ in range(THREADS)]
    made = at_once([lambda user=user: adopt(world, row, user) for user in people])
    assert not [one for one in made if isinstance(one, Exception)], made
    job = Job.objects.get()
    assert {one.pk for one in made} == {job.pk}
    assert Event.objects.filter(kind="job.adopted").count() == 1
    assert not UnmanagedJob.objects.exists()


def test_adopting_and_stopping_at_once_is_one_job_and_one_wish(world: World, row: UnmanagedJob) -> None:
    people = [factories.make_member(world.team) for _ in range(4)]

    def stop(user: Any) -> Job:
        return inventory.stop(row, hand=Hand(user, Actor.person(user)), now=world.clock.now)

    made = at_once(
        [lambda user=user: stop(user) for user in people[:2]]
        + [lambda user=user: adopt(world, row, user) for user in people[2:]]
    )
    assert not [one for one in made if isinstance(one, Exception)], made
    job = Job.objects.get()
    assert job.stop_reason == Reason.USER
    assert Event.objects.filter(kind="job.stop_requested").count() == 1
    assert not request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)


def test_adopting_while_lists_are_applied_leaves_one_of_both(world: World, row: UnmanagedJob) -> None:
    world.control.add_key("pk_sim_second000000", "sk_sim_second000000", world.sandbox.keys[0][2])
    second = factories.make_credential(
        world.team, world.sandbox, "pk_sim_second000000", "sk_sim_second000000"
    )
    acts = [lambda: adopt(world, row, world.user)]
    acts += [lambda: sync.sync(world.credential.pk, world.clock), lambda: sync.sync(second.pk, world.clock)]
    made = at_once(acts)
    assert not [one for one in made if isinstance(one, Exception)], made
    world.clock.advance(60)
    assert world.sync()
    assert (Job.objects.count(), UnmanagedJob.objects.count()) == (1, 0)


def test_a_row_noted_while_it_was_adopted_does_not_stay_beside_the_job(
    world: World, row: UnmanagedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list was read before the adoption, and is applied after it."""
    known = strangers._known

    def adopted_meanwhile(*arguments: Any) -> Any:
        adopt(world, row, world.user)
        return known(*arguments)

    monkeypatch.setattr(strangers, "_known", adopted_meanwhile)
    world.clock.advance(5)
    assert world.sync()
    assert (Job.objects.count(), UnmanagedJob.objects.count()) == (1, 0)


def test_two_teams_who_adopt_at_once_do_not_both_own_it(world: World, row: UnmanagedJob) -> None:
    world.control.add_key("pk_sim_theirs000000", "sk_sim_theirs000000", world.sandbox.keys[0][2])
    theirs = factories.make_credential(
        factories.make_team(), world.sandbox, "pk_sim_theirs000000", "sk_sim_theirs000000"
    )
    assert sync.sync(theirs.pk, world.clock)
    other = UnmanagedJob.objects.select_related("credential__team").get(credential=theirs)
    user = factories.make_member(theirs.team)
    made = at_once([lambda: adopt(world, row, world.user), lambda: adopt(world, other, user)])
    (refused,) = [one for one in made if isinstance(one, Exception)]
    assert isinstance(refused, InventoryRefused)
    assert refused.code in ("not_yours", "another_team")
    assert Job.objects.count() == 1


def test_many_processes_import_one_history_once(world: World) -> None:
    for uuid in world.control.seed_jobs(60, keys=[world.credential.public_key], title="old"):
        world.control.finish_job(uuid)
    made = at_once(
        [
            lambda: history.request(world.credential, user=world.user, actor=world.actor, now=world.clock.now)
            for _ in range(3)
        ]
    )
    assert len({one.pk for one in made}) == 1
    row = HistoryImport.objects.get()
    for _ in range(8):
        results = at_once([lambda: history.step(row.pk, world.clock) for _ in range(3)])
        assert not [one for one in results if isinstance(one, Exception)], results
    row.refresh_from_db()
    assert (row.state, row.brought_in, Job.objects.count()) == ("done", 60, 60)
