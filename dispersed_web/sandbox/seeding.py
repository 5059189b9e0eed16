"""Many RUNNING jobs at once, for load tests."""

from __future__ import annotations

import json
from typing import Any

from .billing import CAPTURE_EVERY_MS, HOUR_MS, MICRO
from .clock import timed_uuid
from .cloud import Cloud
from .images import image_of
from .validate import job_spec


def seed_jobs(cloud: Cloud, count: int, keys: list[str], title: str, task: str, age_s: float) -> list[str]:
    """Insert `count` RUNNING jobs with one run each, spread over the keys and over the last `age_s` seconds.

    Gives their uuids. The accounts' credit grows by what the new holds take, so that nobody runs out.
    """
    store, now = cloud.store, cloud.clock.now_ms()
    body: dict[str, Any] = {"task": task, "title": title, "description": "", "parameters": _docker()}
    if task == "BATCH":
        body["max_timeout_run_ms"] = 24 * HOUR_MS
    spec = job_spec(body)
    offer = cloud.market.place(spec, [], now)
    assert offer is not None, "the market has no free node at all"  # noqa: S101
    accounts = {row["public"]: row["account"] for row in store.rows("SELECT public, account FROM api_keys")}
    jobs, runs, holds, history, uuids = [], [], [], [], []
    rate = round(offer.hourly_usd * MICRO)
    node = json.dumps({"offer_id": offer.offer_id, "region": offer.region, "gpu": offer.gpu.label,
                       "gpu_count": offer.gpu_count, "vram_gb": offer.gpu.vram_gb})  # fmt: skip
    urls = [
        {"description": "ssh", "hostname": f"node2-{offer.region}.proxy.sandbox.invalid", "protocol": "tcp"}
    ]
    size = image_of(spec).size_bytes
    for index in range(count):
        key = keys[index % len(keys)]
        at = now - int(age_s * 1000 * (count - index) / count)
        job_uuid, run_uuid = timed_uuid(at), timed_uuid(at)
        uuids.append(job_uuid)
        named = json.dumps({**spec, "title": f"{title} {index}"})
        jobs.append(
            (job_uuid, accounts[key], key, "RUNNING", at, at, at, task, f"{title} {index}", named, size)
        )
        url = json.dumps([{**urls[0], "port": 20_000 + index % 40_000, "tls": False}])
        due = now + CAPTURE_EVERY_MS * (index % 100 + 1) // 100
        end = at + 24 * HOUR_MS if task == "BATCH" else None
        runs.append((run_uuid, job_uuid, accounts[key], at, at, at, at, at, rate, node, url, due, at, end))
        holds.append((timed_uuid(at), accounts[key], run_uuid, rate, rate, at, at + 24 * HOUR_MS))
        history.append((job_uuid, run_uuid, at))
    with store.transaction() as db:
        db.executemany(
            "INSERT INTO jobs (uuid, account, key, status, created_ms, updated_ms, started_ms, task, title, spec, "
            "image_size_bytes, cpu_count, min_ram_gb, min_vram_gb, min_storage_gb) VALUES (?,?,?,?,?,?,?,?,?,?,?,0,0,0,0)",
            jobs,
        )
        db.executemany(
            "INSERT INTO runs (uuid, job_uuid, account, number, status, created_ms, updated_ms, started_ms, running_ms, "
            "urls_ms, rate_micro, node, urls, capture_at_ms, billed_to_ms, next_at_ms, next_status, next_reason) "
            "VALUES (?,?,?,0,'RUNNING',?,?,?,?,?,?,?,?,?,?,?,'COMPLETED','')",
            runs,
        )
        db.executemany(
            "INSERT INTO authorizations (uuid, account, run_uuid, amount_micro, remaining_micro, status, status_reason, "
            "created_ms, expires_ms) VALUES (?,?,?,?,?,'OPEN','',?,?)",
            holds,
        )
        db.executemany(
            "INSERT INTO history (job_uuid, run_uuid, at_ms, status, reason) VALUES (?,?,?,'RUNNING','seeded')",
            history,
        )
        for key in keys:
            share = rate * len(range(keys.index(key), count, len(keys)))
            db.execute(
                "UPDATE accounts SET held_micro = held_micro + ?, credit_micro = credit_micro + ? WHERE uuid = ?",
                (share, share * 50, accounts[key]),
            )
    return uuids


def _docker() -> dict[str, Any]:
    return {
        "type": "docker",
        "parameters": {
            "image": "dispersednetwork/base",
            "tag": "latest",
            "sshkey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNhbmRib3g seeded",
            "ports": [22],
            "env": {},
        },
    }
