"""Where the request that is being answered came from, so that every event of it says so without being told. Outside of
a request (tasks, sweeps, commands) it is empty."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestFacts:
    """``address`` is the client's, as the proxy saw it; ``request_id`` also stands in the answer and in the log."""

    address: str | None = None
    user_agent: str = ""
    request_id: str = ""


NONE = RequestFacts()
_current: ContextVar[RequestFacts] = ContextVar("request_facts", default=NONE)


def current() -> RequestFacts:
    """The facts of this thread's request."""
    return _current.get()


@contextlib.contextmanager
def within(facts: RequestFacts) -> Iterator[None]:
    """Whatever is recorded inside comes from a request of these facts."""
    token = _current.set(facts)
    try:
        yield
    finally:
        _current.reset(token)
