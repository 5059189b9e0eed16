"""Names and values of a recipe's fields as people read them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispersed_web import durations
from dispersed_web.recipes import references
from dispersed_web.recipes.document import ALL, TIMEOUT_FIELDS, USD_FIELDS

FIELDS = {
    "task": "Task",
    "title": "Title",
    "description": "Description",
    "image": "Image",
    "tag": "Tag of the image",
    "registry_host": "Registry",
    "registry_user": "Registry user",
    "registry_secret": "Registry password",
    "image_source": "Source of the image",
    "gpu": "GPU",
    "gpu_name": "GPU",
    "gpu_registry_uuid": "GPU of the registry",
    "gpu_count": "GPUs",
    "min_vram_gb": "VRAM, at least",
    "cpu_count": "CPU cores, at least",
    "min_ram_gb": "RAM, at least",
    "min_storage_gb": "Disk, at least",
    "max_node_count": "Nodes, at most",
    "max_retry_count": "Retries after a failure",
    "allowed_region_codes": "Regions",
    "max_timeout_assign_ms": "Wait for a node",
    "max_timeout_start_ms": "Start, image pull included",
    "max_timeout_run_ms": "Run for at most",
    "ports": "Ports",
    "allowed_ips": "Who may connect",
    "ssh_key": "SSH key",
    "volumes": "Volumes",
    "env": "Environment",
    "job_tag": "Tag of the job",
    "lifetime_s": "Stop after",
    "idle_limit_s": "When not used for",
    "checkin_every_s": "Ask every",
    "uses_logs": "A silent log means idle",
    "log_noise": "Log lines that are no sign of work",
    "budget_usd": "Most it may cost",
    "rate_cap_usd": "Highest price per hour",
}
_SECONDS = frozenset({"lifetime_s", "idle_limit_s", "checkin_every_s"})


def target(name: str) -> str:
    """What a target is called: a field, or a variable by its own name."""
    if name == ALL:
        return "Everything"
    if name.startswith("env."):
        return f"Variable {name.removeprefix('env.')}"
    if name.startswith(references.VOLUME):
        return f"Registry password of the volume at {name.removeprefix(references.VOLUME)}"
    return FIELDS.get(name, name)


def value(name: str, given: Any) -> str:
    """The value of a field; empty for nothing."""
    if given is None or given == "" or given == []:
        return ""
    if name in TIMEOUT_FIELDS:
        return durations.write_ms(given)
    if name in _SECONDS:
        return durations.write(given)
    if name in USD_FIELDS:
        return f"${given}"
    return plain(given)


def plain(given: Any) -> str:
    """Any JSON value in one text."""
    if given is None:
        return ""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, (list, tuple)):
        return ", ".join(plain(one) for one in given)
    if reference := references.reference_in(given):
        return references.words(reference.name)
    if isinstance(given, Mapping):
        return ", ".join(f"{name} {plain(one)}".strip() for name, one in given.items())
    return str(given)
