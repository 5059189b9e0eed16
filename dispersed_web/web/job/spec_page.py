"""A job's specification in groups, and as JSON to copy. Secrets are not in what is read here: they are sealed. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dispersed_web.jobs.models import Job
from dispersed_web.recipes import references
from dispersed_web.web.words import round_duration

SECRET = "••••••••"  # noqa: S105 - what is shown instead of one


@dataclass(frozen=True, slots=True)
class Line:
    """``is_code`` values are set in the typewriter face."""

    name: str
    value: str
    is_code: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; ``empty`` is said where none of them is set."""

    title: str
    lines: tuple[Line, ...]
    empty: str = ""


def groups(job: Job) -> list[Group]:
    """Every field of the create call; what was left to the cloud says so."""
    spec = job.spec
    image = f"{spec.get('image', '')}:{spec['tag']}" if spec.get("tag") else spec.get("image", "")
    container = (
        Line("Image", image, is_code=True),
        Line("Registry", spec.get("registry_host") or "Docker Hub", is_code=bool(spec.get("registry_host"))),
        Line("Registry user", SECRET if spec.get("registry_user") else "none"),
        Line("Registry secret", _registry_secret(spec)),
        *([Line("Image source", spec["image_source"], is_code=True)] if spec.get("image_source") else ()),
        *map(_volume, spec.get("volumes") or ()),
    )
    hardware = (
        Line("GPU", job.gpu_label or spec.get("gpu_name") or "any that fits"),
        Line("GPUs", _number(spec, "gpu_count")),
        Line("VRAM at least", _number(spec, "min_vram_gb", " GB")),
        Line("CPU cores", _number(spec, "cpu_count")),
        Line("RAM at least", _number(spec, "min_ram_gb", " GB")),
        Line("Storage at least", _number(spec, "min_storage_gb", " GB")),
        Line("Nodes", _number(spec, "max_node_count")),
        Line("Regions", ", ".join(spec.get("allowed_region_codes") or ()) or "anywhere"),
    )
    times = (
        Line("Task", job.task),
        Line("To find a node", _time(spec, "max_timeout_assign_ms")),
        Line("To start", _time(spec, "max_timeout_start_ms")),
        Line("To run", _time(spec, "max_timeout_run_ms") if job.task == "BATCH" else "no limit of the cloud"),
        Line("Retries", _number(spec, "max_retry_count")),
    )
    access = (
        Line("Ports", ", ".join(map(str, spec.get("ports") or ())) or "as the cloud decides"),
        Line("Allowed addresses", ", ".join(spec.get("allowed_ips") or ()) or "as the cloud decides"),
        Line("SSH key", spec.get("ssh_key") or "none", is_code=bool(spec.get("ssh_key"))),
    )
    return [
        Group("Container", container),
        Group("Hardware", hardware),
        Group("Time limits", times),
        Group("Access", access),
        Group("Environment", tuple(map(_variable, spec.get("env") or ())), "No variables."),
        Group("Identity", _identity(job)),
    ]


def as_json(job: Job) -> str:
    """The specification without secrets, indented; names of secret variables stay, their values are masked."""
    spec = {name: value for name, value in job.spec.items() if value not in (None, "", [], ())}
    spec.pop("has_registry_secret", None)
    if "registry_user" in spec:
        spec["registry_user"] = SECRET
    if job.spec.get("has_registry_secret"):
        spec["registry_secret"] = _shown(spec.pop("registry_team_secret", ""))
    if "volumes" in spec:
        spec["volumes"] = [_masked(volume) for volume in spec["volumes"]]
    env = job.spec.get("env") or []
    spec["env"] = {
        row["name"]: _shown(row.get("team_secret")) if row["secret"] else row["value"] for row in env
    }
    return json.dumps({"title": job.title, "task": job.task, **spec}, indent=2, ensure_ascii=False)


def _identity(job: Job) -> tuple[Line, ...]:
    return (
        Line("Description", job.spec.get("description") or "none"),
        Line("Credential", job.credential.name),
        Line("Marker", job.marker, is_code=True),
        *(
            [Line("Cooked from the recipe of Dispersed", job.cook_uuid, is_code=True)]
            if job.cook_uuid
            else ()
        ),
        Line("Dispersed's id", job.remote_uuid or "not known yet", is_code=bool(job.remote_uuid)),
        Line("Our id", str(job.pk), is_code=True),
    )


def _volume(volume: dict[str, Any]) -> Line:
    image = f"{volume['image']}:{volume['tag']}" if volume.get("tag") else volume["image"]
    registry = f" from {volume['registry']}" if volume.get("registry") else ""
    login = ", with a registry secret" if volume.get("has_secret") else ""
    if volume.get("team_secret"):
        login = f", with {references.words(volume['team_secret'])}"
    return Line(f"Volume at {volume['mount']}", f"{image}{registry}{login}", is_code=True)


def _masked(volume: dict[str, Any]) -> dict[str, Any]:
    """As the create call has it, without what is empty."""
    shown = {
        name: value for name, value in volume.items() if value and name not in ("has_secret", "team_secret")
    }
    if "user" in shown:
        shown["user"] = SECRET
    return {**shown, "secret": _shown(volume.get("team_secret"))} if volume.get("has_secret") else shown


def _shown(team_secret: str | None) -> str:
    """What stands in the place of a secret: the name of the team's, or a mask."""
    return references.words(team_secret) if team_secret else SECRET


def _registry_secret(spec: dict[str, Any]) -> str:
    return _shown(spec.get("registry_team_secret")) if spec.get("has_registry_secret") else "none"


def _variable(row: dict[str, Any]) -> Line:
    if row.get("team_secret"):
        return Line(row["name"], references.words(row["team_secret"]))
    if row["secret"]:
        return Line(row["name"], SECRET, is_code=True, is_secret=True)
    return Line(row["name"], row["value"] or "", is_code=True)


def _number(spec: dict[str, Any], name: str, unit: str = "") -> str:
    value = spec.get(name)
    return "as the cloud decides" if value is None else f"{value}{unit}"


def _time(spec: dict[str, Any], name: str) -> str:
    value = spec.get(name)
    return "as the cloud decides" if value is None else round_duration(int(value) // 1000)
