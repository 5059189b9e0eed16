"""The life of jobs and runs, advanced lazily.

A row that will change by itself carries the moment (`next_at_ms`) and, for runs, what it will become. Before every
request the rows that are due are advanced, each at its own moment, so that the ledger is the same however rarely anybody
looks. Documented: PENDING to ASSIGNED to RUNNING to COMPLETED, FAILED at the start timeout, CANCELLING then CANCELLED.
Our assumptions: FAILED at the assign and run timeouts, a retry is a new run at once and for any failure, a PERSISTENT
container that ends by itself is COMPLETED with exit code 0 and FAILED otherwise.
"""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
from typing import Any

from . import billing
from .clock import Clock, timed_uuid
from .images import docker_of, exit_plan, image_of, pull_s
from .market import Market
from .store import Store

LIVE = ("PENDING", "ASSIGNED", "PREPARING", "RUNNING", "FAILING", "CANCELLING")
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED")
STATUSES = LIVE + TERMINAL
ASSIGN_RETRY_MS = 5_000


class Lifecycle:
    """Moves jobs and runs along. Every method expects to be called inside a transaction of the store."""

    def __init__(self, store: Store, clock: Clock, market: Market, seed: int) -> None:
        self._store = store
        self._clock = clock
        self._market = market
        self._draw = random.Random(seed)  # noqa: S311

    def advance(self) -> None:
        """Carry out everything that was due up to now, in the order of its time."""
        now = self._clock.now_ms()
        while self._advance_one(now):
            pass

    def schedule_new(self, job_uuid: str, created_ms: int, is_stuck: bool, assign_timeout_ms: int) -> None:
        """Give a new job its moment of assignment."""
        wait = assign_timeout_ms if is_stuck else self._clock.scaled_ms(self._draw.uniform(3, 8))
        self._store.update("jobs", job_uuid, next_at_ms=created_ms + wait)

    def cancel(self, job: sqlite3.Row, at_ms: int, *, takes_s: float | None, is_endless: bool) -> None:
        """Begin to cancel a live job; one without a run is CANCELLED at once."""
        runs = self._live_runs(job["uuid"])
        if not runs:
            self._set_job(
                job["uuid"], "CANCELLED", "Cancelled by user", at_ms, completed_ms=at_ms, next_at_ms=None
            )
            return
        drawn_ms = self._clock.scaled_ms(self._draw.uniform(1, 3))
        due = at_ms + (drawn_ms if takes_s is None else int(takes_s * 1000))
        self._set_job(job["uuid"], "CANCELLING", "Cancelled by user", at_ms, next_at_ms=None)
        for run in runs:
            self._set_run(run["uuid"], job["uuid"], "CANCELLING", "Cancelled by user", at_ms)
            self._plan(run["uuid"], None if is_endless else due, "CANCELLED", "Cancelled by user")

    def end_run(self, run: sqlite3.Row, status: str, reason: str, at_ms: int, exit_code: int | None) -> None:
        """End a run now, settle its bill and its job."""
        billing.capture(self._store, run, at_ms)
        billing.close_holds(self._store, run["uuid"], at_ms)
        self._set_run(run["uuid"], run["job_uuid"], status, reason, at_ms)
        self._store.update("runs", run["uuid"], ended_ms=at_ms, capture_at_ms=None, exit_code=exit_code)
        self._plan(run["uuid"], None, "", "")
        self._settle(run, status, reason, at_ms)

    def kill_node(self, run: sqlite3.Row, at_ms: int, lag_s: float) -> None:
        """The node of a run is gone; the status notices only after `lag_s`."""
        self._store.update("runs", run["uuid"], node_dead_ms=at_ms)
        self._plan(run["uuid"], at_ms + int(lag_s * 1000), "FAILED", "Node lost")

    def _advance_one(self, now: int) -> bool:
        row = self._store.row(
            "SELECT * FROM (SELECT 'job' kind, uuid, next_at_ms due FROM jobs WHERE next_at_ms <= ?1 "
            "ORDER BY next_at_ms LIMIT 1) UNION ALL SELECT * FROM (SELECT 'run', uuid, next_at_ms FROM runs "
            "WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT 1) UNION ALL SELECT * FROM (SELECT 'capture', uuid, "
            "capture_at_ms FROM runs WHERE capture_at_ms <= ?1 ORDER BY capture_at_ms LIMIT 1) ORDER BY 3 LIMIT 1",
            now,
        )
        if row is None:
            return False
        if row["kind"] == "job":
            self._assign(row["uuid"], row["due"], now)
        elif row["kind"] == "run":
            self._step_run(row["uuid"], row["due"])
        else:
            self._capture(row["uuid"], now)
        return True

    def _capture(self, run_uuid: str, now: int) -> None:
        run = self._run(run_uuid)
        until = min(now, run["next_at_ms"] or now)
        billing.capture(self._store, run, until)
        self._store.update("runs", run_uuid, capture_at_ms=now + billing.CAPTURE_EVERY_MS)

    def _assign(self, job_uuid: str, at_ms: int, now: int) -> None:
        job = self._job(job_uuid)
        spec = json.loads(job["spec"])
        deadline = job["created_ms"] + spec["max_timeout_assign_ms"]
        is_stuck = any(entry["kind"] == "stuck_pending" for entry in json.loads(job["life"]))
        if not is_stuck and self._start_run(job, spec, at_ms):
            for _ in range(1, spec["max_node_count"]):
                self._start_run(job, spec, at_ms)
            self._set_job(job_uuid, "ASSIGNED", "", at_ms, next_at_ms=None)
        elif at_ms >= deadline:
            reason = f"No node could be assigned within {spec['max_timeout_assign_ms']} ms"
            self._set_job(job_uuid, "FAILED", reason, at_ms, completed_ms=at_ms, next_at_ms=None)
        else:
            retry_at = deadline if now >= deadline else at_ms + ASSIGN_RETRY_MS
            self._store.update("jobs", job_uuid, next_at_ms=min(deadline, retry_at))

    def _start_run(self, job: sqlite3.Row, spec: dict[str, Any], at_ms: int) -> bool:
        account = self._store.row("SELECT regions FROM accounts WHERE uuid = ?", job["account"])
        offer = self._market.place(spec, json.loads(account["regions"]) if account else [], at_ms)
        if offer is None:
            return False
        counted = self._store.row("SELECT count(*) n FROM runs WHERE job_uuid = ?", job["uuid"])
        number = counted["n"] if counted else 0
        entries = [e for e in json.loads(job["life"]) if e.get("runs") is None or number < e["runs"]]
        life = {entry["kind"]: entry for entry in entries}
        if "six_gpu_node" in life:
            offer = self._market.six_gpu_node(offer)
        rate = round(offer.hourly_usd * billing.MICRO)
        run_uuid = timed_uuid(at_ms)
        tokens = [{"token": secrets.token_hex(16)}] if image_of(spec).has_access_token else []
        self._store.insert(
            "runs", uuid=run_uuid, job_uuid=job["uuid"], account=job["account"], number=number, status="ASSIGNED",
            created_ms=at_ms, updated_ms=at_ms, started_ms=at_ms, rate_micro=rate, billed_to_ms=at_ms,
            node=json.dumps({"offer_id": offer.offer_id, "region": offer.region, "gpu": offer.gpu.label,
                             "gpu_count": offer.gpu_count, "vram_gb": offer.gpu.vram_gb}),
            tokens=json.dumps(tokens), life=json.dumps(life), capture_at_ms=at_ms + billing.CAPTURE_EVERY_MS,
        )  # fmt: skip
        if tokens:
            self._store.update("jobs", job["uuid"], tokens=json.dumps(tokens))
        self._note(job["uuid"], run_uuid, at_ms, "ASSIGNED", "")
        billing.open_hold(self._store, job["account"], run_uuid, rate, at_ms)
        self._plan(run_uuid, at_ms + self._clock.scaled_ms(self._draw.uniform(0.3, 1.2)), "PREPARING", "")
        return True

    def _step_run(self, run_uuid: str, at_ms: int) -> None:
        run = self._run(run_uuid)
        status, reason = run["next_status"], run["next_reason"] or ""
        if status in TERMINAL:
            self.end_run(run, status, reason, at_ms, run["exit_code"])
            return
        self._set_run(run_uuid, run["job_uuid"], status, reason, at_ms)
        job = self._job(run["job_uuid"])
        spec = json.loads(job["spec"])
        if status == "PREPARING":
            self._plan_preparing(run, spec, at_ms)
        elif status == "RUNNING":
            self._enter_running(run, job, spec, at_ms)
        else:
            self._plan(run_uuid, at_ms + self._clock.scaled_ms(0.7), "FAILED", reason)

    def _plan_preparing(self, run: sqlite3.Row, spec: dict[str, Any], at_ms: int) -> None:
        life, image = json.loads(run["life"]), image_of(spec)
        deadline = run["started_ms"] + spec["max_timeout_start_ms"]
        late = (deadline, "FAILED", f"The container did not start within {spec['max_timeout_start_ms']} ms")
        ready_ms = at_ms + self._clock.scaled_ms(pull_s(image, self._draw) + self._draw.uniform(1, 3))
        plan = (ready_ms, "RUNNING", "")
        if image.is_missing or "image_not_found" in life:
            name = docker_of(spec)["image"] + ":" + (docker_of(spec).get("tag") or "latest")
            plan = (at_ms + self._clock.scaled_ms(2), "FAILED", f"Image not found: {name}")
        lost = life.get("run_lost")
        if lost and lost.get("phase", "PREPARING") == "PREPARING":
            plan = (at_ms + int(lost.get("after_s", 1) * 1000), "FAILED", "Node lost")
        if "stuck_preparing" in life:
            plan = late
        self._plan(run["uuid"], *min(plan, late))

    def _enter_running(self, run: sqlite3.Row, job: sqlite3.Row, spec: dict[str, Any], at_ms: int) -> None:
        life = json.loads(run["life"])
        urls_ms = at_ms + self._clock.scaled_ms(self._draw.uniform(2, 5))
        urls = self._node_urls(spec, json.loads(run["node"])["region"], is_empty="empty_node_urls" in life)
        self._store.update("runs", run["uuid"], running_ms=at_ms, urls_ms=urls_ms, urls=json.dumps(urls))
        if job["status"] != "RUNNING":
            self._set_job(job["uuid"], "RUNNING", "", at_ms, started_ms=job["started_ms"] or at_ms)
        self._plan_end(run, spec, life, at_ms)

    def _plan_end(self, run: sqlite3.Row, spec: dict[str, Any], life: dict[str, Any], at_ms: int) -> None:
        ends: list[tuple[int, str, str, int | None]] = []
        leaving = exit_plan(spec, self._draw, self._clock.time_scale)
        if "exit_at_once" in life:
            leaving = (0.1, int(life["exit_at_once"].get("exit_code", 1)))
        if leaving is not None:
            seconds, code = leaving
            failed = f"Container exited with code {code}"
            ends.append(
                (
                    at_ms + int(seconds * 1000),
                    "FAILING" if code else "COMPLETED",
                    failed if code else "",
                    code,
                )
            )
        if spec["max_timeout_run_ms"] is not None:
            reason = f"The run exceeded max_timeout_run_ms ({spec['max_timeout_run_ms']} ms)"
            ends.append((at_ms + spec["max_timeout_run_ms"], "FAILING", reason, None))
        for kind in ("node_death", "run_lost"):
            if kind in life and life[kind].get("phase", "RUNNING") == "RUNNING":
                dead_ms = at_ms + int(life[kind].get("after_s", 1) * 1000)
                self._store.update("runs", run["uuid"], node_dead_ms=dead_ms)
                ends.append((dead_ms + int(life[kind].get("lag_s", 0) * 1000), "FAILED", "Node lost", None))
        if not ends:
            self._plan(run["uuid"], None, "", "")
            return
        moment, status, reason, code_or_none = min(ends, key=lambda end: end[0])
        self._plan(run["uuid"], moment, status, reason)
        self._store.update("runs", run["uuid"], exit_code=code_or_none)

    def _node_urls(self, spec: dict[str, Any], region: str, *, is_empty: bool) -> list[dict[str, Any]]:
        """Seen in the field: a list without 22 while `sshkey` is set never gets an address; without `ports`, 22."""
        docker = docker_of(spec)
        ports = docker.get("ports")
        ports = [22] if ports is None else [int(port) for port in ports]
        if is_empty or (docker.get("sshkey") and 22 not in ports):
            return []
        host = f"node{self._draw.randint(2, 99)}-{region}.proxy.sandbox.invalid"
        outer = self._draw.sample(range(20_000, 60_000), len(ports))
        return [
            {
                "description": "ssh" if port == 22 else str(port),
                "hostname": host,
                "port": external,
                "protocol": "tcp",
                "tls": False,
            }
            for port, external in zip(ports, outer, strict=True)
        ]

    def _settle(self, run: sqlite3.Row, status: str, reason: str, at_ms: int) -> None:
        job = self._job(run["job_uuid"])
        if job["status"] in TERMINAL:
            return
        if status == "FAILED" and self._retry(job, run, at_ms):
            return
        live = self._live_runs(job["uuid"])
        if live:
            return
        if job["status"] == "CANCELLING":
            self._set_job(job["uuid"], "CANCELLED", job["status_reason"], at_ms, completed_ms=at_ms)
            return
        lost = self._store.row(
            "SELECT status_reason FROM runs WHERE job_uuid = ? AND status = 'FAILED' AND was_retried = 0",
            job["uuid"],
        )
        outcome = ("FAILED", lost["status_reason"]) if lost else ("COMPLETED", reason)
        self._set_job(job["uuid"], *outcome, at_ms, completed_ms=at_ms)

    def _retry(self, job: sqlite3.Row, run: sqlite3.Row, at_ms: int) -> bool:
        spec = json.loads(job["spec"])
        is_free = "run_lost" in json.loads(run["life"])
        if job["status"] == "CANCELLING" or not (is_free or job["retries_used"] < spec["max_retry_count"]):
            return False
        if not self._start_run(job, spec, at_ms):
            return False
        self._store.update("runs", run["uuid"], was_retried=1)
        is_running = any(other["status"] == "RUNNING" for other in self._live_runs(job["uuid"]))
        status, used = "RUNNING" if is_running else "ASSIGNED", job["retries_used"] + (not is_free)
        self._set_job(job["uuid"], status, "", at_ms, retries_used=used)
        return True

    def _live_runs(self, job_uuid: str) -> list[sqlite3.Row]:
        return self._store.rows("SELECT * FROM runs WHERE job_uuid = ? AND ended_ms IS NULL", job_uuid)

    def _job(self, uuid: str) -> sqlite3.Row:
        found = self._store.row("SELECT * FROM jobs WHERE uuid = ?", uuid)
        assert found is not None  # noqa: S101 - rows are never deleted while the service runs
        return found

    def _run(self, uuid: str) -> sqlite3.Row:
        found = self._store.row("SELECT * FROM runs WHERE uuid = ?", uuid)
        assert found is not None  # noqa: S101
        return found

    def _plan(self, run_uuid: str, at_ms: int | None, status: str, reason: str) -> None:
        self._store.update("runs", run_uuid, next_at_ms=at_ms, next_status=status, next_reason=reason)

    def _set_job(self, uuid: str, status: str, reason: str, at_ms: int, **fields: object) -> None:
        self._store.update("jobs", uuid, status=status, status_reason=reason, updated_ms=at_ms, **fields)
        self._note(uuid, None, at_ms, status, reason)

    def _set_run(self, uuid: str, job_uuid: str, status: str, reason: str, at_ms: int) -> None:
        self._store.update("runs", uuid, status=status, status_reason=reason, updated_ms=at_ms)
        self._note(job_uuid, uuid, at_ms, status, reason)

    def _note(self, job_uuid: str, run_uuid: str | None, at_ms: int, status: str, reason: str) -> None:
        self._store.insert(
            "history", job_uuid=job_uuid, run_uuid=run_uuid, at_ms=at_ms, status=status, reason=reason
        )
