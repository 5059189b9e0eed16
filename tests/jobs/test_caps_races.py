"""Caps of a credential against many launches at the same moment, each with a connection of its own."""

from __future__ import annotations

import threading
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from dispersed_web.credentials.models import CredentialCaps
from dispersed_web.jobs import launch_facts, sending
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.teams import installation
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.jobs.test_races import at_once
from tests.jobs.world import World
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 20
FIT = 5
CAPS = [{"max_active_jobs": FIT}, {"max_hourly_usd": factories.RATE_USD * FIT}]
NAMES = ["jobs", "dollars"]


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


def cap(world: World, caps: dict[str, Any]) -> None:
    CredentialCaps.objects.create(credential=world.credential, **caps)


def queued(world: World, count: int) -> list[Job]:
    """Launches that were accepted before there was a cap."""
    return [
        factories.make_job(world.team, "QUEUED", credential=world.credential, created_by=world.user)
        for _ in range(count)
    ]


def send_all(world: World, jobs: list[Job]) -> tuple[int, Decimal]:
    """Every launch is sent at once; how many left, and what they cost per hour."""
    results = at_once([lambda job=job: sending.send(job.pk, world.clock) for job in jobs])
    assert results == [None] * len(jobs)
    sent = Job.objects.filter(status=Status.PENDING)
    assert sent.count() == len(world.control.jobs())
    return sent.count(), sent.aggregate(usd=Sum("quoted_usd"))["usd"] or Decimal(0)


@pytest.mark.parametrize("caps", CAPS, ids=NAMES)
def test_as_many_are_accepted_as_fit(world: World, caps: dict[str, Any]) -> None:
    cap(world, caps)
    asks = [
        lambda n=n: world.request(world.order(f"Job {n}"), same_again=True, form_token=uuid.uuid4().hex)
        for n in range(THREADS)
    ]
    results = at_once(asks)
    assert Job.objects.count() == FIT
    assert Job.objects.aggregate(usd=Sum("quoted_usd"))["usd"] == factories.RATE_USD * FIT
    refused = [one.code for one in results if isinstance(one, LaunchRefused)]
    assert refused == ["cap_jobs" if "max_active_jobs" in caps else "cap_hourly"] * (THREADS - FIT)


@pytest.mark.parametrize("caps", CAPS, ids=NAMES)
def test_as_many_are_sent_as_fit(world: World, caps: dict[str, Any]) -> None:
    jobs = queued(world, THREADS)
    cap(world, caps)
    assert send_all(world, jobs) == (FIT, factories.RATE_USD * FIT)
    assert Job.objects.filter(status=Status.FAILED).count() == THREADS - FIT


def test_what_waits_for_an_answer_or_is_in_doubt_takes_its_place(world: World) -> None:
    for status in ("LAUNCHING", "UNCONFIRMED", "RUNNING", "CANCELLING"):
        factories.make_job(world.team, status, credential=world.credential)
    jobs = queued(world, THREADS)
    cap(world, {"max_active_jobs": FIT})
    assert send_all(world, jobs)[0] == 1


@pytest.mark.parametrize("caps", CAPS, ids=NAMES)
def test_without_the_check_in_the_claim_more_would_be_sent(
    world: World, caps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above fail where the claim does not look at the caps."""
    monkeypatch.setattr(launch_facts, "_standing", lambda *_: None)
    jobs = queued(world, THREADS)
    cap(world, caps)
    assert send_all(world, jobs)[0] == THREADS


def test_without_the_teams_turn_two_would_take_one_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where the claim does not take the team's turn before it counts."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one transaction write at a time, whoever takes turns")
    counted = threading.Barrier(2, timeout=LIMIT_S)
    gather = launch_facts.gather

    def both_count_first(*args: Any, **options: Any) -> Any:
        facts = gather(*args, **options)
        counted.wait()
        return facts

    monkeypatch.setattr(sending, "take_turn", lambda team: None)
    monkeypatch.setattr(launch_facts, "gather", both_count_first)
    AutostopPolicy.of(world.team.pk)  # or both would make these, one after the other
    installation.claim()
    jobs = queued(world, 2)
    cap(world, {"max_active_jobs": 1})
    assert send_all(world, jobs)[0] == 2
