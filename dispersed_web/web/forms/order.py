"""From the cleaned form to what the domain is asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import PERSISTENT, JobSpec, Secret, Volume
from dispersed_web.jobs import marker
from dispersed_web.jobs.market import Wish

SSH_PORT = 22
ANYONE = "0.0.0.0/0"
ANY_GPU, GPU_BY_NAME = "any", "name"
SAME_NAME = (
    "task",
    "image",
    "tag",
    "description",
    "registry_host",
    "registry_user",
    "gpu_count",
    "cpu_count",
    "min_vram_gb",
    "min_ram_gb",
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
    "ssh_key",
    "image_source",
)
TIMEOUTS = ("max_timeout_assign", "max_timeout_start", "max_timeout_run")


@sensitive_variables()
def spec_of(data: Mapping[str, Any], env: Mapping[str, str], volumes: tuple[Volume, ...] = ()) -> JobSpec:
    """The specification of what was typed; a field at fault counts as left empty."""
    values = {name: data[name] for name in SAME_NAME if data.get(name) is not None}
    values |= {f"{name}_ms": data[name] * 1000 for name in TIMEOUTS if data.get(name) is not None}
    wish = wish_of(data)
    secret = data.get("registry_secret")
    return JobSpec(
        **{"task": "", "image": "", **values},
        title=marker.ascii_title(data.get("title") or ""),
        gpu_name=wish.gpu_name,
        gpu_registry_uuid=wish.gpu_registry_uuid,
        allowed_region_codes=tuple(data.get("allowed_region_codes") or ()),
        registry_secret=Secret(secret) if secret else None,
        ports=ports_of(data),
        allowed_ips=addresses_of(data),
        env=env,
        volumes=volumes,
    )


def ports_of(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The ports to publish. A list replaces the cloud's default set, so it must name 22 where there is an SSH key."""
    ports = tuple(data.get("ports") or ())
    return (SSH_PORT, *ports) if adds_ssh_port(data) else ports


def adds_ssh_port(data: Mapping[str, Any]) -> bool:
    ports = data.get("ports") or ()
    return bool(data.get("ssh_key") and ports and SSH_PORT not in ports)


def addresses_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    if data.get("reach") == "anyone":
        return (ANYONE,)
    return tuple(data.get("allowed_ips") or ())


def wish_of(data: Mapping[str, Any]) -> Wish:
    """Which machine was chosen so far."""
    gpu = data.get("gpu") or ANY_GPU
    return Wish(
        gpu_registry_uuid="" if gpu in (ANY_GPU, GPU_BY_NAME) else gpu,
        gpu_name=data.get("gpu_name") or "" if gpu == GPU_BY_NAME else "",
        gpu_count=data.get("gpu_count"),
        min_vram_gb=data.get("min_vram_gb"),
        nodes=data.get("max_node_count") or 1,
    )


def longest_run_s(data: Mapping[str, Any]) -> int | None:
    """For how long it can bill at most, in seconds: a PERSISTENT job for its lifetime, a BATCH job for every try's start
    and run. ``None`` while what decides it is missing."""
    if data.get("task") == PERSISTENT:
        return data.get("lifetime")
    start_s, run_s = data.get("max_timeout_start"), data.get("max_timeout_run")
    if start_s is None or run_s is None:
        return None
    return (start_s + run_s) * (1 + (data.get("max_retry_count") or 0))
