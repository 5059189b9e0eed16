"""The whole product as `bin/run` starts it, for tests that need all of it as real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dispersed_web.supervisor import broker
from dispersed_web.supervisor.environment import HOST, ROOT, free_port

LIMIT_S = 60.0


def eventually(condition: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
    give_up = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < give_up, f"in vain: {what}"
        time.sleep(0.05)
    return found


class Product:
    """One start of the product in ``data``."""

    def __init__(self, data: Path, *arguments: str, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.log = data.parent / f"{data.name}-{time.monotonic_ns()}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DW_", "DJANGO_"))}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dispersed_web.supervisor", "--port", str(self.port), *arguments],
                env=clean | {"DW_DATA_DIR": str(data)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.log.read_text()

    def started(self) -> Product:
        def is_up() -> bool:
            assert self.process.poll() is None, self.text()
            return "Ctrl-C" in self.text() and {"worker", "beat", "reconcile"} <= self.sessions().keys()

        eventually(is_up, "the product starts")
        return self

    def sessions(self) -> dict[str, set[int]]:
        """Process numbers by child. Every process of a child is in the session of that child."""
        # The broker writes the address of its socket over its arguments and environment.
        signs = (bytes(self.data), bytes(broker.socket_path(self.data)))
        names: dict[str, set[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if any(sign in text for sign in signs):
                    session = (folder / "stat").read_text().rpartition(")")[2].split()[3]
                    command = Path(f"/proc/{session}/cmdline").read_text().replace("\0", " ")
                    names.setdefault(name_of(command), set()).add(int(folder.name))
        return names

    def send(self, number: signal.Signals, *names: str) -> None:
        """To every process of these children; one that ended meanwhile is no fault."""
        found = self.sessions()
        for pid in [pid for name in names for pid in found.get(name, ())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """Ends all of it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(LIMIT_S) == 0

    def gone(self) -> bool:
        return not self.sessions() and not broker.socket_path(self.data).parent.exists()


def answers(port: int) -> bool:
    """Whether the sign-in page can be had."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/account/login/", timeout=10) as answer:
            return b"password" in answer.read()
    except OSError:
        return False


def name_of(command: str) -> str:
    for name, sign in (
        ("web", "granian"),
        ("worker", " worker "),
        ("beat", "dispersed_web.beat"),
        ("reconcile", "manage.py reconcile"),
        ("sandbox", "dispersed_web.sandbox"),
        ("valkey", "valkey-server"),
        ("guard", "guard.py"),
        ("supervisor", "dispersed_web.supervisor"),
    ):
        if sign in command:
            return name
    return command


@pytest.fixture(name="start")
def start_fixture(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    products = []

    def start_one(*arguments: str, port: int | None = None, data: str = "data") -> Product:
        products.append(Product(tmp_path / data, *arguments, port=port))
        return products[-1]

    yield start_one
    for product in products:
        if product.process.poll() is None:
            product.process.send_signal(signal.SIGTERM)
        product.process.wait(LIMIT_S)
    assert all(product.gone() for product in products)
