"""``manage.py reconcile``: what must happen while everything else hangs."""

from __future__ import annotations

import inspect
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings

from dispersed_web import tasks
from dispersed_web.fair_pool import FairPool
from dispersed_web.jobs import pursuit, sending, sync
from dispersed_web.web.management.commands import reconcile
from tests.waiting import LIMIT_S


def test_neither_stops_nor_warnings_nor_budgets_wait_behind_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cloud stalls, and there are more credentials to poll than threads."""
    release, polling = threading.Event(), threading.Semaphore(0)
    done = {name: threading.Event() for name in ("stop", "notices", "budgets")}

    def stall(*_: Any) -> None:
        polling.release()
        release.wait(LIMIT_S)

    monkeypatch.setattr(sync, "sync", stall)
    monkeypatch.setattr(pursuit, "pursue", lambda *_: done["stop"].set())
    monkeypatch.setattr(
        reconcile.tasks, "sweep_sync_with", lambda each: [each(uuid.uuid4()) for _ in range(50)]
    )
    monkeypatch.setattr(reconcile.tasks, "sweep_stops_with", lambda each: each(uuid.uuid4(), uuid.uuid4()))
    for other in ("sweep_launches_with", "sweep_autostop_with", "sweep_logs_with", "sweep_history_with"):
        monkeypatch.setattr(reconcile.tasks, other, lambda *_: None)
    for other in (
        "sweep_market",
        "sweep_receiver",
        "sweep_credentials",
        "sweep_pruning",
        "sweep_chain",
        "sweep_audit",
        "sweep_keys",
    ):
        monkeypatch.setattr(reconcile.tasks, other, lambda: None)
    for name in ("notices", "budgets"):
        monkeypatch.setattr(reconcile.tasks, f"sweep_{name}", done[name].set)
    monkeypatch.setattr(reconcile, "close_old_connections", lambda: None)
    monkeypatch.setattr(reconcile.tasks.installation, "may_act", lambda: True)
    with FairPool(2, 2, "calls") as pool, FairPool(1, 1, "stops") as stops, ThreadPoolExecutor(1) as own:
        passes = reconcile.Passes(pool, stops, own)
        passes._every("sync", lambda: reconcile.tasks.sweep_sync_with(passes._each(sync.sync)))
        for _ in range(2):
            polling.acquire()
        passes.tick()
        try:
            assert [name for name, event in done.items() if not event.wait(LIMIT_S)] == []
        finally:
            release.set()


def test_the_stops_of_one_credential_do_not_wait_behind_those_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every call with the one stalls, and it has more stops than there are threads."""
    release, stalled, done = threading.Event(), uuid.uuid4(), threading.Event()
    other, calls = uuid.uuid4(), []

    def pursue(job_id: uuid.UUID, *_: Any) -> None:
        calls.append(job_id)
        if job_id == other:
            done.set()
        else:
            release.wait(LIMIT_S)

    monkeypatch.setattr(reconcile.tasks, "pursue", pursue)
    monkeypatch.setattr(reconcile, "close_old_connections", lambda: None)
    with FairPool(1, 1, "calls") as pool, FairPool(16, 8, "stops") as stops, ThreadPoolExecutor(1) as own:
        passes = reconcile.Passes(pool, stops, own)
        first = uuid.uuid4()
        for job_id in [first, first, *(uuid.uuid4() for _ in range(50))]:
            passes._pursue(job_id, stalled)
        passes._pursue(other, uuid.uuid4())
        try:
            assert done.wait(LIMIT_S)
            assert calls.count(first) == 1
        finally:
            release.set()


def test_launches_do_not_wait_behind_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    release, done = threading.Event(), threading.Event()
    monkeypatch.setattr(sync, "sync", lambda *_: release.wait(LIMIT_S))
    monkeypatch.setattr(sending, "send", lambda *_: done.set())
    monkeypatch.setattr(reconcile, "close_old_connections", lambda: None)
    with FairPool(3, 2, "calls") as pool, FairPool(1, 1, "stops") as stops, ThreadPoolExecutor(1) as own:
        passes = reconcile.Passes(pool, stops, own)
        for _ in range(20):
            passes._each(sync.sync)(uuid.uuid4())
        passes._each(sending.send)(uuid.uuid4())
        try:
            assert done.wait(LIMIT_S)
        finally:
            release.set()


def test_it_runs_every_sweep_that_celery_runs() -> None:
    together = "".join(
        inspect.getsource(getattr(tasks, name)) for name in settings.CELERY_BEAT_SCHEDULE if "_each_" in name
    )
    sweeps = {
        name
        for name in vars(tasks)
        if name.startswith("sweep_") and not name.endswith("_with") and "_each_" not in name
    }
    assert "sweep_autostop" in sweeps
    by_celery = {name for name in sweeps if name in settings.CELERY_BEAT_SCHEDULE or name in together}
    source = inspect.getsource(reconcile.Passes.tick)
    assert by_celery == {name for name in sweeps if name in source} == sweeps
