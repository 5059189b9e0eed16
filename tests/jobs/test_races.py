"""Races with real connections: every thread has its own, as processes would."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from dispersed_web.autostop import engine
from dispersed_web.autostop.extend import extend
from dispersed_web.events.models import Event
from dispersed_web.jobs import sending
from dispersed_web.jobs.errors import JobError, LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.jobs.stop import request_stop
from dispersed_web.sandbox.recipes import RECIPES
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Runs all of them at the same moment and returns what each gave or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("recipe", ["", RECIPES[0]["uuid"]], ids=["created", "cooked"])
def test_many_workers_send_one_request(world: World, recipe: str) -> None:
    job = world.request(world.order(cook_uuid=recipe))
    at_once([lambda: sending.send(job.pk, world.clock)] * THREADS)
    job.refresh_from_db()
    assert job.status == Status.PENDING
    assert len(world.in_ledger(job)) == 1
    assert job.claims == 1


def test_one_form_sent_from_many_tabs_is_one_job(world: World) -> None:
    token = uuid.uuid4().hex
    results = at_once([lambda: world.request(form_token=token)] * THREADS)
    assert {job.pk for job in results} == {Job.objects.get().pk}


def test_a_cap_holds_against_launches_at_the_same_moment(world: World) -> None:
    Team.objects.update(max_active_jobs=2)
    results = at_once(
        [lambda n=n: world.request(world.order(f"Job {n}"), same_again=True) for n in range(THREADS)]
    )
    assert Job.objects.count() == 2
    refused = [result for result in results if isinstance(result, LaunchRefused)]
    assert [result.code for result in refused] == ["too_many_jobs"] * (THREADS - 2)


def test_a_stop_or_an_extension_wins_and_the_other_is_told(world: World) -> None:
    for _ in range(5):
        job = factories.make_job(world.team, "RUNNING", credential=world.credential, lifetime_s=7200)
        until = world.clock.now.replace(microsecond=0) + (job.stop_at - world.clock.now) * 2
        stopped, extended = at_once(
            [
                lambda job=job: request_stop(
                    job,
                    actor=world.actor,
                    reason=Reason.MAX_LIFETIME,
                    now=world.clock.now,
                    seen_version=job.limits_version,
                ),
                lambda job=job, until=until: extend(
                    job, until=until, actor=world.actor, now=world.clock.now, seen_version=job.limits_version
                ),
            ]
        )
        job.refresh_from_db()
        assert (job.stop_requested_at is None) != (job.extend_until is None)
        assert stopped is (job.stop_requested_at is not None)
        assert isinstance(extended, JobError) is stopped


def test_many_engines_warn_once(world: World) -> None:
    job = factories.make_job(
        world.team, "RUNNING", credential=world.credential, lifetime_s=3700, evaluate_at=world.clock.now
    )
    at_once([lambda: engine.evaluate_due(world.clock.now)] * THREADS)
    assert Event.objects.filter(subject_id=str(job.pk), kind="job.warned").count() == 1


def test_a_stop_asked_for_by_many_is_one_stop(world: World) -> None:
    job = factories.make_job(world.team, "RUNNING", credential=world.credential)
    act = lambda: request_stop(job, actor=world.actor, reason=Reason.USER, now=world.clock.now)  # noqa: E731
    assert sorted(at_once([act] * THREADS)) == [False] * (THREADS - 1) + [True]
    assert Event.objects.filter(subject_id=str(job.pk), kind="job.stop_requested").count() == 1
