"""A browser without a screen, and a program with a token: over HTTP, and whatever comes back is kept for the search."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Pieces = list[tuple[str, str]]
# The browser's own, which it must be told.
OWN_COOKIES = ("sessionid=", "csrftoken=")


class Visitor:
    """Somebody with cookies of their own; every answer goes to ``pieces``, but what is shown this once."""

    def __init__(self, url: str, pieces: Pieces, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, timeout=40, trust_env=False, headers=headers)
        self.pieces = pieces
        self.sessions: set[str] = set()
        self._typed: tuple[str, ...] = ()

    @contextmanager
    def typing(self, *secrets: str) -> Iterator[None]:
        """A form that is sent back meanwhile keeps, as dots, what its author just typed."""
        self._typed = secrets
        yield
        self._typed = ()

    def get(self, path: str, *, kept: bool = True, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._keep(self.http.get(path, headers=named), kept)

    def post(self, path: str, fields: dict[str, Any] | None = None, *, kept: bool = True) -> httpx.Response:
        """A form, with the token that a page gave."""
        if "csrftoken" not in self.http.cookies:
            self.get("/account/login/")
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"]}
        return self._keep(self.http.post(path, data=fields or {}, headers=headers), kept)

    def send(self, path: str, body: Any, key: str = "", *, method: str = "POST") -> httpx.Response:
        """A program's body."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._keep(self.http.request(method, path, json=body, headers=headers))

    def _keep(self, answer: httpx.Response, kept: bool = True) -> httpx.Response:
        if session := answer.cookies.get("sessionid"):
            self.sessions.add(session)
        lines = [
            f"{name}: {value}"
            for name, value in answer.headers.multi_items()
            if name != "set-cookie" or not value.startswith(OWN_COOKIES)
        ]
        text = "\n".join([*lines, answer.text])
        for secret in self._typed:
            text = text.replace(f'value="{html.escape(secret)}"', "")
        if kept:
            where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
            self.pieces.append((where, text))
        return answer
