"""The durable ledger: one SQLite file, one connection, one lock.

Everything the service knows and everything that was asked of it is here, so that a test can compare a client's idea of
the world with what really happened. Money is kept in whole micro-dollars, times in epoch milliseconds.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS accounts (
  uuid TEXT PRIMARY KEY, name TEXT UNIQUE, profile_uuid TEXT, created_ms INTEGER, credit_micro INTEGER,
  captured_micro INTEGER DEFAULT 0, held_micro INTEGER DEFAULT 0, regions TEXT DEFAULT '[]');
CREATE TABLE IF NOT EXISTS api_keys (
  public TEXT PRIMARY KEY, secret TEXT, account TEXT, permissions TEXT, allowed_ips TEXT DEFAULT '[]',
  is_revoked INTEGER DEFAULT 0, expires_ms INTEGER);
CREATE TABLE IF NOT EXISTS nonces (
  public TEXT, nonce TEXT, seen_ms INTEGER, PRIMARY KEY (public, nonce)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY, received_ms INTEGER, method TEXT, path TEXT, query TEXT, endpoint TEXT, key TEXT, nonce TEXT,
  x_time TEXT, headers TEXT, body TEXT, connection INTEGER, ordinal INTEGER, verdict TEXT, faults TEXT, status INTEGER,
  finished_ms INTEGER);
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, account TEXT, key TEXT, request_id INTEGER, recipe_uuid TEXT, status TEXT,
  status_reason TEXT DEFAULT '', created_ms INTEGER, updated_ms INTEGER, started_ms INTEGER, completed_ms INTEGER,
  task TEXT, title TEXT, cpu_count INTEGER, min_ram_gb INTEGER, min_vram_gb INTEGER, min_storage_gb INTEGER, spec TEXT,
  image_size_bytes INTEGER, retries_used INTEGER DEFAULT 0, tokens TEXT DEFAULT '[]', life TEXT DEFAULT '[]',
  next_at_ms INTEGER);
CREATE INDEX IF NOT EXISTS jobs_created ON jobs (account, created_ms, id);
CREATE INDEX IF NOT EXISTS jobs_status ON jobs (account, status, created_ms, id);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (next_at_ms) WHERE next_at_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, job_uuid TEXT, account TEXT, number INTEGER, status TEXT,
  status_reason TEXT DEFAULT '', created_ms INTEGER, updated_ms INTEGER, started_ms INTEGER, running_ms INTEGER,
  ended_ms INTEGER, urls_ms INTEGER, node_dead_ms INTEGER, rate_micro INTEGER, node TEXT, urls TEXT DEFAULT '[]',
  tokens TEXT DEFAULT '[]', life TEXT DEFAULT '{}', exit_code INTEGER, was_retried INTEGER DEFAULT 0,
  next_at_ms INTEGER, next_status TEXT, next_reason TEXT, capture_at_ms INTEGER, billed_to_ms INTEGER,
  billed_micro INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS runs_job ON runs (job_uuid);
CREATE INDEX IF NOT EXISTS runs_created ON runs (account, created_ms, id);
CREATE INDEX IF NOT EXISTS runs_status ON runs (account, status, created_ms, id);
CREATE INDEX IF NOT EXISTS runs_due ON runs (next_at_ms) WHERE next_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_capture ON runs (capture_at_ms) WHERE capture_at_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY, job_uuid TEXT, run_uuid TEXT, at_ms INTEGER, status TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS history_job ON history (job_uuid);
CREATE TABLE IF NOT EXISTS cancels (
  id INTEGER PRIMARY KEY, job_uuid TEXT, key TEXT, request_id INTEGER, received_ms INTEGER, reason TEXT, effect TEXT);
CREATE TABLE IF NOT EXISTS authorizations (
  id INTEGER PRIMARY KEY, uuid TEXT, account TEXT, run_uuid TEXT, amount_micro INTEGER, remaining_micro INTEGER,
  status TEXT, status_reason TEXT, created_ms INTEGER, expires_ms INTEGER, closed_ms INTEGER);
CREATE INDEX IF NOT EXISTS authorizations_run ON authorizations (run_uuid);
CREATE INDEX IF NOT EXISTS authorizations_account ON authorizations (account, created_ms, id);
CREATE TABLE IF NOT EXISTS transactions (
  id INTEGER PRIMARY KEY, uuid TEXT, account TEXT, run_uuid TEXT, authorization_uuid TEXT, amount_micro INTEGER,
  type TEXT, created_ms INTEGER, memo TEXT);
CREATE INDEX IF NOT EXISTS transactions_run ON transactions (run_uuid);
CREATE INDEX IF NOT EXISTS transactions_account ON transactions (account, created_ms, id);
"""

LEDGER_TABLES = (
    "nonces", "requests", "jobs", "runs", "history", "cancels", "authorizations", "transactions",
)  # fmt: skip


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
        """The connection inside a transaction that commits at the end, or rolls back on an exception. Nests."""
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

    def get_meta(self, name: str, default: str) -> str:
        """A durable setting."""
        found = self.row("SELECT value FROM meta WHERE name = ?", name)
        return default if found is None else str(found["value"])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a durable setting."""
        self.run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)

    def wipe(self) -> None:
        """Forget every request, job and payment; accounts and keys stay."""
        with self.transaction() as db:
            for table in LEDGER_TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608
            db.execute("UPDATE accounts SET captured_micro = 0, held_micro = 0")

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()
