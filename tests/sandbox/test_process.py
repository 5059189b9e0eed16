"""The sandbox as a process: its command, its end, its memory, and what it may import."""

import ast
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import dispersed_web.sandbox
from dispersed_web.sandbox import DEMO_KEYS, Sandbox, SandboxControl
from tests.waiting import LIMIT_S

from .plain_client import PlainClient, persistent

COMMAND = [sys.executable, "-m", "dispersed_web.sandbox"]
KEY = ("pk_sim_process", "sk_sim_process", "process-account")


@pytest.fixture
def launch(tmp_path):
    """Start the command; gives (process, url). Extra arguments and environment may be given."""
    started = []

    def go(*arguments, **environment):
        command = [*COMMAND, "--port", "0", "--data", str(tmp_path / "data"), *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        started.append(process)
        line = process.stdout.readline()
        assert "simulated Dispersed at http://127.0.0.1:" in line, process.stderr.read()
        return process, line.split(" at ")[1].split(",")[0]

    yield go
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_even_while_a_request_stalls(launch, number):
    process, url = launch(SANDBOX_KEYS=":".join(KEY))
    SandboxControl(url).add_fault("GET /v1/jobs", "stall", seconds=600)
    with PlainClient(url, KEY) as client:
        assert client.get("/v1/users/me").status == 200
        client.connection.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.get("/v1/jobs")
        process.send_signal(number)
        assert process.wait(LIMIT_S) == 0
    assert process.stderr.read() == ""


def test_a_killed_process_forgets_nothing_and_jobs_ran_on_meanwhile(launch):
    process, url = launch("--key", ":".join(KEY))
    with PlainClient(url, KEY) as client:
        uuid = client.post("/v1/jobs", persistent()).json["uuid"]
    process.kill()
    process.wait(LIMIT_S)
    _, url = launch("--key", ":".join(KEY))
    control = SandboxControl(url)
    assert [row["status"] for row in control.requests(method="POST")] == [201]
    control.advance(60)
    with PlainClient(url, KEY) as client:
        assert client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING"


def test_the_advanced_clock_survives_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        sandbox.control.advance(86_400)
        before = sandbox.control.clock()["now_ms"]
    with Sandbox(tmp_path) as sandbox:
        assert sandbox.control.clock()["now_ms"] >= before


def test_without_keys_the_demo_keys_work_and_a_time_scale_makes_it_fast(launch):
    _, url = launch("--time-scale", "1000")
    with PlainClient(url, DEMO_KEYS[0]) as client:
        uuid = client.post("/v1/jobs", persistent()).json["uuid"]
        for _ in range(500):
            if client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING":
                break
        assert client.get(f"/v1/jobs/{uuid}").json["status"] == "RUNNING"


@pytest.mark.parametrize("arguments", [["--key", "pk_live:sk_live:x"], ["--key", "nonsense"]])
def test_a_wrong_key_ends_with_a_sentence(tmp_path, arguments):
    result = subprocess.run(
        [*COMMAND, "--port", "0", "--data", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert result.returncode == 2
    assert "pk_sim_" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_busy_port_ends_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        command = [*COMMAND, "--port", str(port), "--data", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr


def test_it_imports_the_standard_library_and_itself_only():
    for path in Path(dispersed_web.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names, path.name
