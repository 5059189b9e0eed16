"""Threads that are shared fairly: whatever stalls for one keeps nobody else waiting. Standard library only."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self


class FairPool:
    """Work comes in groups. The next free thread takes the oldest piece of the group that has the fewest under way, and a
    group never has more than ``share`` pieces under way, so that one of which every piece stalls leaves threads free.

    ``close`` waits for what is under way and for all that waits, as a pool of the standard library does.
    """

    def __init__(self, threads: int, share: int, name: str) -> None:
        self._threads, self._share = threads, share
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._waiting: dict[Hashable, deque[Callable[[], object]]] = {}
        self._under_way: Counter[Hashable] = Counter()
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)
        self._pool.shutdown()

    def submit(self, group: Hashable, act: Callable[[], object]) -> None:
        """Has ``act`` done as soon as it is the group's turn. Gives back at once."""
        with self._changed:
            self._waiting.setdefault(group, deque()).append(act)
            self._begin()

    def forget(self) -> None:
        """Drops what waits; what is under way goes on."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def _begin(self) -> None:
        """Hands on what may begin now. To be called with the lock."""
        while self._under_way.total() < self._threads:
            ready = [group for group in self._waiting if self._under_way[group] < self._share]
            if not ready:
                return
            group = min(ready, key=self._under_way.__getitem__)
            acts = self._waiting.pop(group)
            act = acts.popleft()
            if acts:
                self._waiting[group] = acts  # behind all others that have as few under way
            else:
                self._changed.notify_all()
            self._under_way[group] += 1
            self._pool.submit(self._run, group, act)

    def _run(self, group: Hashable, act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            with self._changed:
                self._under_way[group] -= 1
                if not self._under_way[group]:
                    del self._under_way[group]
                self._begin()
