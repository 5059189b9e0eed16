"""Deadlines of single tries."""

from __future__ import annotations

from dispersed_web.dispersed import Client
from tests.waiting import LIMIT_S


def short_at_first(client: Client, seconds: float) -> Client:
    """Its next request may take so long, and those after it as long as a busy machine needs."""
    deadline = client._exchange._deadline
    start, lengths = deadline.start, iter([seconds])
    deadline.start = lambda _: start(next(lengths, LIMIT_S))  # type: ignore[method-assign]
    client._deadline_s = LIMIT_S
    return client
