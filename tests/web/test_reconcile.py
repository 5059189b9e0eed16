"""``manage.py reconcile``: what must happen while everything else hangs."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dispersed_web.jobs import pursuit, sync
from dispersed_web.web.management.commands import reconcile


def test_a_stop_never_waits_behind_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cloud stalls, and there are more credentials to poll than threads."""
    release, polling, stopped = threading.Event(), threading.Semaphore(0), threading.Event()

    def stall(*_: Any) -> None:
        polling.release()
        release.wait(20)

    monkeypatch.setattr(sync, "sync", stall)
    monkeypatch.setattr(pursuit, "pursue", lambda *_: stopped.set())
    monkeypatch.setattr(
        reconcile.tasks, "sweep_sync_with", lambda each: [each(uuid.uuid4()) for _ in range(50)]
    )
    monkeypatch.setattr(reconcile.tasks, "sweep_stops_with", lambda each: each(uuid.uuid4()))
    for other in ("sweep_launches_with", "sweep_autostop_with"):
        monkeypatch.setattr(reconcile.tasks, other, lambda *_: None)
    for other in ("sweep_notices", "sweep_market"):
        monkeypatch.setattr(reconcile.tasks, other, lambda: None)
    monkeypatch.setattr(reconcile, "close_old_connections", lambda: None)
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(1) as pool_for_stops:
        passes = reconcile.Passes(pool, pool_for_stops)
        passes._every(1, "sync", lambda: reconcile.tasks.sweep_sync_with(passes._each(sync.sync)))
        for _ in range(2):
            polling.acquire()
        passes.tick()
        try:
            assert stopped.wait(10)
        finally:
            release.set()
