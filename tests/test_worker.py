"""How a worker shares its threads between credentials and kinds of work."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web import tasks, worker
from tests import factories
from tests.waiting import LIMIT_S


@pytest.fixture
def stalled() -> Iterator[threading.Event]:
    """The process is a worker of eight threads; what stalls goes on when this is set."""
    event = threading.Event()
    worker.begin(8)
    yield event
    worker.end()
    event.set()
    worker._hands = None


@pytest.fixture(autouse=True)
def _no_database_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)


@pytest.mark.django_db
def test_stops_of_a_credential_that_stalls_leave_the_worker_free_for_those_of_others(
    stalled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, now = factories.make_team(), timezone.now()
    slow = factories.make_credential(team)
    jobs = [factories.make_job(team, credential=slow, stop_requested_at=now) for _ in range(12)]
    other = factories.make_job(factories.make_team(), stop_requested_at=now)
    done = threading.Event()

    def pursue(job_id: uuid.UUID, *_: Any) -> None:
        done.set() if job_id == other.pk else stalled.wait(LIMIT_S)

    monkeypatch.setattr(tasks, "pursue", pursue)
    for job in jobs:
        tasks.pursue_stop(str(job.pk))
    tasks.pursue_stop(str(other.pk))

    assert done.wait(LIMIT_S)
    assert not stalled.is_set()


def test_neither_a_stop_nor_a_launch_waits_behind_looks_that_stall(
    stalled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = {"stop": threading.Event(), "launch": threading.Event()}
    monkeypatch.setattr(tasks.sync, "sync", lambda *_: stalled.wait(LIMIT_S))
    monkeypatch.setattr(tasks.sending, "send", lambda *_: done["launch"].set())
    monkeypatch.setattr(tasks.pursuit, "by_key", lambda ids: dict.fromkeys(ids, uuid.uuid4()))
    monkeypatch.setattr(tasks, "pursue", lambda *_: done["stop"].set())
    monkeypatch.setattr(tasks.installation, "may_act", lambda: True)
    for _ in range(20):
        tasks.sync_credential(str(uuid.uuid4()))
    tasks.pursue_stop(str(uuid.uuid4()))
    tasks.send_launch(str(uuid.uuid4()))

    assert [name for name, event in done.items() if not event.wait(LIMIT_S)] == []


def test_what_waits_or_is_under_way_is_not_taken_twice_and_afterwards_it_is(stalled: threading.Event) -> None:
    began, calls = threading.Semaphore(0), []

    def act() -> None:
        calls.append(1)
        began.release()
        stalled.wait(LIMIT_S)

    for _ in range(5):
        worker.stop("one", "key", act)
    assert began.acquire(timeout=LIMIT_S)
    assert calls == [1]
    stalled.set()
    ended = threading.Event()
    for _ in range(200):
        worker.stop("one", "key", ended.set)
        if ended.wait(0.05):
            return
    pytest.fail("it was never taken again")


def test_a_fault_is_told_in_the_log_and_takes_no_thread(stalled: threading.Event, caplog: Any) -> None:
    done = threading.Event()
    with caplog.at_level(logging.ERROR):
        for number in range(20):
            worker.call("looks", number, lambda: 1 / 0)
        worker.call("looks", "last", done.set)
        assert done.wait(LIMIT_S)
    assert "ZeroDivisionError" in caplog.text


def test_elsewhere_it_is_done_at_once_and_a_fault_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        worker.call("looks", 1, lambda: 1 / 0)
