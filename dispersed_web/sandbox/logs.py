"""Container logs that grow with time, as the scripts of `log_scripts.py` say.

Whether the service gives text or lines, live or at the end, and how much it keeps is not documented. Our
assumption: text of the last 2,000 lines, live. A log is computed from the run's id and age, never stored.

A container whose variable `SANDBOX_LOG_LINES` is a number begins with so many lines, and then all of its log is
kept: for pages that must bear a long one.
"""

from __future__ import annotations

import functools
import heapq
import json
import random
import sqlite3
from collections.abc import Sequence
from typing import Any

from .behaviour import behaviour_of, complaint, env_of
from .images import docker_of, image_of, number
from .log_scripts import BEHAVIOUR_LINES, GREEN, OFF, SCRIPTS, Scene, Script, sshd_alone, sshd_boot

KEPT_LINES = 2_000
LONG_LOG, LONGEST_LOG = "SANDBOX_LOG_LINES", 200_000


def run_logs(
    run: sqlite3.Row, spec: dict[str, Any], now_ms: int, written: Sequence[tuple[int, str]] = ()
) -> str:
    """The log of a run as it stands; nothing before the container starts or after its node has died.

    `written` are further lines with their moments, in order.
    """
    if run["running_ms"] is None:
        return ""
    until = min(moment for moment in (now_ms, run["ended_ms"], run["node_dead_ms"]) if moment is not None)
    scene, script = _scene(run, spec), _script(spec)
    elapsed_s = max(0.0, (until - run["running_ms"]) / 1000)
    count = int(elapsed_s / script.period_s)
    long = min(int(number(env_of(spec).get(LONG_LOG)) or 0), LONGEST_LOG)
    kept = KEPT_LINES if not long else LONGEST_LOG * 2
    first = max(0, count - kept)
    lines = [] if first else [*(sshd_boot() if scene.has_sshd else []), *script.boot(scene), *complaint(spec)]
    lines += _history(long) if long else []
    timed = [
        (
            run["running_ms"] + int((i + 1) * script.period_s * 1000),
            script.line(i, random.Random(f"{run['uuid']}:{i}"), scene),  # noqa: S311
        )
        for i in range(first, count)
    ]
    lines += [line for _, line in heapq.merge(timed, written, key=lambda entry: entry[0])]
    lines += _last_words(run)
    return "\n".join(lines[-kept:]) + "\n" if lines else ""


@functools.lru_cache(maxsize=2)
def _history(count: int) -> tuple[str, ...]:
    """Lines with times and colours, as of a training that ran long before."""
    return tuple(
        f"2026-11-24T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z {GREEN}INFO{OFF} "
        f"step {i:6d} | loss {2.85 + 8 / (i + 1):.4f} | {180 + i % 32}.{i % 10}k tok/s"
        for i in range(count)
    )


def _scene(run: sqlite3.Row, spec: dict[str, Any]) -> Scene:
    node = json.loads(run["node"])
    runs_sshd = image_of(spec).family in ("base", "pytorch", "comfyui", "benchmark")
    has_sshd = runs_sshd and bool(docker_of(spec).get("sshkey"))
    return Scene(node["gpu"], node["vram_gb"], run["running_ms"], has_sshd)


def _script(spec: dict[str, Any]) -> Script:
    """The image's script; a behaviour has lines of its own, after the boot of the image."""
    script = SCRIPTS[image_of(spec).family]
    behaviour = behaviour_of(spec)
    if behaviour is None:
        return script
    period_s, line = BEHAVIOUR_LINES[behaviour.log]
    return Script(sshd_alone if behaviour.log == "sshd" else script.boot, period_s, line)


def _last_words(run: sqlite3.Row) -> list[str]:
    if run["ended_ms"] is None or run["exit_code"] is None or run["status"] not in ("COMPLETED", "FAILED"):
        return []
    if run["exit_code"] == 0:
        return [f"{GREEN}✓ done{OFF}"]
    if run["exit_code"] == 127:
        return ["/entrypoint.sh: line 42: wait: no child processes"]
    return [
        "Traceback (most recent call last):",
        '  File "/opt/dispersedworker/main.py", line 88, in <module>',
        "    main()",
        "RuntimeError: the workload failed",
    ]
