"""Many RUNNING jobs at once, for load tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .billing import CAPTURE_EVERY_MS, HOUR_MS, MICRO, open_hold
from .clock import timed_uuid
from .cloud import Cloud
from .images import image_of
from .market import Offer
from .validate import job_spec

BATCH_LASTS_MS = 24 * HOUR_MS
CREDIT_HOURS = 50


def seed_jobs(
    cloud: Cloud, count: int, keys: Sequence[str], title: str, task: str, age_s: float
) -> list[str]:
    """Insert `count` RUNNING jobs with one run each, spread over the keys and over the last `age_s` seconds.

    Gives their uuids. The accounts' credit grows with them, so that nobody runs out.
    """
    spec = _spec(title, task)
    store, now = cloud.store, cloud.clock.now_ms()
    offer = cloud.market.place(spec, [], now)
    if offer is None:
        raise ValueError("the market has no free node")
    accounts = {row["public"]: row["account"] for row in store.rows("SELECT public, account FROM api_keys")}
    uuids = []
    with store.transaction() as db:
        for index in range(count):
            key = keys[index % len(keys)]
            at_ms = now - int(age_s * 1000 * (count - index) / count)
            named = {**spec, "title": f"{title} {index}"}
            uuid = _job(cloud, named, key, accounts[key], at_ms)
            _run(
                cloud, uuid, named, accounts[key], offer, at_ms, now + CAPTURE_EVERY_MS * (index % 100) // 100
            )
            uuids.append(uuid)
            grant = round(offer.hourly_usd * MICRO) * CREDIT_HOURS
            db.execute(
                "UPDATE accounts SET credit_micro = credit_micro + ? WHERE uuid = ?", (grant, accounts[key])
            )
    return uuids


def _job(cloud: Cloud, spec: dict[str, Any], key: str, account: str, at_ms: int) -> str:
    uuid = timed_uuid(at_ms)
    cloud.store.insert(
        "jobs",
        uuid=uuid,
        account=account,
        key=key,
        status="RUNNING",
        created_ms=at_ms,
        updated_ms=at_ms,
        started_ms=at_ms,
        task=spec["task"],
        title=spec["title"],
        cpu_count=0,
        min_ram_gb=0,
        min_vram_gb=0,
        min_storage_gb=0,
        spec=json.dumps(spec),
        image_size_bytes=image_of(spec).size_bytes,
    )
    cloud.store.note(uuid, None, at_ms, "RUNNING", "seeded")
    return uuid


def _run(
    cloud: Cloud,
    job_uuid: str,
    spec: dict[str, Any],
    account: str,
    offer: Offer,
    at_ms: int,
    capture_at_ms: int,
) -> None:
    uuid, rate = timed_uuid(at_ms), round(offer.hourly_usd * MICRO)
    host = f"node2-{offer.region}.proxy.sandbox.invalid"
    url = {"description": "ssh", "hostname": host, "port": 20_022, "protocol": "tcp", "tls": False}
    cloud.store.insert(
        "runs",
        uuid=uuid,
        job_uuid=job_uuid,
        account=account,
        status="RUNNING",
        created_ms=at_ms,
        updated_ms=at_ms,
        started_ms=at_ms,
        running_ms=at_ms,
        urls_ms=at_ms,
        rate_micro=rate,
        node=offer.node_json(),
        urls=json.dumps([url]),
        capture_at_ms=capture_at_ms,
        next_at_ms=at_ms + BATCH_LASTS_MS if spec["task"] == "BATCH" else None,
        next_status="COMPLETED",
    )
    open_hold(cloud.store, account, uuid, rate, at_ms)


def _spec(title: str, task: str) -> dict[str, Any]:
    docker = {
        "image": "dispersednetwork/base",
        "tag": "latest",
        "sshkey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNhbmRib3g seeded",
        "ports": [22],
        "env": {},
    }
    limit = BATCH_LASTS_MS if task == "BATCH" else None
    parameters = {"type": "docker", "parameters": docker}
    return job_spec({"task": task, "title": title, "max_timeout_run_ms": limit, "parameters": parameters})
