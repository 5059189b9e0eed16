"""A job as it is asked for: the documented fields of the create call (Dispersed docs, create-job), typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .keys import MASK, Secret
from .volume import Volume

BATCH = "BATCH"
PERSISTENT = "PERSISTENT"


@dataclass(frozen=True, repr=False)
class JobSpec:
    """What a job should be. Fields that are None or empty are not sent, and the cloud's defaults hold.

    Sizes are gigabytes, times milliseconds. A BATCH job needs `max_timeout_run_ms`; a PERSISTENT one has
    none and bills until it is cancelled. `ports` replaces the published set, so it must name 22 for SSH.
    `env` values, `registry_user` and `registry_secret` reach other people's machines; they are not shown in
    the repr. What `image_source` (`imagesrc` of the call) means is not documented; it is sent as it is.
    """

    task: str
    title: str
    image: str
    description: str = ""
    cpu_count: int | None = None
    gpu_count: int | None = None
    gpu_name: str = ""
    gpu_registry_uuid: str = ""
    min_vram_gb: int | None = None
    min_ram_gb: int | None = None
    min_storage_gb: int | None = None
    max_node_count: int | None = None
    max_retry_count: int | None = None
    max_timeout_assign_ms: int | None = None
    max_timeout_start_ms: int | None = None
    max_timeout_run_ms: int | None = None
    allowed_region_codes: tuple[str, ...] = ()
    tag: str = ""
    registry_host: str = ""
    registry_user: str = ""
    registry_secret: Secret | None = None
    ssh_key: str = ""
    ports: tuple[int, ...] = ()
    allowed_ips: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    image_source: str = ""
    volumes: tuple[Volume, ...] = ()

    def to_body(self) -> dict[str, Any]:
        """The body of the create call, ready for `Client.create_job`. Check `problems_of` first."""
        body: dict[str, Any] = {
            name: value for name in _OUTER_FIELDS if (value := getattr(self, name)) not in (None, "", ())
        }
        if self.task == PERSISTENT:
            body["max_timeout_run_ms"] = None  # documented: must be null
        if self.allowed_region_codes:
            body["allowed_region_codes"] = list(self.allowed_region_codes)
        body["parameters"] = {"type": "docker", "parameters": self._docker_body()}
        return body

    def _docker_body(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "image": self.image,
            "tag": self.tag,
            "host": self.registry_host,
            "user": self.registry_user,
            "secret": self.registry_secret.reveal() if self.registry_secret else "",
            "sshkey": self.ssh_key,
            "ports": list(self.ports),
            "allowed_ips": list(self.allowed_ips),
            "env": dict(self.env),
            "imagesrc": self.image_source,
            "volumes": [volume.to_body() for volume in self.volumes],
        }
        return {name: value for name, value in settings.items() if value}

    def __repr__(self) -> str:
        shown = {item.name: getattr(self, item.name) for item in fields(self)}
        shown["env"] = dict.fromkeys(self.env, MASK)
        shown["registry_user"] = MASK if self.registry_user else ""
        given = ", ".join(
            f"{name}={value!r}" for name, value in shown.items() if value not in (None, "", (), {})
        )
        return f"JobSpec({given})"


_OUTER_FIELDS = (
    "task",
    "title",
    "description",
    "cpu_count",
    "gpu_count",
    "gpu_name",
    "gpu_registry_uuid",
    "min_vram_gb",
    "min_ram_gb",
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
    "max_timeout_assign_ms",
    "max_timeout_start_ms",
    "max_timeout_run_ms",
)
