"""The control verbs: faults, time, market and money; those for the ledger, keys and containers are inherited.

`Control` is used in process (`sandbox.control`), over HTTP under `/_control/` from loopback, and by
`SandboxControl`. Every verb takes and gives plain JSON values. Over HTTP: `POST /_control/<verb>` with a JSON
object of arguments, or `GET /_control/<verb>?name=value` for the verbs that only read; the answer is
`{"result": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from . import seeding
from .billing import MICRO
from .cloud import Cloud
from .container_verbs import ContainerVerbs
from .keyring import KeyVerbs
from .ledger import LedgerVerbs
from .validate import region_codes

READING = frozenset({
    "ping", "clock", "faults", "market", "requests", "jobs", "job", "cancels", "billing", "balances", "keys",
    "heartbeats",
})  # fmt: skip


class Control(LedgerVerbs, KeyVerbs, ContainerVerbs):
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
        """Add a fault rule (see `faults.py` for kinds and parameters); gives its id."""
        return self._cloud.faults.add(endpoint, kind, times=times, probability=probability, key=key, **params)

    def faults(self) -> list[dict[str, Any]]:
        """All rules with their `fired` counts."""
        return self._cloud.faults.rules()

    def clear_faults(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all. A fault bound to the life of a job stays with that job."""
        self._cloud.faults.clear(rule_id)

    def set_listing_lag(self, seconds: float) -> None:
        """Jobs and runs younger than this are absent from lists (a get by uuid finds them)."""
        self._cloud.listing_lag_s = seconds

    def kill_node(self, job_uuid: str, lag_s: float = 0.0) -> None:
        """The nodes of a job die now; the status notices after `lag_s` seconds."""
        with self._cloud.up_to_date():
            for run in self._cloud.lifecycle.live_runs(job_uuid):
                self._cloud.lifecycle.kill_node(run, self._cloud.clock.now_ms(), lag_s)

    def put_into(self, job_uuid: str, status: str) -> None:
        """A job and its live runs get into a state: one of those that nothing names is `HIBERNATING`."""
        with self._cloud.up_to_date():
            job = self._cloud.store.by_uuid("jobs", job_uuid)
            self._cloud.lifecycle.put_into(job, status, self._cloud.clock.now_ms())

    def finish_job(self, job_uuid: str, exit_code: int = 0) -> None:
        """The containers of a job end by themselves now."""
        status, reason = "COMPLETED", ""
        if exit_code:
            status, reason = "FAILED", f"Container exited with code {exit_code}"
        with self._cloud.up_to_date():
            for run in self._cloud.lifecycle.live_runs(job_uuid):
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
        """Move the service clock forward and carry out what became due; gives the new time in ms. Durable.

        `X-Time` is still compared with the wall clock; see `set_clock_skew` for a client that moves its own
        clock.
        """
        with self._cloud.store.transaction():
            self._cloud.clock.advance_ms += int(seconds * 1000)
            self._cloud.store.set_meta("advance_ms", str(self._cloud.clock.advance_ms))
            self._cloud.lifecycle.advance()
        self._cloud.heartbeats.wake()
        return self._cloud.clock.now_ms()

    def set_time_scale(self, factor: float) -> None:
        """Divide the phase durations that are drawn from now on."""
        if factor <= 0:
            raise ValueError("the time scale must be above 0")
        self._cloud.clock.time_scale = factor

    def set_clock_skew(self, seconds: float) -> None:
        """Let the service's authentication clock (time check and `Date`) differ from the wall clock."""
        self._cloud.clock.skew_ms = int(seconds * 1000)

    def set_time_window(self, seconds: float | None) -> None:
        """How far `X-Time` may be off (default 300); None = not enforced."""
        self._cloud.auth.window_s = seconds

    def set_strict(self, body_form: str | None) -> None:
        """Accept only one signing dialect: "escaped" or "raw" bodies, `+` for a space. None accepts all."""
        if body_form not in (None, "escaped", "raw"):
            raise ValueError("strict must be null, escaped or raw")
        self._cloud.auth.strict = body_form

    # Market and money

    def market(self) -> list[dict[str, Any]]:
        """Every offer: id, GPU, count, region, free nodes, price."""
        return [
            {
                "offer_id": offer.offer_id,
                "gpu": offer.gpu.label,
                "gpu_registry_uuid": offer.gpu.uuid,
                "gpu_count": offer.gpu_count,
                "region": offer.region,
                "nodes": offer.nodes,
                "hourly_rate_usd": offer.hourly_usd,
            }
            for offer in self._cloud.market.offers(self._cloud.clock.now_ms())
        ]

    def set_offer(
        self, match: str, nodes: int | None = None, hourly_rate_usd: float | None = None
    ) -> list[str]:
        """Change free nodes or price of all offers whose id or GPU contains `match`, "" = all.

        Gives their ids.
        """
        return self._cloud.market.set_offer(match, nodes=nodes, hourly_usd=hourly_rate_usd)

    def set_balance(self, account: str, usd: float) -> None:
        """Set an account's available balance."""
        with self._cloud.up_to_date() as db:
            db.execute(
                "UPDATE accounts SET credit_micro = captured_micro + held_micro + ? WHERE name = ?",
                (round(usd * MICRO), account),
            )

    def set_regions(self, account: str, codes: Sequence[str]) -> None:
        """Restrict where an account's jobs may run (its consumer profile); none = anywhere."""
        allowed = json.dumps(region_codes(list(codes)))
        self._cloud.store.run("UPDATE accounts SET regions = ? WHERE name = ?", allowed, account)

    # The whole

    def seed_jobs(
        self,
        n: int,
        keys: Sequence[str] = (),
        title: str = "seeded",
        task: str = "PERSISTENT",
        age_s: float = 3600.0,
    ) -> list[str]:
        """Insert n RUNNING jobs quickly, spread over the keys (default: the first); gives their uuids."""
        known = [key["public_key"] for key in self.keys()]
        return seeding.seed_jobs(self._cloud, n, keys or known[:1], title, task, age_s)

    def reset(self) -> None:
        """Back to the first day.

        No requests, jobs, payments or faults; keys, credit, market and clocks restored.
        """
        self._cloud.reset()
        for key in self.keys():
            self.restore_key(key["public_key"])


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
