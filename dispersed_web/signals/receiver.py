"""Taking a heartbeat: one look at its job, one write to the run's bucket, and an answer made of what is known already.

The decision is never made here. The time that counts is the time of receipt; the container's clock is not asked.

Each machine of a job has buckets and a limit of its own, so that none is turned away because of the others, up to a number
of machines that bounds what one job can cost; those beyond share one. A report that tells of work which is not known yet
is not turned away by any limit: what is turned away only ever repeats, so it never makes a job look idle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import F, FilteredRelation, Q

from dispersed_web.jobs import states
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.specs import heartbeat_digest
from dispersed_web.signals import thresholds
from dispersed_web.signals.answer import Answer, answer_for
from dispersed_web.signals.beat import Beat
from dispersed_web.signals.models import BUCKET, Bucket, Source, bucket_start

TOKEN_LENGTH = 43
# Six at once, then one every ten seconds.
BURST = 6
PACE = dt.timedelta(seconds=10)
MOST_NODES = 64
# As often a report is tried that met another one of the same machine, or of those that share a bucket.
TRIES = 6
JOB_FIELDS = (
    "status",
    "running_at",
    "stop_at",
    "verdict_state",
    "verdict_rule",
    "stop_requested_at",
    "stop_reason",
    "current_run_id",
)
BUCKET_FIELDS = (
    "id",
    "count",
    "first_at",
    "last_at",
    "gap",
    "period_s",
    "gpu_top",
    "gpu_at",
    "cpu_top",
    "cpu_at",
    "net_top",
    "net_at",
    "key_at",
    "busy_at",
)


class Outcome(StrEnum):
    """What became of a heartbeat. ``unknown``: no job has this address."""

    TAKEN = "taken"
    UNKNOWN = "unknown"
    ENDED = "ended"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True)
class Receipt:
    """What became of a heartbeat, and the answer to one that was taken."""

    outcome: Outcome
    answer: Answer | None = None


def accept(token: str, beat: Beat, now: dt.datetime) -> Receipt:
    """Stores what ``beat`` says, received at ``now``, for the job whose address holds ``token``.

    A job whose run is not known yet is answered and nothing is stored: there is nothing it could be quiet in.
    """
    node = beat.node
    for tries_left in reversed(range(TRIES)):
        found = _find(token, node, now)
        if found is None:
            return Receipt(Outcome.UNKNOWN)
        if found["status"] in states.ENDED:
            return Receipt(Outcome.ENDED)
        if found["current_run_id"] is None:
            return Receipt(Outcome.TAKEN, answer_for(found, now))
        if node and found["bucket__id"] is None and _is_one_too_many(found["current_run_id"], node, now):
            node = ""
            continue
        stored = _store(found, node, beat, now, surely=not tries_left)
        if stored is not None:
            break
    return Receipt(Outcome.TAKEN, answer_for(found, now)) if stored else Receipt(Outcome.TOO_OFTEN)


def job_of(token: str) -> Job | None:
    """The job whose heartbeat address holds ``token``, ended or not."""
    if len(token) != TOKEN_LENGTH:
        return None
    return Job.objects.filter(heartbeat_digest=heartbeat_digest(token)).first()


def _find(token: str, node: str, now: dt.datetime) -> dict[str, Any] | None:
    """The columns of the job and of its run's and node's bucket at ``now``, those with ``bucket__`` before their names."""
    if len(token) != TOKEN_LENGTH:
        return None
    present = Q(
        current_run__buckets__source=Source.HEARTBEAT.value,
        current_run__buckets__start=bucket_start(now),
        current_run__buckets__node=node,
    )
    return (
        Job.objects.annotate(bucket=FilteredRelation("current_run__buckets", condition=present))
        .filter(heartbeat_digest=heartbeat_digest(token))
        .values(*JOB_FIELDS, *(f"bucket__{name}" for name in BUCKET_FIELDS))
        .first()
    )


def _is_one_too_many(run_id: Any, node: str, now: dt.datetime) -> bool:
    """Whether so many other machines of the run spoke lately that this one gets no bucket of its own."""
    lately = Bucket.objects.filter(run=run_id, source=Source.HEARTBEAT, start__gte=bucket_start(now) - BUCKET)
    others = lately.exclude(node__in=["", node]).order_by().values("node").distinct()
    return others.count() >= MOST_NODES


def _store(
    found: dict[str, Any], node: str, beat: Beat, now: dt.datetime, *, surely: bool = False
) -> bool | None:
    """Whether it was stored; ``None`` when another one came between, so that it is to be tried again. ``surely`` it is
    stored all the same, where what came between may lose its highest value but no sign of work."""
    bucket = {name: found[f"bucket__{name}"] for name in BUCKET_FIELDS}
    if bucket["id"] is None:
        return _open_bucket(found["current_run_id"], node, beat, now) or None
    if not takes(bucket, beat, now):
        return False
    changes = changes_of(bucket, beat, now)
    rows = Bucket.objects.filter(pk=bucket["id"], **({} if surely else {"count": bucket["count"]}))
    return rows.update(count=F("count") + 1, **changes) == 1 or None


def _open_bucket(run_id: Any, node: str, beat: Beat, now: dt.datetime) -> bool:
    """False when another report opened it at the same moment."""
    values = {
        "run_id": run_id,
        "source": Source.HEARTBEAT,
        "start": bucket_start(now),
        "node": node,
        "first_at": now,
    }
    fresh = Bucket(**values, **changes_of({}, beat, now))
    Bucket.objects.bulk_create([fresh], ignore_conflicts=True)
    return Bucket.objects.filter(**values).exists()


def takes(bucket: Mapping[str, Any], beat: Beat, now: dt.datetime) -> bool:
    """Whether one more report goes into a bucket with these values: it came in its turn, or tells of work that the bucket
    does not know of since :data:`PACE`. Pure."""
    if bucket["count"] < BURST + (now - bucket["first_at"]) // PACE:
        return True
    told = changes_of({}, beat, now)
    return any(
        told.get(name) is not None and (bucket[name] is None or told[name] - bucket[name] >= PACE)
        for name in ("gpu_at", "cpu_at", "net_at", "key_at", "busy_at")
    )


def changes_of(bucket: dict[str, Any], beat: Beat, now: dt.datetime) -> dict[str, Any]:
    """What ``beat``, received at ``now``, changes in a bucket, of which ``bucket`` holds the values so far. Pure.

    The period is the longest that was said: one that became shorter must not make gaps of those before.
    """
    last_at = bucket.get("last_at")
    changes: dict[str, Any] = {
        "last_at": max(last_at or now, now),
        "gap": max(bucket.get("gap") or dt.timedelta(0), now - (last_at or now)),
        "period_s": max(bucket.get("period_s") or 0, beat.period_s),
        "phase": beat.phase,
        "note": beat.note,
    }
    for name, value, busy_from in (
        ("gpu", beat.gpu, thresholds.GPU_BUSY_PERCENT),
        ("cpu", beat.cpu, thresholds.CPU_BUSY_CORES),
        ("net", beat.net, thresholds.NET_BUSY_BYTES_A_MINUTE),
    ):
        if value is None:
            continue
        before = bucket.get(f"{name}_top")
        changes[f"{name}_top"] = value if before is None else max(before, value)
        if value >= busy_from:
            changes[f"{name}_at"] = now
    if "gpu_at" in changes:
        changes["gpu_busy"] = F("gpu_busy") + 1 if bucket else 1
    if beat.ssh_open is not None:
        changes["ssh_open"] = beat.ssh_open
    if beat.key_age is not None:
        changes["key_at"] = max(bucket.get("key_at") or now - beat.key_age, now - beat.key_age)
    if beat.busy:
        changes["busy_at"] = now
    return changes
