"""The product as ``bin/run`` starts it, in a folder of its own, with its numbers: memory, CPU, rows."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from dispersed_web.sandbox.remote import SandboxControl
from dispersed_web.supervisor.data_folder import DataFolder
from dispersed_web.supervisor.environment import HOST, ROOT, free_port, product_environment

START_LIMIT_S = 90.0
STOP_LIMIT_S = 15.0
TEAM = "demo-lab"
DEMO_ACCOUNT = "demo-lab"
ROLES = ("worker", "beat", "reconcile")
TICKS = os.sysconf("SC_CLK_TCK")


class Stack:
    """One start of the whole product. ``database_url`` empty means SQLite in the folder; ``settings`` are further
    variables."""

    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        self.folder = DataFolder(folder)
        self.port = free_port()
        self.log = folder.parent / f"{folder.name}.log"
        self._database_url = database_url
        given = {name: value for name, value in os.environ.items() if not name.startswith(("DW_", "DJANGO_"))}
        self._given = (
            given
            | settings
            | {"DW_DATA_DIR": str(folder)}
            | ({"DW_DATABASE_URL": database_url} if database_url else {})
        )
        folder.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dispersed_web.supervisor", "--port", str(self.port)],
                env=self._given,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(self._first_page, "the sign-in page")
        self.first_page_s = time.monotonic() - began
        self._wait(self._is_whole, "the background processes")
        self.environment = product_environment(self._given, self.folder, self.port, self._sandbox_port())
        self.cloud = SandboxControl(self.environment["DW_DISPERSED_URL"], timeout_s=180)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # Rows

    def seed(self, act: str, **arguments: Any) -> Any:
        """Runs a function of ``bench.seed`` in a process with the product's settings; gives back what it returns."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.seed", act],
            input=json.dumps(arguments),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"bench.seed {act} failed:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def rows(self) -> Iterator[Rows]:
        """A connection to the product's database."""
        connection: Any
        if self._database_url:
            connection = psycopg.connect(self._database_url, autocommit=True)
        else:
            connection = sqlite3.connect(self.folder.database, timeout=20, isolation_level=None)
        with contextlib.closing(connection):
            yield Rows(connection, "%s" if self._database_url else "?")

    # Processes

    def processes(self) -> dict[str, list[int]]:
        """The process numbers by role."""
        found: dict[str, list[int]] = {}
        parents = _parents()
        for pid in parents:
            chain = list(_ancestors(pid, parents))
            if self.process.pid in chain:
                top = chain[chain.index(self.process.pid) - 1] if chain[0] != self.process.pid else pid
                found.setdefault(_role(top, self.process.pid), []).append(pid)
        return found

    def memory_mib(self) -> dict[str, float]:
        """Proportional set size by role."""
        return {role: sum(map(_pss_kib, pids)) / 1024 for role, pids in self.processes().items()}

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU used so far, by role, ended children of these processes included."""
        return {role: sum(map(_cpu_s, pids)) for role, pids in self.processes().items()}

    # Start

    def _wait(self, ready: Any, what: str) -> None:
        give_up = time.monotonic() + START_LIMIT_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                raise RuntimeError(f"{what} did not come:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def _first_page(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/account/login/", timeout=5) as answer:
                return b"password" in answer.read()
        except OSError:
            return False

    def _is_whole(self) -> bool:
        return set(ROLES) <= self.processes().keys()

    def _sandbox_port(self) -> int:
        return int(self.folder.read_running()["sandbox_port"])


class Rows:
    """Plain SQL with ``?`` for values, on SQLite and PostgreSQL."""

    def __init__(self, connection: Any, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def __call__(self, sql: str, *values: Any) -> list[Sequence[Any]]:
        cursor = self._connection.execute(sql.replace("?", self._mark), values)
        return cursor.fetchall() if cursor.description else []

    def bump(self, slug: str) -> None:
        """Something visible changed in the team."""
        self("UPDATE teams_team SET version = version + 1 WHERE slug = ?", slug)


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return parents


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid:
        yield pid
        pid = parents.get(pid, 0)


def _role(pid: int, supervisor: int) -> str:
    if pid == supervisor:
        return "supervisor"
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        if name.startswith("dw-"):  # a fork of the supervisor
            return name.removeprefix("dw-")
        command = Path(f"/proc/{pid}/cmdline").read_text()
        for role, sign in (("sandbox", "dispersed_web.sandbox"), ("valkey", "valkey")):
            if sign in command:
                return role
    return "supervisor"


def _pss_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0
