"""A small HTTP server on a loopback socket that answers each request with the next of its steps, faults included.

It keeps what arrived byte for byte: the target and the body are what a signature has to be checked against.
"""

import json
import select
import socket
import struct
import threading
from dataclasses import dataclass, field
from email.utils import formatdate

# Longer than any deadline in these tests; a fault ends by itself after it, and the test then fails without hanging.
PATIENCE_S = 60.0


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass
class Step:
    """`before` acts instead of reading the request, `after` answers it. Both may return False to end the connection."""

    after: object = None
    before: object = None


@dataclass
class Wire:
    steps: list[Step] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> "Wire":
        self.ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listener.close()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.ended.is_set():
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            connection, _ = self._listener.accept()
            connection.settimeout(PATIENCE_S)
            self.connections += 1
            self._start(self._serve, connection, self.connections)

    def _serve(self, connection, number):
        with connection:
            try:
                while self._wait_for_bytes(connection):
                    step = (
                        self.steps.pop(0)
                        if self.steps
                        else reply(200, {"data": [], "page": 1, "limit": 50, "total": 0})
                    )
                    if step.before is not None:
                        step.before(self, connection)
                        return
                    received = _read(connection, number)
                    if received is None:
                        return
                    self.requests.append(received)
                    if step.after(self, connection) is False:
                        return
            except OSError:
                return

    def _wait_for_bytes(self, connection) -> bool:
        while not self.ended.is_set():
            if select.select([connection], [], [], 0.02)[0]:
                return bool(connection.recv(1, socket.MSG_PEEK))
        return False


def _read(connection, number) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Received(method, target, headers, body, number)


def reply(status=200, data=None, *, headers=(), body=None, date=None) -> Step:
    """An ordinary answer: JSON, or the bytes given as `body`. `date` is Unix time; none is sent without it."""
    content = json.dumps(data).encode() if body is None else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *headers]
    if date is not None:
        lines.append(f"Date: {formatdate(date, usegmt=True)}")
    if status == 204:
        lines.pop(1)
    message = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return Step(lambda wire, connection: connection.sendall(message))


def error(status, code="", message="", **kwargs) -> Step:
    """The API's own JSON error."""
    return reply(status, {"error": {"code": code, "message": message}}, **kwargs)


def html(status) -> Step:
    """A gateway's page."""
    return reply(status, body=b"<html><h1>Bad gateway</h1></html>", headers=["Content-Type: text/html"])


def raw(message: bytes) -> Step:
    """These bytes, then the end of the connection."""

    def act(wire, connection):
        connection.sendall(message)
        return False

    return Step(act)


def stall() -> Step:
    """Read the request and never answer."""
    return Step(lambda wire, connection: wire.ended.wait(PATIENCE_S) and False)


def _reset(wire, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def plain_text_at_once() -> Step:
    """What a server that speaks no TLS says to one who does."""

    def act(wire, connection):
        connection.sendall(b"HTTP/1.1 400 X\r\n\r\n")

    return Step(before=act)


def reset_before_reading() -> Step:
    return Step(before=_reset)


def reset_after_reading() -> Step:
    return Step(_reset)


def close_after_reading() -> Step:
    return raw(b"")


def drip(start: bytes, drop: bytes) -> Step:
    """Send `start`, then `drop` again and again, so that no single read ever waits long."""

    def act(wire, connection):
        connection.sendall(start)
        for _ in range(int(PATIENCE_S / 0.02)):
            if wire.ended.wait(0.02):
                break
            connection.sendall(drop)
        return False

    return Step(act)


def oversized(size: int) -> Step:
    """An endless-looking JSON body of `size` bytes."""

    def act(wire, connection):
        connection.sendall(f"HTTP/1.1 200 X\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 65536):
            connection.sendall(b" " * 65536)
        return False

    return Step(act)
