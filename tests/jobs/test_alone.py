"""One row that makes trouble keeps nobody else from being found, seen, launched or stopped."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Client, JobRun, Unreachable
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed.outcomes import Outcome
from dispersed_web.jobs import departed, finding, runs, sending, strangers, sync
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.jobs.models import JobRun as Run
from dispersed_web.jobs.sources import Source
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import request_stop
from tests import factories
from tests.jobs.world import World

ONE = "GET /v1/jobs/{uuid}"
NOWHERE = "01a209c6-588c-4feb-ae25-000000000000"


def fails_for(victim: Any, act: Any, what: str = "pk") -> Any:
    """``act``, which raises when its first argument is ``victim``."""

    def maybe(first: Any, *rest: Any, **named: Any) -> Any:
        if getattr(first, what, None) == victim:
            raise ZeroDivisionError
        return act(first, *rest, **named)

    return maybe


def test_a_fault_of_ours_is_kept_apart_and_one_of_the_cloud_is_not() -> None:
    with alone("a row", "seen"):
        raise ZeroDivisionError
    with pytest.raises(Unreachable), alone("a row", "seen"):
        raise Unreachable("Out of reach.", outcome=Outcome.UNKNOWN)


def test_an_odd_claim_keeps_no_other_from_being_put_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = world.clock.now - dt.timedelta(minutes=1)
    odd, other = (factories.make_job(world.team, "LAUNCHING", lease_until=past) for _ in range(2))
    late = factories.make_job(world.team, "QUEUED", send_by=past)
    monkeypatch.setattr(sending, "_doubt", fails_for(odd.pk, sending._doubt))
    sending.expire(world.clock.now)
    assert [Job.objects.get(pk=job.pk).status for job in (odd, other, late)] == [
        "LAUNCHING",
        "UNCONFIRMED",
        "FAILED",
    ]


def test_an_odd_launch_keeps_no_claim_from_being_put_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = world.clock.now - dt.timedelta(minutes=1)
    odd = factories.make_job(world.team, "QUEUED", send_by=past)
    claim = factories.make_job(world.team, "LAUNCHING", lease_until=past)
    monkeypatch.setattr(sending, "_end_unsent", fails_for(odd.pk, sending._end_unsent))
    sending.expire(world.clock.now)
    assert Job.objects.get(pk=claim.pk).status == "UNCONFIRMED"


def test_an_odd_launch_in_doubt_keeps_no_other_from_being_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.control.add_fault("POST /v1/jobs", "drop", times=2, at="after")
    odd, job = world.send(world.request()), world.send(world.request(same_again=True))
    assert job.status == Status.UNCONFIRMED
    monkeypatch.setattr(finding, "_conclude", fails_for(odd.pk, finding._conclude))
    world.clock.advance(4)
    assert world.sync()
    job.refresh_from_db()
    assert job.remote_uuid is not None


def test_an_odd_launch_of_which_people_are_told_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.clock.now - dt.timedelta(hours=25)
    odd, other = (factories.make_job(world.team, "UNCONFIRMED", unknown_since=old) for _ in range(2))
    monkeypatch.setattr(finding, "_ask_a_person", fails_for(odd.pk, finding._ask_a_person))
    finding.ask_people(world.clock.now)
    assert other.team.events.filter(kind="job.unresolved", subject_id=str(other.pk)).exists()


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "html_body"}])
def test_a_job_of_which_the_cloud_cannot_speak_does_not_blind_its_credential(
    world: World, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    job = world.launched()
    for _ in range(5):
        factories.make_job(world.team, "RUNNING", credential=world.credential)
    world.control.add_fault(ONE, **fault)
    world.control.add_fault("GET /v1/jobs", "empty_list")
    before = len(world.control.requests())
    assert world.sync()
    assert Credential.objects.get(pk=world.credential.pk).failures == 0
    job.refresh_from_db()
    assert (job.is_active, job.missing_since) == (True, None)
    asked = [row for row in world.control.requests()[before:] if row["path"].startswith("/v1/jobs/")]
    # Here the cloud knows of no other job anyway, and says so; there it cannot say anything of any.
    assert len({row["path"] for row in asked}) == (sync.UNREADABLE if fault["kind"] == "status" else 6)


def test_an_unmanaged_job_of_which_the_cloud_cannot_speak_does_not_blind_its_credential(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    now = world.clock.now
    UnmanagedJob.objects.create(
        credential=world.credential, remote_uuid=NOWHERE, first_seen_at=now, seen_at=now, status="RUNNING"
    )
    world.control.add_fault(ONE, "status", status=500)
    assert world.sync()
    assert UnmanagedJob.objects.get().missing_since is None


@pytest.mark.parametrize("module", [strangers, sync, departed])
def test_what_is_odd_in_a_pass_does_not_blind_its_credential(
    world: World, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of somebody else, one that is looked at singly, and one that left the list."""
    world.control.seed_jobs(2, keys=[world.credential.public_key], title="external")
    odd, other = (row["uuid"] for row in world.control.jobs())
    broken = {
        strangers: ("_values", fails_for(odd, strangers._values, "uuid")),
        sync: ("look_singly", lambda *_: 1 / 0),
        departed: ("_ask_for", lambda *_: 1 / 0),
    }[module]
    now = world.clock.now
    lost = factories.make_job(world.team, "RUNNING", credential=world.credential)
    UnmanagedJob.objects.create(
        credential=world.credential, remote_uuid=NOWHERE, first_seen_at=now, seen_at=now, status="RUNNING"
    )
    monkeypatch.setattr(module, *broken)
    world.clock.advance(10)
    assert world.sync()
    assert UnmanagedJob.objects.filter(remote_uuid=other).exists()
    assert (Job.objects.get(pk=lost.pk).missing_since is not None) == (module is not sync)
    assert Credential.objects.get(pk=world.credential.pk).listed_at == world.clock.now


def test_a_look_that_trips_us_up_does_not_keep_the_cancel_from_being_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.launched()
    monkeypatch.setattr(Client, "get_job", lambda *_: 1 / 0)
    request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    world.sweep()
    assert len(world.control.cancels(job.remote_uuid)) == 1


def test_a_price_that_no_column_holds_makes_no_row_unreadable() -> None:
    """On SQLite such a row could be written and never read again, and no list that has it."""
    remote = RemoteJob(uuid="a", status="RUNNING")

    def listed(usd: str, count: int) -> Any:
        some = [JobRun(str(n), "a", "RUNNING", hourly_rate_usd=Decimal(usd)) for n in range(count)]
        return strangers._values(remote, Source.ELSEWHERE, some)["hourly_rate_usd"]

    assert listed("1e9", 1) is None
    assert listed("9000", 200) == runs.MAX_RATE_USD
    assert listed("0.69", 2) == Decimal("1.38")
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    ended = Run(hourly_rate_usd=Decimal(9000), started_at=long_ago, ended_at=long_ago.replace(year=2026))
    live = [Run(hourly_rate_usd=Decimal(9000), started_at=long_ago, status="RUNNING") for _ in range(200)]
    assert runs.meter([ended]).spent_usd == runs.MAX_SPENT_USD
    assert runs.meter([ended, *live]).hourly_rate_usd == runs.MAX_RATE_USD
