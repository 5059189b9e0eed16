"""What somebody should know before a launch, in plain language. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dispersed_web.dispersed import PERSISTENT
from dispersed_web.durations import MINUTE_S, write
from dispersed_web.web.forms.order import addresses_of, adds_ssh_port, ports_of

SHORT_START_S = 15 * MINUTE_S
WIDE_OPEN = ("0.0.0.0/0", "::/0")
# The vendor's images start an SSH server, and only with a key (seen in their sources).
SSH_IMAGES = ("dispersednetwork/", "otoy/dispersed")


def notes(data: Mapping[str, Any]) -> list[str]:
    """What is done on one's behalf."""
    if adds_ssh_port(data):
        return [
            "Port 22 is published too: there is an SSH key, and a list of ports replaces the default set."
        ]
    return []


def warnings(data: Mapping[str, Any], exposed_env: Sequence[str] = ()) -> list[str]:
    """What may cost money, fail, or let strangers in, most expensive first."""
    return [*_of_money(data), *_of_access(data, exposed_env), *_of_failure(data)]


def _of_money(data: Mapping[str, Any]) -> Iterator[str]:
    if data.get("task") == PERSISTENT:
        lifetime = data.get("lifetime")
        until = f", at the latest after {write(lifetime)}" if lifetime else ""
        yield f"A persistent job bills until it is stopped: by you, or by this server{until}."
    nodes = data.get("max_node_count") or 1
    if nodes > 1:
        yield f"Up to {nodes} nodes run and bill at the same time."
    if retries := data.get("max_retry_count"):
        times = "once" if retries == 1 else f"up to {retries} times"
        yield f"After a failure it starts again, {times}, and bills each try."


def _of_access(data: Mapping[str, Any], exposed_env: Sequence[str]) -> Iterator[str]:
    reachable = data.get("ssh_key") or data.get("ports")
    if reachable and any(address in WIDE_OPEN for address in addresses_of(data)):
        other = [port for port in ports_of(data) if port != 22]
        if other:
            what = f"port {', '.join(map(str, other))}"
            yield f"Anyone on the internet can reach {what}. What listens there needs a password of its own."
        else:
            yield "Anyone on the internet can reach its SSH port; only your key opens it."
    if exposed_env:
        names = ", ".join(exposed_env)
        yield f"Stored in plain although it sounds secret: {names}. Your team can read it on the job's page."


def _of_failure(data: Mapping[str, Any]) -> Iterator[str]:
    image = data.get("image") or ""
    if data.get("task") == PERSISTENT and not data.get("ssh_key") and image.startswith(SSH_IMAGES):
        yield "No SSH key: this image starts its SSH server only with one, and may end at once without it."
    start_s = data.get("max_timeout_start")
    if start_s is not None and start_s < SHORT_START_S:
        yield f"Only {write(start_s)} to start: pulling a large image can take longer, and the job then fails."
    if data.get("gpu_count") == 0:
        yield "No GPU is asked for, so the job may land on a machine without one."
