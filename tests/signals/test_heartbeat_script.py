"""The heartbeat script itself, in three shells, against the running application and its database."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import shutil
import socket
import threading
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from django.utils import timezone

from dispersed_web.jobs.models import Job
from dispersed_web.signals import receiver
from dispersed_web.signals.models import bucket_start
from tests.ports import free_port
from tests.signals.beating import buckets, make_beating_job
from tests.signals.machine import SCRIPT, SHELLS, Machine, wait_until
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db(transaction=True)
GPU_87 = 'echo "87, 4000, 24000"; echo "[N/A], 100, 24000"; echo "3, [N/A], [N/A]"'


class App:
    """The application at a port of its own, which a test may stop and start."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread: LiveServerThread | None = None

    def start(self) -> None:
        self.thread = LiveServerThread("127.0.0.1", _StaticFilesHandler, port=self.port)
        self.thread.daemon = True
        self.thread.start()
        assert self.thread.is_ready.wait(LIMIT_S)
        assert self.thread.error is None
        # The first request imports every view, which takes seconds on a busy machine.
        with urllib.request.urlopen(f"{self.url}/heartbeat.sh", timeout=LIMIT_S):
            pass

    def stop(self) -> None:
        if self.thread is not None:
            self.thread.terminate()
            self.thread = None


@pytest.fixture(scope="module")
def app(django_db_setup) -> Iterator[App]:
    """One for all: to stop it takes half a second."""
    app = App()
    app.start()
    yield app
    app.stop()


@pytest.fixture
def absent_app() -> Iterator[App]:
    """One that is not there yet."""
    app = App()
    yield app
    app.stop()


@pytest.fixture(autouse=True)
def _no_pace(monkeypatch):
    """The script's seconds are short here, so its reports come faster than any real one. All that a test hears goes to one
    bucket, whenever it runs."""
    monkeypatch.setattr(receiver, "PACE", dt.timedelta(milliseconds=1))
    begun = bucket_start(timezone.now())
    monkeypatch.setattr(receiver, "bucket_start", lambda _: begun)


@pytest.fixture
def beating(transactional_db) -> tuple[Job, str]:
    return make_beating_job()


@pytest.fixture(params=SHELLS)
def machine(request, tmp_path, app, beating) -> Iterator[Machine]:
    """A machine in each shell."""
    yield from _machine(request.param, tmp_path, app, beating)


@pytest.fixture
def one_machine(tmp_path, app, beating) -> Iterator[Machine]:
    """A machine in one shell, for what does not depend on it."""
    yield from _machine("sh", tmp_path, app, beating)


def _machine(shell, folder, app, beating):
    if shutil.which(SHELLS[shell][0]) is None:
        missing = f"THE HEARTBEAT SCRIPT WAS NOT TRIED IN {shell}: install it (apt-get install {shell})"
        warnings.warn(missing, stacklevel=1)  # a skip alone is easily overlooked
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    machine = Machine(folder, shell, f"{app.url}/hb/{beating[1]}")
    yield machine
    machine.end()


def counted(job: Job) -> int:
    return sum(bucket.count for bucket in buckets(job))


def wait_for_reports(job: Job, more: int = 1) -> None:
    wanted = counted(job) + more
    wait_until(lambda: counted(job) >= wanted, f"{wanted} reports")


# What is reported -----------------------------------------------------------------------------------------------------


def test_a_machine_reports_what_it_does(machine, beating):
    machine.tool("nvidia-smi", GPU_87)
    (machine.folder / "busy").touch()
    (machine.folder / "phase").write_text("train\n")
    (machine.folder / "note").write_text('epoch 3, "läuft"\n')

    machine.start()

    wait_for_reports(beating[0], 3)
    bucket = buckets(beating[0])[-1]
    assert (bucket.gpu_top, bucket.gpu_busy >= 1) == (87, True)
    assert (bucket.ssh_open, bucket.phase) == (0, "train")
    assert bucket.note in ('epoch 3, "läuft"', 'epoch 3, "luft"')
    assert bucket.busy_at
    assert 0 <= bucket.cpu_top <= 1000
    assert bucket.net_top >= 0


def test_a_machine_without_a_gpu_says_nothing_of_one(one_machine, beating):
    one_machine.start()

    wait_for_reports(beating[0])
    assert buckets(beating[0])[-1].gpu_top is None


@pytest.mark.parametrize("broken", ["echo NVIDIA-SMI has failed; exit 9", "kill -9 $$", "echo 08, 9x, -"])
def test_a_broken_driver_is_not_an_idle_gpu(one_machine, beating, broken):
    one_machine.tool("nvidia-smi", broken)

    one_machine.start()

    wait_for_reports(beating[0], 2)
    assert buckets(beating[0])[-1].gpu_top is None


def test_work_between_two_reports_is_seen(one_machine, beating):
    calls = one_machine.folder / "calls"
    one_machine.tool(
        "nvidia-smi",
        f'echo >>{calls}; if [ "$(grep -c "" {calls})" = 4 ]; then echo 95, 1, 2; else echo 0, 1, 2; fi',
    )

    one_machine.start()

    wait_for_reports(beating[0], 3)
    (bucket, *_) = buckets(beating[0])
    assert (bucket.gpu_top, bucket.gpu_busy) == (95, 1)


def test_whatever_stands_in_the_files_is_reported_as_json(machine, beating):
    shown = {
        b'back\\slash "quote" \\" end': 'back\\slash "quote" \\" end',
        bytes(range(256)): None,
        b"x" * 9999: "x" * 200,
        b"%s %d \\n $(rm) `x`\r\n": "%s %d \\n $(rm) `x`",
        b"cut \xe2\x82": "cut",
        b"": "",
    }
    for content, note in shown.items():
        (machine.folder / "note").write_bytes(content)
        assert machine.run("--once")[0] == 0
        assert note is None or buckets(beating[0])[-1].note == note


def test_an_open_terminal_and_its_last_keystroke(machine, beating):
    terminal = machine.terminal()
    terminal.touched(600)

    machine.start()

    wait_for_reports(beating[0])
    (bucket, *_) = buckets(beating[0])
    assert bucket.ssh_open == 1
    assert abs(timezone.now() - dt.timedelta(seconds=600) - bucket.key_at) < dt.timedelta(minutes=5)
    terminal.close()


def test_a_wrong_clock_does_not_matter(machine, beating):
    machine.tool("date", "echo 86400")
    terminal = machine.terminal()
    terminal.touched(600)

    machine.start()

    wait_for_reports(beating[0], 2)
    (bucket, *_) = buckets(beating[0])
    assert abs(timezone.now() - bucket.last_at) < dt.timedelta(minutes=5)
    assert abs(timezone.now() - dt.timedelta(seconds=600) - bucket.key_at) < dt.timedelta(minutes=5)
    assert 0 <= bucket.cpu_top <= 1000
    terminal.close()


# Wherever it runs -----------------------------------------------------------------------------------------------------


def test_the_line_that_people_paste(machine, app, beating):
    url = machine.environment.pop("DW_HEARTBEAT_URL")
    line = f"curl -fsS {app.url}/heartbeat.sh | DW_HEARTBEAT_URL={url} sh -s -- --background"

    assert machine.pasted(line) == ""

    wait_for_reports(beating[0], 2)
    Job.objects.update(status="CANCELLED")
    wait_until(lambda: not machine.detached(), "the end of the copy in the background")


def test_wget_does_where_there_is_no_curl(machine, app, beating):
    (machine.tools / "curl").unlink()
    url = machine.environment.pop("DW_HEARTBEAT_URL")

    machine.pasted(f"wget -qO- {app.url}/heartbeat.sh | DW_HEARTBEAT_URL={url} sh -s -- --background")

    wait_for_reports(beating[0], 2)
    Job.objects.update(status="CANCELLED")
    wait_until(lambda: not machine.detached(), "the end of the copy in the background")


def test_without_curl_and_wget_it_says_so_and_fails_nothing(one_machine):
    for tool in ("curl", "wget"):
        (one_machine.tools / tool).unlink()

    assert one_machine.run() == (0, "", "heartbeat: neither curl nor wget is here: no heartbeat\n")


@pytest.mark.parametrize("url", ["", "ftp://x", "x"])
def test_without_an_address_it_says_so_and_fails_nothing(one_machine, url):
    one_machine.environment["DW_HEARTBEAT_URL"] = url

    result, out, complaint = one_machine.run("--background")

    assert (result, out) == (0, "")
    assert "address" in complaint


def test_a_machine_where_nothing_can_be_written_and_half_the_tools_are_missing(machine, beating):
    machine.environment["DW_TEST_LOCK_FOLDERS"] = "/proc/no /nowhere"
    for tool in ("stat", "od", "sort", "head", "timeout", "date"):
        (machine.tools / tool).unlink()

    process = machine.start()

    wait_for_reports(beating[0], 2)
    assert process.poll() is None


def test_a_second_copy_says_so_and_ends(machine, beating):
    first = machine.start()
    wait_for_reports(beating[0])

    for mode in ((), ("--background",)):
        assert machine.run(*mode) == (0, "", f"heartbeat: already running (process {first.pid})\n")

    assert first.poll() is None


def test_the_lock_of_a_copy_that_is_gone_does_not_count(one_machine, beating):
    """A restarted container gives its process ids again."""
    one_machine.lock().write_text(f"{os.getpid()} 12345\n")

    one_machine.start()

    wait_for_reports(beating[0])


def test_it_ends_when_told_to_and_leaves_nothing_behind(machine, beating):
    process = machine.start()
    wait_for_reports(beating[0])

    process.terminate()

    assert process.wait(LIMIT_S) == 0
    assert not machine.lock().exists()
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    assert str(process.pid) not in children.read_text().split()


def test_a_script_that_arrived_in_part_does_nothing(one_machine, beating):
    text = SCRIPT.read_text()
    for share in (0.3, 0.6, 0.9, 0.995):
        part = one_machine.folder / "part.sh"
        part.write_text(text[: int(len(text) * share)])
        one_machine.pasted(f"sh {part} --once || true")

    assert not buckets(beating[0])


# What is answered -----------------------------------------------------------------------------------------------------


def test_it_finds_the_application_when_that_comes_back(one_machine, absent_app, beating):
    one_machine.environment["DW_HEARTBEAT_URL"] = f"{absent_app.url}/hb/{beating[1]}"
    process = one_machine.start()
    time.sleep(0.3)
    assert process.poll() is None

    absent_app.start()

    wait_for_reports(beating[0], 2)


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_an_application_that_does_not_answer_holds_nothing_up(one_machine, tool):
    (one_machine.tools / ("curl" if tool == "wget" else "wget")).unlink()
    one_machine.environment["DW_TEST_REQUEST_LIMIT_S"] = "1"
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        one_machine.environment["DW_HEARTBEAT_URL"] = f"http://127.0.0.1:{deaf.getsockname()[1]}/hb/x"

        assert one_machine.run("--once") == (1, "", "heartbeat: not taken: HTTP 000\n")


def test_an_unknown_address_is_given_up(one_machine, app):
    one_machine.environment["DW_HEARTBEAT_URL"] = f"{app.url}/hb/{'x' * 43}"

    assert one_machine.run() == (0, "", "")


def test_with_the_job_the_script_ends(one_machine, beating):
    process = one_machine.start()
    wait_for_reports(beating[0])

    Job.objects.update(status="CANCELLED")

    assert process.wait(LIMIT_S) == 0
    assert not one_machine.lock().exists()


def test_being_told_to_report_less_often_is_no_end(one_machine, beating, monkeypatch):
    monkeypatch.setattr(receiver, "PACE", dt.timedelta(days=1))
    monkeypatch.setattr(receiver, "BURST", 1)
    process = one_machine.start()
    wait_for_reports(beating[0])
    time.sleep(0.5)
    assert counted(beating[0]) == 1

    monkeypatch.setattr(receiver, "BURST", 100)

    wait_for_reports(beating[0])
    assert process.poll() is None


def test_once_says_what_was_answered(machine, beating):
    result, out, complaint = machine.run("--once")

    assert (result, complaint) == (0, "")
    assert json.loads(out)["next_s"] == 60


def test_once_says_when_nothing_was(one_machine, absent_app):
    one_machine.environment["DW_HEARTBEAT_URL"] = f"{absent_app.url}/hb/x"

    assert one_machine.run("--once") == (1, "", "heartbeat: not taken: HTTP 000\n")


def test_no_answer_breaks_it(one_machine):
    answers = [
        "",
        "<html>Sign in to this network</html>",
        '{"next_s": 08, "in_s": 09, "state": null}',
        '{"message": "\\\\", "in_s": "x", "next_s": -5}',
        '{"next_s": 0.5, "message": "a\\"b $(false) %s"}',
        '{"in_s": 99999999999999999999, "next_s": 10}',
        "[" * 3000,
    ]
    seen = []

    class Odd(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            text = answers[len(seen) % len(answers)].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one_machine.environment["DW_HEARTBEAT_URL"] = f"http://127.0.0.1:{server.server_port}/hb/x"
        process = one_machine.start()
        wait_until(lambda: len(seen) > len(answers), "an answer to every odd one")
        server.shutdown()

    assert process.poll() is None
    assert [report["seq"] for report in seen] == list(range(1, len(seen) + 1))
    assert all(10 <= report["period_s"] <= 600 for report in seen)


# When a stop is near --------------------------------------------------------------------------------------------------


def test_a_warning_is_shown_once_in_each_terminal(machine, beating):
    stop_at = timezone.now() + dt.timedelta(minutes=10)
    Job.objects.update(stop_at=stop_at, verdict_state="warned", verdict_rule="idle")
    terminal = machine.terminal()

    machine.start()

    wait_until(lambda: "goes on." in terminal.read(), "the warning in the terminal")
    wait_for_reports(beating[0], 2)
    assert terminal.read().count(f"This machine stops at {stop_at:%H:%M} UTC") == 1
    terminal.close()


def test_a_terminal_that_nobody_reads_holds_nothing_up(one_machine, beating):
    Job.objects.update(verdict_state="warned", stop_at=timezone.now() + dt.timedelta(minutes=10))
    terminal = one_machine.terminal()
    os.write(terminal.seat, b"\x13")  # Ctrl-S
    time.sleep(0.05)

    one_machine.start()

    wait_for_reports(beating[0], 2)
    terminal.close()


def test_the_hook_runs_once_for_a_stop_while_reports_go_on(machine, beating):
    machine.hook(f'echo "$DW_STOP_REASON $DW_STOP_IN_S" >>{machine.hook_log}; sleep 5')
    machine.start()
    wait_for_reports(beating[0])
    stop_at = timezone.now() + dt.timedelta(seconds=40)
    Job.objects.update(verdict_state="warned", verdict_rule="idle", stop_at=stop_at)

    wait_until(lambda: machine.hook_log.exists() and machine.hook_log.read_text().endswith("\n"), "the hook")
    left_s = (stop_at - timezone.now()).total_seconds()
    wait_for_reports(beating[0], 3)
    (line,) = machine.hook_log.read_text().splitlines()
    assert line.startswith("idle ")
    assert left_s - 1 <= int(line.split()[1]) <= 40


def ran(machine):
    return machine.hook_log.read_text().count("ran") if machine.hook_log.exists() else 0


def test_the_hook_runs_again_for_another_stop(one_machine, beating):
    one_machine.hook(f"echo ran >>{one_machine.hook_log}")
    one_machine.start()
    for runs in (1, 2):
        Job.objects.update(verdict_state="warned", stop_at=timezone.now() + dt.timedelta(seconds=30))
        wait_until(lambda runs=runs: ran(one_machine) >= runs, "the hook")
        wait_for_reports(beating[0], 2)
        assert ran(one_machine) == runs
        Job.objects.update(verdict_state="active", stop_at=timezone.now() + dt.timedelta(hours=2))
        wait_for_reports(beating[0], 2)


def test_a_hook_that_takes_too_long_is_ended(one_machine, beating):
    one_machine.environment["DW_PRE_STOP_LIMIT_S"] = "1"
    one_machine.hook(f"trap 'echo ended >>{one_machine.hook_log}; exit' TERM; sleep 30 & wait")
    Job.objects.update(
        stop_requested_at=timezone.now(), stop_reason="user", stop_token="a" * 32, stop_next_at=timezone.now()
    )

    one_machine.start()

    wait_until(one_machine.hook_log.exists, "the end of the hook")


def test_without_a_hook_a_stop_is_nothing_special(one_machine, beating):
    Job.objects.update(verdict_state="warned", stop_at=timezone.now() + dt.timedelta(seconds=30))

    one_machine.start()

    wait_for_reports(beating[0], 2)


# Keeping --------------------------------------------------------------------------------------------------------------


def test_the_machine_asks_to_be_kept(machine, beating):
    result, out, words = machine.run("--keep", "90")

    assert (result, out) == (0, "")
    assert words.startswith("heartbeat: This machine is kept until")
    kept_for = Job.objects.get().kept_until - timezone.now()
    assert dt.timedelta(minutes=89) < kept_for <= dt.timedelta(minutes=90)


@pytest.mark.parametrize("arguments", [("--keep",), ("--keep", "x"), ("--keep", "0"), ("--keep", "9999")])
def test_for_no_sensible_time_it_is_not_kept(one_machine, arguments):
    result, _, words = one_machine.run(*arguments)

    assert result == 1
    assert "minutes" in words
    assert Job.objects.get().kept_until is None


def test_too_late_to_be_kept(one_machine):
    Job.objects.update(status="CANCELLED")

    assert one_machine.run("--keep", "60") == (1, "", "heartbeat: The job has ended.\n")


def test_help_names_what_can_be_set(one_machine):
    result, out, _ = one_machine.run("--help")

    assert result == 0
    assert all(name in out for name in ("--background", "DW_PRE_STOP", "DW_BUSY_FILE"))
