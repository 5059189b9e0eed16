"""How a worker shares its threads. What calls the cloud or a mail server may stall, so a task hands it to fair pools and
ends: the worker is free for the next one, and the stops of one credential never wait behind those of another. Everywhere
else, as in tests and commands, the same is done at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from functools import partial

from django.db import close_old_connections

from dispersed_web.fair_pool import FairPool

log = logging.getLogger(__name__)


class Hands:
    """The pools of one worker with so many ``threads``, of at least 4. A key that waits or is under way is not taken a
    second time: tasks that say the same come every few seconds."""

    def __init__(self, threads: int) -> None:
        threads = max(threads, 4)
        self._calls = FairPool(threads, threads - 2, "worker-calls")
        self._stops = FairPool(threads, threads - 2, "worker-stops")
        self._taken: set[Hashable] = set()
        self._lock = threading.Lock()

    def call(self, key: Hashable, kind: str, act: Callable[[], object]) -> None:
        """``kind`` is the kind of work, of which none takes all the threads."""
        self._take(self._calls, key, kind, act)

    def stop(self, key: Hashable, credential: Hashable, act: Callable[[], object]) -> None:
        """One step of a stop, in the turn of its credential."""
        self._take(self._stops, key, credential, act)

    def let_go(self) -> None:
        """Forgets what waits, because the process ends: it is found again by its row."""
        self._calls.forget()
        self._stops.forget()

    def _take(self, pool: FairPool, key: Hashable, group: Hashable, act: Callable[[], object]) -> None:
        with self._lock:
            if key in self._taken:
                return
            self._taken.add(key)
        pool.submit(group, partial(self._run, key, act))

    def _run(self, key: Hashable, act: Callable[[], object]) -> None:
        close_old_connections()
        try:
            act()
        except Exception:
            log.exception("The task %s failed; its row is found again by the next pass.", key)
        finally:
            close_old_connections()
            with self._lock:
                self._taken.discard(key)


_hands: Hands | None = None


def begin(threads: int) -> None:
    """From now on this process is a worker with so many threads."""
    global _hands
    _hands = Hands(threads)


def end() -> None:
    """The process takes no more tasks. What is under way is still waited for when it ends."""
    if _hands is not None:
        _hands.let_go()


def call(kind: str, row_id: Hashable, act: Callable[[], object]) -> None:
    """Has ``act``, which may stall, done for this row: by the worker's pool, or at once."""
    if _hands is None:
        act()
    else:
        _hands.call((kind, row_id), kind, act)


def stop(job_id: Hashable, credential_id: Hashable, act: Callable[[], object]) -> None:
    """The same for one step of the job's stop, in the turn of the credential that stops it."""
    if _hands is None:
        act()
    else:
        _hands.stop(job_id, credential_id, act)
