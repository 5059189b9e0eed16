"""The control verbs: faults, time, market, keys, money, and reading the ledger.

`Control` is used in process (`sandbox.control`), over HTTP under `/_control/` from loopback, and by `SandboxControl`.
Every verb takes and gives plain JSON values. Over HTTP: `POST /_control/<verb>` with a JSON object of arguments, or
`GET /_control/<verb>?name=value` for the verbs that only read; the answer is `{"result": …}`.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from urllib.parse import parse_qsl

from . import billing
from .auth import PERMISSIONS, READ_ONLY
from .cloud import Cloud
from .lifecycle import LIVE
from .seeding import seed_jobs

READING = frozenset(
    ["ping", "clock", "faults", "market", "requests", "jobs", "job", "cancels", "billing", "balances", "keys"]
)


class Control:
    """What tests and demos do to the sandbox behind the API's back."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def ping(self) -> str:
        """Whether the sandbox answers."""
        return "pong"

    # Faults

    def add_fault(
        self,
        endpoint: str,
        kind: str,
        times: int | None = None,
        probability: float | None = None,
        key: str | None = None,
        **params: Any,
    ) -> int:
        """Add a fault rule (see `faults` for kinds and parameters); gives its id."""
        return self._cloud.faults.add(endpoint, kind, times=times, probability=probability, key=key, **params)

    def faults(self) -> list[dict[str, Any]]:
        """All rules with their `fired` counts."""
        return self._cloud.faults.rules()

    def clear_faults(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all."""
        self._cloud.faults.clear(rule_id)

    def set_listing_lag(self, seconds: float) -> None:
        """Jobs and runs younger than this are absent from lists (a get by uuid finds them)."""
        self._cloud.listing_lag_s = seconds

    def kill_node(self, job_uuid: str, lag_s: float = 0.0) -> None:
        """The node of a running job dies now; its status notices after `lag_s` seconds."""
        with self._ledger():
            for run in self._live_runs(job_uuid):
                self._cloud.lifecycle.kill_node(run, self._cloud.clock.now_ms(), lag_s)

    def finish_job(self, job_uuid: str, exit_code: int = 0) -> None:
        """The containers of a running job end by themselves now."""
        status, reason = (
            ("FAILED", f"Container exited with code {exit_code}") if exit_code else ("COMPLETED", "")
        )
        with self._ledger():
            for run in self._live_runs(job_uuid):
                self._cloud.lifecycle.end_run(run, status, reason, self._cloud.clock.now_ms(), exit_code)

    # Time

    def clock(self) -> dict[str, Any]:
        """Service time and authentication time in epoch ms, scale, window, skew and lag."""
        clock = self._cloud.clock
        return {
            "now_ms": clock.now_ms(),
            "auth_ms": clock.auth_ms(),
            "advance_s": clock.advance_ms / 1000,
            "skew_s": clock.skew_ms / 1000,
            "time_scale": clock.time_scale,
            "window_s": self._cloud.auth.window_s,
            "listing_lag_s": self._cloud.listing_lag_s,
        }

    def advance(self, seconds: float) -> int:
        """Move the service clock forward and carry out what became due; gives the new time in ms. Durable."""
        with self._cloud.store.transaction():
            self._cloud.clock.advance_ms += int(seconds * 1000)
            self._cloud.store.set_meta("advance_ms", str(self._cloud.clock.advance_ms))
            self._cloud.lifecycle.advance()
        return self._cloud.clock.now_ms()

    def set_time_scale(self, factor: float) -> None:
        """Divide the phase durations that are drawn from now on."""
        if factor <= 0:
            raise ValueError("the time scale must be above 0")
        self._cloud.clock.time_scale = factor

    def set_clock_skew(self, seconds: float) -> None:
        """Let the service's authentication clock (time check and `Date`) go wrong."""
        self._cloud.clock.skew_ms = int(seconds * 1000)

    def set_time_window(self, seconds: float | None) -> None:
        """How far `X-Time` may be off (default 300); None = not enforced."""
        self._cloud.auth.window_s = seconds

    def set_strict(self, body_form: str | None) -> None:
        """Accept only one signing dialect: "escaped" or "raw" bodies, and `+` for a space. None accepts all."""
        if body_form not in (None, "escaped", "raw"):
            raise ValueError("strict must be null, escaped or raw")
        self._cloud.auth.strict = body_form

    # Market and money

    def market(self) -> list[dict[str, Any]]:
        """Every offer: id, GPU, count, region, free nodes, price."""
        return [
            {
                "offer_id": o.offer_id,
                "gpu": o.gpu.label,
                "gpu_registry_uuid": o.gpu.uuid,
                "gpu_count": o.gpu_count,
                "region": o.region,
                "nodes": o.nodes,
                "hourly_rate_usd": o.hourly_usd,
            }
            for o in self._cloud.market.offers(self._cloud.clock.now_ms())
        ]

    def set_offer(
        self, match: str, nodes: int | None = None, hourly_rate_usd: float | None = None
    ) -> list[str]:
        """Change free nodes or price of all offers whose id or GPU contains `match` ("" = all); gives their ids."""
        return self._cloud.market.set_offer(match, nodes=nodes, hourly_usd=hourly_rate_usd)

    def balances(self) -> dict[str, float]:
        """Available balance in USD by account name."""
        with self._ledger() as db:
            rows = db.execute("SELECT * FROM accounts").fetchall()
        return {row["name"]: billing.usd(billing.available_micro(row)) for row in rows}

    def set_balance(self, account: str, usd: float) -> None:
        """Set an account's available balance."""
        with self._ledger() as db:
            db.execute(
                "UPDATE accounts SET credit_micro = captured_micro + held_micro + ? WHERE name = ?",
                (round(usd * billing.MICRO), account),
            )

    # Keys

    def keys(self) -> list[dict[str, Any]]:
        """The known keys without their secrets."""
        rows = self._cloud.store.rows(
            "SELECT k.*, a.name FROM api_keys k JOIN accounts a ON a.uuid = k.account"
        )
        return [
            {
                "public_key": row["public"],
                "account": row["name"],
                "account_uuid": row["account"],
                "permissions": json.loads(row["permissions"]),
                "allowed_ips": json.loads(row["allowed_ips"]),
                "is_revoked": bool(row["is_revoked"]),
                "expires_ms": row["expires_ms"],
            }
            for row in rows
        ]

    def add_key(self, public: str, secret: str, account: str) -> None:
        """Make another key pair known."""
        self._cloud.add_key(public, secret, account)

    def revoke_key(self, public: str) -> None:
        """The key is refused from now on."""
        self._set_key(public, is_revoked=1)

    def restore_key(self, public: str) -> None:
        """Undo revoke, expiry, permissions and allowed addresses."""
        self._set_key(
            public, is_revoked=0, expires_ms=None, permissions=json.dumps(PERMISSIONS), allowed_ips="[]"
        )

    def expire_key(self, public: str, in_s: float = 0.0) -> None:
        """The key expires after so many seconds."""
        self._set_key(public, expires_ms=self._cloud.clock.auth_ms() + int(in_s * 1000))

    def set_permissions(
        self, public: str, forbid: list[str] | tuple[str, ...] = (), read_only: bool = False
    ) -> list[str]:
        """Give a key all permissions (or the reading ones) but the forbidden, e.g. "jobs.cancel.own"."""
        granted = [name for name in (READ_ONLY if read_only else PERMISSIONS) if name not in forbid]
        self._set_key(public, permissions=json.dumps(granted))
        return granted

    def set_allowed_ips(self, public: str, addresses: list[str]) -> None:
        """Restrict a key to source addresses; none = any."""
        self._set_key(public, allowed_ips=json.dumps(addresses))

    # The ledger

    def requests(
        self,
        method: str | None = None,
        path: str | None = None,
        key: str | None = None,
        since_id: int = 0,
        limit: int = 10_000,
    ) -> list[dict[str, Any]]:
        """Requests in order of arrival, optionally by method, path prefix and key; with headers, body and verdict.

        `status` is null when no answer was formed; `connection` and `ordinal` tell which request of which connection.
        """
        with self._ledger() as db:
            rows = db.execute(
                "SELECT * FROM requests WHERE id > ? AND (?2 IS NULL OR method = ?2) "
                "AND (?3 IS NULL OR path GLOB ?3 || '*') AND (?4 IS NULL OR key = ?4) ORDER BY id LIMIT ?5",
                (since_id, method, path, key, limit),
            ).fetchall()
        return [{**dict(row), "headers": json.loads(row["headers"])} for row in rows]

    def jobs(
        self, account: str | None = None, title: str | None = None, live: bool = False
    ) -> list[dict[str, Any]]:
        """Jobs in order of creation, optionally by account name, text in the title, and only live ones."""
        with self._ledger() as db:
            rows = db.execute(
                "SELECT j.*, a.name account_name FROM jobs j JOIN accounts a ON a.uuid = j.account "
                "WHERE (?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR instr(j.title, ?2)) ORDER BY j.id",
                (account, title),
            ).fetchall()
        return [_job(row) for row in rows if not live or row["status"] in LIVE]

    def job(self, uuid: str) -> dict[str, Any]:
        """One job with its spec, runs, cancels and full history. Raises ValueError when unknown."""
        with self._ledger() as db:
            row = db.execute(
                "SELECT j.*, a.name account_name FROM jobs j JOIN accounts a ON a.uuid = j.account WHERE j.uuid = ?",
                (uuid,),
            ).fetchone()
            if row is None:
                raise ValueError(f"no job {uuid}")
            history = db.execute("SELECT * FROM history WHERE job_uuid = ? ORDER BY id", (uuid,)).fetchall()
        return {
            **_job(row),
            "spec": json.loads(row["spec"]),
            "runs": self.billing(uuid),
            "cancels": self.cancels(uuid),
            "history": [
                {name: entry[name] for name in ("run_uuid", "at_ms", "status", "reason")} for entry in history
            ],
        }

    def cancels(self, job_uuid: str | None = None) -> list[dict[str, Any]]:
        """Cancels in order, with their effect: taken, repeated, finished, dropped or refused."""
        return [
            dict(row)
            for row in self._cloud.store.rows(
                "SELECT * FROM cancels WHERE ?1 IS NULL OR job_uuid = ?1 ORDER BY id", job_uuid
            )
        ]

    def billing(self, job_uuid: str | None = None) -> list[dict[str, Any]]:
        """Billed seconds and USD for each run, to the millisecond."""
        with self._ledger() as db:
            rows = db.execute(
                "SELECT * FROM runs WHERE ?1 IS NULL OR job_uuid = ?1 ORDER BY id", (job_uuid,)
            ).fetchall()
            now = self._cloud.clock.now_ms()
        return [billing.run_bill(row, now) for row in rows]

    def seed_jobs(
        self,
        n: int,
        keys: list[str] | None = None,
        title: str = "seeded",
        task: str = "PERSISTENT",
        age_s: float = 3600.0,
    ) -> list[str]:
        """Insert n RUNNING jobs quickly, spread over the keys (default: the first); gives their uuids."""
        every = [
            row["public"] for row in self._cloud.store.rows("SELECT public FROM api_keys ORDER BY rowid")
        ]
        return seed_jobs(self._cloud, n, keys or every[:1], title, task, age_s)

    def reset(self) -> None:
        """Forget requests, jobs, payments, faults and time settings; keys are restored, accounts keep their credit."""
        cloud = self._cloud
        with cloud.store.transaction():
            cloud.store.wipe()
            cloud.store.set_meta("advance_ms", "0")
            for key in self.keys():
                self.restore_key(key["public_key"])
        cloud.faults.clear()
        cloud.clock.advance_ms = cloud.clock.skew_ms = 0
        cloud.listing_lag_s, cloud.auth.window_s, cloud.auth.strict = 0.0, 300.0, None

    def _ledger(self) -> Any:
        return _Advanced(self._cloud)

    def _live_runs(self, job_uuid: str) -> list[sqlite3.Row]:
        return self._cloud.store.rows("SELECT * FROM runs WHERE job_uuid = ? AND ended_ms IS NULL", job_uuid)

    def _set_key(self, public: str, **fields: object) -> None:
        sets = ", ".join(f"{name} = ?" for name in fields)
        if not self._cloud.store.run(
            f"UPDATE api_keys SET {sets} WHERE public = ?", *fields.values(), public
        ):  # noqa: S608
            raise ValueError(f"no key {public}")


class _Advanced:
    """A transaction on the ledger after everything due has been carried out."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._transaction = cloud.store.transaction()

    def __enter__(self) -> sqlite3.Connection:
        db = self._transaction.__enter__()
        self._cloud.lifecycle.advance()
        return db

    def __exit__(self, *error: Any) -> None:
        self._transaction.__exit__(*error)


def _job(row: sqlite3.Row) -> dict[str, Any]:
    names = (
        "uuid", "account_name", "key", "request_id", "recipe_uuid", "status", "status_reason", "created_ms",
        "started_ms", "completed_ms", "task", "title",
    )  # fmt: skip
    return {name: row[name] for name in names}


def call_verb(control: Control, method: str, verb: str, query: str, body: bytes) -> tuple[int, Any]:
    """Run a verb for the HTTP control API; gives (status, JSON value)."""
    is_known = not verb.startswith("_") and callable(getattr(Control, verb, None))
    if not is_known or method not in ("GET", "POST") or (method == "GET" and verb not in READING):
        return 404, {"error": {"code": "not_found", "message": f"no control verb {method} {verb}"}}
    try:
        arguments = json.loads(body or b"{}") if method == "POST" else dict(parse_qsl(query))
        return 200, {"result": getattr(control, verb)(**arguments)}
    except (ValueError, TypeError) as error:
        return 400, {"error": {"code": "bad_arguments", "message": str(error)}}
