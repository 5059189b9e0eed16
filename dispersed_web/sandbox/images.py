"""What the simulated platform knows about container images.

The vendor's images and their behaviour follow its example repository; pull times and default run times are
our own. Images named `…fail…` end with exit code 1, `…long…` or `…sleep…` run for six hours, and names with
`does-not-exist` or `no-such-image` cannot be pulled. The environment variables `SANDBOX_RUN_S` (seconds until
the container ends, on the service clock) and `SANDBOX_EXIT_CODE` steer any image. `SANDBOX_BEHAVIOUR` (training,
chatty, ssh, stall, lie, cron, reset or idle; see `behaviour.py`) chooses what the container does meanwhile: what
it logs, and what it tells in heartbeats.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

GB = 1_000_000_000
PRELOAD_BYTES = int(22.7 * GB)
LONG_RUN_S = 6 * 3600.0


@dataclass(frozen=True)
class Image:
    """What matters about a job's image: its family decides the logs, the rest the life of the container."""

    family: str
    size_bytes: int
    is_missing: bool
    needs_sshkey: bool
    has_access_token: bool


_FAMILIES = (  # the first word found in the image's name decides
    ("comfyui", "comfyui", 11 * GB),
    ("llama", "llamacpp", 4 * GB),
    ("ollama", "ollama", 3 * GB),
    ("vllm", "vllm", 9 * GB),
    ("benchmark", "benchmark", 6 * GB),
    ("batch", "benchmark", 6 * GB),
    ("pytorch", "pytorch", 7 * GB),
    ("train", "pytorch", 7 * GB),
    ("base", "base", 2 * GB),
)


def docker_of(spec: dict[str, Any]) -> dict[str, Any]:
    """The inner docker parameters of a job."""
    inner: dict[str, Any] = spec["parameters"]["parameters"]
    return inner


def image_of(spec: dict[str, Any]) -> Image:
    """The image a job asks for."""
    docker = docker_of(spec)
    name = docker["image"].lower()
    found = ("ollama", "ollama", 3 * GB) if "ollama" in name else None
    found = found or next((entry for entry in _FAMILIES if entry[0] in name), ("", "generic", 3 * GB))
    family, size = found[1], found[2]
    is_vendor = name.startswith(("dispersednetwork/", "otoy/"))
    if spec["task"] == "BATCH" and family in ("base", "generic"):
        family = "benchmark"
    return Image(
        family=family,
        size_bytes=PRELOAD_BYTES if "preload" in name else size,
        is_missing="does-not-exist" in name or "no-such-image" in name,
        needs_sshkey=is_vendor and family in ("base", "pytorch") and spec["task"] == "PERSISTENT",
        has_access_token="access" in name and "token" in name,
    )


def pull_s(image: Image, draw: random.Random) -> float:
    """How long a node takes to pull the image at scale 1.

    8 to 25 s, minutes for the preloaded one (as reported).
    """
    if image.size_bytes >= PRELOAD_BYTES:
        return draw.uniform(300, 540)
    return draw.uniform(8, 25)


def exit_plan(spec: dict[str, Any], draw: random.Random, time_scale: float) -> tuple[float, int] | None:
    """(service seconds until the container ends by itself, exit code), or None when it stays.

    A vendor image that only starts sshd exits at once without an SSH key (bash then returns 127).
    """
    docker = docker_of(spec)
    env = docker.get("env") or {}
    name = docker["image"].lower()
    code = number(env.get("SANDBOX_EXIT_CODE"))
    exit_code = int(code) if code is not None else (1 if "fail" in name else 0)
    seconds = number(env.get("SANDBOX_RUN_S"))
    if seconds is not None:
        return seconds, exit_code
    if image_of(spec).needs_sshkey and not docker.get("sshkey"):
        return 0.2, 127
    if spec["task"] == "PERSISTENT":
        return (draw.uniform(2, 5) / time_scale, exit_code) if "fail" in name else None
    if "long" in name or "sleep" in name:
        return LONG_RUN_S, exit_code
    return draw.uniform(40, 90) / time_scale, exit_code


def number(text: str | None) -> float | None:
    """The number in an environment variable, or None."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
