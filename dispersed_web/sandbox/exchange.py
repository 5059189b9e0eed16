"""One request from arrival to answer: faults, authentication, the view, and its row in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from email.utils import formatdate

from .auth import Caller, authenticate, forget_old_nonces
from .cloud import Cloud
from .errors import ApiError
from .faults import EXCHANGE_KINDS, Rule
from .mangle import Wire, json_wire, mangle_value, mangle_wire, status_wire
from .routes import ROUTES, resolve
from .views import Request

KEPT_BODY_CHARS = 65_536
NONCE_SWEEP_EVERY = 1_000


class DroppedError(Exception):
    """The connection shall end without an answer; with `reset`, by a TCP reset."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("dropped")
        self.reset = reset


@dataclass(frozen=True)
class Incoming:
    """The head of a request, and which request of which connection it is."""

    method: str
    path: str
    query: str
    headers: Message
    peer_ip: str
    connection: int
    ordinal: int


class Exchange:
    """Answers one request.

    `pause` sleeps for so many seconds, or raises DroppedError when the server ends.
    """

    def __init__(self, cloud: Cloud, incoming: Incoming, pause: Callable[[float], None]) -> None:
        self._cloud = cloud
        self._incoming = incoming
        self._pause = pause
        self._endpoint, self._parts = resolve(incoming.method, incoming.path)
        key = incoming.headers.get("X-API-Key")
        self._rules = cloud.faults.take(self._endpoint, EXCHANGE_KINDS, key)
        self._verdict = "not_read"
        self._id = cloud.store.insert(
            "requests", received_ms=cloud.clock.now_ms(), method=incoming.method, path=incoming.path,
            query=incoming.query, endpoint=self._endpoint, key=key, nonce=incoming.headers.get("X-Nonce"),
            x_time=incoming.headers.get("X-Time"), headers=json.dumps(dict(incoming.headers.items())),
            connection=incoming.connection, ordinal=incoming.ordinal, verdict=self._verdict,
            faults=",".join(rule.kind for rule in self._rules),
        )  # fmt: skip

    def arrive(self) -> None:
        """Faults before the body is read. Raises DroppedError."""
        self._interrupt("arrival")

    def answer(self, body: bytes) -> Wire:
        """The answer to the request. Raises DroppedError."""
        status = None
        try:
            wire = self._answer(body)
            status = wire.status
            return wire
        finally:
            self._cloud.store.run(
                "UPDATE requests SET verdict = ?, status = ?, finished_ms = ?, body = ? WHERE id = ?",
                self._verdict, status, self._cloud.clock.now_ms(),
                body[:KEPT_BODY_CHARS].decode("utf-8", "replace"), self._id,
            )  # fmt: skip

    def _answer(self, body: bytes) -> Wire:
        try:
            caller = self._authenticate(body)
        except ApiError as refusal:
            self._verdict = refusal.code
            return json_wire(refusal.status, refusal.payload())
        self._verdict = "ok"
        self._interrupt("before")
        before = self._answer_rule("before")
        wire = status_wire(before) if before else self._view_answer(caller, body)
        self._interrupt("after")
        after = self._answer_rule("after")
        return mangle_wire(status_wire(after) if after else wire, self._rules)

    def _authenticate(self, body: bytes) -> Caller:
        cloud, incoming = self._cloud, self._incoming
        if self._id % NONCE_SWEEP_EVERY == 0:
            forget_old_nonces(cloud.store, cloud.clock)
        caller = authenticate(
            cloud.store,
            cloud.clock,
            cloud.auth,
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            headers=incoming.headers,
            body=body,
            peer_ip=incoming.peer_ip,
        )
        route = ROUTES.get(self._endpoint)
        if route is not None and route[1] not in caller.permissions:
            raise ApiError(403, "forbidden", f"The API key lacks the permission {route[1]}.")
        return caller

    def _view_answer(self, caller: Caller, body: bytes) -> Wire:
        cloud, route = self._cloud, ROUTES.get(self._endpoint)
        request = Request(self._id, self._endpoint, caller, self._incoming.query, body, self._parts)
        try:
            if route is None:
                raise ApiError(404, "not_found", "There is no such endpoint.")
            with cloud.up_to_date():
                status, value = route[0](cloud, request)
        except ApiError as refusal:
            return json_wire(refusal.status, refusal.payload())
        return json_wire(status, mangle_value(value, self._rules))

    def _interrupt(self, stage: str) -> None:
        for rule in self._rules:
            if rule.get("at", "before") != stage:
                continue
            if rule.kind == "stall":
                self._pause(float(rule.get("seconds", 60)))
            elif rule.kind == "drop":
                raise DroppedError(reset=bool(rule.get("reset")))

    def _answer_rule(self, stage: str) -> Rule | None:
        kinds = ("status", "redirect")
        return next((r for r in self._rules if r.kind in kinds and r.get("at", "before") == stage), None)


def date_header(cloud: Cloud) -> str:
    """The `Date` of the service's authentication clock."""
    return formatdate(cloud.clock.auth_ms() / 1000, usegmt=True)
