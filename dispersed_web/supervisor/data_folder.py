"""The folder in which an installation on one machine keeps everything: database, queue, ledger, keys, passwords."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Neither 0 and O nor 1 and l: people type these from a terminal.
READABLE = "23456789abcdefghjkmnpqrstvwxyz"
PEOPLE = ("owner@example.com", "member@example.com")


class AlreadyRunning(Exception):
    """Another supervisor holds the folder; ``running`` is what it wrote about itself."""

    def __init__(self, running: dict[str, Any]) -> None:
        self.running = running
        super().__init__(running)


class DataFolder:
    """Where each thing lies in the folder. Nothing is made before :meth:`make`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.database = self.path / "db.sqlite3"
        self.broker = self.path / "valkey"
        self.sandbox = self.path / "sandbox"
        self.static = self.path / "static"
        self.secrets = self.path / "secrets"
        self.secret_key = self.secrets / "secret_key"
        self.keys = self.secrets / "keys"
        self.installation = self.secrets / "installation_id"
        self.demo = self.secrets / "demo.json"
        self._running = self.path / "running.json"

    def make(self) -> None:
        """Makes the folder and its secrets where they are missing; never replaces a secret."""
        for folder in (self.path, self.broker, self.sandbox, self.static, self.secrets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(self.secret_key, lambda: secrets.token_urlsafe(50))
        _write_once(self.keys, lambda: f"k1:{base64.b64encode(os.urandom(32)).decode()}")
        _write_once(self.installation, lambda: secrets.token_hex(16))
        _write_once(self.demo, _new_demo)

    def wipe(self) -> None:
        """Removes what this product keeps in the folder, and nothing else that may lie there."""
        for folder in (self.broker, self.sandbox, self.static, self.secrets):
            shutil.rmtree(folder, ignore_errors=True)
        for pattern in ("db.sqlite3*", "beat-schedule*"):
            for file in self.path.glob(pattern):
                file.unlink()

    def read_demo(self) -> dict[str, Any]:
        """The demo's sign-ins (``people``: e-mail → password), sandbox key pair and its port."""
        return dict(json.loads(self.demo.read_text()))

    def keep_sandbox_port(self, port: int) -> None:
        """Credentials remember the address of their cloud, so the sandbox comes back at the same one."""
        self.demo.write_text(json.dumps(self.read_demo() | {"sandbox_port": port}))

    def lock(self) -> int:
        """Takes the folder for this process until the descriptor is closed. Raises :class:`AlreadyRunning`."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._running, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise AlreadyRunning(self.read_running()) from None
        return descriptor

    def write_running(self, about: dict[str, Any]) -> None:
        self._running.write_text(json.dumps(about))

    def read_running(self) -> dict[str, Any]:
        """What the supervisor that runs, or ran last, wrote about itself; empty when none did."""
        try:
            return dict(json.loads(self._running.read_text()))
        except (OSError, ValueError):
            return {}


def _write_once(path: Path, make: Callable[[], str]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(make())


def _new_demo() -> str:
    name = secrets.token_hex(8)
    return json.dumps(
        {
            "people": {person: _password() for person in PEOPLE},
            "public_key": f"pk_sim_{name}",
            "secret_key": f"sk_sim_{secrets.token_hex(24)}",
        }
    )


def _password() -> str:
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))
