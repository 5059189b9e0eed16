"""The log of a run is kept once its end was seen, whatever happens in between, and nothing unmasked with it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from dispersed_web import tasks
from dispersed_web.jobs import log_keeping, log_store, logs
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import Job, JobRun, RunLog
from dispersed_web.signals import pruning
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
LOG = "GET /v1/job-runs/{uuid}"
SECRET = "canary-s3cr3t/value"


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


def running(world: World, **env: str) -> JobRun:
    """A run that writes a line every five seconds; what of its variables is not about the sandbox is secret."""
    order = world.order(image="acme/worker", env={"SANDBOX_BEHAVIOUR": "reset", **env}, ssh_key="", ports=())
    job = world.send(world.request(dataclasses.replace(order, secret_env=frozenset(env)), same_again=True))
    for _ in range(6):
        world.pass_time(30)
    return job.runs.get()


def ended(world: World, **env: str) -> JobRun:
    run = running(world, **env)
    world.control.finish_job(run.job.remote_uuid)
    world.pass_time(35)
    run.refresh_from_db()
    assert run.ended_at
    return run


def sweep(world: World) -> int:
    """What the background work does; how many logs it kept."""
    log_keeping.begin(world.clock.now)
    return sum(log_keeping.keep(run_id, world.clock) for run_id in log_keeping.due(world.clock.now))


def let(world: World, seconds: float) -> int:
    """Time passes on our side, and the sweep comes by."""
    world.clock.advance(seconds)
    return sweep(world)


def text_of(run: JobRun) -> str:
    kept = log_store.load(run)
    return Lines.unpack(kept.packed, kept.first).text() if kept else ""


def calls(world: World, run: JobRun) -> int:
    path = f"/v1/job-runs/{run.remote_uuid}"
    return sum(one["path"] == path for one in world.control.requests(method="GET"))


def test_the_log_of_an_ended_run_is_kept_once_and_read_from_there(world):
    run = ended(world)
    assert sweep(world) == 0  # its last words may still be on their way
    assert let(world, 6) == 1
    row = RunLog.objects.get()
    assert (row.is_final, row.next_at, row.given_up) == (True, None, "")
    assert text_of(run).endswith("✓ done")
    asked = calls(world, run)
    assert let(world, 3600) == 0
    world.control.add_fault(LOG, "status", status=503)
    shown = log_keeping.show(run.job, run, world.clock.now)
    assert shown.text == text_of(run)
    assert (shown.trouble, shown.seen_at) == ("", row.fetched_at)
    assert calls(world, run) == asked


def ended_a_minute_ago(world: World) -> JobRun:
    """By the clock of the database, with its log in line."""
    run = ended(world)
    ago = timezone.now() - dt.timedelta(minutes=1)
    JobRun.objects.filter(pk=run.pk).update(ended_at=ago)
    log_keeping.begin(ago)
    return run


def test_the_tasks_keep_it(world):
    run = ended_a_minute_ago(world)
    found: list[Any] = []
    tasks.sweep_logs_with(lambda run_id: None, found.append)
    assert found == [run.pk]
    tasks.keep_log(str(run.pk))
    assert RunLog.objects.get().is_final


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_reconcile_keeps_it(world):
    run = ended_a_minute_ago(world)
    call_command("reconcile", once=True)
    assert RunLog.objects.get(run=run).is_final


def test_while_the_cloud_fails_it_is_tried_less_and_less_and_kept_when_it_is_back(world):
    run = ended(world)
    world.control.add_fault(LOG, "status", status=503)
    log_keeping.begin(world.clock.now)
    asked = []
    for _ in range(60):
        let(world, 15)
        asked.append(calls(world, run))
    assert 4 <= asked[-1] <= 6
    assert RunLog.objects.get().failures == asked[-1]
    shown = log_keeping.show(run.job, run, world.clock.now)
    assert shown.trouble
    world.control.clear_faults()
    assert sum(let(world, 60) for _ in range(20)) == 1
    assert text_of(run).endswith("✓ done")
    assert log_keeping.show(run.job, run, world.clock.now).trouble == ""


def test_with_a_disabled_key_it_waits_for_one_that_works(world):
    run = ended(world)
    key = world.credential.public_key
    world.control.revoke_key(key)
    log_keeping.begin(world.clock.now)
    assert let(world, 30) == 0
    assert RunLog.objects.get().failures == 1
    world.control.restore_key(key)
    assert let(world, 60) == 1
    assert text_of(run)


def test_a_run_that_the_cloud_has_forgotten_is_given_up_at_once_and_says_so(world):
    run = ended(world)
    world.control.add_fault(LOG, "status", status=404)
    log_keeping.begin(world.clock.now)
    assert let(world, 30) == 0
    assert RunLog.objects.get().given_up == log_keeping.GONE
    asked = calls(world, run)
    assert let(world, 7200) == 0
    assert calls(world, run) == asked
    shown = log_keeping.show(run.job, run, world.clock.now)
    assert (shown.text, shown.trouble) == ("", log_keeping.GONE)


def test_after_a_day_of_failures_it_is_given_up_with_what_was_seen_last(world):
    run = running(world)
    logs.fetch(run.job, run, world.clock.now)
    seen = text_of(run)
    assert "processed" in seen
    world.control.finish_job(run.job.remote_uuid)
    world.pass_time(35)
    world.control.add_fault(LOG, "status", status=503)
    log_keeping.begin(world.clock.now)
    began = world.clock.now
    while not RunLog.objects.get().given_up:
        let(world, 600)
    assert dt.timedelta(hours=20) < world.clock.now - began < dt.timedelta(hours=48)
    run.refresh_from_db()
    shown = log_keeping.show(run.job, run, world.clock.now)
    assert shown.text == seen
    assert "For a day" in shown.trouble


def test_a_live_run_keeps_its_last_sight_without_a_call_of_its_own_and_seldom(world):
    run = running(world)
    logs.fetch(run.job, run, world.clock.now)
    first = RunLog.objects.get()
    assert (first.is_final, first.next_at) == (False, None)
    asked = calls(world, run)
    assert let(world, 3600) == 0
    assert calls(world, run) == asked
    world.pass_time(30)
    logs.fetch(run.job, run, first.fetched_at + dt.timedelta(minutes=4))
    assert RunLog.objects.get().fetched_at == first.fetched_at
    logs.fetch(run.job, run, first.fetched_at + dt.timedelta(minutes=6))
    assert RunLog.objects.get().fetched_at > first.fetched_at


def test_what_the_cloud_has_cut_off_stays_with_what_was_seen_before(world, monkeypatch):
    run = running(world)
    logs.fetch(run.job, run, world.clock.now)
    beginning = text_of(run).split("\n")[:2]
    monkeypatch.setattr("dispersed_web.sandbox.logs.KEPT_LINES", 6)
    world.control.finish_job(run.job.remote_uuid)
    world.pass_time(35)
    let(world, 0)
    assert let(world, 6) == 1
    lines = text_of(run).split("\n")
    assert lines[:2] == beginning
    assert lines[-1] == "✓ done"
    assert len(lines) > 6


def test_nothing_unmasked_is_stored(world):
    run = ended(world, SANDBOX_BEHAVIOUR=SECRET)
    let(world, 0)
    assert let(world, 6) == 1
    assert "is unknown" in text_of(run)
    assert "••••" in text_of(run)
    assert SECRET not in text_of(run)
    assert SECRET.encode() not in Lines.unpack(bytes(RunLog.objects.get().content)).data


def test_without_the_key_to_its_secrets_nothing_is_stored(world, settings):
    run = ended(world, SANDBOX_BEHAVIOUR=SECRET)
    keyring, settings.KEYRING = settings.KEYRING, [("other", bytes(32))]
    log_keeping.begin(world.clock.now)
    assert let(world, 30) == 0
    assert text_of(run) == ""
    settings.KEYRING = keyring
    assert let(world, 60) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_fetches_it(world):
    run = ended(world)
    log_keeping.begin(world.clock.now)
    world.clock.advance(10)
    asked = calls(world, run)
    found = at_once([lambda: log_keeping.keep(run.pk, world.clock)] * 4)
    assert sorted(found) == [False, False, False, True]
    assert calls(world, run) == asked + 1


def test_what_is_final_is_not_written_over(world):
    run = ended(world)
    let(world, 0)
    assert let(world, 6) == 1
    kept = text_of(run)
    assert not log_store.note(run, log_store.Sight(Lines.of("other").pack()), world.clock.now)
    run.ended_at = None
    assert not log_store.note(run, log_store.Sight(Lines.of("other").pack()), world.clock.now)
    assert text_of(run) == kept


def test_a_pass_asks_a_few_of_each_credential_the_longest_waiting_first(team_of_many):
    now = team_of_many[1]
    log_keeping.begin(now)
    chosen = log_keeping.due(now + dt.timedelta(seconds=10))
    by_key = [JobRun.objects.get(pk=run_id).job.credential_id for run_id in chosen]
    assert sorted(by_key.count(key) for key in set(by_key)) == [2, log_keeping.CALLS_A_PASS]


@pytest.fixture
def team_of_many(db: None):
    team = factories.make_team()
    now = dt.datetime(2026, 11, 25, 14, tzinfo=dt.UTC)
    keys = [factories.make_credential(team), factories.make_credential(team)]
    runs = []
    for number in range(9):
        job: Job = factories.make_job(team, "COMPLETED", credential=keys[number >= 7], now=now)
        runs.append(factories.make_run(job, ended_at=now - dt.timedelta(minutes=number)))
    old = factories.make_job(team, "COMPLETED", credential=keys[0], now=now)
    factories.make_run(old, ended_at=now - dt.timedelta(days=30))
    return runs, now


def test_kept_logs_are_forgotten_after_ninety_days(team_of_many):
    runs, now = team_of_many
    for run, days in zip(runs, (89, 91, None), strict=False):
        at = None if days is None else now - dt.timedelta(days=days)
        RunLog.objects.create(run=run, content=b"", is_final=True, fetched_at=at)
    JobRun.objects.filter(pk=runs[2].pk).update(ended_at=now - dt.timedelta(days=91))
    pruning.forget(log_store.outdated(now))
    assert list(RunLog.objects.values_list("run", flat=True)) == [runs[0].pk]
