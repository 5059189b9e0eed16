"""Trying a machine's addresses from the server, against real listeners on this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dispersed_web import public_addresses
from dispersed_web.credentials import vault
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import reach, runs, tokens
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.knock import Door, Finding, Knock, knock
from dispersed_web.web.cache import ForgivingRedisCache
from tests import factories
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db
Listen = Callable[[bytes | None], int]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Listens on a free port and says something to whoever connects; ``None`` says nothing at all."""
    servers: list[socket.socket] = []
    held: list[socket.socket] = []

    def serve(server: socket.socket, said: bytes | None) -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            if said is None:
                held.append(line)
                continue
            with line, contextlib.suppress(OSError):
                if said.startswith(b"HTTP"):
                    asked.append(line.recv(1000))
                line.sendall(said)

    asked: list[bytes] = []

    def listening(said: bytes | None) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=serve, args=(server, said), daemon=True).start()
        return int(server.getsockname()[1])

    listening.asked = asked
    yield listening
    for one in (*servers, *held):
        one.close()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def anywhere(address: Any) -> bool:
    return True


def url(port: int, description: str = "ssh", host: str = "127.0.0.1", **fields: Any) -> dict[str, Any]:
    container = 22 if description == "ssh" else int(description)
    return {"description": description, "hostname": host, "port": port, "container_port": container,
            "protocol": "tcp", "tls": False, **fields}  # fmt: skip


def job_with(*urls: dict[str, Any], **fields: Any) -> Any:
    job = factories.make_job(factories.make_team(), spec=factories.make_spec(**fields))
    factories.make_run(job, node_urls=list(urls))
    return job


def tried(job: Any) -> list[reach.Found]:
    return reach.check(job, job.runs.all())


def test_ssh_a_page_an_api_and_a_sign_in_are_told_apart(listen):
    job = job_with(
        url(listen(b"SSH-2.0-OpenSSH_9.6\r\n")),
        url(listen(b"HTTP/1.1 200 OK\r\n\r\n"), "8888"),
        url(listen(b"HTTP/1.1 404 Not Found\r\n\r\n"), "8000"),
        url(listen(b"HTTP/1.1 401 Unauthorized\r\n\r\n"), "5000"),
        url(listen(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), "8188"),
        url(listen(b"220 something else\r\n"), "7000"),
    )
    found = tried(job)
    assert [one.state for one in found] == ["well", "well", "well", "well", "wait", "well"]
    assert [one.name for one in found] == [
        "SSH",
        "Port 8888",
        "Port 8000",
        "Port 5000",
        "Port 8188",
        "Port 7000",
    ]
    for one, words in zip(
        found, ("SSH answers", "page answers", "404", "sign-in", "502", "does not speak"), strict=True
    ):
        assert words in one.sentence
    assert listen.asked[0].startswith(b"HEAD / HTTP/1.1\r\n")


def test_nothing_that_listens_is_refused_with_what_to_do(closed_port):
    found = tried(job_with(url(closed_port)))
    assert (found[0].state, found[0].title) == ("bad", "Refused")
    assert "launch it again" in found[0].sentence


def test_a_proxy_that_takes_the_connection_and_breaks_off_counts_as_refused(listen):
    assert knock(Door("127.0.0.1", listen(b""), "ssh"), anywhere).finding == Finding.REFUSED
    assert knock(Door("127.0.0.1", listen(b""), "http"), anywhere).finding == Finding.REFUSED


@pytest.mark.parametrize("speaks", ["ssh", "http", "https"])
def test_who_says_nothing_does_not_hold_us(listen, speaks):
    began = time.monotonic()
    assert knock(Door("127.0.0.1", listen(None), speaks), anywhere, 0.2).finding == Finding.OPEN
    assert time.monotonic() - began < LIMIT_S


def test_a_flood_is_read_no_further_than_needed(listen):
    assert knock(Door("127.0.0.1", listen(b"x" * 1_000_000), "http"), anywhere).finding == Finding.OPEN


def test_plain_talk_where_tls_was_promised_is_not_trusted(listen):
    assert (
        knock(Door("127.0.0.1", listen(b"HTTP/1.1 200 OK\r\n\r\n"), "https"), anywhere).finding
        == Finding.UNTRUSTED
    )


@pytest.mark.parametrize("allowed", [("203.0.113.7/32",), ("203.0.113.7", "2001:db8::/64")])
def test_where_only_some_may_connect_a_refusal_proves_nothing(closed_port, allowed):
    found = tried(job_with(url(closed_port), allowed_ips=allowed))
    assert (found[0].state, found[0].title) == ("unknown", "This server cannot tell")
    assert "your own computer" in found[0].sentence


def test_where_only_some_may_connect_an_answer_is_an_answer(listen):
    found = tried(job_with(url(listen(b"SSH-2.0-x\r\n")), allowed_ips=("203.0.113.7/32",)))
    assert found[0].state == "well"


@pytest.mark.parametrize("allowed", [("0.0.0.0/0",), ("::/0", "203.0.113.7/32"), ()])
def test_open_to_all_a_refusal_is_one(closed_port, allowed):
    assert tried(job_with(url(closed_port), allowed_ips=allowed))[0].state == "bad"


def test_a_machine_of_the_simulation_is_said_to_be_one():
    found = tried(job_with(url(20001, host="node2-us-east-1.proxy.sandbox.invalid")))
    assert (found[0].state, found[0].title) == ("unknown", "Simulated")


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    monkeypatch.setattr(public_addresses, "resolve", unknown)
    assert tried(job_with(url(22, host="gone.example.net")))[0].title == "Name not found"


@pytest.mark.parametrize(
    ("simulated", "address", "may"),
    [
        (False, "8.8.8.8", True),
        (False, "127.0.0.1", False),
        (False, "10.0.0.7", False),
        (False, "169.254.169.254", False),
        (False, "::ffff:10.0.0.7", False),
        (True, "127.0.0.1", True),
        (True, "8.8.8.8", False),
        (True, "10.0.0.7", False),
    ],
)
def test_the_server_connects_to_the_internet_only_and_in_the_simulation_to_itself_only(
    settings, simulated, address, may
):
    settings.DISPERSED_SIMULATED = simulated
    assert reach.may_enter(ipaddress.ip_address(address)) is may


def test_one_private_address_spoils_a_name_and_nothing_is_sent(listen, monkeypatch, settings):
    settings.DISPERSED_SIMULATED = False
    port = listen(b"SSH-2.0-x\r\n")
    for found in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]):
        monkeypatch.setattr(public_addresses, "resolve", lambda host, port, found=found: found)
        assert knock(Door("ml3.example.net", port, "ssh"), reach.may_enter) == Knock(Finding.FORBIDDEN)
    assert tried(job_with(url(port)))[0].title == "Not tried"


def test_only_live_runs_are_tried(closed_port):
    job = factories.make_job(factories.make_team())
    factories.make_run(job, node_urls=[url(1)], status="FAILED")
    with pytest.raises(JobError) as refused:
        tried(job)
    assert refused.value.code == "no_address"
    factories.make_run(job, node_urls=[url(closed_port)])
    assert len(tried(job)) == 1


def test_a_second_try_at_once_and_one_after_the_end_are_refused(closed_port, redis_server, monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    job = job_with(url(closed_port))
    tried(job)
    with pytest.raises(JobError) as refused:
        tried(job)
    assert refused.value.code == "too_soon"
    job.status = "CANCELLED"
    with pytest.raises(TooLate):
        tried(job)


# The access token -----------------------------------------------------------------------------------------------------


def test_an_access_token_is_shown_and_the_look_remembered_without_it():
    job = factories.make_job(factories.make_team())
    run = factories.make_run(job, remote_uuid="r1")
    run.access_tokens_sealed = vault.seal("canary-token-1\ncanary-token-2", runs.token_place(job, "r1"))
    person = Actor.person(factories.owner_of(job.team))
    assert tokens.show(job, run, actor=person, now=job.created_at) == ["canary-token-1", "canary-token-2"]
    event = Event.objects.get(kind="job.token_shown")
    assert person.label in event.sentence
    assert "canary" not in f"{event.sentence}{event.data}"


def test_no_token_and_no_machine_are_refused_and_not_remembered():
    job = factories.make_job(factories.make_team())
    run = factories.make_run(job)
    person = Actor.person(factories.owner_of(job.team))
    with pytest.raises(JobError):
        tokens.show(job, run, actor=person, now=job.created_at)
    run.access_tokens_sealed, run.status = "v1|x", "FAILED"
    with pytest.raises(TooLate):
        tokens.show(job, run, actor=person, now=job.created_at)
    assert not Event.objects.filter(kind="job.token_shown").exists()
