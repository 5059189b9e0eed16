"""Many clients at once, and clients that do not speak properly."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dispersed_web.sandbox import DEMO_KEYS
from tests.waiting import LIMIT_S

from .plain_client import PlainClient, persistent


def test_many_clients_at_once_lose_nothing(sandbox, control):
    def work(number):
        with PlainClient(sandbox.url, DEMO_KEYS[number % 2]) as client:
            uuids = [
                client.post("/v1/jobs", persistent(title=f"{number}-{i}")).json["uuid"] for i in range(5)
            ]
            assert [client.cancel(uuid).status for uuid in uuids] == [200] * 5
            return uuids

    with ThreadPoolExecutor(16) as pool:
        made = [uuid for uuids in pool.map(work, range(16)) for uuid in uuids]
    assert len(set(made)) == 80
    assert {job["uuid"] for job in control.jobs()} == set(made)
    assert [row["effect"] for row in control.cancels()] == ["taken"] * 80


def test_one_nonce_is_accepted_once_however_many_try(sandbox, control):
    with PlainClient(sandbox.url, DEMO_KEYS[0]) as signer:
        raw = signer.canonical_body(persistent())
        headers = signer.sign("POST", "/v1/jobs", [], raw)
    barrier = threading.Barrier(8)

    def send(_):
        with PlainClient(sandbox.url, DEMO_KEYS[0]) as client:
            barrier.wait(LIMIT_S)
            return client.exchange("POST", "/v1/jobs", raw, headers).status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [201] + [401] * 7
    assert len(control.jobs()) == 1


@pytest.mark.parametrize(
    "head",
    [
        "POST /v1/jobs HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        "POST /v1/jobs HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        "POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_body_without_a_usable_length_is_refused(sandbox, control, head):
    address = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=LIMIT_S) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert control.jobs() == []


@pytest.mark.parametrize("path", ["/", "/v1/jobs/", "/v1", "/v1/jobs/x/y/z", "/v1/job-runs/x/cancel"])
def test_unknown_paths_are_404_once_signed(client, path):
    assert client.send("GET", path).status == 404
    assert client.exchange("GET", path, b"", {}).status == 401


def test_a_wrong_method_is_404(client):
    assert client.send("DELETE", "/v1/jobs").status == 404
    assert client.send("PATCH", "/v1/users/me", body={}).status == 404
