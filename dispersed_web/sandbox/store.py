"""The durable ledger: one SQLite file, one connection, one lock.

Everything the service knows and everything that was asked of it is here, so that a test can compare a
client's idea of the world with what really happened. Money is kept in whole micro-dollars, times in epoch
milliseconds.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .schema import LEDGER_TABLES, SCHEMA


class Store:
    """The SQLite file of one data folder. Use `transaction()` for every access; it is the one writer lock."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(data_dir / "ledger.sqlite3", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection inside a transaction that commits at the end, or rolls back on an exception.

        Nests.
        """
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._db
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self.lock:
            found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return found

    def by_uuid(self, table: str, uuid: str) -> sqlite3.Row:
        """The row with this uuid, which is known to exist. Raises KeyError."""
        found = self.row(f"SELECT * FROM {table} WHERE uuid = ?", uuid)  # noqa: S608
        if found is None:
            raise KeyError(uuid)
        return found

    def run(self, sql: str, *values: object) -> int:
        """Execute one statement; gives the number of rows it changed."""
        with self.transaction() as db:
            return db.execute(sql, values).rowcount

    def insert(self, table: str, **fields: object) -> int:
        """Insert one row; gives its integer id. Table and field names are ours, never a client's."""
        marks = ", ".join("?" * len(fields))
        sql = f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})"  # noqa: S608
        with self.transaction() as db:
            return db.execute(sql, tuple(fields.values())).lastrowid or 0

    def update(self, table: str, uuid: str, **fields: object) -> None:
        """Set fields of the row with this uuid."""
        sets = ", ".join(f"{name} = ?" for name in fields)
        self.run(f"UPDATE {table} SET {sets} WHERE uuid = ?", *fields.values(), uuid)  # noqa: S608

    def note(self, job_uuid: str, run_uuid: str | None, at_ms: int, status: str, reason: str) -> None:
        """Add a line to a job's history; `run_uuid` None means the job itself."""
        self.insert(
            "history", job_uuid=job_uuid, run_uuid=run_uuid, at_ms=at_ms, status=status, reason=reason
        )

    def get_meta(self, name: str, default: str) -> str:
        """A durable setting."""
        found = self.row("SELECT value FROM meta WHERE name = ?", name)
        return default if found is None else str(found["value"])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a durable setting."""
        self.run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)

    def wipe(self) -> None:
        """Empty the tables of requests, jobs and payments."""
        with self.transaction() as db:
            for table in LEDGER_TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()
