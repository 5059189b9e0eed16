"""The environment in which the processes of an installation on one machine run."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from dispersed_web.supervisor import broker
from dispersed_web.supervisor.data_folder import DataFolder

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent.parent


def data_folder(given: Mapping[str, str]) -> DataFolder:
    """The folder of ``DW_DATA_DIR``, or ``.data`` beside the product."""
    return DataFolder(Path(given.get("DW_DATA_DIR") or ROOT / ".data"))


def product_environment(
    given: Mapping[str, str], folder: DataFolder, port: int, sandbox_port: int | None
) -> dict[str, str]:
    """``given`` (the caller's environment) and what is missing from it; ``sandbox_port`` None means the real cloud."""
    own = {
        "DW_DATA_DIR": str(folder.path),
        "DW_STATIC_ROOT": str(folder.static),
        "DW_PUBLIC_URL": f"http://{HOST}:{port}",
        "DW_ALLOWED_HOSTS": "localhost",
        "DW_MANAGE": _manage(given),
        "DW_REDIS_URL": f"unix://{broker.socket_path(folder.path)}",
    }
    if sandbox_port is not None:
        own["DW_DISPERSED_URL"] = f"http://{HOST}:{sandbox_port}"
    for name, path in (
        ("DW_SECRET_KEY", folder.secret_key),
        ("DW_KEYS", folder.keys),
        ("DW_INSTALLATION_ID", folder.installation),
    ):
        if not given.get(name):
            own[f"{name}_FILE"] = str(path)
    environment = own | {name: value for name, value in given.items() if value}
    environment |= {"DW_WEB_HOST": HOST, "DW_WEB_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    # `bin/start` calls `python`, which must be this one.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)])
    return environment


def _manage(given: Mapping[str, str]) -> str:
    """How the product's commands are typed for this installation: with its folder, where that is not the usual one."""
    folder = given.get("DW_DATA_DIR")
    return f"DW_DATA_DIR={shlex.quote(folder)} bin/manage" if folder else "bin/manage"


def port_is_free(port: int) -> bool:
    """Whether this user could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):  # the port after the last one is not free either
            return False
    return True


def free_port(*wanted: int) -> int:
    """The first of the wanted ports that is free, else any."""
    for port in wanted:
        if port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
