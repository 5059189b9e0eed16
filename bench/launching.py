"""What a launch takes beyond the cloud's own answer: goal 13."""

from __future__ import annotations

import http.client
import json
import time
import uuid

from bench.plan import Plan
from bench.report import Figure, median, percentile, spread
from bench.stack import DEMO_ACCOUNT, TEAM, Rows, Stack
from dispersed_web.supervisor.environment import HOST

PAUSE_S = 0.3
LONGEST_S = 20.0
A_MINUTE = 10  # one person may launch so often


def measure(stack: Stack, plan: Plan) -> list[Figure]:
    """From the request of a caller until our row has the cloud's answer, without the time that the cloud took."""
    stack.cloud.set_balance(DEMO_ACCOUNT, 1_000_000)
    credential = stack.seed("credential_id", team=TEAM)
    tokens = stack.seed("tokens", team=TEAM, count=1 + plan.launches // A_MINUTE)
    connection = http.client.HTTPConnection(HOST, stack.port, timeout=30)
    seconds, to_cloud = [], []
    with stack.rows() as rows:
        for index in range(plan.launches):
            title = f"bench launch {index} {uuid.uuid4().hex[:8]}"
            began, ended = _launch(connection, rows, tokens[index // A_MINUTE], credential, title)
            received_ms, finished_ms = _in_cloud(stack, title)
            seconds.append(ended - began - (finished_ms - received_ms) / 1000)
            to_cloud.append(received_ms / 1000 - began)
            time.sleep(PAUSE_S)
    connection.close()
    more = f"p95 {percentile(seconds, 95) * 1e3:.0f} ms; until the cloud has the request {spread(to_cloud, 'ms', 1e3)}"
    return [
        Figure("13", "launch, added to the cloud's answer, p50", median(seconds) * 1e3, "ms", 30, 15, more)
    ]


def _launch(
    connection: http.client.HTTPConnection, rows: Rows, token: str, credential: str, title: str
) -> tuple[float, float]:
    """When it was asked for and when its row had the answer (epoch seconds)."""
    body = {
        "credential_id": credential,
        "task": "BATCH",
        "title": title,
        "image": "dispersednetwork/base",
        "max_timeout_run_ms": 3_600_000,
        "gpu_count": 1,
        "gpu_name": "RTX 5090",
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": uuid.uuid4().hex,
        "Content-Type": "application/json",
    }
    began = time.time()
    connection.request("POST", "/api/v1/jobs", json.dumps(body), headers)
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 201, answer[:500]
    while time.time() < began + LONGEST_S:
        if rows("SELECT 1 FROM jobs_job WHERE title = ? AND remote_uuid IS NOT NULL", title):
            return began, time.time()
        time.sleep(0.001)
    raise RuntimeError(
        f"the launch had no answer: {rows('SELECT status, reason_text FROM jobs_job WHERE title = ?', title)}"
    )


def _in_cloud(stack: Stack, title: str) -> tuple[int, int]:
    """When the cloud got the one request and when it had answered (epoch milliseconds)."""
    asked = [one for one in stack.cloud.requests(method="POST", path="/v1/jobs") if title in one["body"]]
    assert len(asked) == 1, f"{len(asked)} requests for one launch"
    return asked[0]["received_ms"], asked[0]["finished_ms"]
