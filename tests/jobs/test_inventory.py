"""Jobs of others on the team's keys, against the cloud's own ledger: told apart, adopted, stopped, never touched unasked."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.autostop import engine, facts
from dispersed_web.autostop.policy import decide
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.dispersed import AuthShapes
from dispersed_web.events.models import Event
from dispersed_web.jobs import inventory, log_keeping, logs, making, marker, specs, sync
from dispersed_web.jobs.inventory import Hand, InventoryRefused
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import AutostopPolicy, Installation, Membership
from tests import factories
from tests.jobs.world import World


def step(world: World, seconds: float = 5) -> None:
    world.clock.advance(seconds)
    world.control.advance(seconds)
    assert world.sync()


def external(world: World, title: str = "external", **spec: Any) -> str:
    """A job that somebody made with the key, outside of here."""
    body = factories.make_spec(title=title, **spec).to_body()
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        made = client.create_job(
            body, time_ms=client.cloud_now_ms(), nonce=uuid.uuid4().hex, auth_shapes=AuthShapes()
        )
    return made.uuid


def hand(world: World, **fields: Any) -> Hand:
    return Hand(world.user, world.actor, **fields)


def adopt(world: World, row: UnmanagedJob, lifetime_s: int = 3600, **fields: Any) -> Job:
    return inventory.adopt(
        row, owner=world.user, lifetime_s=lifetime_s, hand=hand(world, **fields), now=world.clock.now
    )


def enforce(world: World) -> None:
    """What auto-stop and the pursuit of stops do when they come by."""
    for job_id in {*engine.evaluate_due(world.clock.now), *Job.objects.values_list("pk", flat=True)}:
        tasks.pursue(job_id, world.clock)


def test_it_is_never_touched_unasked(world: World) -> None:
    remote = external(world)
    for _ in range(12):
        step(world, 1500)
        enforce(world)
    row = UnmanagedJob.objects.get()
    assert (row.remote_uuid, row.source, row.status) == (remote, "elsewhere", "RUNNING")
    assert row.hourly_rate_usd == Decimal(str(world.control.billing(remote)[0]["hourly_rate_usd"]))
    assert world.control.cancels() == []


def test_what_the_cloud_echoes_is_kept_without_secrets(world: World) -> None:
    env = {"HF_TOKEN": "canary-token-value", "MODE": "canary-plain-value"}
    external(world, env=env, registry_user="puller", description="For the paper")
    step(world)
    job = adopt(world, UnmanagedJob.objects.get())
    kept = json.dumps([job.spec, list(Event.objects.values_list("data", flat=True))])
    assert "canary" not in kept
    assert [(one["name"], one["value"], one["secret"]) for one in job.spec["env"]] == [
        ("HF_TOKEN", None, True),
        ("MODE", None, True),
    ]
    assert (job.spec["image"], job.spec["ports"]) == ("dispersednetwork/base", [22, 8888])
    assert job.spec_secrets_sealed == ""
    assert dict(specs.restore(job).env) == {}
    assert UnmanagedJob(remote_uuid="x").echo == {}
    assert making.of_row(UnmanagedJob(remote_uuid="x")).spec["env"] == []


def test_the_log_of_an_adopted_job_is_read_although_its_secrets_are_not_known(world: World) -> None:
    remote = external(world, env={"HF_TOKEN": "not-known-here", "MODE": "fast"})
    step(world, 40)
    job = adopt(world, UnmanagedJob.objects.get())
    step(world)
    job.refresh_from_db()
    run = job.runs.get()
    found = logs.read(job, run, world.clock.now)
    assert (found.trouble, len(found.lines) > 0) == ("", True)
    world.control.finish_job(remote)
    step(world)
    step(world, 30)
    log_keeping.begin(world.clock.now)
    world.clock.advance(10)
    assert log_keeping.keep(run.pk, world.clock)


def test_an_adopted_job_is_warned_about_and_stopped_as_any_other(world: World) -> None:
    remote = external(world)
    step(world, 40)
    step(world, 7200)
    job = adopt(world, UnmanagedJob.objects.get(), lifetime_s=1800)
    assert (job.origin, job.owner, job.created_by) == (Origin.ADOPTED, world.user, None)
    assert (job.remote_uuid, job.state) == (remote, Status.RUNNING)
    assert marker.find([job.marker]) is None
    assert job.form_token == f"adopt:{remote}"
    for _ in range(20):
        step(world, 120)
        enforce(world)
        job.refresh_from_db()
        if job.is_active:
            assert world.clock.now < job.launched_at + dt.timedelta(seconds=(job.lifetime_s or 0) + 600)
    kinds = list(Event.objects.filter(subject_id=str(job.pk)).order_by("id").values_list("kind", flat=True))
    assert kinds.index("job.adopted") < kinds.index("job.warned") < kinds.index("job.stop_requested")
    assert {row["job_uuid"] for row in world.control.cancels()} == {remote}
    assert world.control.job(remote)["status"] == "CANCELLED"
    assert (job.status, job.stop_reason) == (Status.CANCELLED, "max_lifetime")
    assert not UnmanagedJob.objects.exists()


def test_its_time_counts_from_the_adoption(world: World) -> None:
    external(world)
    step(world, 40)
    step(world, 5 * 3600)
    job = adopt(world, UnmanagedJob.objects.get(), lifetime_s=1800)
    ends = (job.launched_at or world.clock.now) + dt.timedelta(seconds=job.lifetime_s or 0)
    assert abs((ends - world.clock.now).total_seconds() - 1800) < 5


def test_the_longest_lifetime_of_its_credential_holds_for_an_adopted_job_too(world: World) -> None:
    external(world)
    step(world)
    CredentialCaps.objects.create(credential=world.credential, max_lifetime_s=1800)
    job = adopt(world, UnmanagedJob.objects.get(), lifetime_s=3600)
    age_s = (world.clock.now - job.launched_at).total_seconds()
    assert 0 <= job.lifetime_s - 1800 - age_s + 1 <= 1
    assert job.ceiling_s == job.lifetime_s


def test_what_passed_before_the_adoption_neither_warns_nor_stops(world: World) -> None:
    """The team's daily stops and the check-ins of the days before it was a job here."""
    external(world)
    step(world, 40)
    step(world, 2 * 86400)
    at = (world.clock.now + dt.timedelta(hours=3)).astimezone(dt.UTC)
    policy = AutostopPolicy.of(world.team.pk)
    policy.schedule = {
        "zone": "UTC",
        "stops": [{"weekdays": list(range(7)), "at": at.strftime("%H:%M")}],
    }
    policy.schedule_changed_at = world.clock.now - dt.timedelta(days=30)
    policy.save()
    job = adopt(world, UnmanagedJob.objects.get(), lifetime_s=6 * 3600)
    enforce(world)
    for _ in range(10):
        step(world, 60)
        enforce(world)
    job.refresh_from_db()
    assert job.stop_requested_at is None
    assert not Event.objects.filter(subject_id=str(job.pk), kind="job.warned").exists()
    verdict = decide(*facts.of(job, world.clock.now), world.clock.now)
    assert verdict.stop_at is not None
    assert verdict.stop_at > world.clock.now + dt.timedelta(hours=1)


def test_adopting_twice_gives_one_job(world: World) -> None:
    external(world)
    step(world)
    row = UnmanagedJob.objects.get()
    first = adopt(world, row)
    assert adopt(world, row).pk == first.pk
    assert Event.objects.filter(kind="job.adopted").count() == 1
    step(world)
    assert not UnmanagedJob.objects.exists()
    assert Job.objects.count() == 1


def test_what_ended_meanwhile_is_not_adopted(world: World) -> None:
    remote = external(world)
    step(world, 60)
    row = UnmanagedJob.objects.get()
    world.control.finish_job(remote)
    step(world)
    with pytest.raises(InventoryRefused) as refused:
        adopt(world, row)
    assert refused.value.code == "gone"
    assert not Job.objects.exists()


def test_stopping_adopts_and_sends_the_cancel_until_the_end_is_seen(world: World) -> None:
    remote = external(world)
    step(world, 60)
    job = inventory.stop(UnmanagedJob.objects.get(), hand=hand(world), now=world.clock.now, note="Forgotten")
    assert (job.origin, job.stop_note or Job.objects.get().stop_note) == (Origin.ADOPTED, "Forgotten")
    for _ in range(12):
        world.pass_time(15)
    job.refresh_from_db()
    assert (job.status, job.stop_next_at) == (Status.CANCELLED, None)
    assert [row["job_uuid"] for row in world.control.cancels()] == [remote]
    kinds = set(Event.objects.filter(subject_id=str(job.pk)).values_list("kind", flat=True))
    assert {"job.adopted", "job.stop_requested", "job.stop_confirmed"} <= kinds


@pytest.mark.parametrize(
    ("role", "lifetime_s"), [("viewer", 3600), (None, 3600), ("member", 10**8), ("member", 5)]
)
def test_owner_and_lifetime_lie_within_the_teams_bounds(
    world: World, role: str | None, lifetime_s: int
) -> None:
    external(world)
    step(world)
    owner = factories.make_user()
    if role:
        Membership.objects.create(team=world.team, user=owner, role=role)
    with pytest.raises(InventoryRefused):
        inventory.adopt(
            UnmanagedJob.objects.get(),
            owner=owner,
            lifetime_s=lifetime_s,
            hand=hand(world),
            now=world.clock.now,
        )
    assert not Job.objects.exists()


def test_another_installations_job_needs_an_admin_who_types_its_id(world: World) -> None:
    other = "zzzz" if Installation.get().code != "zzzz" else "yyyy"
    remote = external(world, title=f"llm-server {marker.new(other)}")
    step(world)
    row = UnmanagedJob.objects.get()
    assert row.source == "installation"
    for fields in ({}, {"typed": remote[-6:]}, {"manages": True}, {"manages": True, "typed": "zzzzzz"}):
        for act in (lambda f: adopt(world, row, **f), lambda f: _stop(world, row, **f)):
            with pytest.raises(InventoryRefused):
                act(fields)
    assert not Job.objects.exists()
    job = _stop(world, row, manages=True, typed=remote[-6:].upper())
    assert (job.title, marker.find([job.marker])) == ("llm-server", None)


def _stop(world: World, row: UnmanagedJob, **fields: Any) -> Job:
    return inventory.stop(row, hand=hand(world, **fields), now=world.clock.now)


def test_after_a_restored_backup_the_job_is_the_teams_again_at_once(world: World) -> None:
    job = world.launched()
    step(world, 60)
    remote, mark = job.remote_uuid, job.marker
    job.delete()
    step(world)
    found = Job.objects.get()
    assert (found.origin, found.remote_uuid, found.marker) == (Origin.FOUND, remote, mark)
    assert (found.state, found.owner, found.team) == (Status.RUNNING, None, world.team)
    ends = (found.launched_at or world.clock.now) + dt.timedelta(seconds=found.lifetime_s or 0)
    assert abs((ends - world.clock.now).total_seconds() - world.team.default_lifetime_s) < 10
    alarm = Event.objects.get(kind="job.recordless")
    assert (alarm.audience, alarm.subject_id) == ("admins", str(found.pk))
    assert not UnmanagedJob.objects.exists()
    for _ in range(25):
        step(world, 180)
        enforce(world)
    found.refresh_from_db()
    assert (found.status, found.stop_reason) == (Status.CANCELLED, "max_lifetime")
    assert world.control.job(remote)["status"] == "CANCELLED"
    assert Event.objects.filter(kind="job.warned", subject_id=str(found.pk)).exists()
    assert len(world.control.jobs()) == 1


def test_of_two_jobs_with_one_mark_and_no_record_the_oldest_is_the_launch(world: World) -> None:
    job = world.launched()
    title = world.control.job(job.remote_uuid)["title"]
    first, mark = job.remote_uuid, job.marker
    job.delete()
    world.control.advance(2)
    twin = external(world, title=title)
    step(world)
    step(world)
    assert (Job.objects.get().remote_uuid, Job.objects.get().marker) == (first, mark)
    row = UnmanagedJob.objects.get()
    assert (row.remote_uuid, row.source) == (twin, "duplicate")
    assert Event.objects.filter(kind="job.duplicate").count() == 1
    adopted = adopt(world, row)
    step(world)
    assert (adopted.remote_uuid, Job.objects.count(), UnmanagedJob.objects.count()) == (twin, 2, 0)


def test_a_late_find_is_also_made_with_another_key_of_the_account(world: World) -> None:
    job = world.launched()
    remote = job.remote_uuid
    Job.objects.filter(pk=job.pk).update(
        remote_uuid=None, status=Status.FAILED, reason="never_arrived", launched_at=None, remote_status=""
    )
    world.control.add_key("pk_sim_second000000", "sk_sim_second000000", world.sandbox.keys[0][2])
    second = factories.make_credential(
        world.team, world.sandbox, "pk_sim_second000000", "sk_sim_second000000"
    )
    assert sync.sync(second.pk, world.clock)
    job.refresh_from_db()
    assert (job.remote_uuid, job.is_active) == (remote, True)
    assert Event.objects.get(kind="job.found").audience == "admins"


def test_two_keys_of_one_account_show_a_stranger_once(world: World) -> None:
    world.control.add_key("pk_sim_second000000", "sk_sim_second000000", world.sandbox.keys[0][2])
    second = factories.make_credential(
        world.team, world.sandbox, "pk_sim_second000000", "sk_sim_second000000"
    )
    external(world)
    for _ in range(2):
        step(world)
        assert sync.sync(second.pk, world.clock)
    assert UnmanagedJob.objects.get().credential == world.credential
    # The first key is dead for a while: the other one's list keeps the job in sight.
    Credential.objects.filter(pk=world.credential.pk).update(
        listed_at=world.clock.now - dt.timedelta(hours=1)
    )
    world.clock.advance(40)
    world.control.advance(40)
    assert sync.sync(second.pk, world.clock)
    assert UnmanagedJob.objects.get().credential == second
