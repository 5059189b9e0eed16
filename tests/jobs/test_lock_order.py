"""No two transactions lock a team and its jobs in opposite orders: PostgreSQL would end one of them, perhaps a stop."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dispersed_web.credentials import health
from dispersed_web.dispersed import Outcome, Unauthorized
from dispersed_web.events.record import record
from dispersed_web.jobs import applying, credential_jobs, sending, stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.models import Team
from tests.jobs.test_races import at_once
from tests.jobs.world import World
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db(transaction=True)
# SQLite lets the second transaction begin only after the first, so there nobody meets anybody.
MEET_S = 1.0


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


@pytest.fixture
def holds_its_job(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a stop that is being asked for has its job's row, and is about to move the team's version."""
    reached = threading.Event()

    def telling(*args: Any, **options: Any) -> Any:
        reached.set()
        return record(*args, **options)

    monkeypatch.setattr(stop, "record", telling)
    return reached


def ask(world: World, job: Job) -> bool:
    return stop.request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)


def test_a_stop_is_taken_while_a_listing_is_applied(
    world: World,
    holds_its_job: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = [world.launched() for _ in range(2)]
    world.control.advance(600)
    Job.objects.update(created_at=world.clock.now)
    first_applied = threading.Event()
    apply_seen = applying.apply_seen

    def one_after_the_other(job: Job, *rest: Any) -> bool:
        changed = apply_seen(job, *rest)
        if job.pk == shown[0]:
            first_applied.set()
            holds_its_job.wait(MEET_S)
        return changed

    shown: list[Any] = []
    apply_live = applying.apply_live

    def noting(pairs: Any, *rest: Any) -> bool:
        shown.extend(job.pk for job, _ in pairs)
        return apply_live(pairs, *rest)

    monkeypatch.setattr(applying, "apply_live", noting)
    monkeypatch.setattr(applying, "apply_seen", one_after_the_other)

    def stop_the_second() -> bool:
        assert first_applied.wait(LIMIT_S)
        return ask(world, next(job for job in jobs if job.pk == shown[1]))

    assert at_once([world.sync, stop_the_second]) == [True, True]
    assert not [one for one in caplog.records if one.name.startswith("dispersed_web")]
    assert set(Job.objects.values_list("status", flat=True)) == {"RUNNING"}


def test_a_stop_is_taken_while_the_launch_is_claimed(
    world: World, holds_its_job: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.request()
    take_turn = sending.take_turn
    in_turn = threading.Event()

    def slowly(team: Team) -> None:
        take_turn(team)
        in_turn.set()
        holds_its_job.wait(MEET_S)

    monkeypatch.setattr(sending, "take_turn", slowly)

    def stop_it() -> bool:
        assert in_turn.wait(LIMIT_S)
        return ask(world, found)

    found = Job.objects.get(pk=job.pk)
    claimed, stopped = at_once([lambda: sending.send(job.pk, world.clock), stop_it])
    assert (claimed, stopped) == (None, True)


@pytest.mark.parametrize("act", ["rotate", "delete"])
def test_a_key_is_replaced_and_deleted_while_a_sync_notes_that_it_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    in_turn, notes = threading.Event(), threading.Event()
    take_turn = credential_jobs.take_turn

    def slowly(team: Team) -> None:
        take_turn(team)
        in_turn.set()
        notes.wait(MEET_S)

    def telling(*args: Any, **options: Any) -> Any:
        notes.set()
        return record(*args, **options)

    monkeypatch.setattr(credential_jobs, "take_turn", slowly)
    monkeypatch.setattr(health, "record", telling)
    fault = Unauthorized("The key was revoked.", outcome=Outcome.REFUSED)
    pair = world.sandbox.keys[1][:2]

    def change() -> str:
        if act == "delete":
            credential_jobs.delete(world.credential, actor=world.actor, now=world.clock.now)
            return "done"
        credential_jobs.rotate(world.credential, *pair, user=world.user, actor=world.actor, clock=world.clock)
        return "done"

    def note() -> str:
        assert in_turn.wait(LIMIT_S)
        health.note_failure(world.credential, fault, world.clock.now)
        return "done"

    assert at_once([change, note]) == ["done", "done"]
