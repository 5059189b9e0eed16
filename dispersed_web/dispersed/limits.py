"""The limits of the create call (Dispersed docs, create-job), as one sentence for each field at fault.
Pure.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator

from .regions import REGION_CODES
from .signing import MAX_SAFE_INTEGER
from .spec import JobSpec

Problem = tuple[str, str]

# Field, its name in a sentence, the least value that the cloud takes.
_LEAST = (
    ("cpu_count", "The number of CPU cores", 0),
    ("gpu_count", "The number of GPUs", 0),
    ("min_vram_gb", "The least VRAM", 0),
    ("min_ram_gb", "The least RAM", 0),
    ("min_storage_gb", "The least storage", 0),
    ("max_node_count", "The number of nodes", 1),
    ("max_retry_count", "The number of retries", 0),
    ("max_timeout_assign_ms", "The time to find a node", 300_000),
    ("max_timeout_start_ms", "The time to start", 120_000),
)
_LEAST_RUN_MS = 60_000
# Field, its name in a sentence; each is one line.
_LINES = (
    ("title", "The title"),
    ("gpu_name", "The GPU name"),
    ("gpu_registry_uuid", "The GPU"),
    ("image", "The image"),
    ("tag", "The tag"),
    ("registry_host", "The registry"),
    ("registry_user", "The registry user"),
    ("ssh_key", "The SSH key"),
    ("image_source", "The image source"),
)
# Field of a volume, its name in a sentence.
_VOLUME_LINES = (
    ("image", "image"),
    ("tag", "tag"),
    ("registry", "registry"),
    ("user", "registry user"),
    ("mount", "path"),
)
MOST_VOLUMES = 10
_NO_SPACES = frozenset({"image", "tag", "registry_host", "registry_user", "gpu_registry_uuid"})
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SSH_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]{16,}( .*)?")
_SSH_PORT = 22


def problems_of(spec: JobSpec) -> dict[str, str]:
    """What the cloud would refuse or read otherwise than meant: a sentence for each field at fault, the first that there
    is, in the order of the form.
    """
    found: dict[str, str] = {}
    for check in _CHECKS:
        for name, sentence in check(spec):
            found.setdefault(name, sentence)
    return found


def _task(spec: JobSpec) -> Iterator[Problem]:
    if spec.task not in ("BATCH", "PERSISTENT"):
        yield "task", "The task must be BATCH or PERSISTENT."
    if not spec.title.strip():
        yield "title", "A job needs a title."


def _lines(spec: JobSpec) -> Iterator[Problem]:
    for name, label in _LINES:
        yield from _line(name, label, getattr(spec, name), spaces=name not in _NO_SPACES)
    if spec.registry_secret is not None:
        secret = spec.registry_secret.reveal()
        yield from _line("registry_secret", "The registry secret", secret, spaces=False, quote=False)


def _line(name: str, label: str, value: str, *, spaces: bool, quote: bool = True) -> Iterator[Problem]:
    yield from _ascii(name, label, value, quote=quote)
    if value.isascii() and not value.isprintable():
        yield name, f"{label} must be one line without control characters."
    if not spaces and any(char.isspace() for char in value):
        yield name, f"{label} must have no spaces."


def _description(spec: JobSpec) -> Iterator[Problem]:
    yield from _ascii("description", "The description", spec.description)
    yield from _no_odd_controls("description", "The description", spec.description)


def _gpu(spec: JobSpec) -> Iterator[Problem]:
    if spec.gpu_name and spec.gpu_registry_uuid:
        yield "gpu_name", "Choose a GPU by name or from the registry, not both."


def _numbers(spec: JobSpec) -> Iterator[Problem]:
    for name, label, least in _LEAST:
        value: int | None = getattr(spec, name)
        if value is not None and not least <= value <= MAX_SAFE_INTEGER:
            yield name, f"{label} must be at least {_amount(name, least)}."


def _run_time(spec: JobSpec) -> Iterator[Problem]:
    run_ms = spec.max_timeout_run_ms
    if spec.task == "PERSISTENT" and run_ms is not None:
        yield "max_timeout_run_ms", "A PERSISTENT job has no run time limit in the cloud: leave it empty."
    if spec.task == "BATCH" and (run_ms is None or not _LEAST_RUN_MS <= run_ms <= MAX_SAFE_INTEGER):
        yield "max_timeout_run_ms", "A BATCH job needs a run time limit of at least 1 minute."


def _regions(spec: JobSpec) -> Iterator[Problem]:
    codes = spec.allowed_region_codes
    unknown = [code for code in codes if code not in REGION_CODES]
    if unknown:
        yield "allowed_region_codes", f"{unknown[0]!a} is not a region of Dispersed."
    yield from _no_repeats("allowed_region_codes", "region", codes)


def _image(spec: JobSpec) -> Iterator[Problem]:
    if not spec.image.strip():
        yield "image", "A job needs an image."
    if _has_tag(spec.image):
        yield "image", "The image must be given without its tag; the tag has a field of its own."


def _has_tag(image: str) -> bool:
    return ":" in image.rsplit("/", 1)[-1]


def _volumes(spec: JobSpec) -> Iterator[Problem]:
    if len(spec.volumes) > MOST_VOLUMES:
        yield "volumes", f"At most {MOST_VOLUMES} volumes."
    for number, volume in enumerate(spec.volumes, 1):
        called = f"volume {number}"
        for name, label in _VOLUME_LINES:
            yield from _line("volumes", f"The {label} of {called}", getattr(volume, name), spaces=False)
        if volume.secret is not None:
            label = f"The registry secret of {called}"
            yield from _line("volumes", label, volume.secret.reveal(), spaces=False, quote=False)
        if not volume.image:
            yield "volumes", f"{called.capitalize()} needs an image."
        elif _has_tag(volume.image):
            yield (
                "volumes",
                f"The image of {called} must be given without its tag; the tag has its own field.",
            )
        if not _is_mount(volume.mount):
            yield "volumes", f"The path of {called} must be absolute and plain, such as /data."
    yield from _no_repeats("volumes", "path", (volume.mount.rstrip("/") for volume in spec.volumes))


def _is_mount(path: str) -> bool:
    """Whether it is an absolute path below the root, without detours."""
    parts = path.rstrip("/").split("/")[1:]
    return path.startswith("/") and bool(parts) and all(part not in ("", ".", "..") for part in parts)


def _ssh(spec: JobSpec) -> Iterator[Problem]:
    if not spec.ssh_key:
        return
    if "PRIVATE KEY" in spec.ssh_key:
        yield "ssh_key", "This is a private key. Give the public one: the line in the file that ends in .pub."
    elif _SSH_KEY.fullmatch(spec.ssh_key) is None:
        yield "ssh_key", "This is not an SSH public key; it looks like “ssh-ed25519 AAAA… name”."
    if spec.ports and _SSH_PORT not in spec.ports:
        yield "ports", "Port 22 must be in the list when there is an SSH key, or the job cannot be reached."


def _ports(spec: JobSpec) -> Iterator[Problem]:
    for port in spec.ports:
        if not 1 <= port <= 65535:
            yield "ports", f"{port} is not a port: ports go from 1 to 65535."
    yield from _no_repeats("ports", "port", spec.ports)


def _addresses(spec: JobSpec) -> Iterator[Problem]:
    for address in spec.allowed_ips:
        try:
            network = ipaddress.ip_network(address, strict=False)
        except ValueError:
            yield "allowed_ips", f"{address!a} is neither an IP address nor a range such as 203.0.113.0/24."
            continue
        if "/" in address and ipaddress.ip_address(address.split("/")[0]) != network.network_address:
            yield "allowed_ips", f"{address} is not a whole range; did you mean {network}?"
    yield from _no_repeats("allowed_ips", "address", spec.allowed_ips)


def _env(spec: JobSpec) -> Iterator[Problem]:
    for name, value in spec.env.items():
        if _ENV_NAME.fullmatch(name) is None:
            shown = name.split("=")[0][:40]
            yield (
                "env",
                f"{shown!a} cannot be the name of a variable: letters, digits and _, no digit first.",
            )
        yield from _ascii("env", f"The value of {name}", value, quote=False)
        yield from _no_odd_controls("env", f"The value of {name}", value)


def _ascii(name: str, label: str, value: str, *, quote: bool = True) -> Iterator[Problem]:
    """What is signed must be ASCII: clients and servers disagree on how to hash anything else."""
    strange = next((char for char in value if not char.isascii()), None)
    if strange is None:
        return
    if quote:
        called = unicodedata.name(strange, f"U+{ord(strange):04X}").lower()
        shown = f"“{strange}” ({called})" if strange.isprintable() else called
    else:
        shown = f"its character number {value.index(strange) + 1}"
    yield name, f"{label} may have only ASCII characters; {shown} cannot be sent."


def _no_odd_controls(name: str, label: str, value: str) -> Iterator[Problem]:
    """NUL cannot be in a variable; DEL is escaped by some JSON writers only, so its hash would differ."""
    if "\x00" in value or "\x7f" in value:
        yield name, f"{label} has a NUL or DEL control character, which cannot be sent."


def _no_repeats(name: str, what: str, values: Iterable[str | int]) -> Iterator[Problem]:
    seen: set[str | int] = set()
    for value in values:
        if value in seen:
            yield name, f"The {what} {value} is in the list twice."
        seen.add(value)


def _amount(name: str, least: int) -> str:
    return f"{least // 60_000} minutes" if name.endswith("_ms") else str(least)


_CHECKS = (
    _task,
    _lines,
    _description,
    _gpu,
    _numbers,
    _run_time,
    _regions,
    _image,
    _volumes,
    _ssh,
    _ports,
    _addresses,
    _env,
)
