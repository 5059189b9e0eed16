"""How many heartbeats a second one process takes."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time

from bench.plan import Plan
from bench.report import Figure, percentile
from bench.stack import TEAM, Stack
from dispersed_web.supervisor.environment import HOST

CLIENTS = 8
BODY = json.dumps(
    {
        "v": 1,
        "seq": 1,
        "period_s": 60,
        "gpus": [{"use": 87, "mem": 40}],
        "cpu": 1.4,
        "net": 40_000,
        "ssh": [{"key_age_s": 12}],
    }
)


def measure(stack: Stack, plan: Plan) -> Figure:
    """Each from another machine, as six a minute from one would be refused."""
    tokens = stack.seed("beating", team=TEAM, jobs=plan.beating_jobs)
    turn = itertools.count()
    seconds: list[float] = []
    refused: list[int] = []
    end = time.monotonic() + plan.throughput_s

    def client() -> None:
        connection = http.client.HTTPConnection(HOST, stack.port, timeout=20)
        while time.monotonic() < end:
            place = next(turn)
            if place >= len(tokens) * 6:
                break
            began = time.perf_counter()
            connection.request("POST", f"/hb/{tokens[place % len(tokens)]}", BODY)
            answer = connection.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - began)
            if answer.status != 200:
                refused.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    told = f"p95 {percentile(seconds, 95) * 1e3:.0f} ms with {CLIENTS} clients; {len(refused)} not taken"
    return Figure(
        "17", "heartbeats taken by one process", len(seconds) / took, "/s", None, None, told, at_least=True
    )
