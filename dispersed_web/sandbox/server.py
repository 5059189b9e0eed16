"""The HTTP side: keep-alive connections, a thread each, and the ways in which a connection can break."""

from __future__ import annotations

import http.server
import ipaddress
import itertools
import socket
import struct
import sys
import threading
from http import HTTPStatus
from typing import Any

from .cloud import Cloud
from .control import Control, call_verb
from .exchange import DroppedError, Exchange, Incoming, date_header
from .mangle import Wire, json_wire

MAX_BODY_BYTES = 1_000_000
CONTROL_PREFIX = "/_control/"


class Server(http.server.ThreadingHTTPServer):
    """The listening socket and its connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], cloud: Cloud, control: Control) -> None:
        self.cloud = cloud
        self.control = control
        self.stopping = threading.Event()
        self.connection_ids = itertools.count(1)
        self.resetting: set[Any] = set()
        self._connections: set[Any] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `close_all` can end it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection; one that shall be reset gets no orderly farewell."""
        self._connections.discard(request)
        if request in self.resetting:
            self.resetting.discard(request)
            request.close()
        else:
            super().shutdown_request(request)

    def close_all(self) -> None:
        """Stop listening and break every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or our own end, is no news."""
        if not self.stopping.is_set() and not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 600

    def setup(self) -> None:
        """Number the connection."""
        super().setup()
        self._connection_id = next(self.server.connection_ids)
        self._ordinal = 0

    def _serve(self) -> None:
        self._ordinal += 1
        path, _, query = self.path.partition("?")
        try:
            if path.startswith(CONTROL_PREFIX):
                self._write(self._control(path[len(CONTROL_PREFIX) :], query))
            else:
                self._exchange(path, query)
        except DroppedError as drop:
            self._drop(drop.reset)

    def _exchange(self, path: str, query: str) -> None:
        incoming = Incoming(
            self.command,
            path,
            query,
            self.headers,
            self.client_address[0],
            self._connection_id,
            self._ordinal,
        )
        exchange = Exchange(self.server.cloud, incoming, self._pause)
        exchange.arrive()
        self._write(exchange.answer(self._read_body()))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _control(self, verb: str, query: str) -> Wire:
        body = self._read_body()
        if not is_loopback(self.client_address[0]):
            return json_wire(
                403, {"error": {"code": "forbidden", "message": "The control API is for loopback."}}
            )
        is_json = (self.headers.get("Content-Type") or "").startswith("application/json")
        if self.command == "POST" and not is_json:
            return json_wire(415, {"error": {"code": "media_type", "message": "Send application/json."}})
        status, value = call_verb(self.server.control, self.command, verb, query, body)
        return json_wire(status, value)

    def _read_body(self) -> bytes:
        text = self.headers.get("Content-Length") or "0"
        length = int(text) if text.isdigit() else -1
        if self.headers.get("Transfer-Encoding") or not 0 <= length <= MAX_BODY_BYTES:
            self._write(
                json_wire(
                    413, {"error": {"code": "too_large", "message": "Send at most 1 MB with a length."}}
                )
            )
            raise DroppedError
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise DroppedError
        return body

    def _pause(self, seconds: float) -> None:
        if self.server.stopping.wait(seconds):
            raise DroppedError

    def _write(self, wire: Wire) -> None:
        try:
            phrase = HTTPStatus(wire.status).phrase
        except ValueError:
            phrase = "Unknown"
        body = b"" if wire.status in (204, 304) else wire.body
        lines = [f"HTTP/1.1 {wire.status} {phrase}", f"Date: {date_header(self.server.cloud)}"]
        lines += [f"{name}: {text}" for name, text in wire.headers.items()]
        lines += ["Server: dispersed-sandbox", f"Content-Length: {len(body)}"]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        if wire.cut is not None:
            self.connection.sendall(head[:9] if wire.cut == "status_line" else head + body[: len(body) // 2])
            self._drop(wire.reset)
        elif wire.drip is not None:
            self._drip(head, body, *wire.drip)
        else:
            self.connection.sendall(head + body)

    def _drip(self, head: bytes, body: bytes, chunk: int, seconds: float) -> None:
        self.connection.sendall(head)
        for start in range(0, len(body), chunk):
            self.connection.sendall(body[start : start + chunk])
            self._pause(seconds)

    def _drop(self, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.resetting.add(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: the ledger holds every request."""


def is_loopback(address: str) -> bool:
    """Whether a peer is on this machine."""
    return ipaddress.ip_address(address).is_loopback
