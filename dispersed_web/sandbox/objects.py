"""Rows of the ledger as the JSON objects of the API.

Job fields follow the stop-job page, run fields the monitoring page and what clients read in the field: the
address is on the run and never on the job, the price too. The job echoes `parameters` as they came, secrets
included, as the cloud may.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .billing import usd
from .clock import iso
from .validate import JOB_FIELDS


def job_object(row: sqlite3.Row) -> dict[str, Any]:
    """A job as create, get, list and cancel show it."""
    spec = json.loads(row["spec"])
    return {
        "object": "job",
        "uuid": row["uuid"],
        "created_at": iso(row["created_ms"]),
        "updated_at": iso(row["updated_ms"]),
        "started_at": iso(row["started_ms"]),
        "completed_at": iso(row["completed_ms"]),
        "status": row["status"],
        "status_reason": row["status_reason"],
        **{name: spec[name] for name in JOB_FIELDS},
        "timeout_assign_at_ms": row["created_ms"] + spec["max_timeout_assign_ms"],
        "image_size_bytes": row["image_size_bytes"],
        "container_access_tokens": json.loads(row["tokens"]),
        "source_recipe_uuid": row["recipe_uuid"],
    }


def run_object(row: sqlite3.Row, job: sqlite3.Row, now_ms: int) -> dict[str, Any]:
    """A run as the list shows it: without logs. `node_urls` fill some seconds after RUNNING."""
    is_reachable = row["urls_ms"] is not None and now_ms >= row["urls_ms"]
    ended = row["ended_ms"]
    return {
        "object": "job_run",
        "uuid": row["uuid"],
        "job_uuid": row["job_uuid"],
        "job_snapshot": job_object(job),
        "created_at": iso(row["created_ms"]),
        "updated_at": iso(row["updated_ms"]),
        "status": row["status"],
        "status_reason": row["status_reason"],
        "started_at_ms": row["started_ms"],
        "ended_at_ms": ended,
        "duration_ms": None if ended is None else ended - row["started_ms"],
        "hourly_rate_usd": usd(row["rate_micro"]),
        "node_urls": json.loads(row["urls"]) if is_reachable else [],
        "container_access_tokens": json.loads(row["tokens"]) if is_reachable else [],
    }


def authorization_object(row: sqlite3.Row, profile_uuid: str) -> dict[str, Any]:
    """A hold."""
    return {
        "object": "compute_ledger_authorization",
        "uuid": row["uuid"],
        "amount_usd": usd(row["amount_micro"]),
        "approved": True,
        "status": row["status"],
        "status_reason": row["status_reason"],
        "opened_at": iso(row["created_ms"]),
        "expires_at": iso(row["expires_ms"]),
        "closed_at": iso(row["closed_ms"]),
        "job_run_uuid": row["run_uuid"],
        "consumer_account_uuid": row["account"],
        "consumer_profile_uuid": profile_uuid,
        "render_user_id": None,
        "created_at": iso(row["created_ms"]),
        "updated_at": iso(row["closed_ms"] or row["created_ms"]),
    }


def transaction_object(row: sqlite3.Row, profile_uuid: str) -> dict[str, Any]:
    """A capture."""
    return {
        "object": "compute_ledger_transaction",
        "uuid": row["uuid"],
        "amount_usd": usd(row["amount_micro"]),
        "type": row["type"],
        "job_run_uuid": row["run_uuid"],
        "authorization_uuid": row["authorization_uuid"],
        "consumer_profile_uuid": profile_uuid,
        "consumer_account_uuid": row["account"],
        "render_user_id": None,
        "render_credit_id": None,
        "memo": row["memo"],
        "created_at": iso(row["created_ms"]),
        "updated_at": iso(row["created_ms"]),
    }
