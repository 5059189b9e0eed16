"""What the product is made of and how it is shipped: locked with hashes, asked for known faults, run without rights."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ports import free_port
from tests.waiting import LIMIT_S, eventually

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")


# Known faults ----------------------------------------------------------------------------------------------------------


@contextmanager
def advisories(faulty: str) -> Iterator[str]:
    """A service that knows one fault, of one package; the address it answers at."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = asked["package"]["name"] == faulty
            fault = {
                "id": "TEST-2026-1",
                "summary": "A fault",
                "affected": [
                    {
                        "package": {"name": faulty, "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
                    }
                ],
            }
            body = json.dumps({"vulns": [fault]} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def audit(tmp_path: Path, address: str) -> subprocess.CompletedProcess[str]:
    lock = tmp_path / "requirements.lock"
    found = re.search(r"^asgiref==.*?(?=^\S)", (ROOT / LOCKS[0]).read_text(), re.DOTALL | re.MULTILINE)
    assert found
    lock.write_text(found[0])
    command = [sys.executable, str(ROOT / ".ci/audit"), str(lock)]
    command += ["--vulnerability-service", "osv", "--osv-url", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_known_fault_fails_the_checks(tmp_path: Path) -> None:
    with advisories("asgiref") as address:
        done = audit(tmp_path, address)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "TEST-2026-1, fixed in 99" in done.stdout


def test_nothing_known_passes(tmp_path: Path) -> None:
    with advisories("something-else") as address:
        done = audit(tmp_path, address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 dependencies, 0 with known faults." in done.stdout


def test_who_cannot_be_asked_is_said_and_is_no_success(tmp_path: Path) -> None:
    done = audit(tmp_path, "http://127.0.0.1:9/v1/query")
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("NOT CHECKED: nobody could be asked about known faults")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_to_a_version_and_its_hashes(lock: str) -> None:
    text = re.sub(r"\\\n", " ", (ROOT / lock).read_text())
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 30
    assert [
        line[:60] for line in lines if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


# The image and its neighbours --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


OURS = ("migrate", "web", "worker", "beat", "reconcile", "manage", "sandbox")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_run_without_rights(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_the_neighbours_gain_no_rights_and_want_a_password(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service
    assert "PASSWORD:?" in str(service)


def test_only_the_web_is_published_and_to_this_machine_alone(compose: dict[str, Any]) -> None:
    published = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_database_and_broker_are_out_of_reach_of_everything_else(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey"):
        assert compose["services"][name]["networks"] == ["inside"]
    assert compose["services"]["valkey"]["command"][1] == "--requirepass"
    assert "redis://:${VALKEY_PASSWORD" in compose["services"]["web"]["environment"]["DW_REDIS_URL"]


def test_the_image_runs_as_nobody_in_particular_and_holds_no_history() -> None:
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    assert re.search(r"^USER 10001:10001$", stages[-1], re.MULTILINE)
    assert "pip install --require-hashes -r /app/requirements.lock" in "".join(stages)
    assert "COPY . " not in stages[-1]
    assert "&& chmod -R a+rX,go-w /app\n" in stages[-2], "a private umask stays outside"
    ignored, *taken = (ROOT / ".dockerignore").read_text().split()
    assert ignored == "*"
    assert not any(re.match(r"!(\*|\.git|\.env|\.data|tests)", one) for one in taken)


def test_the_settings_hold_no_secret_of_their_own() -> None:
    """Every secret comes from the environment; without one the product does not start."""
    from dispersed_web import env

    source = Path(env.__file__).with_name("settings.py").read_text()
    for name in ("DW_SECRET_KEY", "DW_OIDC_CLIENT_SECRET"):
        assert re.search(rf'env\.text\("{name}"\)', source), name


# Without rights, for real ----------------------------------------------------------------------------------------------

NOBODY = ["setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups", "--no-new-privs"]


# Where Python lies in somebody's home: may look everywhere, and still write nothing that is not its own.
READER = [*NOBODY, "--inh-caps", "-all,+dac_read_search", "--ambient-caps", "+dac_read_search"]


def _strangers_command() -> list[str] | None:
    """How to become a stranger who may run this Python; ``None`` where that is impossible."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        return None
    for command in (NOBODY, READER):
        tried = [*command, "sh", "-c", f"exec {sys.executable} -c 'import django'"]
        if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return command
    return None


def test_the_product_runs_as_a_stranger_who_may_write_only_its_data() -> None:
    """As in its container: nothing of the source is writable, and all it keeps is in its data folder."""
    stranger = _strangers_command()
    if stranger is None:
        pytest.skip("needs root and setpriv, to give up rights")
    folder = Path(tempfile.mkdtemp(prefix="dwr-", dir="/tmp"))
    try:
        _run_as_a_stranger(folder, stranger)
    finally:
        shutil.rmtree(folder)


def _run_as_a_stranger(folder: Path, stranger: list[str]) -> None:
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 10001, 10001)
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DW_", "DJANGO_"))}
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DW_SECRET_KEY": secrets.token_hex(32),
        "DW_INSTALLATION_ID": "x",
        "DW_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "DW_DATA_DIR": str(data),
        "DW_REDIS_URL": f"unix://{data}/none.sock",
        "DW_DISPERSED_URL": "http://127.0.0.1:9",
        "DW_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DW_WEB_HOST": "127.0.0.1",
        "DW_WEB_PORT": str(port),
        "DW_WEB_WORKERS": "1",
    }
    environment = kept | own
    done = subprocess.run(
        [*stranger, "bin/start", "migrate"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    web = subprocess.Popen(
        [*stranger, "bin/start", "web"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        page = _page(f"http://127.0.0.1:{port}/heartbeat.sh")
        status = Path(f"/proc/{web.pid}/status").read_text()
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait(LIMIT_S)
    assert page.startswith("#!/bin/sh")
    assert re.search(r"^Uid:\s+10001\s+10001", status, re.MULTILINE)
    rights = re.search(r"^CapEff:\s+(\w+)$", status, re.MULTILINE)
    assert rights
    assert int(rights[1], 16) & ~(1 << 2) == 0  # none, or the one to read
    assert (data / "db.sqlite3").exists()


def _page(address: str) -> str:
    def read() -> str:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
            return str(answer.read().decode())
        return ""

    return str(eventually(read, "the web process answers", 90))
