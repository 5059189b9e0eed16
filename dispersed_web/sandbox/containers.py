"""Running containers that have a behaviour: what the control verbs changed in them, and what they report.

A change belongs to one run and is kept in the ledger; the next run of the job begins as its environment says.
"""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import dataclass
from typing import Any

from .behaviour import ADDRESS, Behaviour, behaviour_of, env_of, stall_s_of
from .store import Store

BEAT_EVERY_S = 60.0
LEAST_BEAT_S = 10.0
_BEHAVING = """j.completed_ms IS NULL AND instr(j.spec, '"SANDBOX_BEHAVIOUR"') > 0"""  # as the index has it
# CROSS: begin with the few jobs that behave, not with all runs.
_LIVING = f"""
SELECT r.uuid, r.job_uuid, r.running_ms, r.node, j.spec, coalesce(c.changes, '{{}}') changes
FROM jobs j CROSS JOIN runs r ON r.job_uuid = j.uuid LEFT JOIN containers c ON c.run_uuid = r.uuid
WHERE {_BEHAVING} AND (?2 IS NULL OR j.uuid = ?2) AND r.ended_ms IS NULL AND r.running_ms IS NOT NULL
  AND r.status IN ('RUNNING', 'CANCELLING') AND (r.node_dead_ms IS NULL OR r.node_dead_ms > ?1)
ORDER BY r.id
"""  # noqa: S608


@dataclass(frozen=True)
class Container:
    """A container that runs. `stall_ms` is when its heartbeat stalls by itself; `changes` are the verbs'."""

    run_uuid: str
    job_uuid: str
    behaviour: Behaviour
    address: str
    running_ms: int
    stall_ms: float
    gpu_count: int
    changes: dict[str, Any]

    def is_beating(self, now_ms: int) -> bool:
        """Whether the container sends heartbeats by itself."""
        heartbeat = self.changes.get("heartbeat")
        if heartbeat is not None:
            return bool(heartbeat == "on")
        return self.behaviour.has_heartbeat and now_ms < self.stall_ms

    def period_s(self, time_scale: float) -> float:
        """Real seconds between two heartbeats."""
        stated = self.changes.get("period_s")
        return max(LEAST_BEAT_S, BEAT_EVERY_S / time_scale) if stated is None else float(stated)

    def report(self, seq: int, period_s: float, now_ms: int) -> dict[str, Any]:
        """The body of heartbeat number `seq`."""
        body = {
            "v": 1,
            "seq": seq,
            "period_s": int(period_s) if period_s == int(period_s) else period_s,
            "gpus": self._gpus(seq),
            "cpu": self.changes.get("cpu", self.behaviour.cpu),
            "net": self.changes.get("net", self.behaviour.net),
            "ssh": self._sessions(now_ms),
            "busy": self.changes.get("busy", self.behaviour.is_busy),
            "node": self.run_uuid,
        }
        return {**body, "phase": self.behaviour.phase} if self.behaviour.phase else body

    def _gpus(self, seq: int) -> list[dict[str, int]]:
        stated = self.changes.get("gpu")
        if stated is None:
            draw = random.Random(f"{self.run_uuid}:{seq}")  # noqa: S311
            stated = [draw.randint(*self.behaviour.gpu) for _ in range(self.gpu_count)]
        uses = stated if isinstance(stated, list) else [stated] * self.gpu_count
        return [{"use": use, "mem": self.behaviour.mem} for use in uses]

    def _sessions(self, now_ms: int) -> list[dict[str, int]]:
        """The first session is the one somebody types in; the others are silent since they were opened."""
        opened_ms = self.changes.get("opened_ms", self.running_ms)
        last_key_ms = self.changes.get("last_key_ms", opened_ms)
        typed_ms = now_ms if self.changes.get("is_typing") else last_key_ms
        moments = [typed_ms] + [opened_ms] * (self.sessions - 1)
        return [{"key_age_s": max(0, now_ms - moment) // 1000} for moment in moments[: self.sessions]]

    @property
    def sessions(self) -> int:
        """How many SSH sessions are open."""
        return int(self.changes.get("ssh", self.behaviour.ssh))


def is_any_behaving(store: Store) -> bool:
    """Whether any job that has not ended says how its containers behave."""
    return store.row(f"SELECT 1 FROM jobs j WHERE {_BEHAVING} LIMIT 1") is not None  # noqa: S608


def living_containers(store: Store, now_ms: int, job_uuid: str | None = None) -> list[Container]:
    """The containers that run and have a behaviour, the oldest first; optionally those of one job."""
    found = (_container(row) for row in store.rows(_LIVING, now_ms, job_uuid))
    return [container for container in found if container is not None]


def keep_changes(store: Store, run_uuid: str, changes: dict[str, Any]) -> None:
    """Keep all that the control verbs changed in the container of a run."""
    store.run(
        "INSERT INTO containers (run_uuid, changes) VALUES (?, ?) "
        "ON CONFLICT (run_uuid) DO UPDATE SET changes = excluded.changes",
        run_uuid,
        json.dumps(changes),
    )


def write_line(store: Store, run_uuid: str, at_ms: int, line: str) -> None:
    """The container of a run writes a line."""
    store.insert("written_lines", run_uuid=run_uuid, at_ms=at_ms, line=line)


def written_lines(store: Store, run_uuid: str) -> list[tuple[int, str]]:
    """The lines that a run was made to write, with their moments, in order."""
    rows = store.rows("SELECT at_ms, line FROM written_lines WHERE run_uuid = ? ORDER BY id", run_uuid)
    return [(row["at_ms"], row["line"]) for row in rows]


def _container(row: sqlite3.Row) -> Container | None:
    spec = json.loads(row["spec"])
    behaviour = behaviour_of(spec)
    if behaviour is None:
        return None
    return Container(
        run_uuid=row["uuid"],
        job_uuid=row["job_uuid"],
        behaviour=behaviour,
        address=env_of(spec).get(ADDRESS, ""),
        running_ms=row["running_ms"],
        stall_ms=row["running_ms"] + stall_s_of(spec, behaviour) * 1000,
        gpu_count=json.loads(row["node"])["gpu_count"],
        changes=json.loads(row["changes"]),
    )
