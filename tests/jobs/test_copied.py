"""Backups that are restored and copies that are opened elsewhere: nothing is launched twice, and nobody else's job is
touched. In processes of their own, on whatever database the tests run with."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.credentials import canary
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Sweep
from dispersed_web.jobs.states import Reason
from dispersed_web.teams.models import Installation
from tests.credentials.test_sealed import make_one_of_each
from tests.jobs.copied import changing_requests, copy_of_the_database, manage
from tests.jobs.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, sandbox: Any) -> World:
    return World(sandbox)


def test_a_copy_under_another_id_sends_nothing_until_it_is_adopted(world: World, tmp_path: Path) -> None:
    running, waiting = world.launched(), None
    assert stop.request_stop(running, actor=world.actor, reason=Reason.USER, now=world.clock.now)
    waiting = world.request(world.order("Second"), same_again=True)
    manage_here = {"installation_id": "staging"}
    with copy_of_the_database(tmp_path) as copy:
        before = changing_requests(world.control)
        told = manage(copy, "reconcile", "--once", **manage_here)
        assert "so it only looks" in told
        assert changing_requests(world.control) == before
        assert len(world.control.requests()) > len(before), "it did look"
        assert "only looks" in manage(copy, "installation", "show", **manage_here)
        manage(copy, "installation", "adopt", "--sure", "staging", **manage_here)
        manage(copy, "reconcile", "--once", **manage_here)
        sent = changing_requests(world.control)[len(before) :]
        assert {method for method, _ in sent} == {"POST", "PUT"}
    assert len(world.in_ledger(waiting)) == 1


def test_a_copy_that_never_had_a_holder_is_not_claimed_by_bringing_it_up_to_date(
    world: World, tmp_path: Path
) -> None:
    Installation.objects.update(holder="")
    with copy_of_the_database(tmp_path) as copy:
        told = manage(copy, "migrate", "--no-input", installation_id="made-up")
        assert "says so with: python manage.py installation adopt" in told
        assert "held by: nobody" in manage(copy, "installation", "show", installation_id="made-up")


def test_what_was_queued_in_a_restored_backup_is_not_launched_and_is_shown(
    world: World, tmp_path: Path
) -> None:
    job = world.request()
    long_ago = timezone.now() - dt.timedelta(minutes=11)
    Sweep.objects.create(name="launches", finished_at=long_ago)
    with copy_of_the_database(tmp_path) as copy:
        # After the backup was made, the original launched it.
        world.send(job)
        before = changing_requests(world.control)
        told = manage(copy, "reconcile", "--once")
        assert "1 launches from before the last stop of this server were not sent" in told
        assert changing_requests(world.control) == before
        shown = manage(
            copy,
            "shell",
            "-v0",
            "-c",
            "from dispersed_web.jobs.models import Job; from dispersed_web.events.models import Event;"
            "print([(j.origin, j.status, j.reason) for j in Job.objects.order_by('created_at')],"
            "Event.objects.filter(kind='job.not_launched').count())",
        )
    assert "'FAILED', 'expired'" in shown
    assert shown.strip().endswith("1")
    assert len(world.in_ledger(job)) == 1


def test_a_restored_copy_proves_that_dump_and_keys_belong_together(world: World, tmp_path: Path) -> None:
    """The drill that operators are asked to practise: every stored secret of the copy is opened, and no job is touched."""
    canary.ensure()
    make_one_of_each(world.team)
    before = changing_requests(world.control)
    here = {"installation_id": "drill"}
    with copy_of_the_database(tmp_path) as copy:
        told = manage(copy, "secrets", "check", **here)
        assert "webhooks: 1 under key test" in told
        assert "stored secrets can be opened" in told
        other = {"keys": "other:" + base64.b64encode(b"x" * 32).decode()}
        told = manage(copy, "secrets", "check", status=1, **here, **other)
        assert "The encryption key “test” is missing" in told
        assert "CANNOT BE STOPPED FROM HERE" in told
        assert "can be opened" in manage(copy, "secrets", "check", **here), "and all is back with the key"
    assert changing_requests(world.control) == before
