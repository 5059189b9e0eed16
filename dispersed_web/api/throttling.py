"""How often a token may call. Counted in the memory of each web process.

It bounds a program that runs wild and guards nothing secret, so it must cost less than the call it turns away, and it
must work without Redis: no row is written and nothing is asked for it. Several processes allow several times as much.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import deque

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused

CALLS = 120
WINDOW_S = 60.0


class Window:
    """The moments of the latest calls of each token, at most :data:`CALLS` of each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[uuid.UUID, deque[float]] = {}

    def take(self, token_id: uuid.UUID, now_s: float) -> float:
        """0 when the call may pass, and it is counted; else the seconds until one may."""
        with self._lock:
            calls = self._calls.setdefault(token_id, deque(maxlen=CALLS))
            if len(calls) == CALLS and now_s - calls[0] < WINDOW_S:
                return WINDOW_S - (now_s - calls[0])
            calls.append(now_s)
            return 0.0

    def forget(self) -> None:
        with self._lock:
            self._calls.clear()


window = Window()


class TokenThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, Caller):
            return True
        wait_s = math.ceil(window.take(request.auth.token.pk, time.monotonic()))
        if wait_s:
            message = f"This token may make {CALLS} calls in a minute. Try again in {wait_s} s."
            raise Refused(429, "throttled", message, **{"Retry-After": str(wait_s)})
        return True
