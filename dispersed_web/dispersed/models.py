"""Jobs and job runs as the cloud shows them. Every other model of this package can be imported from here too.

Only known fields are kept, and what may be secret (registry login, environment values, SSH key, volumes) is
dropped while reading: the cloud may echo all of it (Dispersed docs, job object).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from . import parse
from .account import Authorization, Balance, Transaction, User
from .catalog import Gpu, GpuModel, Offer, Recipe, RecipeInput
from .keys import KeyPair, MixedKeys, Secret
from .page import Page
from .parse import JsonObject
from .payload import RecipePayload
from .statuses import LIVE, TERMINAL, is_terminal

__all__ = [
    "LIVE",
    "TERMINAL",
    "Authorization",
    "Balance",
    "DockerEcho",
    "Gpu",
    "GpuModel",
    "Job",
    "JobRun",
    "KeyPair",
    "MixedKeys",
    "NodeUrl",
    "Offer",
    "Page",
    "Recipe",
    "RecipeInput",
    "RecipePayload",
    "Secret",
    "Transaction",
    "User",
    "is_terminal",
]

LAUNCH_LABEL_ENV = "DW_LAUNCH"
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*(:[0-9A-Fa-f]*){2,7}")


@dataclass(frozen=True)
class DockerEcho:
    """What may be kept of the container settings that the cloud echoes: no values, no logins.

    `launch_label` is the value of the environment variable DW_LAUNCH, by which a launch is found again.
    """

    image: str
    tag: str
    host: str
    ports: tuple[int, ...]
    allowed_ips: tuple[str, ...]
    env_names: tuple[str, ...]
    launch_label: str

    @classmethod
    def from_json(cls, data: JsonObject) -> "DockerEcho":
        """Read the inner `parameters` of a docker job."""
        env = data.get("env")
        env = env if isinstance(env, dict) else {}
        label = env.get(LAUNCH_LABEL_ENV)
        ports = (parse.integer(port) for port in parse.items(data.get("ports")))
        return cls(
            image=parse.text(data.get("image"), 500),
            tag=parse.text(data.get("tag"), 200),
            host=parse.text(data.get("host"), 300),
            ports=tuple(port for port in ports if port is not None),
            allowed_ips=parse.texts(data.get("allowed_ips")),
            env_names=tuple(sorted(parse.storable(name) for name in env)),
            launch_label=label if isinstance(label, str) and _LABEL.fullmatch(label) else "",
        )


@dataclass(frozen=True)
class Job:
    """A job (Dispersed docs, job object). Times are aware UTC; a missing number is None, a missing text "".

    There is no price and no address on a job: both are on its runs.
    """

    uuid: str
    status: str
    task: str = ""
    title: str = ""
    description: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    status_reason: str = ""
    gpu_name: str = ""
    gpu_registry_uuid: str = ""
    cpu_count: int | None = None
    gpu_count: int | None = None
    min_vram_gb: int | None = None
    min_ram_gb: int | None = None
    min_storage_gb: int | None = None
    max_timeout_assign_ms: int | None = None
    max_timeout_start_ms: int | None = None
    max_timeout_run_ms: int | None = None
    max_retry_count: int | None = None
    max_node_count: int | None = None
    timeout_assign_at_ms: int | None = None
    image_size_bytes: int | None = None
    source_recipe_uuid: str = ""
    allowed_region_codes: tuple[str, ...] = ()
    docker: DockerEcho | None = None
    access_tokens: tuple[Secret, ...] = ()

    @classmethod
    def from_json(cls, data: JsonObject) -> "Job":
        """Read a job object. Raises BadReply when it has no usable `uuid` or no `status`."""
        return cls(
            uuid=parse.required_id(data, "uuid", "job"),
            status=parse.required_text(data, "status", "job"),
            task=parse.text(data.get("task"), 64),
            title=parse.text(data.get("title"), 1000),
            description=parse.text(data.get("description")),
            created_at=parse.moment(data.get("created_at")),
            updated_at=parse.moment(data.get("updated_at")),
            started_at=parse.moment(data.get("started_at")),
            completed_at=parse.moment(data.get("completed_at")),
            status_reason=parse.text(data.get("status_reason"), 2000),
            gpu_name=parse.text(data.get("gpu_name"), 200),
            gpu_registry_uuid=parse.text(data.get("gpu_registry_uuid"), 128),
            cpu_count=parse.integer(data.get("cpu_count")),
            gpu_count=parse.integer(data.get("gpu_count")),
            min_vram_gb=parse.integer(data.get("min_vram_gb")),
            min_ram_gb=parse.integer(data.get("min_ram_gb")),
            min_storage_gb=parse.integer(data.get("min_storage_gb")),
            max_timeout_assign_ms=parse.integer(data.get("max_timeout_assign_ms")),
            max_timeout_start_ms=parse.integer(data.get("max_timeout_start_ms")),
            max_timeout_run_ms=parse.integer(data.get("max_timeout_run_ms")),
            max_retry_count=parse.integer(data.get("max_retry_count")),
            max_node_count=parse.integer(data.get("max_node_count")),
            timeout_assign_at_ms=parse.integer(data.get("timeout_assign_at_ms")),
            image_size_bytes=parse.integer(data.get("image_size_bytes")),
            source_recipe_uuid=parse.text(data.get("source_recipe_uuid"), 128),
            allowed_region_codes=parse.texts(data.get("allowed_region_codes")),
            docker=_docker(data.get("parameters")),
            access_tokens=parse.tokens(data.get("container_access_tokens")),
        )


@dataclass(frozen=True)
class NodeUrl:
    """One published port of a run. `port` is the outer, random port; `description` tells the container's
    port.
    """

    description: str
    hostname: str
    port: int
    protocol: str
    tls: bool

    @property
    def container_port(self) -> int | None:
        """The port inside the container: 22 for "ssh", else the number in `description`, None if it is
        neither.
        """
        if self.description.lower() == "ssh":
            return 22
        port = parse.integer(self.description)
        return port if port is not None and 1 <= port <= 65535 else None

    @classmethod
    def from_json(cls, data: object) -> "NodeUrl | None":
        """Read an entry of `node_urls`; None unless its address is one, as it ends up in commands and
        links.
        """
        if not isinstance(data, dict):
            return None
        hostname = parse.text(data.get("hostname"), 255)
        port = parse.integer(data.get("port"))
        if _HOSTNAME.fullmatch(hostname) is None or port is None or not 1 <= port <= 65535:
            return None
        return cls(
            description=parse.text(data.get("description"), 64).strip(),
            hostname=hostname,
            port=port,
            protocol=parse.text(data.get("protocol"), 16).lower(),
            tls=parse.boolean(data.get("tls")) is True,
        )


@dataclass(frozen=True)
class JobRun:
    """One execution of a job on a node (Dispersed docs, job-monitoring; the rate seen in the field).

    `hourly_rate_usd` is the price of the whole node. `logs` is None where the cloud leaves it out (in lists).
    """

    uuid: str
    job_uuid: str
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    hourly_rate_usd: Decimal | None = None
    node_urls: tuple[NodeUrl, ...] = ()
    access_tokens: tuple[Secret, ...] = ()
    logs: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> "JobRun":
        """Read a job run. Raises BadReply without a usable `uuid`, `status`, or the job that it belongs
        to.
        """
        urls = (NodeUrl.from_json(item) for item in parse.items(data.get("node_urls")))
        return cls(
            uuid=parse.required_id(data, "uuid", "job run"),
            job_uuid=_job_of(data),
            status=parse.required_text(data, "status", "job run"),
            started_at=parse.moment(data.get("started_at_ms") or data.get("started_at")),
            ended_at=parse.moment(data.get("ended_at_ms") or data.get("ended_at")),
            duration_ms=parse.integer(data.get("duration_ms")),
            hourly_rate_usd=parse.amount(data.get("hourly_rate_usd")),
            node_urls=tuple(url for url in urls if url is not None),
            access_tokens=parse.tokens(data.get("container_access_tokens")),
            logs=_logs(data.get("logs")),
            created_at=parse.moment(data.get("created_at")),
            updated_at=parse.moment(data.get("updated_at")),
        )


def _job_of(data: JsonObject) -> str:
    """The job's uuid, which older answers carry only in the copy of the job (seen in the field)."""
    snapshot = data.get("job_snapshot")
    if "job_uuid" not in data and isinstance(snapshot, dict):
        return parse.required_id(snapshot, "uuid", "job run's job")
    return parse.required_id(data, "job_uuid", "job run")


def _docker(parameters: object) -> DockerEcho | None:
    inner = parameters.get("parameters") if isinstance(parameters, dict) else None
    return DockerEcho.from_json(inner) if isinstance(inner, dict) else None


def _logs(value: object) -> str | None:
    """Container output, given as one text or as a list of lines (which of the two is not documented)."""
    if isinstance(value, str):
        return parse.storable(value)
    if not isinstance(value, list):
        return None
    lines = (item.get("message") if isinstance(item, dict) else item for item in value)
    return parse.storable("\n".join(line.rstrip("\n") for line in lines if isinstance(line, str)))
