"""Launching against the simulated cloud: assertions compare its ledger with our rows, never us with ourselves."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import AuthShapes, Client
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import finding, sending, specs
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import request_stop
from dispersed_web.teams.models import Membership, Team
from tests import factories
from tests.jobs.world import World
from tests.waiting import eventually

CREATE, COOK = "POST /v1/jobs", "POST /v1/job-recipes/{uuid}/cook"
LLAMA = "01a0114e-e7f8-4e76-a07a-f09fca41e2be"
# Endpoint, its path, the client's call, the recipe that is cooked.
WAYS = {
    "create": (CREATE, "/v1/jobs", "create_job", ""),
    "cook": (COOK, f"/v1/job-recipes/{LLAMA}/cook", "cook_job_recipe", LLAMA),
}


def check_ledger(world: World, job: Job) -> None:
    """At most one job was created for the launch, and our row says what the ledger says."""
    job.refresh_from_db()
    created = world.in_ledger(job)
    assert len(created) <= 1
    if created:
        assert job.remote_uuid == created[0]["uuid"]
    else:
        assert job.remote_uuid is None
        assert job.status in (Status.FAILED, Status.CANCELLED)


def test_a_launch_reaches_the_cloud_once(world: World) -> None:
    job = world.send(world.request())
    assert job.status == Status.PENDING
    for _ in range(3):
        world.send(job)
    check_ledger(world, job)
    assert len(world.in_ledger(job)) == 1
    kinds = list(Event.objects.filter(subject_id=str(job.pk)).order_by("id").values_list("kind", flat=True))
    assert kinds == ["job.requested", "job.launched"]


def test_what_is_wished_to_stop_is_not_sent_even_where_it_waits(world: World) -> None:
    job = world.request()
    Job.objects.filter(pk=job.pk).update(stop_requested_at=world.clock.now, stop_reason=Reason.USER)
    world.send(job)
    assert (world.in_ledger(job), job.maybe_sent) == ([], 0)


def test_what_is_sent_is_what_was_asked_for_plus_the_marker(world: World) -> None:
    order = world.order("Größe №5", env={"MODEL": "x", "HF_TOKEN": "hf_canary"}, description="nightly")
    job = world.send(world.request(order.__class__(order.title, order.spec, frozenset({"HF_TOKEN"}), 3600)))
    (sent,) = world.in_ledger(job)
    assert sent["title"] == f"Groe No5 {job.marker}"  # what has no ASCII form is left out
    body = world.control.job(sent["uuid"])["spec"]
    docker = body["parameters"]["parameters"]
    heartbeat = docker["env"].pop("DW_HEARTBEAT_URL")
    assert specs.heartbeat_digest(heartbeat.rpartition("/")[2]) == job.heartbeat_digest
    assert docker["env"] == {"MODEL": "x", "HF_TOKEN": "hf_canary", "DW_LAUNCH": job.marker}
    assert body["description"] == f"nightly {job.marker}"
    assert body["max_timeout_run_ms"] is None
    assert "hf_canary" not in str(Job.objects.filter(pk=job.pk).values().get())


# Every way the one request can go wrong ----------------------------------------------------------------------------

FAULTS: dict[str, tuple[dict[str, Any], int]] = {
    "drop on arrival": ({"kind": "drop", "at": "arrival"}, 0),
    "reset on arrival": ({"kind": "drop", "at": "arrival", "reset": True}, 0),
    "drop before the effect": ({"kind": "drop", "at": "before"}, 0),
    "reset before the effect": ({"kind": "drop", "at": "before", "reset": True}, 0),
    "drop after the effect": ({"kind": "drop", "at": "after"}, 1),
    "reset after the effect": ({"kind": "drop", "at": "after", "reset": True}, 1),
    "half a body": ({"kind": "drop", "at": "middle", "part": "body"}, 1),
    "half a status line": ({"kind": "drop", "at": "middle", "part": "status_line"}, 1),
    "timeout before the effect": ({"kind": "stall", "at": "arrival", "seconds": 1.5}, 1),
    "timeout after the effect": ({"kind": "stall", "at": "after", "seconds": 1.5}, 1),
    "slow drip": ({"kind": "drip", "seconds": 0.2, "chunk": 20}, 1),
    "bad JSON": ({"kind": "bad_json"}, 1),
    "no uuid": ({"kind": "no_uuid"}, 1),
    "HTML": ({"kind": "html_body"}, 1),
    "10 MB": ({"kind": "huge_body", "bytes": 10_000_000}, 1),
    "redirect": ({"kind": "redirect", "location": "/v1/jobs", "status": 307}, 0),
    "unknown status and fields": ({"kind": "unknown_fields"}, 1),
    "numbers as text": ({"kind": "numbers_as_text"}, 1),
    **{
        f"{status} {at}": ({"kind": "status", "status": status, "at": at}, int(at == "after"))
        for status in (401, 403, 408, 409, 418, 429, 500, 502, 503, 504)
        for at in ("before", "after")
    },
    **{
        f"{status} {body}": ({"kind": "status", "status": status, "at": "before", "body": body}, 0)
        for status in (400, 402, 404, 422)
        for body in ("json", "html", "empty")
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_ends_in_at_most_one_job_that_is_known(
    world: World, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, created = FAULTS[name]
    endpoint, path, call, recipe = WAYS[way]
    monkeypatch.setattr(Client, call, functools.partialmethod(getattr(Client, call), deadline_s=1.0))
    world.control.add_fault(endpoint, times=1, **fault)
    job = world.send(world.request(world.order(cook_uuid=recipe)))
    if job.status == Status.FAILED:
        assert job.reason == Reason.REFUSED
    if fault["kind"] == "stall":
        # The request that we gave up on arrives after all.
        eventually(lambda: world.in_ledger(job), "the late effect")
    world.settle()
    check_ledger(world, job)
    assert len(world.in_ledger(job)) == created
    posts = [row["path"] for row in world.control.requests() if row["method"] == "POST"]
    assert posts == [path]


def test_a_refused_connection_is_tried_again_because_nothing_left(world: World) -> None:
    Credential.objects.filter(pk=world.credential.pk).update(api_url="http://127.0.0.1:9")
    job = world.send(world.request())
    assert (job.status, job.maybe_sent, job.claims) == (Status.QUEUED, 0, 1)
    Credential.objects.filter(pk=world.credential.pk).update(api_url=world.sandbox.url)
    world.clock.advance(10)
    world.sweep()
    check_ledger(world, job)
    assert len(world.in_ledger(job)) == 1


def test_a_created_job_is_found_within_seconds(world: World) -> None:
    world.control.add_fault(CREATE, "drop", times=1, at="after")
    job = world.send(world.request())
    assert job.status == Status.UNCONFIRMED
    world.clock.advance(3)
    world.sweep()
    job.refresh_from_db()
    assert job.status in (Status.PENDING, Status.ASSIGNED, Status.PREPARING, Status.RUNNING)
    assert Event.objects.filter(subject_id=str(job.pk), kind="job.found").exists()


def test_absence_is_believed_only_after_the_fence_and_three_listings(world: World) -> None:
    world.control.add_fault(CREATE, "drop", times=1, at="before")
    job = world.send(world.request())
    for _ in range(6):
        world.clock.advance(60)
        world.sweep()
        job.refresh_from_db()
        assert job.status == Status.UNCONFIRMED
    world.clock.advance(61)
    world.sweep()
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.FAILED, Reason.NEVER_ARRIVED)


def test_a_failed_listing_proves_nothing(world: World) -> None:
    world.launched(description="another")
    world.control.add_fault(CREATE, "drop", times=1, at="before")
    job = world.send(world.request(same_again=True))
    world.control.add_fault("GET /v1/jobs", "void_page")
    world.settle(20)
    job.refresh_from_db()
    assert job.status == Status.UNCONFIRMED
    assert job.absent_lists == 0


def test_an_empty_list_is_not_believed_while_known_jobs_must_be_in_it(world: World) -> None:
    world.launched(description="another")
    Job.objects.update(launched_at=world.clock.now - dt.timedelta(seconds=70))  # well before
    world.control.add_fault(CREATE, "drop", times=1, at="after")
    job = world.send(world.request(same_again=True))
    Job.objects.filter(pk=job.pk).update(x_time_ms=job.x_time_ms - 120_000)
    world.control.add_fault("GET /v1/jobs", "empty_list")
    world.settle(15)
    job.refresh_from_db()
    assert (job.status, job.absent_lists) == (Status.UNCONFIRMED, 0)
    world.control.clear_faults()
    world.settle(2)
    check_ledger(world, job)
    assert len(world.in_ledger(job)) == 1


def test_a_refused_key_is_not_asked_at_every_sweep(world: World) -> None:
    world.control.add_fault(CREATE, "drop", times=1, at="before")
    world.send(world.request())
    world.control.revoke_key(world.credential.public_key)
    world.clock.advance(5)
    world.sweep()
    before = len(world.control.requests())
    for _ in range(10):
        world.clock.advance(0.1)
        world.sweep()
    assert len(world.control.requests()) == before


def test_without_a_time_window_only_a_person_ends_the_doubt(world: World) -> None:
    probe = {**factories.PROBE, "window_enforced": False}
    Credential.objects.filter(pk=world.credential.pk).update(probe=probe)
    world.control.add_fault(CREATE, "drop", times=1, at="before")
    job = world.send(world.request())
    world.settle(30)
    job.refresh_from_db()
    assert job.status == Status.UNCONFIRMED
    unresolved = Event.objects.filter(subject_id=str(job.pk), kind="job.unresolved", audience="admins")
    assert not unresolved.exists()
    for _ in range(3):
        world.clock.advance(12 * 3600 + 60)
        world.sweep()
    assert unresolved.count() == 1


def test_a_listing_that_lags_does_not_hide_a_job_for_good(world: World) -> None:
    world.control.set_listing_lag(3600)
    world.control.add_fault(CREATE, "drop", times=1, at="after")
    job = world.send(world.request())
    world.settle()
    job.refresh_from_db()
    assert job.status == Status.FAILED
    world.control.set_listing_lag(0)
    world.clock.advance(60)
    world.sweep()
    check_ledger(world, job)
    assert job.status != Status.FAILED
    assert Event.objects.get(subject_id=str(job.pk), kind="job.found").audience == "admins"


def test_a_late_find_is_stopped_when_a_newer_launch_took_its_place(world: World) -> None:
    world.control.set_listing_lag(3600)
    world.control.add_fault(CREATE, "drop", times=1, at="after")
    job = world.send(world.request())
    world.settle()
    world.control.set_time_window(None)  # our clock is ahead of the cloud's by now
    newer = world.launched(description="again")
    Job.objects.filter(pk=job.pk).update(superseded_by=newer)
    world.control.set_listing_lag(0)
    for _ in range(10):
        world.pass_time(10)
    job.refresh_from_db()
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.SUPERSEDED)
    assert world.in_ledger(job)[0]["status"] in ("CANCELLING", "CANCELLED")


def in_doubt_with_a_clone(world: World) -> Job:
    """A launch whose answer is forgotten, and in the cloud two jobs that carry its marker."""
    first = world.send(world.request())
    body = world.control.job(first.remote_uuid or "")["spec"]
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        cloned = {**body, "title": f"Clone {first.marker}"}
        client.create_job(
            cloned, time_ms=client.cloud_now_ms(), nonce=uuid.uuid4().hex, auth_shapes=AuthShapes()
        )
    Job.objects.filter(pk=first.pk).update(status=Status.UNCONFIRMED, remote_uuid=None, remote_status="")
    world.clock.advance(5)
    return first


def test_a_launch_in_doubt_takes_the_job_that_nobody_adopted_by_hand(world: World) -> None:
    first = in_doubt_with_a_clone(world)
    oldest, clone = world.in_ledger(first)
    factories.make_job(world.team, credential=world.credential, remote_uuid=oldest["uuid"])
    # Looked for alone: the sync, which finds late launches too, would hide that this does not.
    with client_for(world.credential, team_id=world.team.pk, purpose="sync") as client:
        finding.look(world.credential, client, world.clock)
    first.refresh_from_db()
    assert (first.remote_uuid, first.status) == (clone["uuid"], Status.PENDING)


def test_two_jobs_with_one_marker_raise_an_alarm_and_stop_nothing(world: World) -> None:
    first = in_doubt_with_a_clone(world)
    world.sweep()
    oldest, clone = world.in_ledger(first)
    first.refresh_from_db()
    assert first.remote_uuid == oldest["uuid"]
    alarm = Event.objects.get(subject_id=str(first.pk), kind="job.duplicate")
    assert clone["uuid"] in alarm.sentence
    assert alarm.audience == "admins"
    assert world.control.cancels() == []


# The claim ----------------------------------------------------------------------------


def test_a_dead_claim_is_put_in_doubt_and_never_sent_again(world: World) -> None:
    job = world.request()
    assert sending._claim(job.pk, world.clock.now) is not None
    assert sending._claim(job.pk, world.clock.now) is None
    world.clock.advance(121)
    world.sweep()
    job.refresh_from_db()
    assert job.status == Status.UNCONFIRMED
    world.settle()
    check_ledger(world, job)
    assert job.reason == Reason.NEVER_ARRIVED


def test_a_late_answer_ends_the_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder of a claim was paused past its lease, and then its request goes through after all."""
    job = world.request()
    create = Client.create_job

    def paused(*args: Any, **kwargs: Any) -> Any:
        remote = create(*args, **kwargs)
        world.clock.advance(125)
        sending.expire(world.clock.now)
        assert Job.objects.get(pk=job.pk).status == Status.UNCONFIRMED
        return remote

    monkeypatch.setattr(Client, "create_job", paused)
    world.send(job)
    assert job.status == Status.PENDING
    check_ledger(world, job)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda w: Membership.objects.filter(user=w.user).delete(), "may not launch"),
        (lambda w: Membership.objects.filter(user=w.user).update(role="viewer"), "may not launch"),
        (lambda w: Team.objects.update(launches_frozen=True), "frozen"),
        (lambda w: Credential.objects.update(state="disabled"), "disabled"),
        (lambda w: Credential.objects.update(state="broken", failure="No."), "refuses this credential"),
        (lambda w: Credential.objects.update(clock_offset_ms=31_000), "clock"),
        (lambda w: Credential.objects.update(cancel_refused_at=w.clock.now), "refused to stop"),
        (lambda w: Credential.objects.update(expires_at=w.clock.now + dt.timedelta(hours=2)), "expires"),
    ],
)
def test_the_claim_checks_again_what_the_form_checked(world: World, spoil: Any, reason: str) -> None:
    job = world.request()
    spoil(world)
    world.send(job)
    assert (job.status, job.reason) == (Status.FAILED, Reason.EXPIRED)
    assert reason in job.reason_text
    check_ledger(world, job)


def test_a_launch_waits_until_the_jobs_can_be_seen_and_expires_unsent(world: World) -> None:
    job = world.request()
    Credential.objects.update(listed_at=world.clock.now - dt.timedelta(minutes=6))
    world.send(job)
    assert job.status == Status.QUEUED
    assert "cannot be seen" in job.reason_text
    world.clock.advance(601)
    sending.expire(world.clock.now)
    check_ledger(world, job)
    assert job.reason == Reason.EXPIRED


def test_stopping_a_queued_launch_takes_it_back(world: World) -> None:
    job = world.request()
    assert request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    world.send(job)
    assert job.status == Status.CANCELLED
    check_ledger(world, job)


# Forms ----------------------------------------------------------------------------


def test_one_form_launches_one_job(world: World) -> None:
    token = uuid.uuid4().hex
    first = world.request(form_token=token)
    assert world.request(form_token=token) == first
    assert Job.objects.count() == 1


def test_a_used_form_cannot_launch_something_else(world: World) -> None:
    token = uuid.uuid4().hex
    first = world.request(form_token=token)
    with pytest.raises(FormAlreadyUsed) as caught:
        world.request(world.order("Other"), form_token=token)
    assert caught.value.job_id == first.pk


def test_another_lifetime_or_credential_is_something_else(world: World) -> None:
    token = uuid.uuid4().hex
    world.request(form_token=token)
    order = world.order()
    with pytest.raises(FormAlreadyUsed):
        world.request(order.__class__(order.title, order.spec, frozenset(), 7200), form_token=token)
    with pytest.raises(FormAlreadyUsed):
        world.request(credential=factories.make_credential(world.team, world.sandbox), form_token=token)
    assert Job.objects.count() == 1


def test_the_same_again_within_a_minute_is_asked_about(world: World) -> None:
    world.request()
    with pytest.raises(LaunchRefused) as caught:
        world.request()
    assert caught.value.code == "same_again"
    assert world.request(same_again=True)
    world.clock.advance(61)
    assert world.request()


def test_problems_of_the_specification_name_their_field(world: World) -> None:
    with pytest.raises(LaunchRefused) as caught:
        world.request(world.order(max_timeout_assign_ms=1000))
    assert caught.value.field == "max_timeout_assign_ms"
    assert not Job.objects.exists()


@pytest.mark.parametrize("lifetime_s", [0, 59, 86401])
def test_a_lifetime_outside_the_teams_bounds_is_refused(world: World, lifetime_s: int) -> None:
    order = world.order()
    with pytest.raises(LaunchRefused) as caught:
        world.request(order.__class__(order.title, order.spec, frozenset(), lifetime_s))
    assert caught.value.field == "lifetime"


def test_caps_count_everything_that_may_cost_money(world: World) -> None:
    Team.objects.update(max_active_jobs=3)
    factories.make_job(world.team, "UNCONFIRMED", credential=world.credential)
    factories.make_job(world.team, "RUNNING", credential=world.credential)
    factories.make_job(world.team, "CANCELLED", credential=world.credential)
    job = world.request()
    with pytest.raises(LaunchRefused) as caught:
        world.request(world.order("Fourth"))
    assert caught.value.code == "too_many_jobs"
    assert world.send(job).status == Status.PENDING


def test_the_price_cap_counts_quotes_and_rates(world: World) -> None:
    Team.objects.update(max_hourly_usd=Decimal("1.40"))
    world.launched()
    world.launched(description="second")
    with pytest.raises(LaunchRefused) as caught:
        world.request(world.order("Third"))
    assert caught.value.code == "too_expensive"


def test_a_batch_job_gets_a_limit_behind_the_clouds_own(world: World) -> None:
    order = world.order(task="BATCH", max_timeout_run_ms=3_600_000)
    job = world.request(order)
    assert job.lifetime_s == 300 + 300 + 3600 + 15 * 60
    assert job.ceiling_s == job.lifetime_s


def test_a_batch_job_whose_limit_lies_beyond_the_calendar_is_refused(world: World) -> None:
    year_ms = 365 * 24 * 3_600_000
    spec = {"max_timeout_run_ms": 60_000, "max_timeout_start_ms": 10 * year_ms, "max_retry_count": 1000}
    with pytest.raises(LaunchRefused) as caught:
        world.request(world.order(task="BATCH", **spec))
    assert caught.value.field == "max_retry_count"


def test_an_actor_is_named_in_the_event(world: World) -> None:
    job = world.request(actor=Actor.token(world.user, "CI", at_most="member"))
    event = Event.objects.get(subject_id=str(job.pk), kind="job.requested")
    assert (event.actor_kind, event.actor_user) == ("token", world.user)
    assert "CI" in event.sentence
