"""Each way in which an exchange can go wrong, over real sockets."""

import http.client
import json
import threading
import time

import pytest

from dispersed_web.sandbox import DEMO_KEYS
from dispersed_web.sandbox.server import Handler
from tests.waiting import LIMIT_S, eventually

from .plain_client import PlainClient, persistent

CREATE, LIST = "POST /v1/jobs", "GET /v1/jobs"
BROKEN = (http.client.HTTPException, ConnectionError)


@pytest.mark.parametrize(
    ("at", "created"),
    [("arrival", 0), ("before", 0), ("after", 1), ("middle", 1)],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_dropped_connection_has_its_effect_or_not(client, control, at, created, reset):
    control.add_fault(CREATE, "drop", times=1, at=at, reset=reset)
    with pytest.raises(BROKEN):
        client.post("/v1/jobs", persistent())
    assert len(control.jobs()) == created
    row = control.requests()[-1]
    assert (row["verdict"], row["faults"]) == ("not_read" if at == "arrival" else "ok", "drop")
    assert client.post("/v1/jobs", persistent()).status == 201


def test_half_a_status_line(client, control):
    control.add_fault(LIST, "drop", times=1, at="middle", part="status_line")
    with pytest.raises(BROKEN):
        client.get("/v1/jobs")


@pytest.mark.parametrize("at", ["arrival", "before", "after"])
def test_a_stall_outlasts_the_client_and_the_effect_still_comes(client, control, monkeypatch, at):
    begun, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(Handler, "_pause", lambda *_: begun.set() or go_on.wait(LIMIT_S))
    control.add_fault(CREATE, "stall", times=1, at=at)
    client.get("/v1/users/me")
    client.connection.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.post("/v1/jobs", persistent())
    assert begun.wait(LIMIT_S)
    assert len(control.jobs()) == (1 if at == "after" else 0)
    go_on.set()
    eventually(control.jobs, "the effect")
    assert len(control.jobs()) == 1


def test_a_request_that_waited_too_long_in_a_queue_is_refused(client, control):
    control.set_time_window(0.1)
    control.add_fault(CREATE, "stall", times=1, at="arrival", seconds=0.3)
    assert client.post("/v1/jobs", persistent()).code == "timestamp_out_of_range"
    assert control.jobs() == []


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("at", ["before", "after"])
def test_any_status_before_or_after_the_effect(client, control, status, at):
    control.add_fault(
        CREATE, "status", times=1, status=status, at=at, code="odd", headers={"Retry-After": "7"}
    )
    answer = client.post("/v1/jobs", persistent())
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (status, "odd", "7")
    assert len(control.jobs()) == (1 if at == "after" else 0)


@pytest.mark.parametrize(("body", "start"), [("html", b"<!doctype"), ("empty", b""), ("json", b'{"error"')])
def test_the_body_of_an_error(client, control, body, start):
    control.add_fault(LIST, "status", times=1, status=502, body=body)
    assert client.get("/v1/jobs").raw[:9].startswith(start)


def test_a_redirect(client, control):
    control.add_fault(CREATE, "redirect", times=1, location="http://127.0.0.1:9/elsewhere")
    answer = client.post("/v1/jobs", persistent())
    assert (answer.status, answer.headers["Location"]) == (307, "http://127.0.0.1:9/elsewhere")
    assert control.jobs() == []


def test_answers_that_cannot_be_read(client, control):
    for kind in ("bad_json", "html_body"):
        control.add_fault(CREATE, kind, times=1)
        answer = client.post("/v1/jobs", persistent())
        assert answer.status == 201
        with pytest.raises(ValueError):
            json.loads(answer.raw)
    control.add_fault(CREATE, "no_uuid", times=1)
    assert "uuid" not in client.post("/v1/jobs", persistent()).json
    assert len(control.jobs()) == 3


def test_a_huge_and_a_dripping_body(client, control):
    control.add_fault("GET /v1/users/me", "huge_body", times=1)
    assert len(client.get("/v1/users/me").raw) > 10_000_000
    control.add_fault("GET /v1/users/me", "drip", times=1, chunk=40, seconds=0.02)
    begun = time.monotonic()
    assert client.get("/v1/users/me").json["email"]
    assert time.monotonic() - begun > 0.05


def test_lists_that_lie(client, control):
    client.post("/v1/jobs", persistent())
    control.add_fault(LIST, "void_page", times=1)
    answer = client.get("/v1/jobs").json
    assert (answer["data"], answer["total"]) == ([], 1)
    control.add_fault(LIST, "empty_list", times=1)
    answer = client.get("/v1/jobs").json
    assert (answer["data"], answer["total"]) == ([], 0)
    control.add_fault(LIST, "bare_list", times=1)
    assert [job["object"] for job in client.get("/v1/jobs").json] == ["job"]
    assert client.get("/v1/jobs").json["total"] == 1


def test_values_in_other_shapes(client, control, start, runs_of):
    uuid = start()
    control.add_fault("GET /v1/job-runs", "numbers_as_text", times=1)
    run = runs_of(uuid)[0]
    assert isinstance(run["hourly_rate_usd"], str)
    assert isinstance(run["node_urls"][0]["port"], str)
    control.add_fault(LIST, "dates_without_time", times=1)
    assert len(client.get("/v1/jobs").json["data"][0]["created_at"]) == 10
    control.add_fault("*", "unknown_fields", times=1)
    assert "x_future_field" in client.get(f"/v1/jobs/{uuid}").json
    control.add_fault(LIST, "unknown_status", times=1, status="DREAMING")
    assert client.get("/v1/jobs").json["data"][0]["status"] == "DREAMING"
    assert client.get("/v1/jobs").json["data"][0]["status"] == "RUNNING"


def test_rules_count_hit_their_endpoint_and_key_only_and_can_be_cleared(sandbox, client, control):
    rule = control.add_fault(LIST, "status", status=503, key=DEMO_KEYS[1][0])
    assert client.get("/v1/jobs").status == 200
    with PlainClient(sandbox.url, DEMO_KEYS[1]) as other:
        assert [other.get("/v1/jobs").status for _ in range(3)] == [503] * 3
        assert other.get("/v1/job-runs").status == 200
        assert control.faults()[0]["fired"] == 3
        control.clear_faults(rule)
        assert other.get("/v1/jobs").status == 200


def test_probable_faults_follow_the_seed(client, control):
    control.add_fault(LIST, "status", probability=0.5, status=503)
    answers = [client.get("/v1/jobs").status for _ in range(60)]
    assert 10 < answers.count(503) < 50


def test_an_unknown_kind_is_refused(control):
    with pytest.raises(ValueError, match="unknown fault kind"):
        control.add_fault(LIST, "gremlins")
