"""The whole product as `bin/run` starts it: real processes, a real browser's first request, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dispersed_web.supervisor.environment import HOST
from tests.ports import free_port
from tests.product import Product, answers, start_fixture  # noqa: F401 - a fixture
from tests.waiting import LIMIT_S, eventually

pytestmark = pytest.mark.stack


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_starts_everything_ends_everything_and_keeps_the_data(start: Callable[..., Product]) -> None:
    product = start(nothing=True).started()
    assert set(product.sessions()) == {
        *("supervisor", "guard", "valkey", "sandbox", "web", "worker", "beat", "reconcile")
    }
    eventually(lambda: answers(product.port), "the web server answers")
    passwords = json.loads((product.data / "secrets/demo.json").read_text())["people"]
    for email, password in passwords.items():
        assert re.search(f"{email} +{password}", product.text())

    product.process.send_signal(signal.SIGINT)
    assert product.process.wait(LIMIT_S) == 0
    assert product.gone()
    assert product.text().rstrip().splitlines()[-1]

    with contextlib.closing(sqlite3.connect(product.data / "db.sqlite3")) as database:
        people = database.execute("SELECT id, password FROM accounts_user ORDER BY id").fetchall()
    again = start(port=product.port).started()
    with contextlib.closing(sqlite3.connect(product.data / "db.sqlite3")) as database:
        assert database.execute("SELECT id, password FROM accounts_user ORDER BY id").fetchall() == people
        assert database.execute("SELECT count(*) FROM credentials_credential").fetchone() == (1,)
    assert json.loads((again.data / "secrets/demo.json").read_text())["people"] == passwords


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_survives_the_death_of_any_child_and_leaves_nothing_when_it_is_killed_itself(
    start: Callable[..., Product],
) -> None:
    product = start().started()
    before = product.sessions()
    children = ["valkey", "sandbox", "web", "worker", "beat", "reconcile", "guard"]
    for name in children:
        os.kill(min(before[name]), signal.SIGKILL)

    def all_back() -> bool:
        now = product.sessions()
        return all(name in now and not now[name] & before[name] for name in children)

    eventually(all_back, "every child is started again")
    eventually(lambda: answers(product.port), "the web server answers again")

    refused = start(port=free_port())
    assert refused.process.wait(LIMIT_S) == 1
    assert (
        f"running already (process {product.process.pid}) at http://127.0.0.1:{product.port}"
        in refused.text()
    )

    product.process.kill()
    product.process.wait()
    eventually(product.gone, "the guard ends everything")


def test_a_busy_port_is_named_with_a_way_out(start: Callable[..., Product]) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        product = start(port=port)
        assert product.process.wait(LIMIT_S) == 1
    assert re.match(rf"Port {port} on 127\.0\.0\.1 is taken .* bin/run --port \d+$", product.text().strip())


def test_a_fresh_start_is_not_made_by_accident(start: Callable[..., Product]) -> None:
    product = start("--fresh")
    assert product.process.wait(LIMIT_S) == 1
    assert "add --yes" in product.text()


ONE_CHILD = """
import os, sys
from pathlib import Path
from dispersed_web.supervisor.child import Child
from dispersed_web.supervisor.guard import Guard
from dispersed_web.supervisor.output import Output
from dispersed_web.supervisor.supervisor import Failed, Supervisor

folder = Path(sys.argv[1])
supervisor = Supervisor(Output(), Guard(folder, os.open(folder / "lock", os.O_CREAT)), vital="web")
supervisor.start(Child("web", ["sh", "-c", "echo no such file; exit 3"], dict(os.environ)))
try:
    supervisor.watch()
except Failed as error:
    print(error)
finally:
    supervisor.stop([(1, ("web",))])
"""


def test_a_web_server_that_cannot_start_ends_everything(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", ONE_CHILD, tmp_path], capture_output=True, text=True)
    assert told.stdout.count("web       | no such file") == 3
    assert told.stdout.endswith("web ended with status 3, 3 times in a row; its lines above say why.\n")
    assert not told.stderr
