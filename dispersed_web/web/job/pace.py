"""How often an address may be asked for. Counted in the memory of each web process, so that it works without Redis."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import deque

MOST_KNOWN = 10_000


class Pace:
    """At most ``calls`` in ``window_s`` seconds for each key."""

    def __init__(self, calls: int, window_s: float) -> None:
        self._most, self._window_s = calls, window_s
        self._lock = threading.Lock()
        self._calls: dict[uuid.UUID, deque[float]] = {}

    def take(self, key: uuid.UUID) -> int:
        """0 when the call may pass, and it is counted; else the seconds until one may."""
        now_s = time.monotonic()
        with self._lock:
            if len(self._calls) > MOST_KNOWN:
                self._calls.clear()
            calls = self._calls.setdefault(key, deque(maxlen=self._most))
            if len(calls) == self._most and now_s - calls[0] < self._window_s:
                return math.ceil(self._window_s - (now_s - calls[0]))
            calls.append(now_s)
            return 0

    def forget(self) -> None:
        with self._lock:
            self._calls.clear()
