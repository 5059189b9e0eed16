"""Readers of the environment: every setting of the product is a variable that starts with ``DW_``.

A secret ``DW_X`` may also be given as ``DW_X_FILE``, the path of a file that holds it (Docker and systemd secrets).
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable's value; with no default it is required, and the error says what to set."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read: {error.strerror}."
            ) from None
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE, the path of a file that holds it).")
    return value


def boolean(name: str, default: bool) -> bool:
    """1 or 0, or a word that says the same."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write 1 or 0.")


def integer(name: str, default: int) -> int:
    """A whole number."""
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the ``allowed`` words."""
    value = os.environ.get(name) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; write one of {', '.join(allowed)}.")
    return value


def service_url(name: str, default: str) -> str:
    """The address of a service that the operator names, without a slash at its end; empty without one. It is https, or
    this machine itself."""
    url = text(name, default).rstrip("/")
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if url and not (parts.hostname and plain and (parts.scheme == "https" or is_here)):
        raise ImproperlyConfigured(
            f"{name} is no address that may be asked; write https://host/path, without user, password or query."
        )
    return url


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def hosts(name: str) -> list[tuple[str, int | None]]:
    """Pairs of host and port, from a comma-separated list of ``host`` (any port) or ``host:port``."""
    try:
        parts = [urlsplit(f"//{item}") for item in items(name)]
        return [(part.hostname or "", part.port) for part in parts]
    except ValueError:
        raise ImproperlyConfigured(f"{name}: write host or host:port, separated by commas.") from None


def keyring(name: str) -> list[tuple[str, bytes]]:
    """Pairs of id and key, from a list of ``id:base64(32 bytes)`` separated by white space or commas."""
    ring = []
    for entry in text(name).replace(",", "\n").split():
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or len(key) != 32:
            raise ImproperlyConfigured(
                f"{name}: the key {key_id[:12]!r} must be written id:base64 of 32 random bytes."
            )
        ring.append((key_id, key))
    return ring


# A database whose machine or network is gone answers nothing, not even a refusal. Without these a process waits for it a
# quarter of an hour, or two, and stops nothing meanwhile; with them it finds out within 20 seconds, and connects anew.
FOUND_OUT_SOON = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "20000",
}


def database(name: str, sqlite_path: Path) -> dict[str, object]:
    """Django's database settings from ``postgresql://user:password@host:5432/name?sslmode=require``.

    A host that is a folder (a unix socket) goes into the query: ``postgresql://user@/name?host=/run/postgresql``.
    Without the variable: SQLite in ``sqlite_path``.
    """
    url = text(name, "")
    if not url:
        return sqlite(sqlite_path)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path)))
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"{name} starts with {parts.scheme!r}; write postgresql://… or sqlite:///path."
        )
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **FOUND_OUT_SOON,
            **options,
            "options": "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000",
        },
    }


def sqlite(path: Path) -> dict[str, object]:
    """SQLite as this product needs it.

    IMMEDIATE because a deferred transaction that has read cannot become a writer while another one writes: it fails
    at once whatever the time-out. ``synchronous=FULL`` because an intent to spend money must survive a power cut. The
    cache is small because every thread has one; of the pages it misses, the first 32 MiB are mapped, which counts as memory
    of the process.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1000; PRAGMA mmap_size=33554432;"
            ),
        },
    }
