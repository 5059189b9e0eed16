"""``manage.py reconcile``: every sweep in one supervised process, without a broker.

Celery is the faster way to the same functions; with Redis and every worker dead, launches are still sent, stops still
reach the cloud and deadlines are still kept by this loop.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.fair_pool import FairPool
from dispersed_web.jobs import history, log_keeping, sending, starting, sync
from dispersed_web.signals import logs

log = logging.getLogger("dispersed_web.reconcile")
TICK_S = 1.0


class Command(BaseCommand):
    help = "Runs every sweep in this process, without a broker, until it is told to stop."
    # They would load every page and form, which this process never needs; migrate has made them.
    requires_system_checks: ClassVar = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One pass of everything, then end.")

    def handle(self, *args: Any, **options: Any) -> None:
        starting.begin(database_now)
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        with (
            FairPool(threads=16, share=12, name="reconcile") as pool,
            FairPool(threads=16, share=8, name="reconcile-stops") as pool_for_stops,
            ThreadPoolExecutor(max_workers=3, thread_name_prefix="reconcile-own") as pool_of_its_own,
        ):
            passes = Passes(pool, pool_for_stops, pool_of_its_own)
            while True:
                passes.tick()
                if options["once"] or stop.wait(TICK_S):
                    break
        close_old_connections()


class Passes:
    """The sweeps, each as often as ``PASS_EVERY_S`` of the settings says. What takes long goes to a pool, at most once at a
    time for each row; stops have one of their own, and so has what never calls the cloud, so that they never wait behind
    calls to one that stalls. The one for stops is shared between credentials, so that those of one never wait behind
    those of another, and the common one between kinds of work, so that launches never wait behind polling."""

    def __init__(
        self,
        pool: FairPool,
        pool_for_stops: FairPool,
        pool_of_its_own: ThreadPoolExecutor,
    ) -> None:
        self._pool = pool
        self._pool_for_stops = pool_for_stops
        self._pool_of_its_own = pool_of_its_own
        self._busy: set[object] = set()
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def tick(self) -> None:
        self._every(
            "launches", lambda: tasks.sweep_launches_with(self._each(sending.send), self._each(sync.sync))
        )
        pursue, own = self._pursue, self._pool_of_its_own
        self._every("stops", lambda: tasks.sweep_stops_with(pursue))
        self._every("sync", lambda: tasks.sweep_sync_with(self._each(sync.sync)))
        self._every("autostop", lambda: tasks.sweep_autostop_with(pursue))
        self._every("budgets", lambda: self._submit("budgets", tasks.sweep_budgets, own))
        watch, keep = self._each(logs.watch), self._each(log_keeping.keep)
        self._every("logs", lambda: tasks.sweep_logs_with(watch, keep))
        self._every("history", lambda: tasks.sweep_history_with(self._each(history.go_on)))
        self._every("notices", lambda: self._submit("notices", tasks.sweep_notices, own))
        self._every("chain", lambda: self._submit("chain", tasks.sweep_chain, own))
        self._every("audit", lambda: self._submit("audit", tasks.sweep_audit))
        self._every("receiver", lambda: self._submit("receiver", tasks.sweep_receiver, own))
        self._every("market", lambda: self._submit("market", tasks.sweep_market))
        self._every("credentials", lambda: self._submit("credentials", tasks.sweep_credentials))
        self._every("keys", lambda: self._submit("keys", tasks.sweep_keys))
        self._every("pruning", lambda: self._submit("pruning", tasks.sweep_pruning))

    def _every(self, name: str, run: Callable[[], object]) -> None:
        now = time.monotonic()
        if now < self._next.get(name, 0):
            return
        self._next[name] = now + settings.PASS_EVERY_S[name]
        _safely(name, run)

    def _each(self, act: Callable[..., object]) -> Callable[[UUID], None]:
        return lambda row_id: self._submit((act, row_id), lambda: act(row_id, database_now), group=act)

    def _pursue(self, job_id: UUID, credential_id: UUID) -> None:
        key = (tasks.pursue, job_id)
        if self._begin(key):
            act = partial(tasks.pursue, job_id, database_now)
            self._pool_for_stops.submit(credential_id, partial(self._run, key, act))

    def _submit(
        self,
        key: object,
        act: Callable[[], object],
        pool: ThreadPoolExecutor | None = None,
        *,
        group: Hashable = None,
    ) -> None:
        if not self._begin(key):
            return
        if pool is not None:
            pool.submit(self._run, key, act)
        else:
            self._pool.submit(group, partial(self._run, key, act))

    def _begin(self, key: object) -> bool:
        with self._lock:
            is_new = key not in self._busy
            self._busy.add(key)
        return is_new

    def _run(self, key: object, act: Callable[[], object]) -> None:
        try:
            _safely(str(key), act)
        finally:
            with self._lock:
                self._busy.discard(key)


def _safely(name: str, run: Callable[[], object]) -> None:
    """One pass that raises never ends the loop; its rows are found again by the next."""
    close_old_connections()
    try:
        run()
    except Exception:
        log.exception("The pass %s failed; it is tried again.", name)
