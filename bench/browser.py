"""One signed-in browser: a kept connection that takes compressed answers."""

from __future__ import annotations

import gzip
import html
import http.client
import re
import time
from dataclasses import dataclass

from dispersed_web.supervisor.environment import HOST

POLL_ADDRESS = re.compile(r'hx-get="([^"]*[?;&]v=[^"]+)"')
POLL_MS = re.compile(r'data-poll-ms="(\d+)"')


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes  # as it was sent
    seconds: float
    is_compressed: bool

    @property
    def text(self) -> str:
        return (gzip.decompress(self.body) if self.is_compressed else self.body).decode()


class Browser:
    """Raises AssertionError for an answer that is neither 200 nor 204."""

    def __init__(self, port: int, session: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=60)
        self._headers = headers(session)

    def get(self, address: str, *, part: bool = False) -> Answer:
        extra = {"HX-Request": "true"} if part else {}
        began = time.perf_counter()
        self._connection.request("GET", address, headers=self._headers | extra)
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - began
        assert response.status in (200, 204), f"{address}: {response.status} {body[:200]!r}"
        return Answer(response.status, body, seconds, response.headers.get("Content-Encoding") == "gzip")

    def close(self) -> None:
        self._connection.close()


def headers(session: str) -> dict[str, str]:
    return {"Cookie": f"sessionid={session}", "Accept-Encoding": "gzip", "Accept": "text/html"}


def poll_address(text: str) -> str:
    """Where a page or part says that it will ask next."""
    found = POLL_ADDRESS.search(text)
    assert found, "the page does not say where to ask next"
    return html.unescape(found[1])


def poll_s(text: str) -> float:
    """How soon a page says that it will ask again."""
    found = POLL_MS.search(text)
    assert found, "the page does not say when to ask next"
    return int(found[1]) / 1000
