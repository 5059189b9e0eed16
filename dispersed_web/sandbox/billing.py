"""Money: a hold for each run, captures while it lives and at its end, a prepaid balance.

The vendor's field names tell of authorizations (holds) and captures bound to a job run. Our assumptions: a
hold covers an hour of the node's rate and is renewed when used up; captures every five minutes; billing runs
from the run's `started_at_ms` (assignment) to its end, by the millisecond; a used-up balance refuses new jobs
with 402 and leaves running ones alone.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from .clock import timed_uuid
from .errors import ApiError
from .store import Store

MICRO = 1_000_000
HOUR_MS = 3_600_000
CAPTURE_EVERY_MS = 5 * 60 * 1000
HOLD_HOURS = 1


def usd(micro: int) -> float:
    """Micro-dollars as the number the API shows."""
    return round(micro / MICRO, 6)


def cost_micro(rate_micro: int, duration_ms: int) -> int:
    """What a duration costs at an hourly rate, in micro-dollars."""
    return rate_micro * duration_ms // HOUR_MS


def available_micro(account: sqlite3.Row) -> int:
    """The balance: credit less what was captured and what is held."""
    return int(account["credit_micro"] - account["captured_micro"] - account["held_micro"])


def require_funds(store: Store, account: str) -> None:
    """Raises ApiError 402 when the account's balance is used up."""
    row = store.row("SELECT * FROM accounts WHERE uuid = ?", account)
    if row is None or available_micro(row) <= 0:
        raise ApiError(402, "insufficient_balance", "The account's balance is used up.")


def open_hold(
    store: Store, account: str, run_uuid: str, rate_micro: int, at_ms: int, owed_micro: int = 0
) -> None:
    """Open an authorization for the next hour of a run, and for what it owes already."""
    amount = rate_micro * HOLD_HOURS + owed_micro
    store.insert(
        "authorizations",
        uuid=timed_uuid(at_ms),
        account=account,
        run_uuid=run_uuid,
        amount_micro=amount,
        remaining_micro=amount,
        status="OPEN",
        status_reason="",
        created_ms=at_ms,
        expires_ms=at_ms + 24 * HOUR_MS,
    )
    store.run("UPDATE accounts SET held_micro = held_micro + ? WHERE uuid = ?", amount, account)


def capture(store: Store, run: sqlite3.Row, until_ms: int) -> None:
    """Charge a run for its time up to `until_ms`, renewing its hold as needed."""
    owed = cost_micro(run["rate_micro"], max(0, until_ms - run["started_ms"])) - run["billed_micro"]
    billed = run["billed_micro"] + owed
    while owed > 0:
        hold = _open_hold_of(store, run["uuid"])
        if hold is None:
            open_hold(store, run["account"], run["uuid"], run["rate_micro"], until_ms, owed)
            continue
        taken = min(owed, hold["remaining_micro"])
        _take(store, run, hold, taken, until_ms)
        owed -= taken
    store.update("runs", run["uuid"], billed_micro=billed)


def close_holds(store: Store, run_uuid: str, at_ms: int) -> None:
    """Release what a finished run did not use."""
    hold = _open_hold_of(store, run_uuid)
    if hold is not None:
        _close(store, hold, hold["remaining_micro"], at_ms, "The job run has ended.")


def _open_hold_of(store: Store, run_uuid: str) -> sqlite3.Row | None:
    return store.row("SELECT * FROM authorizations WHERE run_uuid = ? AND status = 'OPEN'", run_uuid)


def _take(store: Store, run: sqlite3.Row, hold: sqlite3.Row, amount: int, at_ms: int) -> None:
    store.insert(
        "transactions",
        uuid=timed_uuid(at_ms),
        account=run["account"],
        run_uuid=run["uuid"],
        authorization_uuid=hold["uuid"],
        amount_micro=amount,
        type="CAPTURE",
        created_ms=at_ms,
        memo="",
    )
    store.update("authorizations", hold["uuid"], remaining_micro=hold["remaining_micro"] - amount)
    store.run(
        "UPDATE accounts SET held_micro = held_micro - ?, captured_micro = captured_micro + ? WHERE uuid = ?",
        amount,
        amount,
        run["account"],
    )
    if amount == hold["remaining_micro"]:
        _close(store, hold, 0, at_ms, "The amount is used up.")


def _close(store: Store, hold: sqlite3.Row, released: int, at_ms: int, reason: str) -> None:
    store.update("authorizations", hold["uuid"], status="CLOSED", status_reason=reason, closed_ms=at_ms)
    store.run("UPDATE accounts SET held_micro = held_micro - ? WHERE uuid = ?", released, hold["account"])


def run_bill(run: sqlite3.Row, now_ms: int) -> dict[str, Any]:
    """What a run has cost so far, to the millisecond, whether or not it was captured yet."""
    until = run["ended_ms"] or now_ms
    duration = max(0, until - run["started_ms"])
    return {
        "run_uuid": run["uuid"],
        "job_uuid": run["job_uuid"],
        "status": run["status"],
        "hourly_rate_usd": usd(run["rate_micro"]),
        "billed_ms": duration,
        "billed_s": duration / 1000,
        "billed_usd": usd(cost_micro(run["rate_micro"], duration)),
        "captured_usd": usd(run["billed_micro"]),
    }
