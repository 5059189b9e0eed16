"""What a container does, chosen by its environment variable `SANDBOX_BEHAVIOUR`.

| value | what it does | its log | its heartbeat |
| --- | --- | --- | --- |
| `training` | trains for ever: GPU 80 to 99 % | nothing after the boot | speaks |
| `chatty` | an idle web server, its model in the GPU's memory | a health probe every 5 s | speaks |
| `ssh` | a box with one forgotten SSH session | sshd's lines only | silent until `behave` turns it on |
| `stall` | GPU 60 to 90 % for ever | nothing after the boot | stalls after `SANDBOX_STALL_S` (600) seconds |
| `lie` | nothing | nothing after the boot | claims GPU 95 % and `busy` for ever |
| `cron` | nothing | one line an hour | silent |
| `reset` | GPU 0 | a line every 5 s; a second run's begins anew | silent |
| `idle` | nothing | nothing after the boot | speaks |

Without the variable a container logs what its image logs and sends nothing. An unknown value is named in the
container's log, and nothing else changes. Where a heartbeat speaks it is POSTed to the address in the
container's `DW_HEARTBEAT_URL` (see `heartbeats.py`); without an address nothing is sent. The control verbs
`behave` and `restart` change a running container.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .images import docker_of, number

BEHAVIOUR, STALL_S, ADDRESS = "SANDBOX_BEHAVIOUR", "SANDBOX_STALL_S", "DW_HEARTBEAT_URL"


@dataclass(frozen=True)
class Behaviour:
    """`log` names lines of `log_scripts.py`; the rest is what the heartbeat reports, if it speaks.

    `gpu` is the range of the GPUs' use and `mem` their memory in percent, `cpu` in cores, `net` in bytes a
    minute, `ssh` the open sessions. The heartbeat stalls `stall_s` seconds of service time after RUNNING.
    """

    log: str = "silent"
    has_heartbeat: bool = True
    stall_s: float = math.inf
    gpu: tuple[int, int] = (0, 0)
    mem: int = 0
    cpu: float = 0.01
    net: int = 2_000
    ssh: int = 0
    is_busy: bool = False
    phase: str = ""


BEHAVIOURS = {
    "training": Behaviour(gpu=(80, 99), mem=85, cpu=1.6, net=40_000, phase="train"),
    "chatty": Behaviour(log="probes", mem=60, cpu=0.03, net=12_000),
    "ssh": Behaviour(log="sshd", has_heartbeat=False, ssh=1),
    "stall": Behaviour(gpu=(60, 90), mem=70, cpu=1.2, net=40_000, stall_s=600.0),
    "lie": Behaviour(gpu=(95, 95), mem=90, is_busy=True),
    "cron": Behaviour(log="hourly", has_heartbeat=False),
    "reset": Behaviour(log="steady", has_heartbeat=False),
    "idle": Behaviour(),
}


def env_of(spec: dict[str, Any]) -> dict[str, str]:
    """A job's environment variables."""
    env: dict[str, str] = docker_of(spec).get("env") or {}
    return env


def behaviour_of(spec: dict[str, Any]) -> Behaviour | None:
    """How the containers of a job behave; None when the job does not say, or says something unknown."""
    return BEHAVIOURS.get(env_of(spec).get(BEHAVIOUR, ""))


def stall_s_of(spec: dict[str, Any], behaviour: Behaviour) -> float:
    """How many seconds after RUNNING the heartbeat stalls by itself; infinite where it never does."""
    stated = number(env_of(spec).get(STALL_S))
    return behaviour.stall_s if stated is None or math.isinf(behaviour.stall_s) else stated


def complaint(spec: dict[str, Any]) -> list[str]:
    """The line in the log of a container whose behaviour is unknown, or none."""
    name = env_of(spec).get(BEHAVIOUR)
    if not name or name in BEHAVIOURS:
        return []
    return [f"[sandbox] {BEHAVIOUR}={name} is unknown; it knows {', '.join(BEHAVIOURS)}"]
