"""The life of jobs and runs, advanced lazily.

A row that will change by itself carries the moment (`next_at_ms`) and, for runs, what it will become. Before
every request the rows that are due are advanced, each at its own moment, so that the ledger is the same
however rarely anybody looks. Documented: PENDING to ASSIGNED to RUNNING to COMPLETED, FAILED at the start
timeout, CANCELLING then CANCELLED. Our assumptions: FAILED at the assign and run timeouts, a retry is a new
run at once and for any failure, a PERSISTENT container that ends by itself is COMPLETED with exit code 0 and
FAILED otherwise, a job without a run skips CANCELLING.
"""

from __future__ import annotations

import json
import random
import secrets
import sqlite3
from typing import Any

from . import billing, plans
from .clock import Clock, timed_uuid
from .images import image_of
from .market import Market, Offer
from .plans import Step
from .store import Store

LIVE = ("PENDING", "ASSIGNED", "PREPARING", "RUNNING", "FAILING", "CANCELLING")
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED")
STATUSES = LIVE + TERMINAL
# As a state that a newer service has and no documentation names: jobs and runs get into one by a control verb only.
UNNAMED = ("HIBERNATING", "PAUSED")
ASSIGN_RETRY_MS = 5_000
FREE_RETRIES = frozenset({"run_lost", "restarted"})
_NEXT_DUE = """
SELECT * FROM (SELECT 'job' kind, uuid, next_at_ms due FROM jobs
               WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT 1)
UNION ALL
SELECT * FROM (SELECT 'run', uuid, next_at_ms FROM runs WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT 1)
UNION ALL
SELECT * FROM (SELECT 'capture', uuid, capture_at_ms FROM runs
               WHERE capture_at_ms <= ?1 ORDER BY capture_at_ms LIMIT 1)
ORDER BY due LIMIT 1
"""


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
        while (due := self._store.row(_NEXT_DUE, now)) is not None:
            if due["kind"] == "job":
                self._assign(due["uuid"], due["due"], now)
            elif due["kind"] == "run":
                self._step(self._run(due["uuid"]), due["due"])
            else:
                self._capture(self._run(due["uuid"]), now)

    def schedule_new(self, job_uuid: str, created_ms: int, is_stuck: bool, assign_timeout_ms: int) -> None:
        """Give a new job its moment of assignment."""
        wait = assign_timeout_ms if is_stuck else self._clock.scaled_ms(self._draw.uniform(3, 8))
        self._store.update("jobs", job_uuid, next_at_ms=created_ms + wait)

    def cancel(
        self, job: sqlite3.Row, at_ms: int, reason: str, *, takes_s: float | None, is_endless: bool
    ) -> None:
        """Begin to cancel a live job: it takes 1 to 3 s, or `takes_s`, or for ever."""
        runs = self.live_runs(job["uuid"])
        if not runs:
            self._end_job(job["uuid"], "CANCELLED", reason, at_ms)
            return
        drawn_ms = self._clock.scaled_ms(self._draw.uniform(1, 3))
        due = at_ms + (drawn_ms if takes_s is None else int(takes_s * 1000))
        self._set_job(job["uuid"], "CANCELLING", reason, at_ms, next_at_ms=None)
        for run in runs:
            self._set_run(run, "CANCELLING", reason, at_ms)
            self._plan(run, Step(None if is_endless else due, "CANCELLED", reason))

    def end_run(self, run: sqlite3.Row, status: str, reason: str, at_ms: int, exit_code: int | None) -> None:
        """End a run, settle its bill and its job."""
        billing.capture(self._store, run, at_ms)
        billing.close_holds(self._store, run["uuid"], at_ms)
        self._set_run(run, status, reason, at_ms)
        self._plan(run, Step(None, exit_code=exit_code))
        self._store.update("runs", run["uuid"], ended_ms=at_ms, capture_at_ms=None)
        self._settle(run, status, reason, at_ms)

    def restart(self, run: sqlite3.Row, at_ms: int) -> None:
        """The container of a run ends and the job gets another run at once, which is no retry.

        The job ends when no node is free.
        """
        life = json.loads(run["life"]) | {"restarted": {}}
        self._store.update("runs", run["uuid"], life=json.dumps(life))
        self.end_run(self._run(run["uuid"]), "FAILED", "Container restarted", at_ms, None)

    def kill_node(self, run: sqlite3.Row, at_ms: int, lag_s: float) -> None:
        """The node of a run is gone; the status notices only after `lag_s`."""
        self._store.update("runs", run["uuid"], node_dead_ms=at_ms)
        self._plan(run, Step(at_ms + int(lag_s * 1000), "FAILED", "Node lost"))

    def put_into(self, job: sqlite3.Row, status: str, at_ms: int) -> None:
        """Put a job and its live runs into a state, from which they go on as if they had not been in it."""
        self._set_job(job["uuid"], status, "", at_ms)
        for run in self.live_runs(job["uuid"]):
            self._set_run(run, status, "", at_ms)

    def live_runs(self, job_uuid: str) -> list[sqlite3.Row]:
        """The runs of a job that have not ended."""
        return self._store.rows("SELECT * FROM runs WHERE job_uuid = ? AND ended_ms IS NULL", job_uuid)

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
            self._end_job(job_uuid, "FAILED", reason, at_ms)
        else:
            retry_at = deadline if now >= deadline else at_ms + ASSIGN_RETRY_MS
            self._store.update("jobs", job_uuid, next_at_ms=min(deadline, retry_at))

    def _start_run(self, job: sqlite3.Row, spec: dict[str, Any], at_ms: int) -> bool:
        account = self._store.row("SELECT regions FROM accounts WHERE uuid = ?", job["account"])
        offer = self._market.place(spec, json.loads(account["regions"]) if account else [], at_ms)
        if offer is None:
            return False
        earlier = len(self._store.rows("SELECT id FROM runs WHERE job_uuid = ?", job["uuid"]))
        entries = json.loads(job["life"])
        life = {e["kind"]: e for e in entries if e.get("runs") is None or earlier < e["runs"]}
        if "six_gpu_node" in life:
            offer = self._market.six_gpu_node(offer)
        run = self._insert_run(job, offer, life, at_ms)
        if image_of(spec).has_access_token:
            tokens = json.dumps([{"token": secrets.token_hex(16)}])
            self._store.update("runs", run["uuid"], tokens=tokens)
            self._store.update("jobs", job["uuid"], tokens=tokens)
        billing.open_hold(self._store, job["account"], run["uuid"], run["rate_micro"], at_ms)
        self._set_run(run, "ASSIGNED", "", at_ms)
        self._plan(run, Step(at_ms + self._clock.scaled_ms(self._draw.uniform(0.3, 1.2)), "PREPARING"))
        return True

    def _insert_run(self, job: sqlite3.Row, offer: Offer, life: plans.Life, at_ms: int) -> sqlite3.Row:
        uuid = timed_uuid(at_ms)
        self._store.insert(
            "runs",
            uuid=uuid,
            job_uuid=job["uuid"],
            account=job["account"],
            created_ms=at_ms,
            started_ms=at_ms,
            rate_micro=round(offer.hourly_usd * billing.MICRO),
            node=offer.node_json(),
            life=json.dumps(life),
            capture_at_ms=at_ms + billing.CAPTURE_EVERY_MS,
        )
        return self._run(uuid)

    def _step(self, run: sqlite3.Row, at_ms: int) -> None:
        status, reason = run["next_status"], run["next_reason"]
        if status in TERMINAL:
            self.end_run(run, status, reason, at_ms, run["exit_code"])
            return
        self._set_run(run, status, reason, at_ms)
        job = self._job(run["job_uuid"])
        spec, life = json.loads(job["spec"]), json.loads(run["life"])
        if status == "PREPARING":
            self._plan(
                run, plans.after_preparing(spec, life, at_ms, run["started_ms"], self._clock, self._draw)
            )
        elif status == "RUNNING":
            self._begin(run, job, spec, life, at_ms)
        else:
            self._plan(run, Step(at_ms + self._clock.scaled_ms(0.7), "FAILED", reason, run["exit_code"]))

    def _begin(
        self, run: sqlite3.Row, job: sqlite3.Row, spec: dict[str, Any], life: plans.Life, at_ms: int
    ) -> None:
        step, dead_ms = plans.after_running(spec, life, at_ms, self._clock, self._draw)
        urls = plans.node_urls(spec, life, json.loads(run["node"])["region"], self._draw)
        urls_ms = at_ms + self._clock.scaled_ms(self._draw.uniform(2, 5))
        self._store.update(
            "runs",
            run["uuid"],
            running_ms=at_ms,
            urls_ms=urls_ms,
            urls=json.dumps(urls),
            node_dead_ms=dead_ms,
        )
        self._plan(run, step)
        if job["status"] != "RUNNING":
            self._set_job(job["uuid"], "RUNNING", "", at_ms, started_ms=job["started_ms"] or at_ms)

    def _capture(self, run: sqlite3.Row, now: int) -> None:
        billing.capture(self._store, run, min(now, run["next_at_ms"] or now))
        self._store.update("runs", run["uuid"], capture_at_ms=now + billing.CAPTURE_EVERY_MS)

    def _settle(self, run: sqlite3.Row, status: str, reason: str, at_ms: int) -> None:
        job = self._job(run["job_uuid"])
        if status == "FAILED" and self._retry(job, run, at_ms):
            return
        if self.live_runs(job["uuid"]):
            return
        if job["status"] == "CANCELLING":
            self._end_job(job["uuid"], "CANCELLED", job["status_reason"], at_ms)
            return
        failed = self._store.row(
            "SELECT status_reason FROM runs WHERE job_uuid = ? AND status = 'FAILED' AND was_retried = 0",
            job["uuid"],
        )
        if failed:
            self._end_job(job["uuid"], "FAILED", failed["status_reason"], at_ms)
        else:
            self._end_job(job["uuid"], "COMPLETED", reason, at_ms)

    def _retry(self, job: sqlite3.Row, run: sqlite3.Row, at_ms: int) -> bool:
        spec = json.loads(job["spec"])
        is_free = not FREE_RETRIES.isdisjoint(json.loads(run["life"]))
        if job["status"] == "CANCELLING" or not (is_free or job["retries_used"] < spec["max_retry_count"]):
            return False
        if not self._start_run(job, spec, at_ms):
            return False
        self._store.update("runs", run["uuid"], was_retried=1)
        is_running = any(other["status"] == "RUNNING" for other in self.live_runs(job["uuid"]))
        status, used = "RUNNING" if is_running else "ASSIGNED", job["retries_used"] + (not is_free)
        self._set_job(job["uuid"], status, "", at_ms, retries_used=used)
        return True

    def _job(self, uuid: str) -> sqlite3.Row:
        return self._store.by_uuid("jobs", uuid)

    def _run(self, uuid: str) -> sqlite3.Row:
        return self._store.by_uuid("runs", uuid)

    def _plan(self, run: sqlite3.Row, step: Step) -> None:
        self._store.update(
            "runs",
            run["uuid"],
            next_at_ms=step.at_ms,
            next_status=step.status,
            next_reason=step.reason,
            exit_code=step.exit_code,
        )

    def _end_job(self, uuid: str, status: str, reason: str, at_ms: int) -> None:
        self._set_job(uuid, status, reason, at_ms, completed_ms=at_ms, next_at_ms=None)

    def _set_job(self, uuid: str, status: str, reason: str, at_ms: int, **fields: object) -> None:
        self._store.update("jobs", uuid, status=status, status_reason=reason, updated_ms=at_ms, **fields)
        self._store.note(uuid, None, at_ms, status, reason)

    def _set_run(self, run: sqlite3.Row, status: str, reason: str, at_ms: int) -> None:
        self._store.update("runs", run["uuid"], status=status, status_reason=reason, updated_ms=at_ms)
        self._store.note(run["job_uuid"], run["uuid"], at_ms, status, reason)
