"""Two teams with keys of one account: each sees that the other's jobs cost money, and nothing else of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import inventory, sync
from dispersed_web.jobs.inventory import Hand, InventoryRefused
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.world import World


@pytest.fixture
def theirs(world: World) -> Credential:
    """Another team's key of the same account."""
    account = world.sandbox.keys[0][2]
    world.control.add_key("pk_sim_theirs000000", "sk_sim_theirs000000", account)
    team = factories.make_team(max_lifetime_s=86400, default_lifetime_s=3600)
    return factories.make_credential(team, world.sandbox, "pk_sim_theirs000000", "sk_sim_theirs000000")


def look(world: World, *credentials: Credential) -> None:
    world.clock.advance(5)
    world.control.advance(5)
    for credential in credentials:
        Credential.objects.filter(pk=credential.pk).update(sync_lease_until=None)
        assert sync.sync(credential.pk, world.clock)


def hand_of(team: Team, **fields: Any) -> Hand:
    user = factories.make_member(team, "admin")
    return Hand(user, factories.Actor.person(user), manages=True, **fields)


def test_the_title_of_another_teams_job_is_not_told(world: World, theirs: Credential) -> None:
    job = world.launched()
    look(world, theirs)
    row = UnmanagedJob.objects.get()
    assert (row.credential, row.remote_uuid, row.source) == (theirs, job.remote_uuid, "team")
    assert (row.title, row.echo) == ("A job of another team", {})


@pytest.mark.parametrize("act", ["adopt", "stop", "watch", "ignore"])
def test_nobody_acts_on_another_teams_job(world: World, theirs: Credential, act: str) -> None:
    world.launched()
    look(world, theirs)
    row, hand = UnmanagedJob.objects.get(), hand_of(theirs.team)
    more = {"owner": hand.user, "lifetime_s": 600} if act == "adopt" else {}
    with pytest.raises(InventoryRefused) as refused:
        getattr(inventory, act)(row, hand=hand, now=world.clock.now, **more)
    assert refused.value.code == "another_team"
    assert Job.objects.count() == 1
    assert world.control.cancels() == []


def test_a_job_is_adopted_by_one_team_only(world: World, theirs: Credential) -> None:
    world.control.seed_jobs(1, keys=[world.credential.public_key], title="external")
    look(world, world.credential, theirs)
    mine, other = (UnmanagedJob.objects.get(credential=key) for key in (world.credential, theirs))
    hand = hand_of(world.team)
    inventory.adopt(mine, owner=hand.user, lifetime_s=600, hand=hand, now=world.clock.now)
    # What the other team read before still names it.
    their_hand = hand_of(theirs.team)
    with pytest.raises(InventoryRefused) as refused:
        inventory.adopt(other, owner=their_hand.user, lifetime_s=600, hand=their_hand, now=world.clock.now)
    assert refused.value.code == "not_yours"
    other.refresh_from_db()
    assert (other.title, other.source, other.echo) == ("A job of another team", "team", {})
    look(world, theirs)
    assert UnmanagedJob.objects.get().title == "A job of another team"
    assert Job.objects.get().team == world.team


def test_two_rows_cannot_hold_one_job_of_the_cloud(world: World, theirs: Credential) -> None:
    job = world.launched()
    with pytest.raises(IntegrityError):
        factories.make_job(theirs.team, credential=theirs, remote_uuid=job.remote_uuid)


def test_who_watched_what_becomes_another_teams_hears_no_more_of_it(world: World, theirs: Credential) -> None:
    (uuid,) = world.control.seed_jobs(1, keys=[world.credential.public_key], title="external")
    look(world, world.credential, theirs)
    their_row = UnmanagedJob.objects.get(credential=theirs)
    inventory.watch(their_row, hand=hand_of(theirs.team), now=world.clock.now)
    hand = hand_of(world.team)
    mine = UnmanagedJob.objects.get(credential=world.credential)
    inventory.adopt(mine, owner=hand.user, lifetime_s=600, hand=hand, now=world.clock.now)
    world.control.finish_job(uuid)
    look(world, theirs)
    assert not UnmanagedJob.objects.filter(credential=theirs).exists()
    assert not Event.objects.filter(kind="unmanaged.ended").exists()


def test_without_a_record_a_shared_account_does_not_say_whose_it_is(world: World, theirs: Credential) -> None:
    job = world.launched()
    job.delete()
    look(world, world.credential, theirs)
    rows = UnmanagedJob.objects.all()
    assert [row.source for row in rows] == ["unclear", "unclear"]
    assert {row.title for row in rows} == {"A job that was launched here"}
    alarms = Event.objects.filter(kind="unmanaged.unclear", audience="admins")
    assert {alarm.team for alarm in alarms} == {world.team, theirs.team}
    look(world, world.credential, theirs)
    assert alarms.count() == 2
    assert not Job.objects.exists()
    assert world.control.cancels() == []


def test_keys_of_two_accounts_are_not_shared(world: World, theirs: Credential) -> None:
    Credential.objects.filter(pk=world.credential.pk).update(account="one")
    Credential.objects.filter(pk=theirs.pk).update(account="two")
    world.launched().delete()
    look(world, world.credential)
    assert Job.objects.get().origin == Origin.FOUND


def test_a_team_that_was_deleted_makes_nobodys_job_doubtful(world: World, theirs: Credential) -> None:
    world.launched().delete()
    Team.objects.filter(pk=theirs.team_id).update(deleted_at=world.clock.now)
    look(world, world.credential)
    assert (Job.objects.get().team, Job.objects.get().origin) == (world.team, Origin.FOUND)
