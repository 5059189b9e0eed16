"""Containers that behave: their logs, and the heartbeats they really send to a receiver."""

import http.server
import json
import threading
import time

import pytest

from dispersed_web.sandbox import DEMO_KEYS, Sandbox, SandboxControl, heartbeats
from dispersed_web.sandbox.heartbeats import Target, target_of
from tests.waiting import LIMIT_S, eventually

from .plain_client import PlainClient, persistent

QUIET_S = 0.7  # longer than the sandbox looks for due containers
FAST = 0.1


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps every heartbeat; answers as it is told."""

    daemon_threads = True

    def __init__(self, port=0):
        self.beats, self.paths, self.hosts, self.came_at = [], [], [], []
        self.status, self.headers, self.answer = 200, {}, {"state": "active", "message": ""}
        self.released = threading.Event()
        self.released.set()
        super().__init__(("127.0.0.1", port), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/hb/secret-token"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A sandbox that ends breaks its connections."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        server.came_at.append(time.monotonic())
        server.beats.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        server.paths.append(self.path)
        server.hosts.append(self.headers["Host"])
        server.released.wait(LIMIT_S)
        body = json.dumps(server.answer).encode()
        self.send_response(server.status)
        for name, text in {**server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def behaving(start, receiver):
    """A running job with a behaviour; gives its uuid."""

    def go(behaviour, address=None, image="dispersednetwork/base", **env):
        env |= {"SANDBOX_BEHAVIOUR": behaviour, "DW_HEARTBEAT_URL": address or receiver.address}
        return start(persistent(docker={"image": image, "env": env}))

    return go


@pytest.fixture
def log_of(client, runs_of):
    """The log of a job's newest run."""
    return lambda uuid: client.get(f"/v1/job-runs/{runs_of(uuid)[0]['uuid']}").json["logs"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A receiver that is slow because the machine is busy is waited for."""
    monkeypatch.setattr(heartbeats, "TIMEOUT_S", LIMIT_S)


def wait_until(condition):
    eventually(condition, "what was to happen", first_s=0.01)


def falls_silent(receiver):
    """What was on its way still comes: one heartbeat that was being sent, and one of a look that was under way."""
    before = len(receiver.beats)
    time.sleep(QUIET_S)
    assert len(receiver.beats) <= before + 2
    return len(receiver.beats)


def run_until_running(control, uuid):
    control.advance(40)
    assert control.job(uuid)["status"] == "RUNNING"


# What the behaviours report


@pytest.mark.parametrize(
    ("behaviour", "least", "most", "busy"),
    [("training", 80, 99, False), ("stall", 60, 90, False), ("lie", 95, 95, True), ("chatty", 0, 0, False),
     ("idle", 0, 0, False)],
)  # fmt: skip
def test_a_container_that_speaks_reports_what_it_does(receiver, behaving, behaviour, least, most, busy):
    behaving(behaviour)
    wait_until(lambda: receiver.beats)
    beat = receiver.beats[0]
    assert receiver.paths[0] == "/hb/secret-token"
    assert {"v": 1, "seq": 1, "period_s": 60, "ssh": [], "busy": busy}.items() <= beat.items()
    assert [least <= gpu["use"] <= most for gpu in beat["gpus"]] == [True]
    assert beat["cpu"] >= 0.25 if behaviour in ("training", "stall") else beat["cpu"] < 0.25
    assert beat["net"] < 1_000_000


@pytest.mark.parametrize("behaviour", ["ssh", "cron", "reset"])
def test_a_container_that_is_silent_sends_nothing_until_it_is_told_to(receiver, control, behaving, behaviour):
    uuid = behaving(behaviour)
    time.sleep(QUIET_S)
    assert receiver.beats == []
    control.behave(uuid, heartbeat="on")
    wait_until(lambda: receiver.beats)


def test_training_uses_the_gpu_for_ever_and_differently_each_time(receiver, control, behaving):
    uuid = behaving("training")
    uses = set()
    for _ in range(20):
        control.advance(3600)
        control.beat(uuid)
    uses = {gpu["use"] for beat in receiver.beats for gpu in beat["gpus"]}
    assert 80 <= min(uses) < max(uses) <= 99


def test_every_gpu_of_the_node_is_reported(receiver, control, client, behaving):
    control.add_fault("POST /v1/jobs", "six_gpu_node", times=1)
    control.beat(behaving("training"))
    assert len(receiver.beats[0]["gpus"]) == 6


def test_a_heartbeat_stalls_while_the_gpu_works_on(receiver, control, behaving):
    uuid = behaving("stall")
    wait_until(lambda: receiver.beats)
    control.behave(uuid, period_s=FAST)
    control.advance(530)
    wait_until(lambda: len(receiver.beats) >= 3)
    control.advance(90)
    falls_silent(receiver)
    control.beat(uuid)
    assert receiver.beats[-1]["gpus"][0]["use"] >= 60


def test_the_stall_can_come_earlier(receiver, control, behaving):
    uuid = behaving("stall", SANDBOX_STALL_S="0")
    time.sleep(QUIET_S)
    assert (receiver.beats, control.heartbeats(uuid)["sent"]) == ([], 0)


# Their logs


@pytest.mark.parametrize("behaviour", ["training", "stall", "lie", "idle"])
def test_a_silent_container_logs_its_boot_and_nothing_more(control, behaving, log_of, behaviour):
    uuid = behaving(behaviour, image="dispersednetwork/pytorch-pytorch")
    boot = log_of(uuid)
    assert "CUDA Version" in boot
    control.advance(86_400)
    assert log_of(uuid) == boot


@pytest.mark.parametrize(
    ("behaviour", "words", "least", "most"),
    [("chatty", ("GET /healthz",), 700, 740), ("cron", ("CRON[",), 1, 2), ("reset", ("[worker] item",), 700, 740),
     ("ssh", ("publickey", "preauth", "disconnect", "pam_unix"), 30, 40)],
)  # fmt: skip
def test_a_container_that_logs_has_lines_of_its_own(control, behaving, log_of, behaviour, words, least, most):
    uuid = behaving(behaviour)
    control.advance(100)
    early = log_of(uuid)
    control.advance(3600)
    late = log_of(uuid)
    assert late.startswith(early)
    new = late[len(early) :].splitlines()
    assert least <= len(new) <= most
    assert all(any(word in line for word in words) for line in new)


def test_an_ssh_box_logs_sshd_only_whatever_its_image(behaving, log_of):
    assert "CUDA" not in log_of(behaving("ssh", image="dispersednetwork/pytorch-pytorch"))
    assert log_of(behaving("ssh", image="acme/thing")).count("Server listening") == 2


def test_an_unknown_behaviour_is_named_in_the_log(control, behaving, log_of):
    uuid = behaving("sleepy")
    assert "SANDBOX_BEHAVIOUR=sleepy is unknown; it knows training, chatty" in log_of(uuid)
    with pytest.raises(ValueError, match="no running container with a known SANDBOX_BEHAVIOUR"):
        control.behave(uuid, gpu=1)


def test_a_second_run_begins_a_fresh_log(control, behaving, log_of, runs_of):
    uuid = behaving("reset")
    control.behave(uuid, log="written in the first run")
    control.advance(600)
    first, first_log = runs_of(uuid)[0]["uuid"], log_of(uuid)
    second = control.restart(uuid)
    run_until_running(control, uuid)
    runs = {run["uuid"]: run for run in runs_of(uuid)}
    assert {run["status"] for run in runs.values()} == {"FAILED", "RUNNING"}
    assert runs[first]["status_reason"] == "Container restarted"
    control.advance(30)
    assert runs_of(uuid)[0]["uuid"] == second
    assert 0 < len(log_of(uuid)) < len(first_log)
    assert "written in the first run" in first_log
    assert "written in the first run" not in log_of(uuid)


# The control verbs


def test_what_is_set_arrives(receiver, control, behaving):
    uuid = behaving("cron")
    said = control.behave(uuid, gpu=87, cpu=2.5, net=5_000_000, busy=True, ssh=2)
    control.beat(uuid)
    beat = receiver.beats[0]
    assert [gpu["use"] for gpu in beat["gpus"]] == [87]
    assert (beat["cpu"], beat["net"], beat["busy"], len(beat["ssh"])) == (2.5, 5_000_000, True, 2)
    assert said == {**beat, "is_beating": False}
    control.behave(uuid, gpu=[3, 90])
    control.beat(uuid)
    assert [gpu["use"] for gpu in receiver.beats[1]["gpus"]] == [3, 90]
    assert receiver.beats[1]["cpu"] == 2.5


def ages(control, uuid):
    return [session["key_age_s"] for session in control.behave(uuid)["ssh"]]


def test_the_last_keystroke_ages_until_somebody_types(control, behaving):
    uuid = behaving("ssh")
    control.advance(1800)
    assert 1800 <= ages(control, uuid)[0] <= 1900
    control.behave(uuid, typing=True)
    control.advance(3600)
    assert ages(control, uuid) == [0]
    control.behave(uuid, typing=False)
    control.advance(60)
    assert 60 <= ages(control, uuid)[0] <= 62
    control.behave(uuid, typing=False)
    assert ages(control, uuid)[0] >= 60
    control.behave(uuid, ssh=2, typing=500)
    control.advance(10)
    first, second = ages(control, uuid)
    assert 510 <= first <= 512
    assert 10 <= second <= 12


def test_typing_opens_a_session_where_there_is_none(control, behaving):
    uuid = behaving("idle")
    control.behave(uuid, typing=False)
    assert ages(control, uuid) == []
    control.behave(uuid, typing=True)
    assert ages(control, uuid) == [0]
    control.behave(uuid, ssh=0)
    assert ages(control, uuid) == []


def test_a_heartbeat_can_be_switched_off_and_on(receiver, control, behaving):
    uuid = behaving("training")
    control.behave(uuid, period_s=FAST)
    wait_until(lambda: len(receiver.beats) >= 2)
    assert receiver.beats[-1]["period_s"] == FAST
    for silence in ("off", "stall"):
        control.behave(uuid, heartbeat=silence)
        before = falls_silent(receiver)
        control.behave(uuid, heartbeat="on")
        wait_until(lambda: len(receiver.beats) > before)  # noqa: B023


def test_a_written_line_is_in_the_log_at_its_time(control, behaving, log_of):
    uuid = behaving("reset")
    control.advance(30)
    control.behave(uuid, log="epoch 3 done")
    early = log_of(uuid)
    control.advance(30)
    late = log_of(uuid)
    assert early.endswith("epoch 3 done\n")
    assert late.startswith(early)
    assert len(late) > len(early)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"gpu": 101}, "gpu must be whole percent from 0 to 100"),
        ({"gpu": [1, -1]}, "gpu must be"),
        ({"gpu": True}, "gpu must be"),
        ({"cpu": "much"}, "cpu must be a number of cores"),
        ({"net": 1.5}, "net must be a whole number"),
        ({"ssh": -1}, "ssh must be a whole number from 0 to 50"),
        ({"typing": "yes"}, "typing must be true, false, or the seconds"),
        ({"busy": 1}, "busy must be true or false"),
        ({"heartbeat": "dead"}, "heartbeat must be on, off or stall"),
        ({"period_s": 0}, "period_s must be a number of seconds from 0.1"),
        ({"period_s": float("nan")}, "period_s must be"),
        ({"log": "two\nlines"}, "log must be one line"),
        ({"log": ""}, "log must be one line"),
        ({"ssh": 0, "typing": True}, "typing needs an open session"),
    ],
)
def test_a_wrong_argument_gives_a_sentence_and_changes_nothing(control, behaving, arguments, sentence):
    uuid = behaving("idle")
    before = control.behave(uuid)
    with pytest.raises(ValueError, match=sentence):
        control.behave(uuid, **arguments)
    assert control.behave(uuid)["gpus"] == before["gpus"]


def test_the_verbs_need_a_container_that_runs(control, client, behaving):
    with pytest.raises(ValueError, match="no job nobody"):
        control.heartbeats("nobody")
    for verb in (control.behave, control.restart, control.beat):
        with pytest.raises(ValueError, match="no job nobody"):
            verb("nobody")
    uuid = behaving("idle")
    control.finish_job(uuid)
    with pytest.raises(ValueError, match="is COMPLETED and has no running container"):
        control.behave(uuid, gpu=5)


def test_a_cancelled_job_is_not_restarted(control, client, behaving):
    uuid = behaving("reset")
    client.cancel(uuid)
    with pytest.raises(ValueError, match="being cancelled"):
        control.restart(uuid)


def test_a_restart_without_a_free_node_is_refused_and_changes_nothing(control, behaving):
    uuid = behaving("reset")
    control.set_offer("", nodes=0)
    with pytest.raises(ValueError, match="no node is free"):
        control.restart(uuid)
    assert control.job(uuid)["status"] == "RUNNING"


def test_a_second_run_behaves_as_its_environment_says(receiver, control, behaving):
    uuid = behaving("cron")
    control.behave(uuid, gpu=50)
    control.beat(uuid)
    control.restart(uuid)
    run_until_running(control, uuid)
    control.beat(uuid)
    assert [(beat["seq"], beat["gpus"][0]["use"]) for beat in receiver.beats] == [(1, 50), (1, 0)]
    assert [run["sent"] for run in control.heartbeats(uuid)["runs"]] == [1, 1]


def test_the_verbs_work_over_http(sandbox, receiver, behaving):
    remote = SandboxControl(sandbox.url)
    uuid = behaving("cron")
    assert remote.behave(uuid, gpu=42, log="hello")["gpus"][0]["use"] == 42
    receiver.answer = {"state": "warned", "message": "This machine stops at 14:12 UTC."}
    assert remote.beat(uuid)["answer"] == receiver.answer
    assert receiver.beats[0]["gpus"][0]["use"] == 42
    assert remote.heartbeats(uuid)["told"] == ["This machine stops at 14:12 UTC."]
    with pytest.raises(ValueError, match="gpu must be"):
        remote.behave(uuid, gpu="all")
    assert remote.restart(uuid) == sandbox.control.heartbeats(uuid)["run_uuid"]


def test_a_change_survives_a_restart_of_the_sandbox(tmp_path, receiver):
    with Sandbox(tmp_path) as sandbox, PlainClient(sandbox.url, DEMO_KEYS[0]) as client:
        env = {"SANDBOX_BEHAVIOUR": "cron", "DW_HEARTBEAT_URL": receiver.address}
        uuid = client.post("/v1/jobs", persistent(docker={"env": env})).json["uuid"]
        sandbox.control.advance(60)
        sandbox.control.behave(uuid, gpu=31, log="before the end")
    with Sandbox(tmp_path) as sandbox, PlainClient(sandbox.url, DEMO_KEYS[0]) as client:
        assert sandbox.control.behave(uuid)["gpus"][0]["use"] == 31
        run = sandbox.control.heartbeats(uuid)["run_uuid"]
        assert "before the end" in client.get(f"/v1/job-runs/{run}").json["logs"]


# What the app answers


def test_the_last_answer_is_kept_and_each_message_once(receiver, control, behaving):
    uuid = behaving("cron")
    for text in ("", "stops in 15 min", "stops in 15 min", "stops in 5 min"):
        receiver.answer = {"state": "warned", "message": text}
        control.beat(uuid)
    beats = control.heartbeats(uuid)
    assert (beats["sent"], beats["status"], beats["answer"]) == (4, 200, receiver.answer)
    assert beats["told"] == ["stops in 15 min", "stops in 5 min"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_does_not_end_the_heartbeats(receiver, control, behaving, status):
    receiver.status = status
    uuid = behaving("idle")
    control.behave(uuid, period_s=FAST)
    wait_until(lambda: len(receiver.beats) >= 3)
    assert control.heartbeats(uuid)["status"] == status
    receiver.status = 200
    wait_until(lambda: control.heartbeats(uuid)["status"] == 200)


def test_410_ends_the_heartbeats_of_that_run_only(receiver, control, behaving):
    receiver.status = 410
    uuid = behaving("idle")
    control.behave(uuid, period_s=FAST)
    wait_until(lambda: control.heartbeats(uuid)["is_over"])
    time.sleep(4 * FAST)
    assert len(receiver.beats) == 1
    receiver.status = 200
    control.restart(uuid)
    run_until_running(control, uuid)
    wait_until(lambda: len(receiver.beats) >= 2)


def test_429_is_waited_for(receiver, control, behaving):
    receiver.status, receiver.headers = 429, {"Retry-After": "1"}
    uuid = behaving("idle")
    wait_until(lambda: control.heartbeats(uuid)["status"] == 429)
    control.behave(uuid, period_s=FAST)
    receiver.status = 200
    wait_until(lambda: len(receiver.beats) >= 2)
    assert receiver.came_at[1] - receiver.came_at[0] >= 1


def test_redirects_are_not_followed(receiver, control, behaving):
    with Receiver() as elsewhere:
        receiver.status, receiver.headers = 302, {"Location": elsewhere.address}
        assert control.beat(behaving("cron"))["status"] == 302
        assert elsewhere.beats == []


def test_the_receiver_may_be_down_and_come_back(control, behaving):
    with Receiver() as receiver:
        port = receiver.server_port
    uuid = behaving("training", f"http://127.0.0.1:{port}/hb/x")
    wait_until(lambda: control.heartbeats(uuid)["error"] == "ConnectionRefusedError")
    control.behave(uuid, period_s=FAST)
    with Receiver(port) as receiver:
        wait_until(lambda: receiver.beats)
        wait_until(lambda: control.heartbeats(uuid)["status"] == 200)
        assert control.heartbeats(uuid)["error"] == ""


def test_a_slow_receiver_delays_neither_requests_nor_other_containers(receiver, control, client, behaving):
    receiver.released.clear()
    slow = [behaving("idle") for _ in range(2)]
    wait_until(lambda: len(receiver.beats) >= 2)
    with Receiver() as quick:
        uuid = behaving("idle", quick.address)
        wait_until(lambda: quick.beats)
        assert client.get(f"/v1/jobs/{uuid}").status == 200
    waiting = [control.heartbeats(uuid) for uuid in slow]
    assert [(one["sent"], one["status"], one["error"]) for one in waiting] == [(1, None, "")] * 2


def test_a_receiver_that_never_answers_is_given_up(receiver, control, behaving, monkeypatch):
    monkeypatch.setattr(heartbeats, "TIMEOUT_S", 0.1)
    receiver.released.clear()
    uuid = behaving("idle")
    wait_until(lambda: control.heartbeats(uuid)["error"] == "TimeoutError")


# Where nothing is sent


def test_without_the_variable_nothing_is_sent_and_the_log_is_the_images(
    control, client, start, receiver, log_of
):
    uuid = start(persistent(docker={"env": {"DW_HEARTBEAT_URL": receiver.address}}))
    time.sleep(QUIET_S)
    assert receiver.beats == []
    assert "Ready." in log_of(uuid)
    with pytest.raises(ValueError, match="SANDBOX_BEHAVIOUR"):
        control.beat(uuid)


def test_without_an_address_nothing_is_sent(control, start):
    uuid = start(persistent(docker={"env": {"SANDBOX_BEHAVIOUR": "training"}}))
    time.sleep(QUIET_S)
    assert control.heartbeats(uuid)["sent"] == 0
    with pytest.raises(ValueError, match="no DW_HEARTBEAT_URL"):
        control.beat(uuid)


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.1/hb/secret-token",
        "http://example.com/hb/secret-token",
        "https://127.0.0.1/hb/secret-token",
        "http://127.0.0.1@192.0.2.1/hb/secret-token",
        "http://192.0.2.1#@127.0.0.1/hb/secret-token",
        "http://[::ffff:192.0.2.1]/hb/secret-token",
        "http://127.0.0.1:port/hb/secret-token",
        "http://0.0.0.0/hb/secret-token",
        "127.0.0.1/hb/secret-token",
    ],
)
def test_only_loopback_addresses_are_spoken_to_and_the_refusal_keeps_the_secret(address):
    with pytest.raises(ValueError, match="loopback") as caught:
        target_of(address)
    assert "secret-token" not in str(caught.value)


def test_loopback_has_several_names():
    assert target_of("http://localhost:8000/hb/x") == Target("127.0.0.1", 8000, "localhost:8000", "/hb/x")
    assert target_of("http://[::1]/hb/x?y=1") == Target("::1", 80, "[::1]", "/hb/x?y=1")


def test_the_receiver_is_asked_by_the_name_in_the_address(receiver, control, behaving):
    control.beat(behaving("cron", f"http://localhost:{receiver.server_port}/hb/x"))
    assert receiver.hosts == [f"localhost:{receiver.server_port}"]


def test_a_foreign_address_is_refused_at_the_container(control, behaving):
    uuid = behaving("training", "http://192.0.2.1/hb/x")
    wait_until(lambda: "loopback" in control.heartbeats(uuid)["error"])
    assert control.heartbeats(uuid)["sent"] == 0
    with pytest.raises(ValueError, match="loopback"):
        control.beat(uuid)


# Their end


@pytest.mark.parametrize("end", ["cancel", "exit", "node"])
def test_heartbeats_end_with_the_container(receiver, control, client, behaving, end):
    uuid = behaving("training")
    control.behave(uuid, period_s=FAST)
    wait_until(lambda: len(receiver.beats) >= 2)
    if end == "cancel":
        client.cancel(uuid)
        control.advance(10)
    elif end == "exit":
        control.finish_job(uuid, exit_code=1)
    else:
        control.kill_node(uuid, lag_s=3600)
    falls_silent(receiver)


def test_heartbeats_go_on_while_a_cancel_takes_its_time(receiver, control, client, behaving):
    control.add_fault("PUT /v1/jobs/{uuid}/cancel", "cancel_slow")
    uuid = behaving("training")
    control.behave(uuid, period_s=FAST)
    client.cancel(uuid)
    before = len(receiver.beats)
    wait_until(lambda: len(receiver.beats) > before + 1)


def heartbeat_threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("heartbeat")}


def test_heartbeats_end_with_the_sandbox_even_while_the_receiver_stalls(tmp_path, receiver):
    others = heartbeat_threads()
    with Sandbox(tmp_path) as sandbox, PlainClient(sandbox.url, DEMO_KEYS[0]) as client:
        env = {"SANDBOX_BEHAVIOUR": "idle", "DW_HEARTBEAT_URL": receiver.address}
        uuid = client.post("/v1/jobs", persistent(docker={"env": env})).json["uuid"]
        sandbox.control.advance(60)
        sandbox.control.behave(uuid, period_s=FAST)
        wait_until(lambda: receiver.beats)
        receiver.released.clear()
        before = len(receiver.beats)
        wait_until(lambda: len(receiver.beats) > before)
        began = time.monotonic()
    assert time.monotonic() - began < LIMIT_S / 2
    sent = len(receiver.beats)
    time.sleep(3 * FAST)
    assert len(receiver.beats) == sent
    assert heartbeat_threads() == others


def test_the_time_scale_makes_heartbeats_come_faster_but_not_too_fast(control, behaving):
    uuid = behaving("idle")
    for scale, period_s in ((1, 60), (2, 30), (100, 10)):
        control.set_time_scale(scale)
        assert control.behave(uuid)["period_s"] == period_s
