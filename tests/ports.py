"""Ports for what listens only later, in a process of its own or after a while."""

from __future__ import annotations

import itertools
import os

from dispersed_web.supervisor.environment import port_is_free

# Below those that the system gives to connections by itself, which come and go all the time.
FIRST, LAST = 12_000, 32_000
# Each process of the tests begins elsewhere, and none gives a port twice.
_next = itertools.count(os.getpid() * 97 % (LAST - FIRST) // 2 * 2, 2)


def free_port() -> int:
    """One that nobody listens at, nor at the one after it, which a product takes for its sandbox."""
    for step in _next:
        port = FIRST + step % (LAST - FIRST)
        if port_is_free(port) and port_is_free(port + 1):
            return port
    raise AssertionError("no port is free")
