"""What a running product leaves on its machine: what its processes print, their arguments and environments, the broker's
keys and all that was ever said to it, the rows of the database, and every file of the data folder."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import redis
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing

from dispersed_web.supervisor import broker
from tests.canaries.searching import text_of
from tests.product import Product

SESSION_SALT = "django.contrib.sessions.SessionStore"
SESSION_COLUMNS = ("django_session.session_key", "usersessions_usersession.session_key")


class Ear:
    """Everything that is said to the broker, from now on."""

    def __init__(self, product: Product) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(broker.socket_path(product.data)))
        self._line.sendall(b"MONITOR\r\n")
        assert self._line.recv(5) == b"+OK\r\n"
        self._heard: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while heard := self._line.recv(1 << 16):
                self._heard.append(heard)

    def text(self) -> str:
        return b"".join(self._heard).decode("utf-8", "replace")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._line.close()


def in_broker(product: Product) -> Iterator[tuple[str, str]]:
    """Every key with its value; of messages the body, too, which is in base64."""
    client = redis.Redis(unix_socket_path=str(broker.socket_path(product.data)))
    ways = {
        b"string": lambda name: [client.get(name)],
        b"list": lambda name: client.lrange(name, 0, -1),
        b"set": client.smembers,
        b"hash": lambda name: [part for pair in client.hgetall(name).items() for part in pair],
        b"zset": lambda name: client.zrange(name, 0, -1),
    }
    for name in client.keys("*"):
        with contextlib.suppress(redis.ResponseError):  # it went meanwhile
            for value in ways.get(client.type(name), lambda _: [])(name):
                yield f"broker {name!r}", f"{name!r}\n{(value or b'').decode('utf-8', 'replace')}"
    client.close()


def in_database(path: Path, secret_key: str) -> Iterator[tuple[str, str]]:
    """Every column of every row, sealed ones too; sessions unpacked. The keys of sessions stand in columns of their own."""
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as database:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        for (table,) in database.execute(names).fetchall():
            found = database.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in found.description]
            for row in found:
                yield from (
                    (f"{table}.{name}", text_of(value)) for name, value in zip(columns, row, strict=True)
                )
                if table == "django_session":
                    data = dict(zip(columns, row, strict=True))["session_data"]
                    kept = signing.loads(data, secret_key, SESSION_SALT, JSONSerializer)
                    yield "session", json.dumps(kept, ensure_ascii=False)


def in_processes(product: Product) -> Iterator[tuple[str, str]]:
    """Arguments and environment of each; what the operator set by a variable stands in the variable."""
    for name, pids in product.sessions().items():
        for pid in pids:
            for what in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    raw = Path(f"/proc/{pid}/{what}").read_bytes()
                    yield f"{what} of {name}", raw.decode("utf-8", "replace").replace("\0", "\n")


def in_data(product: Product) -> Iterator[tuple[str, str]]:
    """Every file, as it lies there; only the secrets' own folder is left out, which nobody else may read."""
    own = product.data / "secrets"
    assert own.stat().st_mode & 0o077 == 0
    for path in product.data.rglob("*"):
        if path.is_file() and own in path.parents:
            assert path.stat().st_mode & 0o077 == 0, path
        elif path.is_file() and "static" not in path.parts:
            yield f"file {path.name}", path.read_bytes().decode("utf-8", "replace")
