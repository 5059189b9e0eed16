"""What a recipe of the cloud launches: a stored body of the create call, read without its secrets.

Everything that a launch may need is kept, so that a recipe can be shown, taken over and cooked; what is secret is
dropped while reading, and `secrets` names what was.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from . import parse
from .keys import MASK
from .parse import JsonObject
from .volume import Volume

# The same names are taken for secret wherever somebody writes a variable.
SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASS|CRED|AUTH", re.IGNORECASE)
REGISTRY_SECRET = "registry_secret"  # noqa: S105 - a name


@dataclass(frozen=True, repr=False)
class RecipePayload:
    """The fields of :class:`JobSpec` as a recipe sets them; None or empty where it does not.

    `secrets` names what it holds and is not kept: `registry_secret`, `env.NAME`, `volumes./mount`.
    """

    task: str = ""
    title: str = ""
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
    image_size_bytes: int | None = None
    image: str = ""
    tag: str = ""
    registry_host: str = ""
    registry_user: str = ""
    image_source: str = ""
    ssh_key: str = ""
    ports: tuple[int, ...] = ()
    allowed_ips: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: object) -> "RecipePayload":
        """Read the `payload` of a recipe. Never fails: what is missing, unknown or unreadable is left out."""
        body = _inner(data)
        docker = _inner(_inner(body.get("parameters")).get("parameters"))
        env = {parse.storable(name): value for name, value in _inner(docker.get("env")).items()}
        ports = (parse.integer(port) for port in parse.items(docker.get("ports")))
        given: dict[str, Any] = {name: parse.text(body.get(name), limit) for name, limit in _TEXTS.items()}
        given |= {name: parse.integer(body.get(name)) for name in _NUMBERS}
        given |= {ours: parse.text(docker.get(theirs), limit) for ours, (theirs, limit) in _DOCKER.items()}
        return cls(
            **given,
            allowed_region_codes=parse.texts(body.get("allowed_region_codes")),
            ports=tuple(port for port in ports if port is not None),
            allowed_ips=parse.texts(docker.get("allowed_ips")),
            env={name: parse.text(value, 100_000) for name, value in env.items() if not _is_secret(name)},
            volumes=tuple(Volume.from_plain(one) for one in _volumes(docker)),
            secrets=tuple(_secrets(docker, env)),
        )

    def __repr__(self) -> str:
        shown: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        shown["env"] = dict.fromkeys(self.env, MASK)
        shown |= {name: MASK for name in ("registry_user", "ssh_key") if shown[name]}
        given = (f"{name}={value!r}" for name, value in shown.items() if value not in (None, "", (), {}))
        return f"RecipePayload({', '.join(given)})"


_TEXTS = {"task": 64, "title": 1000, "description": 5000, "gpu_name": 200, "gpu_registry_uuid": 128}
_NUMBERS = (
    "cpu_count",
    "gpu_count",
    "min_vram_gb",
    "min_ram_gb",
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
    "max_timeout_assign_ms",
    "max_timeout_start_ms",
    "max_timeout_run_ms",
    "image_size_bytes",
)
# Our field: the cloud's, and the most characters.
_DOCKER = {
    "image": ("image", 500),
    "tag": ("tag", 200),
    "registry_host": ("host", 300),
    "registry_user": ("user", 300),
    "image_source": ("imagesrc", 1000),
    "ssh_key": ("sshkey", 20_000),
}


def _inner(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _is_secret(env_name: str) -> bool:
    return SECRET_NAME.search(env_name) is not None


def _volumes(docker: JsonObject) -> Iterator[dict[str, str]]:
    """The volumes' texts, the secret left out by whoever makes a Volume of them."""
    for one in parse.items(docker.get("volumes")):
        if isinstance(one, dict):
            yield {name: parse.text(value, 1000) for name, value in one.items() if name != "secret"}


def _secrets(docker: JsonObject, env: Mapping[str, object]) -> Iterator[str]:
    if docker.get("secret"):
        yield REGISTRY_SECRET
    yield from (f"env.{name}" for name in sorted(env) if _is_secret(name))
    for one in parse.items(docker.get("volumes")):
        if isinstance(one, dict) and one.get("secret"):
            yield f"volumes.{parse.text(one.get('mount'), 1000)}"
