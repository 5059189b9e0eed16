"""Keys that are replaced, retired and deleted while jobs run with them, at the simulated cloud."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.credentials import keeping
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.keeping import CredentialRefused
from dispersed_web.credentials.models import Credential, CredentialCaps, CredentialState, CredentialUser
from dispersed_web.credentials.vault import CannotOpen
from dispersed_web.events.models import Event
from dispersed_web.jobs import credential_jobs, radius, stop, sync
from dispersed_web.jobs.models import Job, Preset, UnmanagedJob
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.web.shredding import shred
from tests import factories
from tests.jobs.test_inventory import external
from tests.jobs.world import World

NEW = ("pk_sim_rotated00000", "sk_sim_rotated00000")
TWIN = ("pk_sim_twin00000000", "sk_sim_twin00000000")


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    made = World(sandbox)
    Credential.objects.update(name="Lab")
    made.credential.refresh_from_db()
    return made


def key_of_the_same_account(world: World, pair: tuple[str, str]) -> None:
    world.control.add_key(*pair, world.sandbox.keys[0][2])


def know_the_account(world: World) -> str:
    """As adding the credential would have learned it."""
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        account = client.me().uuid
    Credential.objects.filter(pk=world.credential.pk).update(account=account)
    world.credential.refresh_from_db()
    return account


def rotate(world: World, pair: tuple[str, str]) -> Credential:
    return credential_jobs.rotate(
        world.credential, *pair, user=world.user, actor=world.actor, clock=world.clock
    )


def state_of(credential: Credential) -> str:
    return str(Credential.objects.values_list("state", flat=True).get(pk=credential.pk))


def stopped(world: World, job: Job) -> None:
    stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    for _ in range(8):
        world.pass_time(30)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert job.stop_next_at is None


def kinds() -> list[str]:
    return list(
        Event.objects.filter(kind__startswith="credential.").order_by("id").values_list("kind", flat=True)
    )


# Replacing ------------------------------------------------------------------------------------------------------------


def test_keys_of_the_same_account_take_the_place_of_the_old_ones(world: World) -> None:
    job = world.launched()
    know_the_account(world)
    key_of_the_same_account(world, NEW)
    Credential.objects.update(expiry_told_days=3)
    assert rotate(world, NEW).pk == world.credential.pk
    row = Credential.objects.get()
    assert (row.public_key, row.state, row.expiry_told_days) == (NEW[0], "active", None)
    world.control.revoke_key(world.sandbox.keys[0][0])
    stopped(world, job)


def test_keys_whose_account_is_not_proven_stand_beside_the_old_ones_until_their_last_job_is_over(
    world: World,
) -> None:
    job = world.launched()
    CredentialCaps.objects.create(credential=world.credential, max_active_jobs=7)
    CredentialUser.objects.create(credential=world.credential, user=world.user)
    Credential.objects.update(usable_by="chosen", managed_by="owners")
    world.credential.refresh_from_db()
    preset = Preset.objects.create(
        user=world.user,
        team=world.team,
        name="P",
        values={"credential": str(world.credential.pk), "task": "BATCH"},
        created_at=world.clock.now,
    )
    waiting = world.request(world.order("Waits"))
    new = rotate(world, world.sandbox.keys[1][:2])
    old = Credential.objects.get(pk=world.credential.pk)
    assert new.pk != old.pk
    assert (new.name, new.state, new.usable_by, new.managed_by) == ("Lab", "active", "chosen", "owners")
    assert (new.caps.max_active_jobs, new.chosen.get().user) == (7, world.user)
    assert old.name == f"Lab (retired {world.clock.now:%-d %b %Y})"
    assert (old.state, old.successor, old.retired_at) == ("retired", new, world.clock.now)
    preset.refresh_from_db()
    assert preset.values == {"credential": str(new.pk), "task": "BATCH"}
    waiting.refresh_from_db()
    assert waiting.credential == new
    assert world.send(waiting).status == Status.PENDING

    # It goes on listing and stopping, and its secret is there as long as that needs it.
    credential_jobs.sweep(world.clock)
    assert state_of(old) == "retired"
    stopped(world, job)
    credential_jobs.sweep(world.clock)
    assert state_of(old) == "retired"  # its log may still be fetched
    world.clock.advance(601)
    world.control.advance(601)
    credential_jobs.sweep(world.clock)
    old.refresh_from_db()
    assert (old.state, old.secret_sealed) == ("gone", "")
    with pytest.raises(CannotOpen):
        client_for(old, team_id=world.team.pk, purpose="stop")
    assert not sync.sync(old.pk, world.clock)
    assert kinds()[-2:] == ["credential.rotated", "credential.gone"]


@pytest.mark.parametrize("what", ["doubt", "watched", "unmanaged", "stopping"])
def test_a_retired_key_stays_while_anything_needs_it(world: World, what: str) -> None:
    now = world.clock.now
    Credential.objects.update(state="retired", retired_at=now)
    ages = {"created_at": now - dt.timedelta(days=1)}
    if what == "doubt":
        factories.make_job(world.team, "UNCONFIRMED", credential=world.credential, **ages)
    elif what == "watched":
        later = now + dt.timedelta(days=9)
        factories.make_job(
            world.team,
            "FAILED",
            credential=world.credential,
            watch_until=later,
            ended_at=now - dt.timedelta(hours=1),
            **ages,
        )
    elif what == "stopping":
        factories.make_job(
            world.team,
            "CANCELLED",
            credential=world.credential,
            stop_requested_at=now,
            ended_at=now - dt.timedelta(hours=1),
            **ages,
        )
    else:
        UnmanagedJob.objects.create(
            credential=world.credential, remote_uuid="x", title="x", first_seen_at=now, seen_at=now
        )
    row = Credential.objects.select_related("team").get()
    assert not credential_jobs.end_retired(row, now)
    UnmanagedJob.objects.all().delete()
    Job.objects.update(
        status="FAILED", watch_until=None, stop_next_at=None, ended_at=now - dt.timedelta(hours=1)
    )
    assert credential_jobs.end_retired(row, now)
    assert state_of(row) == "gone"


def test_keys_of_another_account_stand_beside_the_old_ones_too(world: World) -> None:
    world.launched()
    know_the_account(world)
    assert rotate(world, world.sandbox.keys[1][:2]).pk != world.credential.pk


def test_of_a_retired_key_that_expires_it_is_told_what_hangs_on_it(world: World) -> None:
    world.launched()
    ends = world.clock.now + dt.timedelta(days=2)
    Credential.objects.update(state="retired", expires_at=ends)
    credential_jobs.sweep(world.clock)
    sentence = Event.objects.get(kind="credential.expires").sentence
    assert sentence.startswith("The key of the retired credential “Lab” expires in less than 3 days, on ")
    assert sentence.endswith(
        "After that 1 job (“Dev”; $0.69/h) cannot be seen or stopped from here. Stop them before, or let the key last "
        "longer at Dispersed."
    )


def test_keys_that_were_there_already_are_not_said_to_be_new(world: World) -> None:
    assert rotate(world, world.sandbox.keys[0][:2]).pk == world.credential.pk
    event = Event.objects.get(kind="credential.replaced")
    assert "stored the secret key anew of the credential “Lab”" in event.sentence


def test_new_keys_are_never_sent_to_an_address_where_they_were_not_tried(world: World) -> None:
    know_the_account(world)
    old_address = "http://127.0.0.1:9"
    Credential.objects.update(api_url=old_address)
    world.credential.refresh_from_db()
    key_of_the_same_account(world, NEW)
    new = rotate(world, NEW)
    assert new.api_url == world.sandbox.url
    old = Credential.objects.get(pk=world.credential.pk)
    assert (old.api_url, old.public_key, old.state) == (old_address, world.credential.public_key, "retired")


@pytest.mark.parametrize("same_account", [True, False])
def test_a_disabled_credential_stays_disabled_with_new_keys(world: World, same_account: bool) -> None:
    world.launched()
    know_the_account(world)
    Credential.objects.update(state=CredentialState.DISABLED)
    world.credential.refresh_from_db()
    if same_account:
        key_of_the_same_account(world, NEW)
    new = rotate(world, NEW if same_account else world.sandbox.keys[1][:2])
    assert (new.pk == world.credential.pk) == same_account
    new.refresh_from_db()
    assert new.state == CredentialState.DISABLED


def test_a_bad_pair_changes_nothing(world: World) -> None:
    world.launched()
    world.control.revoke_key(world.sandbox.keys[1][0])
    with pytest.raises(CredentialRefused):
        rotate(world, world.sandbox.keys[1][:2])
    assert list(Credential.objects.values_list("name", "state")) == [("Lab", "active")]


def test_what_was_replaced_is_not_replaced_again(world: World) -> None:
    world.launched()
    rotate(world, world.sandbox.keys[1][:2])
    key_of_the_same_account(world, NEW)
    with pytest.raises(CredentialRefused, match="meanwhile"):
        rotate(world, NEW)


# Two keys of one account ----------------------------------------------------------------------------------------------


@pytest.fixture
def twin(world: World) -> Credential:
    key_of_the_same_account(world, TWIN)
    account = know_the_account(world)
    return factories.make_credential(world.team, world.sandbox, *TWIN, name="Twin", account=account)


def sync_both(world: World, twin: Credential) -> None:
    for one in (twin, world.credential):
        Credential.objects.update(sync_lease_until=None)
        assert sync.sync(one.pk, world.clock)


def test_two_keys_of_one_account_show_no_job_as_unmanaged_and_adopt_none_twice(
    world: World, twin: Credential
) -> None:
    world.launched()
    world.launched(image="dispersednetwork/comfyui")
    Job.objects.update(credential=world.credential)
    other = world.send(world.request(world.order("Third"), credential=twin))
    lost = world.request(world.order("Lost"), same_again=True)
    world.control.add_fault("POST /v1/jobs", "drop", times=1, at="after")
    assert world.send(lost).status == Status.UNCONFIRMED
    for _ in range(3):
        world.pass_time(5)
        sync_both(world, twin)
    assert not UnmanagedJob.objects.exists()
    assert Job.objects.count() == 4
    assert other.remote_uuid
    assert Job.objects.values("remote_uuid").distinct().count() == 4


def test_a_launch_that_turns_up_after_its_key_was_deleted_is_watched_to_its_end(
    world: World, twin: Credential
) -> None:
    job = world.launched()
    Job.objects.filter(pk=job.pk).update(
        remote_uuid=None,
        status=Status.FAILED,
        reason=Reason.NEVER_ARRIVED,
        ended_at=world.clock.now,
        watch_until=world.clock.now + dt.timedelta(days=30),
    )
    credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
    assert sync.sync(twin.pk, world.clock)
    job.refresh_from_db()
    assert (job.remote_uuid is not None, job.credential) == (True, twin)
    world.credential = twin
    stopped(world, job)


def test_a_key_that_was_destroyed_while_jobs_run_can_be_added_again_and_stops_them(world: World) -> None:
    job = world.launched()
    shred(world.team, world.clock.now, force=True)
    public_key, secret_key = world.sandbox.keys[0][:2]
    world.credential = keeping.add(
        world.team, "Lab", public_key, secret_key, user=world.user, actor=world.actor, clock=world.clock
    )
    assert world.sync()
    stopped(world, job)


def test_a_job_of_neither_is_shown_once(world: World, twin: Credential) -> None:
    external(world)
    sync_both(world, twin)
    sync_both(world, twin)
    assert UnmanagedJob.objects.count() == 1
    Credential.objects.filter(pk=UnmanagedJob.objects.get().credential_id).update(state="retired")
    left = Credential.objects.get(state="active")
    Credential.objects.update(sync_lease_until=None)
    sync.sync(left.pk, world.clock)
    assert UnmanagedJob.objects.get().credential == left


def test_deleting_one_hands_its_jobs_to_the_other(world: World, twin: Credential) -> None:
    job = world.launched()
    assert radius.of_jobs(world.credential).others == ("Twin",)
    credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
    job.refresh_from_db()
    assert job.credential == twin
    assert state_of(world.credential) == "gone"
    stopped(world, job)


# Deleting -------------------------------------------------------------------------------------------------------------


def test_what_alone_can_stop_a_job_is_not_deleted(world: World) -> None:
    job = world.launched()
    with pytest.raises(CredentialRefused, match="alone can stop 1 running job"):
        credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
    assert state_of(world.credential) == "active"
    stopped(world, job)
    credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
    assert state_of(world.credential) == "gone"
    with pytest.raises(CredentialRefused):
        credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)


def test_a_launch_that_waits_is_not_sent_with_a_deleted_key(world: World) -> None:
    job = world.request()
    credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
    world.send(job)
    assert job.status == Status.FAILED
    assert not world.in_ledger(job)


def test_a_key_that_may_not_stop_is_no_help_to_another(world: World, twin: Credential) -> None:
    for spoiled in (
        {"cancel_refused_at": world.clock.now},
        {"failures": 1},
        {"state": CredentialState.BROKEN},
        {"account": "another"},
        {"account": ""},
    ):
        Credential.objects.filter(pk=twin.pk).update(**spoiled)
        assert radius.same_account(world.credential) == []
        Credential.objects.filter(pk=twin.pk).update(
            cancel_refused_at=None, failures=0, state="active", account=world.credential.account
        )
    assert radius.same_account(world.credential) == [twin]


# What is learned ------------------------------------------------------------------------------------------------------


def test_a_broken_key_tells_which_jobs_cannot_be_stopped(world: World) -> None:
    world.launched()
    Job.objects.update(hourly_rate_usd="0.69")
    world.control.revoke_key(world.sandbox.keys[0][0])
    world.sync()
    sentence = Event.objects.get(kind="credential.broken").sentence
    assert "1 job (“Dev”; $0.69/h) cannot be stopped from here until it works again." in sentence


@pytest.mark.parametrize("state", ["retired", "disabled"])
def test_a_key_that_launches_nothing_any_more_and_breaks_is_told_of_once(world: World, state: str) -> None:
    Credential.objects.update(state=state)
    world.control.revoke_key(world.sandbox.keys[0][0])
    for _ in range(2):
        Credential.objects.update(sync_due_at=None)
        world.sync()
    assert kinds() == ["credential.broken"]
    assert state_of(world.credential) == state


def test_what_the_cloud_allows_is_learned_from_what_it_does_and_refuses(world: World) -> None:
    world.sync()
    job = world.launched()
    world.control.set_permissions(world.sandbox.keys[0][0], forbid=["jobs.cancel.own"])
    stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    tasks.pursue(job.pk, world.clock)
    known = Credential.objects.get().permissions
    assert {act: found["allowed"] for act, found in known.items()} == {
        "list": True,
        "launch": True,
        "stop": False,
    }


def test_owners_hear_once_that_somebody_uses_a_credential_for_the_first_time(world: World) -> None:
    world.launched()
    world.launched()
    told = Event.objects.filter(kind="credential.first_used")
    assert [(one.audience, one.subject_id) for one in told] == [("owners", str(world.credential.pk))]
    assert f"{world.user} launched" in told[0].sentence


def test_launches_and_stops_are_its_last_use(world: World) -> None:
    job = world.launched()
    owner = factories.owner_of(world.team)
    world.clock.advance(60)
    stop.request_stop(job, actor=type(world.actor).person(owner), reason=Reason.USER, now=world.clock.now)
    tasks.pursue(job.pk, world.clock)
    row = Credential.objects.get()
    assert (row.last_used_by, row.last_used_at) == (owner, world.clock.now)
