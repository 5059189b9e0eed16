"""Many browsers from one process: kept connections, one request after the other on each."""

from __future__ import annotations

import asyncio
import gzip
import random
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.browser import headers, poll_address
from dispersed_web.supervisor.environment import HOST

PATIENCE_S = 20.0
FAULTS = (OSError, EOFError, TimeoutError, ValueError, AssertionError)


@dataclass
class Seen:
    """What a crowd met. Seconds count from when a request was due, so a slow answer before it is not forgotten."""

    seconds: list[float] = field(default_factory=list)
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)


class Caller:
    """One kept connection."""

    def __init__(self, port: int, session: str) -> None:
        self._port = port
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers(session).items())
        self._head = f" HTTP/1.1\r\nHost: {HOST}:{port}\r\n{lines}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, address: str, *, part: bool) -> tuple[int, bytes]:
        """Status and body, decompressed only by whoever needs it. Raises one of FAULTS."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        assert self._reader
        extra = "HX-Request: true\r\n" if part else ""
        self._writer.write(f"GET {address}{self._head}{extra}\r\n".encode())
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await _read(self._reader)
        except FAULTS:
            self.close()
            raise

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    at = head.find(b"content-length: ")
    length = int(head[at + 16 : head.find(b"\r", at)]) if at >= 0 else 0
    return status, await reader.readexactly(length)


def throughput(port: int, session: str, address: str, *, part: bool, clients: int, seconds: float) -> float:
    """Answers per second when each client asks again at once."""

    async def client(until: float) -> int:
        caller = Caller(port, session)
        count = 0
        while time.monotonic() < until:
            status, _ = await caller.get(address, part=part)
            assert status == 200, status
            count += 1
        caller.close()
        return count

    async def everybody() -> float:
        began = time.monotonic()
        counts = await asyncio.gather(*(client(began + seconds) for _ in range(clients)))
        return sum(counts) / (time.monotonic() - began)

    return asyncio.run(everybody())


def watch(port: int, sessions: list[str], address: str, *, every_s: float, seconds: float) -> Seen:
    """Every session opens the page's live part and then polls it every ``every_s``, at a moment of its own."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    seen = Seen()

    async def browser(session: str, opened: float, until: float) -> None:
        caller = Caller(port, session)
        await asyncio.sleep(opened - time.monotonic())
        shown = await _attempt(lambda: caller.get(address, part=True), seen)
        ask, due = _next_address(shown, address), opened
        while (due := due + every_s) < until:
            await asyncio.sleep(max(due - time.monotonic(), 0))
            answer = await _attempt(lambda at=ask: caller.get(at, part=True), seen)
            seen.seconds.append(time.monotonic() - due)
            ask = _next_address(answer, ask)
            seen.unchanged += answer is not None and answer[0] == 204
        caller.close()

    async def everybody() -> None:
        begin = time.monotonic()
        openings = [begin + random.uniform(0, every_s) for _ in sessions]
        until = begin + every_s + seconds
        await asyncio.gather(*(browser(*one, until) for one in zip(sessions, openings, strict=True)))

    asyncio.run(everybody())
    return seen


async def _attempt(get: Callable[[], Awaitable[tuple[int, bytes]]], seen: Seen) -> tuple[int, bytes] | None:
    try:
        answer = await get()
    except FAULTS as error:
        seen.errors.append(type(error).__name__)
        return None
    if answer[0] not in (200, 204):
        seen.errors.append(str(answer[0]))
        return None
    return answer


def _next_address(answer: tuple[int, bytes] | None, before: str) -> str:
    if answer is None or answer[0] != 200:
        return before
    body = answer[1]
    return poll_address((gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode())
