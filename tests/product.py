"""The whole product as `bin/run` starts it, for tests that need all of it as real processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dispersed_web.supervisor import broker
from dispersed_web.supervisor.environment import HOST, ROOT
from tests.ports import free_port
from tests.waiting import LIMIT_S, eventually

TABLES_AND_FILES = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from dispersed_web.credentials.models import KeyCanary
from dispersed_web.supervisor.prepare import collect_static
from dispersed_web.teams.models import Installation
call_command("migrate", interactive=False, verbosity=0)
collect_static(settings.STATIC_ROOT, settings.BASE_DIR)
# Whoever starts with it has another name and other keys.
Installation.objects.update(holder="")
KeyCanary.objects.all().delete()
"""


class Product:
    """One start of the product in ``data``, with these settings."""

    def __init__(self, data: Path, *arguments: str, port: int | None = None, **settings: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.log = data.parent / f"{data.name}-{time.monotonic_ns()}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DW_", "DJANGO_"))}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dispersed_web.supervisor", "--port", str(self.port), *arguments],
                env=clean | {"DW_DATA_DIR": str(data)} | settings,
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

        eventually(is_up, "the product starts", 3 * LIMIT_S)
        return self

    def sessions(self) -> dict[str, set[int]]:
        """Process numbers by child. Every process of a child is in the session of that child."""
        # The broker writes the address of its socket over its arguments and environment.
        signs = (bytes(self.data), bytes(broker.socket_path(self.data).parent))
        names: dict[str, set[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if any(sign in text for sign in signs):
                    session = (folder / "stat").read_text().rpartition(")")[2].split()[3]
                    names.setdefault(name_of(Path("/proc", session)), set()).add(int(folder.name))
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
        with urllib.request.urlopen(f"http://{HOST}:{port}/account/login/", timeout=LIMIT_S) as answer:
            return b"password" in answer.read()
    except OSError:
        return False


def name_of(leader: Path) -> str:
    """What the session is whose first process this is."""
    own_name = (leader / "comm").read_text().strip()
    if own_name.startswith("dw-"):  # a fork of the supervisor
        return own_name.removeprefix("dw-")
    command = (leader / "cmdline").read_text().replace("\0", " ")
    for name, sign in (
        ("sandbox", "dispersed_web.sandbox"),
        ("valkey", "valkey-server"),
        ("guard", "guard.py"),
        ("supervisor", "dispersed_web.supervisor"),
    ):
        if sign in command:
            return name
    return command


def prepare(data: Path) -> None:
    """Gives a new data folder empty tables and the static files, which are made once a run: they take most of a first
    start."""
    made = Path(os.environ["DW_TEST_DIR"], "product")
    with Path(f"{made}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "static/.sources").exists():
            (made / "static").mkdir(parents=True)
            own = {"DW_DATA_DIR": str(made), "DW_STATIC_ROOT": str(made / "static"), "DW_DATABASE_URL": ""}
            own["DJANGO_SETTINGS_MODULE"] = "dispersed_web.settings"
            command = [sys.executable, "-c", TABLES_AND_FILES]
            subprocess.run(command, env=os.environ | own, cwd=ROOT, check=True)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(made / "db.sqlite3", data)
    (data / "static").symlink_to(made / "static")


@pytest.fixture(name="start")
def start_fixture(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Starts the product with these arguments and settings, in a folder that is prepared unless it should begin with
    ``nothing``."""
    products = []

    def start_one(
        *arguments: str, port: int | None = None, nothing: bool = False, **settings: str
    ) -> Product:
        data = tmp_path / "data"
        if not nothing and not (data / "db.sqlite3").exists():
            prepare(data)
        products.append(Product(data, *arguments, port=port, **settings))
        return products[-1]

    yield start_one
    for product in products:
        if product.process.poll() is None:
            product.process.send_signal(signal.SIGTERM)
        product.process.wait(LIMIT_S)
    assert all(product.gone() for product in products)
