"""The supervisor's parts that need no running product."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dispersed_web.supervisor import broker
from dispersed_web.supervisor.__main__ import _welcome, main
from dispersed_web.supervisor.child import LONGEST_DELAY_S, Child
from dispersed_web.supervisor.data_folder import AlreadyRunning, DataFolder
from dispersed_web.supervisor.environment import HOST, free_port, port_is_free, product_environment
from dispersed_web.supervisor.guard import Guard
from dispersed_web.supervisor.output import LONGEST_LINE, Lines
from dispersed_web.supervisor.prepare import source_digest
from tests.waiting import LIMIT_S, eventually


def test_secrets_are_made_once_and_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    secrets = {path: path.read_text() for path in (folder.secret_key, folder.keys, folder.demo)}
    folder.make()
    assert {path: path.read_text() for path in secrets} == secrets
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert len(set(folder.read_demo()["people"].values())) == 2


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({}, "bin/manage"),
        ({"DW_DATA_DIR": ""}, "bin/manage"),
        ({"DW_DATA_DIR": ".data-real"}, "DW_DATA_DIR=.data-real bin/manage"),
        ({"DW_DATA_DIR": "/srv/my data"}, "DW_DATA_DIR='/srv/my data' bin/manage"),
        ({"DW_DATA_DIR": "x", "DW_MANAGE": "dw"}, "dw"),
    ],
)
def test_commands_are_named_with_the_folder_that_they_need(
    tmp_path: Path, given: dict[str, str], typed: str
) -> None:
    folder = DataFolder(tmp_path)
    made = product_environment(given, folder, 8000, None)
    assert made["DW_MANAGE"] == typed
    said = "\n".join(_welcome("http://127.0.0.1:8000", folder, made, False))
    assert f"{typed} setup_code" in said


def test_wiping_leaves_what_is_not_ours(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.make()
    for name in ("db.sqlite3", "db.sqlite3-wal", "thesis.txt"):
        (tmp_path / name).write_text("x")
    folder.wipe()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_only_one_supervisor_holds_a_folder(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    lock = folder.lock()
    folder.write_running({"pid": 1, "url": "http://127.0.0.1:1"})
    with pytest.raises(AlreadyRunning) as refused:
        folder.lock()
    assert refused.value.running["pid"] == 1
    os.close(lock)
    os.close(folder.lock())


def test_the_environment_keeps_what_is_given_and_never_shows_a_secret_file_beside_a_secret(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path)
    made = product_environment({"PATH": "/bin", "DW_SECRET_KEY": "mine"}, folder, 8000, 8001)
    assert made["DW_SECRET_KEY"] == "mine"
    assert "DW_SECRET_KEY_FILE" not in made
    assert made["DW_KEYS_FILE"] == str(folder.keys)
    assert made["DW_DISPERSED_URL"] == "http://127.0.0.1:8001"
    assert made["DW_PUBLIC_URL"] == "http://127.0.0.1:8000"


def test_without_a_sandbox_the_cloud_is_the_settings_own(tmp_path: Path) -> None:
    assert "DW_DISPERSED_URL" not in product_environment({}, DataFolder(tmp_path), 8000, None)


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert not port_is_free(taken)
        assert free_port(taken) != taken


def test_the_port_after_the_last_one_is_not_free() -> None:
    assert not port_is_free(65536)
    assert free_port(65536) < 65536


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "٣٣٣٣"])
def test_what_is_no_port_is_refused_in_words(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--port={port}"])
    assert f"{port} is no port; write a number from 1 to 65535" in capsys.readouterr().err


def test_a_socket_path_fits_even_where_the_temp_folder_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + "long/" * 40)
    path = broker.socket_path(tmp_path)
    assert len(bytes(path)) <= broker.LONGEST_SOCKET_PATH
    assert path != broker.socket_path(tmp_path / "other")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        broker.own_folder(tmp_path / "link")


def test_the_embedded_server_is_there() -> None:
    assert os.access(broker.program(), os.X_OK)


@pytest.mark.redis
def test_a_stale_server_is_ended_and_its_socket_removed(redis_server) -> None:  # type: ignore[no-untyped-def]
    assert broker.answers(redis_server.socket)
    broker.end_stale_server(redis_server.socket)
    assert not redis_server.socket.exists()
    assert redis_server.process.wait(LIMIT_S) == 0


def test_bytes_become_whole_lines() -> None:
    lines = Lines()
    assert lines.feed(b"one\r\ntw") == ["one"]
    assert lines.feed(b"o\nthree") == ["two"]
    assert lines.end() == ["three"]
    assert lines.end() == []
    assert lines.feed(b"x" * (LONGEST_LINE + 1)) == ["x" * (LONGEST_LINE + 1)]


def test_the_digest_of_static_sources_moves_with_them(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "requirements.lock").write_text("a")
    before = source_digest(tmp_path)
    (tmp_path / "static/app.js").write_text("1")
    between = source_digest(tmp_path)
    (tmp_path / "requirements.lock").write_text("b")
    assert len({before, between, source_digest(tmp_path)}) == 3


def test_the_guard_ends_what_is_left_when_the_pipe_closes(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    lock = os.open(tmp_path / "lock", os.O_CREAT)
    guard = Guard(folder, lock, grace_s=0.2)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    kept, ended = (
        subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True)
        for _ in range(2)
    )
    for child in (kept, ended):
        assert child.stdout is not None
        child.stdout.readline()
        guard.watch_over(child.pid)
    guard.forget(kept.pid)
    guard.close()
    assert ended.wait(LIMIT_S) == -9
    assert kept.poll() is None
    assert not folder.exists()
    kept.kill()
    for child in (kept, ended):
        child.communicate()


def test_a_killed_guard_is_replaced_and_knows_everything(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    guard = Guard(folder, os.open(tmp_path / "lock", os.O_CREAT), grace_s=LIMIT_S)
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    guard.watch_over(child.pid)
    guard._process.kill()
    guard._process.wait()
    guard.stay_alive()
    threading.Thread(target=child.wait).start()  # or the guard would take what is left of it for alive
    guard.close()
    assert child.wait(LIMIT_S) == -15


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_guard_is_given_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DW_SECRET_KEY", "secret")
    guard = Guard(tmp_path / "run", os.open(tmp_path / "lock", os.O_CREAT), grace_s=0.2)
    # The kernel shows an empty one while it still loads the program.
    given = eventually(Path(f"/proc/{guard._process.pid}/environ").read_bytes, "the guard's environment")
    guard.close()
    assert b"PATH=" in given
    assert b"DW_" not in given


def test_time_between_restarts_grows_and_ends_somewhere() -> None:
    child = Child("x", [sys.executable, "-c", ""], {})
    delays = []
    for short_lives in (0, 1, 2, 3, 7, 5000):
        child.short_lives = short_lives
        delays.append(child.plan_restart())
    assert delays == [0.5, 0.5, 1, 2, LONGEST_DELAY_S, LONGEST_DELAY_S]


def test_an_ended_child_takes_what_it_started_along() -> None:
    child = Child("x", ["sh", "-c", "sleep 600 & echo started; exit 4"], dict(os.environ))
    output = os.fdopen(child.start(), "rb")
    os.set_blocking(output.fileno(), True)
    output.readline()
    while (how := child.collect()) is None:
        time.sleep(0.01)
    assert how == "ended with status 4"
    assert output.read() == b"", "the pipe closes when everyone who held it is gone"
    output.close()
