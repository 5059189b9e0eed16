"""Stopping against the simulated cloud: "stopped" means seen stopped, in its ledger."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import pytest

from dispersed_web import tasks
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import pursuit, sync
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import call_off, is_stuck, request_stop
from tests import factories
from tests.jobs.world import World
from tests.waiting import LIMIT_S

CANCEL = "PUT /v1/jobs/{uuid}/cancel"


def stop(world: World, job: Job, reason: Reason = Reason.USER) -> bool:
    return request_stop(job, actor=world.actor, reason=reason, now=world.clock.now)


def running(world: World) -> Job:
    job = world.launched()
    world.control.advance(40)
    world.sync()
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    return job


def truth(world: World, job: Job) -> str:
    return str(world.control.job(job.remote_uuid or "")["status"])


def kinds(job: Job) -> list[str]:
    return list(Event.objects.filter(subject_id=str(job.pk)).order_by("id").values_list("kind", flat=True))


def test_a_stop_ends_in_cancelled_and_is_made_sure(world: World) -> None:
    job = running(world)
    assert stop(world, job)
    for _ in range(8):
        world.pass_time(5)
    job.refresh_from_db()
    assert truth(world, job) == "CANCELLED"
    assert (job.status, job.reason, job.stop_next_at) == (Status.CANCELLED, Reason.USER, None)
    assert kinds(job)[-4:] == ["job.stop_requested", "job.stop_sent", "job.ended", "job.stop_confirmed"]
    assert job.spending_since is None
    billed = sum(run["billed_usd"] for run in world.control.billing(job.remote_uuid))
    assert float(job.spent_usd) == pytest.approx(float(billed), abs=0.02)


@pytest.mark.parametrize("phase_s", [0, 9])
def test_a_job_that_has_not_started_is_stopped_too(world: World, phase_s: int) -> None:
    job = world.launched()
    world.control.advance(phase_s)
    stop(world, job)
    for _ in range(8):
        world.pass_time(5)
    assert truth(world, job) == "CANCELLED"
    job.refresh_from_db()
    assert job.stop_next_at is None


def test_asking_twice_changes_nothing(world: World) -> None:
    job = running(world)
    assert stop(world, job)
    job.refresh_from_db()
    token = job.stop_token
    assert not stop(world, job, Reason.MAX_LIFETIME)
    job.refresh_from_db()
    assert (job.stop_token, job.stop_reason) == (token, Reason.USER)


def test_a_cancel_that_says_yes_and_does_nothing_is_repeated_until_the_ledger_shows_the_end(
    world: World,
) -> None:
    job = running(world)
    world.control.add_fault(CANCEL, "cancel_dropped", times=3)
    stop(world, job)
    for _ in range(80):
        world.pass_time(10)
        if truth(world, job) == "CANCELLED":
            break
        job.refresh_from_db()
        assert job.status not in (Status.CANCELLED, Status.COMPLETED, Status.FAILED)
    assert truth(world, job) == "CANCELLED"
    assert len(world.control.cancels(job.remote_uuid)) == 4


FAULTS: dict[str, dict[str, Any]] = {
    "drop before": {"kind": "drop", "at": "before"},
    "drop after": {"kind": "drop", "at": "after"},
    "500": {"kind": "status", "status": 500, "at": "before"},
    "503 after": {"kind": "status", "status": 503, "at": "after"},
    "429": {"kind": "status", "status": 429, "at": "before"},
    "404": {"kind": "cancel_status", "status": 404},
    "409": {"kind": "cancel_status", "status": 409},
    "403": {"kind": "cancel_status", "status": 403},
    "401": {"kind": "status", "status": 401, "at": "before"},
    "bad JSON": {"kind": "bad_json"},
    "HTML": {"kind": "html_body"},
    "redirect": {"kind": "redirect", "location": "/v1/jobs", "status": 307},
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_ends_the_pursuit_before_the_job(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's own pauses between its tries
    job = running(world)
    world.control.add_fault(CANCEL, times=4, **FAULTS[name])
    stop(world, job)
    for _ in range(40):
        world.pass_time(15)
    job.refresh_from_db()
    assert truth(world, job) == "CANCELLED"
    assert (job.status, job.stop_next_at) == (Status.CANCELLED, None)


def test_cancelling_for_ever_is_alarmed_and_still_counts_cost(world: World) -> None:
    job = running(world)
    world.control.add_fault(CANCEL, "cancel_slow", seconds=None)
    stop(world, job)
    for _ in range(45):
        world.pass_time(60)
    job.refresh_from_db()
    assert job.status == Status.CANCELLING
    assert is_stuck(job, world.clock.now)
    assert job.stop_next_at is not None
    alarms = Event.objects.filter(subject_id=str(job.pk), kind="job.stop_unconfirmed").order_by("id")
    assert [alarm.audience for alarm in alarms] == ["job_owner", "admins", "admins"]
    assert "It has cost about $" in alarms[1].sentence
    by_hand = f"If it cannot wait, end it by hand: in Dispersed’s console it is {job.remote_uuid}."
    assert [by_hand in alarm.sentence for alarm in alarms] == [False, True, True]
    assert job.meter.read(world.clock.now) > 0
    world.control.finish_job(job.remote_uuid or "")
    for _ in range(8):
        world.pass_time(60)
    job.refresh_from_db()
    assert job.stop_next_at is None


def test_a_revoked_key_is_told_and_the_stop_goes_out_when_it_works_again(world: World) -> None:
    job = running(world)
    world.control.revoke_key(world.credential.public_key)
    stop(world, job)
    for _ in range(5):
        world.pass_time(30)
    job.refresh_from_db()
    world.credential.refresh_from_db()
    assert (job.status, world.credential.state) == (Status.RUNNING, "broken")
    assert job.stop_attempts > 0
    assert Event.objects.filter(kind="credential.broken", audience="admins").count() == 1
    world.control.restore_key(world.credential.public_key)
    for _ in range(10):
        world.pass_time(15)
    assert truth(world, job) == "CANCELLED"
    world.credential.refresh_from_db()
    assert world.credential.state == "active"


def test_another_key_of_the_team_that_shows_the_job_stops_it(world: World) -> None:
    job = running(world)
    public, secret, account = world.sandbox.keys[0]
    assert public == world.credential.public_key
    world.control.add_key("pk_sim_second000000", "sk_sim_second000000", account)
    factories.make_credential(
        world.team, world.sandbox, "pk_sim_second000000", "sk_sim_second000000", listed_at=world.clock.now
    )
    world.control.revoke_key(public)
    stop(world, job)
    for _ in range(4):
        world.pass_time(15)
    assert truth(world, job) == "CANCELLED"
    assert secret not in str(world.control.cancels())


def test_a_key_of_another_account_stops_nothing(world: World) -> None:
    job = running(world)
    factories.make_credential(world.team, world.sandbox, listed_at=world.clock.now)
    world.control.revoke_key(world.credential.public_key)
    stop(world, job)
    for _ in range(4):
        world.pass_time(15)
    job.refresh_from_db()
    assert (truth(world, job), job.status, job.missing_since) == ("RUNNING", Status.RUNNING, None)


def test_a_key_that_may_not_cancel_blocks_new_launches(world: World) -> None:
    job = running(world)
    world.control.set_permissions(world.credential.public_key, forbid=["jobs.cancel.own"])
    stop(world, job)
    world.pass_time(5)
    assert Credential.objects.get(pk=world.credential.pk).cancel_refused_at is not None
    world.control.set_permissions(world.credential.public_key, forbid=[])
    for _ in range(10):
        world.pass_time(30)
    assert truth(world, job) == "CANCELLED"
    assert Credential.objects.get(pk=world.credential.pk).cancel_refused_at is None


def test_a_job_already_ended_counts_as_stopped(world: World) -> None:
    job = running(world)
    world.control.finish_job(job.remote_uuid or "")
    stop(world, job)
    for _ in range(5):
        world.pass_time(10)
    job.refresh_from_db()
    assert (job.status, job.stop_next_at) == (Status.COMPLETED, None)
    assert world.control.cancels(job.remote_uuid) == []


def test_a_stop_of_a_launch_in_doubt_goes_out_the_moment_it_is_found(world: World) -> None:
    world.control.add_fault("POST /v1/jobs", "drop", times=1, at="after")
    job = world.send(world.request())
    assert job.status == Status.UNCONFIRMED
    assert stop(world, job)
    for _ in range(8):
        world.pass_time(5)
    job.refresh_from_db()
    assert world.in_ledger(job)[0]["status"] == "CANCELLED"
    assert job.status == Status.CANCELLED


def test_a_look_that_stalls_holds_the_cancel_up_for_seconds_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(world)
    monkeypatch.setattr("dispersed_web.credentials.clients.IMPATIENT_S", 0.2)
    world.control.add_fault("GET /v1/jobs/{uuid}", "stall", seconds=3 * LIMIT_S)
    stop(world, job)
    began = time.monotonic()
    tasks.pursue(job.pk, world.clock)
    assert time.monotonic() - began < LIMIT_S
    assert len(world.control.cancels(job.remote_uuid)) == 1


def idle_stop(world: World) -> Job:
    job = running(world)
    assert stop(world, job, Reason.IDLE)
    job.refresh_from_db()
    return job


def test_a_stop_that_was_called_off_while_its_process_was_paused_is_not_sent(world: World) -> None:
    """It looked, was paused past its lease, another process found the job in use, and then it goes on."""
    job = idle_stop(world)
    pursuit.pursue(job.pk, world.clock, lambda job, clock: call_off(job, "it is used", clock()))
    job.refresh_from_db()
    assert world.control.cancels() == []
    assert (job.stop_requested_at, job.stop_next_at, job.stop_attempts) == (None, None, 0)
    pursuit._note(Job(pk=job.pk, stop_token=uuid.uuid4()), "Late.", world.clock.now)
    assert Job.objects.get(pk=job.pk).stop_next_at is None


def test_a_stop_that_a_person_asks_for_meanwhile_goes_out_as_theirs_at_once(world: World) -> None:
    job = idle_stop(world)
    pursuit.pursue(job.pk, world.clock, lambda job, clock: stop(world, job))
    assert world.control.cancels() == []
    assert list(pursuit.due_by_key(world.clock.now)) == [job.pk]
    tasks.pursue(job.pk, world.clock)
    (cancel,) = world.control.cancels(job.remote_uuid)
    job.refresh_from_db()
    assert str(job.stop_token) in str(cancel)


def test_what_nobody_wants_stopped_is_not_stopped_whatever_its_row_says(world: World) -> None:
    job = running(world)
    Job.objects.filter(pk=job.pk).update(stop_next_at=world.clock.now)
    assert list(pursuit.due_by_key(world.clock.now)) == []
    tasks.pursue(job.pk, world.clock)
    assert world.control.cancels() == []


def test_a_clock_that_is_far_off_keeps_no_end_from_being_seen(world: World) -> None:
    job = running(world)
    world.control.set_clock_skew(900)
    stop(world, job)
    for _ in range(8):
        world.pass_time(5)
    job.refresh_from_db()
    assert (truth(world, job), job.status, job.stop_next_at) == ("CANCELLED", Status.CANCELLED, None)


def test_another_teams_key_of_the_same_account_stops_nothing_of_ours(world: World) -> None:
    job = running(world)
    public, _, account = world.sandbox.keys[0]
    world.control.add_key("pk_sim_theirs000000", "sk_sim_theirs000000", account)
    theirs = factories.make_credential(
        factories.make_team(), world.sandbox, "pk_sim_theirs000000", "sk_sim_theirs000000"
    )
    world.control.revoke_key(public)
    stop(world, job)
    tasks.pursue(job.pk, world.clock)
    assert world.control.cancels() == []
    assert "pk_sim_theirs000000" not in str(world.control.requests()[-5:])
    assert Credential.objects.get(pk=theirs.pk).last_used_at is None


def test_two_stops_are_not_mixed_up(world: World) -> None:
    jobs = [world.launched(), world.launched(description="other")]
    for job in jobs:
        stop(world, job)
    for job in jobs:
        tasks.pursue(job.pk, world.clock)
    assert [len(world.control.cancels(job.remote_uuid)) for job in jobs] == [1, 1]


def test_while_the_cloud_is_cancelling_it_is_asked_again_only_after_three_minutes(world: World) -> None:
    job = running(world)
    world.control.add_fault(CANCEL, "cancel_slow", seconds=None)
    stop(world, job)
    for _ in range(9):
        world.clock.advance(19)
        tasks.pursue(job.pk, world.clock)
    assert len(world.control.cancels(job.remote_uuid)) == 1
    job.refresh_from_db()
    assert dt.timedelta(0) < job.stop_next_at - world.clock.now <= dt.timedelta(seconds=10)
    world.clock.advance(30)
    tasks.pursue(job.pk, world.clock)
    assert len(world.control.cancels(job.remote_uuid)) == 2


def test_a_key_that_cannot_be_opened_is_told_of_and_not_tried_without_end(world: World) -> None:
    job = running(world)
    Credential.objects.update(secret_sealed="v1|nobody|AAAA|AAAA")
    stop(world, job)
    tasks.pursue(job.pk, world.clock)
    job.refresh_from_db()
    assert job.stop_error
    assert job.stop_next_at > world.clock.now + dt.timedelta(seconds=3)


def test_what_was_tried_seldom_comes_first(world: World) -> None:
    now = world.clock.now
    often, seldom = (
        factories.make_job(
            world.team,
            credential=world.credential,
            stop_requested_at=now,
            stop_reason="user",
            stop_next_at=now - dt.timedelta(seconds=age_s),
            stop_attempts=attempts,
        )
        for age_s, attempts in ((60, 3), (1, 0))
    )
    assert list(pursuit.due_by_key(now).items()) == [(job.pk, world.credential.pk) for job in (seldom, often)]


def test_two_processes_never_pursue_one_stop_at_once(world: World) -> None:
    job = running(world)
    stop(world, job)
    assert pursuit._lease(job.pk, world.clock.now) is not None
    assert pursuit._lease(job.pk, world.clock.now) is None
    tasks.pursue(job.pk, world.clock)
    assert world.control.cancels(job.remote_uuid) == []
    world.clock.advance(121)
    tasks.pursue(job.pk, world.clock)
    assert len(world.control.cancels(job.remote_uuid)) == 1


def test_a_fault_of_our_own_delays_the_stop_and_is_not_repeated_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(world)
    stop(world, job)
    with monkeypatch.context() as patch:
        patch.setattr(pursuit, "client_for", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.pursue(job.pk, world.clock)
    assert list(pursuit.due_by_key(world.clock.now)) == []
    for _ in range(6):
        world.pass_time(10)
    assert truth(world, job) == "CANCELLED"


def test_the_cloud_out_of_reach_delays_the_stop_and_never_forgets_it(world: World) -> None:
    job = running(world)
    Credential.objects.update(api_url="http://127.0.0.1:9")
    stop(world, job)
    for _ in range(6):
        world.pass_time(300)
    job.refresh_from_db()
    assert job.stop_next_at is not None
    assert job.stop_error
    assert job.stop_next_at - world.clock.now <= dt.timedelta(minutes=5)
    Credential.objects.update(api_url=world.sandbox.url)
    for _ in range(6):
        world.pass_time(300)
    assert truth(world, job) == "CANCELLED"


def test_a_clock_that_is_set_back_keeps_no_stop_waiting(world: World) -> None:
    job = running(world)
    stop(world, job)
    tomorrow = world.clock.now + dt.timedelta(days=1)
    Job.objects.filter(pk=job.pk).update(
        stop_next_at=tomorrow, stop_lease_until=tomorrow, end_seen_at=tomorrow
    )
    for _ in range(8):
        world.pass_time(5)
    job.refresh_from_db()
    assert (truth(world, job), job.status, job.stop_next_at) == ("CANCELLED", Status.CANCELLED, None)


def test_a_stop_that_fails_in_the_product_itself_is_told_of_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(world)
    stop(world, job)

    def broken(*_: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(pursuit, "_step", broken)
    world.clock.advance(200)
    with pytest.raises(ArithmeticError):
        tasks.pursue(job.pk, world.clock)
    assert kinds(job)[-1] == "job.stop_unconfirmed"
    job.refresh_from_db()
    assert job.stop_lease_until is None


def test_an_end_that_is_applied_from_before_the_stop_was_asked_for_is_still_made_sure(world: World) -> None:
    job = running(world)
    read_before = Job.objects.get(pk=job.pk)
    stop(world, job)
    world.control.finish_job(job.remote_uuid)
    with client_for(world.credential, team_id=world.team.pk, purpose="probe") as client:
        sync.look_singly(read_before, client, world.clock)
    job.refresh_from_db()
    assert job.stop_next_at is not None
    for _ in range(8):
        world.pass_time(5)
    job.refresh_from_db()
    assert (job.status, job.reason, job.stop_next_at) == (Status.COMPLETED, Reason.USER, None)
    assert kinds(job)[-1] == "job.stop_confirmed"
