"""The commands and links that lead into a machine: what people copy. Pure; nothing here ever holds a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils.text import slugify

SSH_PORT = 22
HOME = "/"
VENDORS_HOME = "/opt/dispersedworker/"
LONGEST_ALIAS = 40
_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_TEXT_OF_PATH = "/?=&%-._~:+,;@!()*'"


@dataclass(frozen=True, slots=True)
class Port:
    """One published port of a run; ``url`` is empty where a browser cannot open it. ``label`` is what it is."""

    name: str
    address: str
    url: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """A port of the machine as a port of one's own computer."""

    port: int
    label: str
    command: str
    url: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address that the recipe names, with its words for it."""

    label: str
    url: str


def user_of(wished: object, usual: str) -> str:
    """The user that a recipe names, where it is one."""
    text = str(wished or "")
    return text if _USER.fullmatch(text) else usual


def alias_of(title: str, number: int, count: int) -> str:
    """A short name for ``~/.ssh/config``: ``dw-fine-tune-llama``, with a number where there are several nodes."""
    name = slugify(title)[:LONGEST_ALIAS].strip("-") or "job"
    return f"dw-{name}-{number}" if count > 1 else f"dw-{name}"


def ssh_command(user: str, url: Mapping[str, Any]) -> str:
    """The command that opens a shell at this address."""
    return f"ssh -p {int(url['port'])} {user}@{url['hostname']}"


def ssh_config(alias: str, user: str, url: Mapping[str, Any]) -> str:
    """A block for ``~/.ssh/config``. The machine has a new key at every start, so an unknown one is accepted."""
    return "\n".join(
        (
            f"Host {alias}",
            f"    HostName {url['hostname']}",
            f"    Port {int(url['port'])}",
            f"    User {user}",
            "    StrictHostKeyChecking accept-new",
            "    ServerAliveInterval 30",
        )
    )


def vscode_link(user: str, url: Mapping[str, Any], folder: str) -> str:
    """Opens the machine in VS Code with its Remote SSH extension."""
    return (
        f"vscode://vscode-remote/ssh-remote+{user}@{_bracketed(url['hostname'])}:{int(url['port'])}{folder}"
    )


def forward(user: str, url: Mapping[str, Any], port: int, label: str) -> Forward:
    """The way to a port that is not published: through SSH."""
    command = f"ssh -N -L {port}:localhost:{port} -p {int(url['port'])} {user}@{url['hostname']}"
    return Forward(port, label, command, f"http://localhost:{port}/")


def container_port(url: Mapping[str, Any]) -> int | None:
    """The port inside the container that an address leads to."""
    return url.get("container_port") or (SSH_PORT if url.get("description") == "ssh" else None)


def port(url: Mapping[str, Any], label: str) -> Port:
    """The way to a published port; its link is empty for one that browsers cannot open."""
    address = f"{_bracketed(url['hostname'])}:{int(url['port'])}"
    name = str(container_port(url) or url.get("description") or "port")
    return Port(name, address, f"{scheme(url)}://{address}/" if is_web(url) else "", label)


def is_web(url: Mapping[str, Any]) -> bool:
    """Whether a browser may open it: the cloud names no more than tcp."""
    return url.get("protocol", "") in ("", "tcp", "http", "https") and container_port(url) != SSH_PORT


def scheme(url: Mapping[str, Any]) -> str:
    """``https`` where the address says that it speaks TLS."""
    return "https" if url.get("tls") or url.get("protocol") == "https" else "http"


def links(urls: Sequence[Mapping[str, Any]], wished: Sequence[Mapping[str, Any]]) -> tuple[Link, ...]:
    """The recipe's links whose port is published."""
    by_port = {container_port(url): url for url in urls if is_web(url)}
    found = []
    for one in wished:
        url = by_port.get(_number(one.get("port")))
        if url is not None:
            path = quote(str(one.get("path") or "").lstrip("/"), safe=_TEXT_OF_PATH)
            address = f"{scheme(url)}://{_bracketed(url['hostname'])}:{int(url['port'])}/{path}"
            found.append(Link(str(one.get("label") or f"Port {one['port']}"), address))
    return tuple(found)


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int) or str(value).isdecimal() else None


def wished_ports(wished: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The ports that a recipe's links name, with their labels."""
    return {
        number: str(one.get("label") or "")
        for one in wished
        if (number := _number(one.get("port"))) is not None
    }


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
