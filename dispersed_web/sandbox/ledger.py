"""The control verbs that read the ledger: what was really asked, done and billed."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from . import billing
from .cloud import Cloud
from .lifecycle import LIVE

_JOB_NAMES = (
    "uuid", "account_name", "key", "request_id", "recipe_uuid", "status", "status_reason", "created_ms",
    "started_ms", "completed_ms", "task", "title",
)  # fmt: skip
_JOBS = "SELECT j.*, a.name account_name FROM jobs j JOIN accounts a ON a.uuid = j.account "


class LedgerVerbs:
    """Reading verbs. Every one first carries out what is due, so that it shows the present."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def requests(
        self,
        method: str | None = None,
        path: str | None = None,
        key: str | None = None,
        since_id: int = 0,
        limit: int = 10_000,
    ) -> list[dict[str, Any]]:
        """Requests in order of arrival, optionally by method, path prefix and key, with headers and body.

        `verdict` is "ok", the code of a refusal at authentication, or "not_read" when a fault came first.
        `status` is None when no answer was formed. `connection` and `ordinal` tell which request of which
        connection.
        """
        rows = self._cloud.store.rows(
            "SELECT * FROM requests WHERE id > ?1 AND (?2 IS NULL OR method = ?2) "
            "AND (?3 IS NULL OR path GLOB ?3 || '*') AND (?4 IS NULL OR key = ?4) ORDER BY id LIMIT ?5",
            int(since_id),
            method,
            path,
            key,
            int(limit),
        )
        return [{**dict(row), "headers": json.loads(row["headers"])} for row in rows]

    def jobs(
        self, account: str | None = None, title: str | None = None, live: bool = False
    ) -> list[dict[str, Any]]:
        """Jobs in order of creation, optionally by account name, text in the title, and only live ones."""
        with self._cloud.up_to_date() as db:
            rows = db.execute(
                _JOBS
                + "WHERE (?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR instr(j.title, ?2)) ORDER BY j.id",
                (account, title),
            ).fetchall()
        return [_job(row) for row in rows if not live or row["status"] in LIVE]

    def job(self, uuid: str) -> dict[str, Any]:
        """One job with its spec, runs, cancels and full history. Raises ValueError when unknown."""
        with self._cloud.up_to_date() as db:
            row = db.execute(_JOBS + "WHERE j.uuid = ?", (uuid,)).fetchone()
            if row is None:
                raise ValueError(f"no job {uuid}")
            history = db.execute(
                "SELECT run_uuid, at_ms, status, reason FROM history WHERE job_uuid = ? ORDER BY id", (uuid,)
            ).fetchall()
            return {
                **_job(row),
                "spec": json.loads(row["spec"]),
                "runs": self.billing(uuid),
                "cancels": self.cancels(uuid),
                "history": [dict(entry) for entry in history],
            }

    def cancels(self, job_uuid: str | None = None) -> list[dict[str, Any]]:
        """Cancels in order, with their effect: taken, repeated, finished, dropped or refused."""
        sql = "SELECT * FROM cancels WHERE ?1 IS NULL OR job_uuid = ?1 ORDER BY id"
        return [dict(row) for row in self._cloud.store.rows(sql, job_uuid)]

    def billing(self, job_uuid: str | None = None) -> list[dict[str, Any]]:
        """Billed seconds and USD for each run, to the millisecond."""
        with self._cloud.up_to_date() as db:
            sql = "SELECT * FROM runs WHERE ?1 IS NULL OR job_uuid = ?1 ORDER BY id"
            rows = db.execute(sql, (job_uuid,)).fetchall()
            now = self._cloud.clock.now_ms()
        return [billing.run_bill(row, now) for row in rows]

    def balances(self) -> dict[str, float]:
        """Available balance in USD by account name."""
        with self._cloud.up_to_date() as db:
            rows = db.execute("SELECT * FROM accounts").fetchall()
        return {row["name"]: billing.usd(billing.available_micro(row)) for row in rows}


def _job(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in _JOB_NAMES}
