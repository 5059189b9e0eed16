"""Heartbeats: real HTTP POSTs from the simulated containers to the address in their environment.

One thread looks which containers are due, a few others send, so that a slow receiver holds up nothing else.
Every 60 s at time scale 1, oftener by the scale but at most every 10 s, unless the control verb `behave` set a
period. Loopback addresses only: a sandbox speaks to nobody outside this machine, so redirects and proxies are
not followed either. Errors and refusals are remembered and the next heartbeat comes at its time; after 410 a
run sends no more by itself, after 429 it waits as long as `Retry-After` says.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import math
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from .clock import Clock
from .containers import Container

SENDERS = 8
TIMEOUT_S = 2.0
MAX_ANSWER_BYTES = 4096
MAX_WAIT_S = 300.0
LOOK_S, IDLE_LOOK_S = 0.1, 0.5


@dataclass(frozen=True)
class Target:
    """Where a heartbeat goes: an IP address and what the request says."""

    ip: str
    port: int
    host: str
    path: str


@dataclass
class Pulse:
    """What is known of a run's heartbeats: how many were sent, and how the last was answered.

    `status` None: it was not answered, `error` says why. `told` are the messages for the open terminals.
    """

    sent: int = 0
    status: int | None = None
    answer: Any = None
    error: str = ""
    told: list[str] = field(default_factory=list)
    is_over: bool = False
    is_sending: bool = False
    sent_at: float = -math.inf
    held_until: float = -math.inf

    def shown(self) -> dict[str, Any]:
        """As the control verbs give it."""
        names = ("sent", "status", "answer", "error", "told", "is_over")
        return {name: getattr(self, name) for name in names}


class Heartbeats:
    """Sends the heartbeats of the containers that `living` gives, from `start()` to `stop()`."""

    def __init__(self, clock: Clock, living: Callable[[], list[Container]]) -> None:
        self._clock = clock
        self._living = living
        self._lock = threading.Lock()
        self._pulses: dict[str, Pulse] = {}
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._senders = ThreadPoolExecutor(SENDERS, "heartbeat")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look for due containers in a background thread."""
        self._thread = threading.Thread(target=self._run, name="heartbeats", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; a heartbeat on its way is broken off."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for connected in self._open:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
        self._senders.shutdown(cancel_futures=True)

    def wake(self) -> None:
        """Look at once: something has changed."""
        self._woken.set()

    def forget(self) -> None:
        """Forget what was sent and answered."""
        with self._lock:
            self._pulses.clear()

    def shown(self, run_uuid: str) -> dict[str, Any]:
        """What is known of a run's heartbeats, as JSON values."""
        with self._lock:
            return self._pulses.get(run_uuid, Pulse()).shown()

    def send(self, container: Container) -> dict[str, Any]:
        """Send one heartbeat now and give `shown` after its answer. Raises ValueError for a refused address."""
        pulse = self._pulse(container)
        with self._lock:
            pulse.sent_at = time.monotonic()
            try:
                target = target_of(container.address)
            except ValueError as error:
                pulse.error = str(error)
                raise
            pulse.sent += 1
            seq = pulse.sent
        period_s = container.period_s(self._clock.time_scale)
        body = json.dumps(container.report(seq, period_s, self._clock.now_ms())).encode()
        try:
            status, wait_s, text = self._post(target, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._note(pulse, None, None, type(error).__name__)
        else:
            pulse.held_until = time.monotonic() + wait_s
            self._note(pulse, status, _value(text), "")
        return self.shown(container.run_uuid)

    def _run(self) -> None:
        while True:
            self._woken.clear()
            if self._stopping.is_set():
                return
            try:
                containers = self._living()
            except sqlite3.Error:  # a full disk fails the API's requests too; here it costs a look
                containers = []
            for container in containers:
                if self._claim(container):
                    self._senders.submit(self._send_claimed, container)
            self._woken.wait(LOOK_S if containers else IDLE_LOOK_S)

    def _claim(self, container: Container) -> bool:
        if not container.address or not container.is_beating(self._clock.now_ms()):
            return False
        pulse, period_s = self._pulse(container), container.period_s(self._clock.time_scale)
        with self._lock:
            is_due = time.monotonic() >= max(pulse.held_until, pulse.sent_at + period_s)
            if pulse.is_sending or pulse.is_over or not is_due:
                return False
            pulse.is_sending = True
            return True

    def _send_claimed(self, container: Container) -> None:
        try:
            self.send(container)
        except ValueError:
            return  # an address that is refused is told by `shown`
        finally:
            self._pulse(container).is_sending = False

    def _pulse(self, container: Container) -> Pulse:
        with self._lock:
            return self._pulses.setdefault(container.run_uuid, Pulse())

    def _post(self, target: Target, body: bytes) -> tuple[int, float, bytes]:
        headers = {"Host": target.host, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(target.ip, target.port, timeout=TIMEOUT_S)
        try:
            connection.connect()
            with self._breakable(connection.sock):
                connection.request("POST", target.path, body, headers)
                answer = connection.getresponse()
                is_limit = answer.status == HTTPStatus.TOO_MANY_REQUESTS
                wait_s = _seconds(answer.headers.get("Retry-After")) if is_limit else 0.0
                return answer.status, wait_s, answer.read(MAX_ANSWER_BYTES)
        finally:
            connection.close()

    @contextlib.contextmanager
    def _breakable(self, connected: socket.socket) -> Iterator[None]:
        """`stop()` breaks a connection off. Raises ConnectionAbortedError when it came first."""
        with self._lock:
            if self._stopping.is_set():
                raise ConnectionAbortedError
            self._open.add(connected)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connected)

    def _note(self, pulse: Pulse, status: int | None, answer: Any, error: str) -> None:
        message = answer.get("message") if isinstance(answer, dict) else None
        with self._lock:
            pulse.status, pulse.answer, pulse.error = status, answer, error
            pulse.is_over = pulse.is_over or status == HTTPStatus.GONE
            if status == HTTPStatus.OK and message and message not in pulse.told:
                pulse.told.append(message)


def target_of(address: str) -> Target:
    """Where a heartbeat address leads. Raises ValueError unless it is http:// on loopback.

    The sentence never repeats the address: it is a capability.
    """
    refusal = ValueError("not sent: DW_HEARTBEAT_URL is no http:// address on this machine's loopback")
    try:
        parts = urlsplit(address)
        ip = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        is_fit = parts.scheme == "http" and ipaddress.ip_address(ip).is_loopback
        port = parts.port or http.client.HTTP_PORT
    except ValueError:
        raise refusal from None
    if not is_fit:
        raise refusal
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(ip, port, parts.netloc.rpartition("@")[2], path)


def _value(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace")


def _seconds(text: str | None) -> float:
    return min(float(text), MAX_WAIT_S) if text and text.isdigit() else 0.0
