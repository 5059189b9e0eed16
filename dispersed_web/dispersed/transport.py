"""Sending one request over HTTP under a wall-clock deadline and a size cap, without retries, redirects or
proxies.

httpx's timeouts are for each read, so a server that drips one byte a second holds a caller for ever. Here
every wait on the socket, headers and TLS handshake included, is cut to what is left of the deadline. Only
the look-up of a host name is not: how long it takes is set by the system's resolver.
"""

import functools
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass

import httpcore
import httpx

CONNECT_TIMEOUT_S = 5.0
MAX_RESPONSE_BYTES = 5 * 1024 * 1024
MAX_LOG_BYTES = 16 * 1024 * 1024
_WITH_LOG = "/v1/job-runs/"
_WRITE_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes


class TooLarge(Exception):
    """The answer is larger than the `longest` number of bytes that we read."""

    def __init__(self, longest: int) -> None:
        super().__init__(longest)
        self.longest = longest


class Deadline:
    """When the request under way must be over, and whether any byte of it has been handed to the network."""

    def __init__(self) -> None:
        self._ends_at = float("inf")
        self.wrote = False

    def start(self, seconds: float) -> None:
        """Begin a request that may take this long."""
        self._ends_at = time.monotonic() + seconds
        self.wrote = False

    def left_s(self) -> float:
        """Seconds left; negative when it is over."""
        return self._ends_at - time.monotonic()

    def cut(self, timeout: float | None, expired: type[Exception]) -> float:
        """The timeout, cut to what is left. Raises `expired` when nothing is."""
        left = self.left_s()
        if left <= 0:
            raise expired("the time for this request is over")
        return left if timeout is None else min(timeout, left)


class DeadlineTransport(httpx.HTTPTransport):
    """An HTTP transport whose every wait ends with the deadline. `keep_alive` is how many idle
    connections stay.
    """

    def __init__(self, deadline: Deadline, *, keep_alive: int) -> None:
        context = _tls_context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=4,
            max_keepalive_connections=keep_alive,
            keepalive_expiry=5.0,
            network_backend=_DeadlineBackend(deadline),
        )


def send(transport: httpx.BaseTransport, request: httpx.Request, deadline: Deadline, seconds: float) -> Reply:
    """Send the request once and read its answer within `seconds`.

    Raises httpx exceptions and TooLarge. Afterwards `deadline.wrote` tells whether anything left this
    machine, if the transport is a DeadlineTransport.
    """
    deadline.start(seconds)
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_TIMEOUT_S, seconds))
    request.extensions["timeout"] = timeout.as_dict()
    longest = MAX_LOG_BYTES if request.url.path.startswith(_WITH_LOG) else MAX_RESPONSE_BYTES
    response = transport.handle_request(request)
    try:
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > longest:
                raise TooLarge(longest)
            deadline.cut(None, httpx.ReadTimeout)
    finally:
        response.close()
    return Reply(status=response.status_code, headers=response.headers, body=bytes(body))


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """Verified TLS with the bundled authorities. Made once: reading them takes longer than many a request."""
    return httpx.create_ssl_context(trust_env=False)


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cut(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_PIECE_BYTES):
            left = self._deadline.cut(timeout, httpcore.WriteTimeout)
            self._deadline.wrote = True
            self._inner.write(buffer[start : start + _WRITE_PIECE_BYTES], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
