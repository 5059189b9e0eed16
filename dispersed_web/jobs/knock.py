"""One try to connect to one address: within seconds, a few bytes, no redirects, only where this server may connect to.

The name is resolved once, every address of it is checked, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import httpx

from dispersed_web import public_addresses
from dispersed_web.public_addresses import IpAddress

SECONDS = 4.0
READ_BYTES = 4096
ADDRESSES_TRIED = 2
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


class Finding(StrEnum):
    """What a try showed."""

    SSH = "ssh"
    HTTP = "http"
    OPEN = "open"
    UNTRUSTED = "untrusted"
    REFUSED = "refused"
    SILENT = "silent"
    UNKNOWN_NAME = "unknown_name"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Door:
    """Where to knock: ``speaks`` is ssh, http, https or empty."""

    host: str
    port: int
    speaks: str


@dataclass(frozen=True)
class Knock:
    """``status`` is that of an HTTP answer."""

    finding: Finding
    status: int = 0


def knock(door: Door, may_enter: Callable[[IpAddress], bool], seconds: float = SECONDS) -> Knock:
    """Tries the door once. ``may_enter`` says of an address whether this server may connect to it; one address of a name
    where it may not spoils the name."""
    ends_at = time.monotonic() + seconds
    try:
        found = public_addresses.resolve(door.host, door.port)
    except (OSError, UnicodeError):
        return Knock(Finding.UNKNOWN_NAME)
    parsed = [public_addresses.address_of(one) for one in found]
    if not found or any(one is None or not may_enter(one) for one in parsed):
        return Knock(Finding.FORBIDDEN if found else Finding.UNKNOWN_NAME)
    last = Knock(Finding.SILENT)
    for address in found[:ADDRESSES_TRIED]:
        last = _try(address, door, ends_at)
        if last.finding not in (Finding.SILENT, Finding.REFUSED):
            break
    return last


def _try(address: str, door: Door, ends_at: float) -> Knock:
    try:
        line = socket.create_connection((address, door.port), timeout=_left_s(ends_at))
    except ConnectionRefusedError:
        return Knock(Finding.REFUSED)
    except OSError:
        return Knock(Finding.SILENT)
    with line:
        try:
            return _talk(line, door, ends_at)
        except ssl.SSLError:
            return Knock(Finding.UNTRUSTED)
        except ConnectionResetError:
            # A proxy takes every connection and breaks off where nothing listens behind it.
            return Knock(Finding.REFUSED)
        except OSError:
            return Knock(Finding.OPEN)


def _talk(line: socket.socket, door: Door, ends_at: float) -> Knock:
    if door.speaks in ("http", "https"):
        return _ask(line, door, ends_at)
    if door.speaks != "ssh":
        return Knock(Finding.OPEN)
    text = _read(line, ends_at, b"\n")
    if text.startswith(b"SSH-"):
        return Knock(Finding.SSH)
    return Knock(Finding.OPEN if text else Finding.REFUSED)


def _ask(line: socket.socket, door: Door, ends_at: float) -> Knock:
    if door.speaks == "http":
        return _head(line, door, ends_at)
    line.settimeout(_left_s(ends_at))
    context = httpx.create_ssl_context(trust_env=False)
    with context.wrap_socket(line, server_hostname=door.host) as secured:
        return _head(secured, door, ends_at)


def _head(line: socket.socket, door: Door, ends_at: float) -> Knock:
    host = f"[{door.host}]" if ":" in door.host else door.host
    request = f"HEAD / HTTP/1.1\r\nHost: {host}:{door.port}\r\nUser-Agent: dispersed-web\r\nConnection: close\r\n\r\n"
    line.settimeout(_left_s(ends_at))
    line.sendall(request.encode())
    text = _read(line, ends_at, b"\r\n")
    status = _STATUS.match(text)
    if status:
        return Knock(Finding.HTTP, int(status[1]))
    return Knock(Finding.OPEN if text else Finding.REFUSED)


def _read(line: socket.socket, ends_at: float, until: bytes) -> bytes:
    """What is said up to ``until``, the end, or the limit. Raises ``OSError`` when it takes too long."""
    text = b""
    while until not in text and len(text) < READ_BYTES:
        line.settimeout(_left_s(ends_at))
        piece = line.recv(READ_BYTES - len(text))
        if not piece:
            break
        text += piece
    return text


def _left_s(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), 0.01)
