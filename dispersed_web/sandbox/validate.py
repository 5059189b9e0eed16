"""Validation of job bodies, with the limits of the vendor's create-job page.

Documented: the limits, the enums, the exclusive GPU selectors, BATCH with and PERSISTENT without a run
timeout (an omitted one works for PERSISTENT in the field). Our assumptions: unknown fields are ignored, whole
floats pass as integers, a volume needs an image and an absolute mount (its fields are only named), the wording
of the messages, and code `validation_error`.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from uuid import UUID

from .errors import ApiError

REGIONS = (
    "ca-central-1", "ca-west-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1",
    "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "ap-east-1", "ap-east-2",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
    "cn-north-1", "cn-northwest-1", "af-south-1", "il-central-1", "me-central-1", "me-south-1",
)  # fmt: skip
INTEGERS = {  # field: (least value, default)
    "cpu_count": (0, 0),
    "gpu_count": (0, 1),
    "min_vram_gb": (0, 0),
    "min_ram_gb": (0, 0),
    "min_storage_gb": (0, 0),
    "max_node_count": (1, 1),
    "max_retry_count": (0, 0),
    "max_timeout_assign_ms": (300_000, 300_000),
    "max_timeout_start_ms": (120_000, 300_000),
}
MIN_RUN_TIMEOUT_MS = 60_000
VOLUME_TEXTS = ("image", "tag", "registry", "user", "secret", "mount")
DOCKER_TEXTS = ("image", "tag", "host", "user", "secret", "imagesrc", "sshkey")
JOB_FIELDS = (
    "task", "title", "description", "parameters", "gpu_name", "gpu_registry_uuid", "max_timeout_run_ms",
    "allowed_region_codes", *INTEGERS,
)  # fmt: skip


def invalid(message: str) -> ApiError:
    """A refusal of the request's content."""
    return ApiError(400, "validation_error", message)


def job_spec(body: object) -> dict[str, Any]:
    """The body of a create call, checked and filled with defaults.

    Raises ApiError 400 that names the field.
    """
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    spec: dict[str, Any] = {"task": body.get("task"), "title": body.get("title")}
    if spec["task"] not in ("BATCH", "PERSISTENT"):
        raise invalid("task must be one of BATCH, PERSISTENT.")
    if not isinstance(spec["title"], str) or not spec["title"].strip():
        raise invalid("title is required and must be text.")
    spec["description"] = _text(body, "description") or ""
    for name, (least, default) in INTEGERS.items():
        spec[name] = _integer(body, name, least, default)
    spec["max_timeout_run_ms"] = _run_timeout(body)
    spec |= _gpu_selector(body)
    spec["allowed_region_codes"] = region_codes(body.get("allowed_region_codes"))
    spec["parameters"] = _parameters(body.get("parameters"))
    return spec


def region_codes(value: object) -> list[str]:
    """A list of at most 36 known region codes; null means none."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > len(REGIONS):
        raise invalid("allowed_region_codes must be a list of at most 36 codes.")
    for code in value:
        if code not in REGIONS:
            raise invalid(f"allowed_region_codes: unknown region code {str(code)[:40]!r}.")
    return list(value)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be text.")
    return value


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else None


def _integer(body: dict[str, Any], name: str, least: int, default: int) -> int:
    if body.get(name) is None:
        return default
    value = _whole(body[name])
    if value is None or value < least:
        raise invalid(f"{name} must be an integer of at least {least}.")
    return value


def _run_timeout(body: dict[str, Any]) -> int | None:
    given = body.get("max_timeout_run_ms")
    if body["task"] == "PERSISTENT":
        if given is not None:
            raise invalid("max_timeout_run_ms must be null for a PERSISTENT job.")
        return None
    if given is None:
        raise invalid("max_timeout_run_ms is required for a BATCH job.")
    return _integer(body, "max_timeout_run_ms", MIN_RUN_TIMEOUT_MS, 0)


def _gpu_selector(body: dict[str, Any]) -> dict[str, str | None]:
    name, registry = _text(body, "gpu_name") or None, _text(body, "gpu_registry_uuid") or None
    if name and registry:
        raise invalid("gpu_name and gpu_registry_uuid exclude each other.")
    if registry:
        try:
            UUID(registry)
        except ValueError:
            raise invalid("gpu_registry_uuid must be a UUID.")
    return {"gpu_name": name, "gpu_registry_uuid": registry}


def _parameters(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("parameters"), dict):
        raise invalid("parameters must be an object {type, parameters}.")
    if value.get("type") != "docker":
        raise invalid("parameters.type must be docker.")
    inner: dict[str, Any] = dict(value["parameters"])
    for name in DOCKER_TEXTS:
        _text(inner, name)
    if not inner.get("image"):
        raise invalid("parameters.parameters.image is required.")
    if "ports" in inner:
        _ports(inner["ports"])
    _allowed_ips(inner.get("allowed_ips"))
    _env(inner.get("env"))
    _volumes(inner.get("volumes"))
    return {"type": "docker", "parameters": inner}


def _ports(value: object) -> None:
    if value is None:
        return
    fits = isinstance(value, list) and all((_whole(p) or 0) in range(1, 65536) for p in value)
    if not fits:
        raise invalid("ports must be a list of integers from 1 to 65535.")


def _allowed_ips(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        raise invalid("allowed_ips must be a list of addresses.")
    for item in value:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError:
            raise invalid(f"allowed_ips: {str(item)[:60]!r} is no IP address or CIDR.")


def _env(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise invalid("env must be an object of text values.")


def _volumes(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(volume, dict) for volume in value):
        raise invalid("volumes must be a list of objects.")
    for volume in value:
        for name in VOLUME_TEXTS:
            if not isinstance(volume.get(name, ""), str | None):
                raise invalid(f"volumes: {name} must be text.")
        if not volume.get("image") or not str(volume.get("mount") or "").startswith("/"):
            raise invalid("volumes: an entry needs an image and an absolute mount.")
