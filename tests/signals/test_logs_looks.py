"""When logs are looked at: how often, which ones first, by whom, and never more than the credential may ask."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.cache import cache

from dispersed_web import tasks
from dispersed_web.jobs import logs as job_logs
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs
from dispersed_web.signals.models import LogWatch
from dispersed_web.teams.models import Team
from dispersed_web.web.cache import ForgivingRedisCache
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World
from tests.signals.watching import buckets, let, log_calls, look, running, watch_of

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
NOW = dt.datetime(2026, 11, 25, 14, 2, tzinfo=dt.UTC)
FAR = NOW + dt.timedelta(days=1)


@pytest.fixture
def world(db: None, sandbox: Any) -> World:
    return World(sandbox)


def make_watched(team: Team | None = None, now: dt.datetime = NOW, **fields: Any) -> LogWatch:
    """A job that uses its logs, read a minute ago, its next look in four minutes."""
    watch = {
        name: fields.pop(name) for name in ("due_at", "read_at", "lease_until", "failures") if name in fields
    }
    values = {"uses_logs": True, "stop_at": FAR}
    job = factories.make_job(team or factories.make_team(), now=now, **values | fields)
    run = factories.make_run(job)
    Job.objects.filter(pk=job.pk).update(current_run=run, run_running_at=job.running_at)
    usual = {"due_at": now + 4 * MINUTE, "read_at": now - MINUTE, "lease_until": now - dt.timedelta(0, 1)}
    return LogWatch.objects.create(run=run, **usual | watch)


# Which runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "is_watched"),
    [
        ({"uses_logs": True}, True),
        ({"uses_logs": False}, False),
        ({"uses_logs": True, "status": "PREPARING"}, False),
        ({"uses_logs": True, "status": "CANCELLING"}, False),
        ({"uses_logs": True, "stop_requested_at": NOW}, False),
        ({"task": "BATCH"}, True),
        ({"task": "BATCH", "running_at": NOW - 29 * MINUTE}, False),
        ({"task": "BATCH", "silence_told_at": NOW}, False),
    ],
)
def test_which_runs_are_watched(fields: Any, is_watched: bool) -> None:
    job = factories.make_job(factories.make_team(), now=NOW, **fields)
    run = factories.make_run(job)
    Job.objects.filter(pk=job.pk).update(current_run=run, run_running_at=job.running_at)

    logs.begin(NOW)
    logs.begin(NOW)

    assert LogWatch.objects.filter(run=run).exists() == is_watched
    LogWatch.objects.get_or_create(run=run, defaults={"due_at": NOW})
    assert (logs.due(NOW) == [run.pk]) == is_watched


def test_a_run_that_is_not_the_present_one_is_left() -> None:
    watch = make_watched(due_at=NOW)
    job = watch.run.job
    assert logs.due(NOW) == [watch.pk]
    Job.objects.filter(pk=job.pk).update(current_run=factories.make_run(job))
    assert logs.due(NOW) == []
    logs.begin(NOW)
    assert LogWatch.objects.filter(run__job=job).count() == 2


# How often -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        pytest.param({}, False, id="not yet"),
        pytest.param({"due_at": NOW}, True, id="its time has come"),
        pytest.param({"due_at": NOW, "lease_until": NOW + MINUTE}, False, id="somebody looks"),
        pytest.param({"stop_at": NOW + 20 * MINUTE}, True, id="it stops soon"),
        pytest.param({"stop_at": NOW + 21 * MINUTE}, False, id="it stops later"),
        pytest.param({"stop_at": NOW + MINUTE, "failures": 1}, False, id="the cloud fails"),
        pytest.param({"stop_at": NOW + MINUTE, "lease_until": NOW + MINUTE}, False, id="looked at just now"),
        pytest.param({"stop_at": None}, False, id="it never stops"),
        pytest.param({"quiet_since": NOW - 71 * MINUTE, "idle_limit_now_s": 5400}, True, id="nearly idle"),
        pytest.param({"quiet_since": NOW - 60 * MINUTE, "idle_limit_now_s": 5400}, False, id="quiet"),
        pytest.param(
            {"quiet_since": NOW - 95 * MINUTE, "idle_limit_now_s": 5400}, False, id="kept over its limit"
        ),
    ],
)
def test_the_nearer_a_stop_the_more_often_it_is_looked_at(fields: Any, is_due: bool) -> None:
    watch = make_watched(**fields)
    assert logs.due(NOW) == ([watch.pk] if is_due else [])


def test_every_five_minutes_and_every_minute_near_the_stop(world: World) -> None:
    job = running(world, "training")
    before = log_calls(world, job)
    let(world, 20, step_s=15)
    assert log_calls(world, job) - before == 4
    Job.objects.filter(pk=job.pk).update(stop_at=world.clock.now + 10 * MINUTE)

    before = log_calls(world, job)
    let(world, 5, step_s=15)

    assert log_calls(world, job) - before == 5
    assert sum(one.count for one in buckets(job)) == 9


@pytest.fixture
def live_cache(redis_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    cache.clear()


def test_what_a_page_has_just_fetched_is_not_asked_for_again(world: World, live_cache: None) -> None:
    job = running(world, "training")
    look(world)
    world.clock.advance(90)
    cache.clear()
    before = log_calls(world)
    assert logs.due(world.clock.now) == []

    job_logs.read(job, job.current_run, world.clock())
    logs.note_reader(job.current_run_id)

    assert look(world) == 1
    assert log_calls(world) == before + 1
    assert sum(one.count for one in buckets(job)) == 2


def test_a_page_that_shows_a_log_says_so(live_cache: None, client: Any) -> None:
    watch = make_watched(now=NOW)
    job = watch.run.job
    factories.sign_in(client, factories.owner_of(job.team))

    assert client.get(f"/t/{job.team.slug}/jobs/{job.pk}/logs/").status_code == 200

    assert logs.due(NOW) == [watch.pk]
    assert logs.due(NOW + MINUTE) == [watch.pk]
    cache.clear()
    assert logs.due(NOW) == []


# Which ones first, and how many ----------------------------------------------------------------------------------------


def test_the_nearest_deadlines_go_first_but_none_is_forgotten_until_it_goes_blind() -> None:
    team = factories.make_team()
    late = make_watched(team, due_at=NOW)
    soon = make_watched(team, due_at=NOW, stop_at=NOW + 30 * MINUTE)
    at_once = make_watched(team, stop_at=NOW + 2 * MINUTE)
    nearly_stale = make_watched(team, due_at=NOW, read_at=NOW - 9 * MINUTE)
    never_seen = make_watched(team, due_at=NOW, read_at=None, stop_at=NOW + 40 * MINUTE)
    batch = make_watched(team, due_at=NOW, task="BATCH", stop_at=NOW + MINUTE)

    found = logs.due(NOW)

    assert found == [one.pk for one in (never_seen, nearly_stale, at_once, soon, late, batch)]


def test_each_credential_has_its_own_twenty_a_minute() -> None:
    team, other = factories.make_team(), factories.make_team()
    for _ in range(23):
        make_watched(team, due_at=NOW)
    make_watched(team, lease_until=NOW + MINUTE)
    elsewhere = make_watched(other, due_at=NOW)

    found = logs.due(NOW)

    assert len(found) == 20
    assert elsewhere.pk in found


def test_a_key_that_the_cloud_refuses_is_not_tried() -> None:
    watch = make_watched(due_at=NOW)
    watch.run.job.team.credentials.update(state="broken")
    assert logs.due(NOW) == []


# Races -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def real_world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


@pytest.mark.django_db(transaction=True)
def test_two_watchers_at_once_ask_once(real_world: World) -> None:
    world = real_world
    job = running(world, "chatty")
    logs.begin(world.clock.now)
    before = log_calls(world)

    found = at_once([lambda: logs.watch(job.current_run_id, world.clock)] * 4)

    assert sorted(found) == [False, False, False, True]
    assert log_calls(world) == before + 1
    assert [one.count for one in buckets(job)] == [1]


@pytest.mark.django_db(transaction=True)
def test_however_many_look_at_once_the_credential_asks_no_more_than_it_may(real_world: World) -> None:
    world = real_world
    watches = [
        make_watched(world.team, world.clock.now, credential=world.credential, due_at=world.clock.now)
        for _ in range(25)
    ]

    def watch_all(some: list[LogWatch]) -> None:
        for one in some:
            logs.watch(one.pk, world.clock)

    at_once([lambda part=watches[first::5]: watch_all(part) for first in range(5)])

    assert log_calls(world) == logs.CALLS_A_MINUTE
    assert logs.due(world.clock.now) == []
    world.clock.advance(61)
    assert len(logs.due(world.clock.now)) == 20


@pytest.mark.django_db(transaction=True)
def test_a_last_look_beside_a_look_counts_new_lines_once(real_world: World) -> None:
    world = real_world
    job = running(world, "training")
    look(world)
    for number in range(3):
        world.control.behave(job.remote_uuid, log=f"line {number}")
    world.clock.now = watch_of(job).due_at

    found = at_once(
        [
            lambda: logs.watch(job.current_run_id, world.clock),
            lambda: logs.read_now(job, world.clock),
            lambda: logs.read_now(job, world.clock),
        ]
    )

    assert found[1:] == [True, True]
    assert sum(one.lines for one in buckets(job)) == 3


# What may go wrong here ------------------------------------------------------------------------------------------------


def test_nothing_is_raised_whatever_is_wrong(world: World, settings: Any, caplog: Any) -> None:
    job = running(world, "chatty")
    logs.begin(world.clock.now)
    assert logs.watch(uuid.uuid4(), world.clock) is False
    ring, settings.KEYRING = settings.KEYRING, [("other", bytes(32))]
    assert logs.watch(job.current_run_id, world.clock) is False
    assert logs.read_now(job, world.clock) is False
    assert (watch_of(job).failures, caplog.text) == (2, "")
    settings.KEYRING = ring
    Job.objects.filter(pk=job.pk).update(spec={})
    world.clock.advance(300)
    assert logs.watch(job.current_run_id, world.clock) is False
    assert "it is tried again" in caplog.text
    assert (watch_of(job).failures, watch_of(job).due_at) == (3, world.clock.now + 5 * MINUTE)
    assert logs.read_now(job, world.clock) is False


def test_the_sweep_hands_on_every_run_by_its_id(world: World) -> None:
    job = running(world, "chatty")
    found: list[uuid.UUID] = []

    tasks.sweep_logs_with(found.append, lambda run_id: None)

    assert found == [job.current_run_id]
    tasks.watch_log(str(job.current_run_id))
    assert [one.count for one in buckets(job)] == [1]
