"""What a run will do next, and when: the container's life without the ledger.

Typical durations at time scale 1 are drawn: 8 to 25 s for a pull, 1 to 3 s for a start (in the field: 1 to 9
minutes over all). Durations that somebody states (timeouts, fault parameters, `SANDBOX_RUN_S`) are seconds of
the service clock and are not scaled.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from .clock import Clock
from .images import docker_of, exit_plan, image_of, pull_s

Life = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """At `at_ms` (None = never by itself) the run becomes `status`."""

    at_ms: int | None
    status: str = ""
    reason: str = ""
    exit_code: int | None = None


def after_preparing(
    spec: dict[str, Any], life: Life, at_ms: int, assigned_ms: int, clock: Clock, draw: random.Random
) -> Step:
    """The end of a preparation that begins at `at_ms`.

    RUNNING, or FAILED (documented for the start timeout).
    """
    deadline = assigned_ms + spec["max_timeout_start_ms"]
    late = Step(deadline, "FAILED", f"The container did not start within {spec['max_timeout_start_ms']} ms")
    image, docker = image_of(spec), docker_of(spec)
    ready_ms = at_ms + clock.scaled_ms(pull_s(image, draw) + draw.uniform(1, 3))
    step = Step(ready_ms, "RUNNING")
    if image.is_missing or "image_not_found" in life:
        name = f"{docker['image']}:{docker.get('tag') or 'latest'}"
        step = Step(at_ms + clock.scaled_ms(2), "FAILED", f"Image not found: {name}")
    lost = life.get("run_lost")
    if lost and lost.get("phase", "PREPARING") == "PREPARING":
        step = Step(at_ms + _ms(lost.get("after_s", 1)), "FAILED", "Node lost")
    if "stuck_preparing" in life or (step.at_ms or 0) > deadline:
        return late
    return step


def after_running(
    spec: dict[str, Any], life: Life, at_ms: int, clock: Clock, draw: random.Random
) -> tuple[Step, int | None]:
    """(the end of a container that runs from `at_ms`, the moment its node dies).

    A PERSISTENT one may have neither.
    """
    steps = [*_exits(spec, life, at_ms, clock, draw), *_timeout(spec, at_ms)]
    dead_ms = None
    for kind in ("node_death", "run_lost"):
        fault = life.get(kind)
        if fault and fault.get("phase", "RUNNING" if kind == "node_death" else "PREPARING") == "RUNNING":
            dead_ms = at_ms + _ms(fault.get("after_s", 1))
            steps.append(Step(dead_ms + _ms(fault.get("lag_s", 0)), "FAILED", "Node lost"))
    return min(steps, key=lambda step: step.at_ms or 0, default=Step(None)), dead_ms


def node_urls(spec: dict[str, Any], life: Life, region: str, draw: random.Random) -> list[dict[str, Any]]:
    """The addresses of a container. Port 22 is published when `ports` is omitted (as the vendor's example
    assumes).

    Seen in the field: a list replaces the default, and one without 22 while `sshkey` is set never yields an
    address.
    """
    docker = docker_of(spec)
    ports = docker.get("ports")
    ports = [22] if ports is None else [int(port) for port in ports]
    if "empty_node_urls" in life or (docker.get("sshkey") and 22 not in ports):
        return []
    host = f"node{draw.randint(2, 99)}-{region}.proxy.sandbox.invalid"
    outer = draw.sample(range(20_000, 60_000), len(ports))
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


def _exits(spec: dict[str, Any], life: Life, at_ms: int, clock: Clock, draw: random.Random) -> list[Step]:
    leaving = exit_plan(spec, draw, clock.time_scale)
    if "exit_at_once" in life:
        leaving = (0.1, int(life["exit_at_once"].get("exit_code", 1)))
    if leaving is None:
        return []
    seconds, code = leaving
    if code == 0:
        return [Step(at_ms + _ms(seconds), "COMPLETED", "", 0)]
    return [Step(at_ms + _ms(seconds), "FAILING", f"Container exited with code {code}", code)]


def _timeout(spec: dict[str, Any], at_ms: int) -> list[Step]:
    limit = spec["max_timeout_run_ms"]
    if limit is None:
        return []
    return [Step(at_ms + limit, "FAILING", f"The run exceeded max_timeout_run_ms ({limit} ms)")]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
