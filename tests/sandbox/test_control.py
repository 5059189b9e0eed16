"""The control API in process and over HTTP, and many jobs at once."""

import json

import pytest

from dispersed_web.sandbox import DEMO_KEYS, Sandbox, SandboxControl
from dispersed_web.sandbox.control import Control

from .plain_client import persistent

VERBS = [name for name in dir(Control) if not name.startswith("_")]


@pytest.fixture
def remote(sandbox):
    return SandboxControl(sandbox.url)


def test_both_controls_have_the_same_verbs_and_see_the_same(client, control, remote):
    uuid = client.post("/v1/jobs", persistent(title="seen from both")).json["uuid"]
    assert {verb for verb in VERBS if callable(getattr(remote, verb))} == set(VERBS)
    assert remote.job(uuid)["title"] == control.job(uuid)["title"] == "seen from both"
    assert remote.requests(method="POST") == control.requests(method="POST")
    assert remote.jobs(title="both", live=True) == control.jobs(title="both")


def test_the_remote_control_adds_faults_and_moves_time(client, control, remote):
    remote.add_fault("GET /v1/jobs", "status", times=1, status=503)
    assert [client.get("/v1/jobs").status for _ in range(2)] == [503, 200]
    uuid = client.post("/v1/jobs", persistent()).json["uuid"]
    remote.advance(60)
    assert remote.job(uuid)["status"] == "RUNNING"
    remote.finish_job(uuid, exit_code=4)
    assert remote.job(uuid)["status_reason"] == "Container exited with code 4"


def test_wrong_arguments_give_a_sentence(remote):
    with pytest.raises(ValueError, match="unknown fault kind"):
        remote.add_fault("*", "gremlins")
    with pytest.raises(ValueError, match="no key"):
        remote.revoke_key("pk_sim_nobody")
    with pytest.raises(TypeError):
        remote.advance()


@pytest.mark.parametrize(
    ("path", "data", "kind", "status"),
    [
        ("ping", None, "application/json", 200),
        ("jobs?title=x", None, "application/json", 200),
        ("reset", None, "application/json", 404),
        ("_cloud", b"{}", "application/json", 404),
        ("reset", b"{}", "text/plain", 415),
        ("advance", b'{"minutes": 1}', "application/json", 400),
    ],
)
def test_the_http_form_of_the_control_api(client, path, data, kind, status):
    headers = {"Content-Type": kind}
    answer = client.exchange("POST" if data else "GET", f"/_control/{path}", data, headers)
    assert (answer.status, "result" in answer.json) == (status, status == 200)


def test_the_control_api_is_for_loopback_only(sandbox, remote, monkeypatch):
    monkeypatch.setattr("dispersed_web.sandbox.server.is_loopback", lambda address: False)
    with pytest.raises(ValueError, match="loopback"):
        remote.ping()


def test_the_ledger_tells_requests_of_a_connection_apart(client, control):
    client.get("/v1/jobs")
    client.get("/v1/jobs", limit=5)
    client.close()
    client.post("/v1/jobs", persistent())
    rows = control.requests()
    assert [row["ordinal"] for row in rows] == [1, 2, 1]
    assert len({row["connection"] for row in rows}) == 2
    assert rows[1]["query"] == "limit=5"
    assert json.loads(rows[2]["body"])["title"] == "dev environment"
    assert {row["status"] for row in rows} == {200, 201}
    assert len({row["nonce"] for row in rows}) == 3


def test_keys_are_shown_without_secrets(control):
    assert "sk_sim" not in json.dumps(control.keys())


def test_keys_that_could_be_real_are_refused(tmp_path):
    with pytest.raises(ValueError, match="pk_sim_"):
        Sandbox(tmp_path, keys=[("pk_live", "sk_live", "account")])


def test_thousands_of_jobs_are_seeded_listed_and_live_on(client, control):
    control.seed_jobs(2_000, keys=[DEMO_KEYS[0][0]])
    control.seed_jobs(100, keys=[DEMO_KEYS[0][0], DEMO_KEYS[1][0]], title="spread", task="BATCH")
    assert client.get("/v1/jobs", **{"filter[status]": "RUNNING"}).json["total"] == 2_050
    seen = set()
    for page in range(1, 43):
        seen |= {job["uuid"] for job in client.get("/v1/jobs", limit=50, page=page).json["data"]}
    assert len(seen) == 2_050
    assert client.get("/v1/job-runs", page=20, limit=50).json["data"][0]["node_urls"]
    uuid = client.get("/v1/jobs").json["data"][0]["uuid"]
    client.cancel(uuid)
    control.advance(25 * 3_600)
    assert control.job(uuid)["status"] == "CANCELLED"
    assert {job["status"] for job in control.jobs(title="spread")} <= {"COMPLETED", "CANCELLED"}
    assert control.balances()["demo-north"] > 0
