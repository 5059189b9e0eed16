"""Faults of the network and the cloud over real sockets: what is raised, what it says, how often was sent."""

import socket
import traceback

import httpx
import pytest

from dispersed_web.dispersed import (
    AuthShapes,
    BadReply,
    Client,
    DispersedError,
    KeyPair,
    NotFound,
    Outcome,
    RateLimited,
    Rejected,
    ServerBroken,
    Unauthorized,
    Unreachable,
)
from dispersed_web.dispersed.transport import DeadlineTransport

from .deadlines import short_at_first
from .wire import (
    Wire,
    close_after_reading,
    drip,
    error,
    html,
    oversized,
    plain_text_at_once,
    raw,
    reply,
    reset_after_reading,
    reset_before_reading,
    stall,
)

KEYS = KeyPair("pk_sim_1", "sk_sim_canary")
JOB = {"uuid": "job-1", "status": "PENDING"}
LEARNED = AuthShapes(stale_time=(401, "time"), reused_nonce=(401, "nonce"), window_enforced=True)
ONCE = {"time_ms": 1_700_000_000_000, "nonce": "0" * 32, "auth_shapes": LEARNED}
SHORT_S = 0.3
BODY = {
    "title": "demo",
    "parameters": {
        "type": "docker",
        "parameters": {"image": "base", "env": {"TOKEN": "hunter2-canary"}, "secret": "registry-canary"},
    },
}


def client(wire_or_url, **kwargs) -> Client:
    url = wire_or_url.url if isinstance(wire_or_url, Wire) else wire_or_url
    return Client(KEYS, url, simulated=True, **{"sleep": lambda seconds: None, **kwargs})


SILENT = {
    "reset before reading": reset_before_reading(),
    "reset after reading": reset_after_reading(),
    "closed after reading": close_after_reading(),
    "half a status line": raw(b"HTTP/1.1 2"),
    "half the headers": raw(b"HTTP/1.1 200 X\r\nContent-Le"),
    "half the body": raw(b'HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{"uuid": "job-1"'),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
}
SLOW = {
    "stall": stall(),
    "dripped headers": drip(b"HTTP/1.1 200 X\r\nX-Filler: ", b"x"),
    "dripped body": drip(b'HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n{"uuid": "job-1", "a": "', b"x"),
    "stall in the body": drip(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n{", b""),
}
UNUSABLE = {
    "2xx HTML": html(200),
    "2xx empty": reply(200, body=b""),
    "2xx without uuid": reply(200, {"status": "PENDING"}),
    "2xx with a bad uuid": reply(201, {"uuid": "a/b", "status": "PENDING"}),
    "2xx list": reply(200, [JOB]),
    "204": reply(204, body=b""),
    "too large": oversized(6 * 1024 * 1024),
    "redirect": reply(302, headers=["Location: /v1/elsewhere"]),
    "permanent redirect": reply(308, headers=["Location: http://127.0.0.1:9/"]),
}


@pytest.mark.parametrize("fault", SILENT.values(), ids=SILENT.keys())
def test_a_create_without_an_answer_is_unknown_and_sent_once(fault):
    with (
        Wire([fault, reply(200, JOB)]) as wire,
        client(wire) as dispersed,
        pytest.raises(Unreachable) as caught,
    ):
        dispersed.create_job(BODY, **ONCE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.ambiguous
    assert "may be running and costing money" in caught.value.sentence
    assert (wire.connections, len(wire.steps)) == (1, 1)


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW.keys())
def test_a_create_ends_at_its_deadline_and_is_unknown(fault):
    with Wire([fault]) as wire, client(wire) as dispersed, pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, deadline_s=SHORT_S, **ONCE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert "in time" in caught.value.sentence
    assert wire.connections == 1


@pytest.mark.parametrize("fault", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_create_with_an_unusable_answer_is_unknown_and_sent_once(fault):
    with Wire([fault, reply(200, JOB)]) as wire, client(wire) as dispersed, pytest.raises(BadReply) as caught:
        dispersed.create_job(BODY, **ONCE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert (wire.connections, len(wire.steps)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "kind", "outcome"),
    [
        (error(400, "invalid", "title is too long"), Rejected, Outcome.REFUSED),
        (error(422, "invalid"), Rejected, Outcome.REFUSED),
        (error(402, "no_credit"), Rejected, Outcome.REFUSED),
        (error(404, "no_recipe"), NotFound, Outcome.REFUSED),
        (error(401, "bad_key"), Unauthorized, Outcome.REFUSED),
        (error(403, "forbidden"), Unauthorized, Outcome.REFUSED),
        (error(401, "nonce"), Unauthorized, Outcome.UNKNOWN),
        (error(401, "time"), Unauthorized, Outcome.UNKNOWN),
        (html(401), Unauthorized, Outcome.UNKNOWN),
        (html(403), Unauthorized, Outcome.UNKNOWN),
        (html(400), Rejected, Outcome.UNKNOWN),
        (reply(400, {"message": "no"}), Rejected, Outcome.UNKNOWN),
        (reply(400, {"error": "no"}), Rejected, Outcome.UNKNOWN),
        (error(409, "exists"), Rejected, Outcome.UNKNOWN),
        (error(408, "late"), ServerBroken, Outcome.UNKNOWN),
        (error(429, "slow"), RateLimited, Outcome.UNKNOWN),
        (error(500, "oops"), ServerBroken, Outcome.UNKNOWN),
        (html(502), ServerBroken, Outcome.UNKNOWN),
        (html(504), ServerBroken, Outcome.UNKNOWN),
    ],
)
def test_an_answered_create_is_sent_once(fault, kind, outcome):
    with (
        Wire([fault, reply(200, JOB)]) as wire,
        client(wire) as dispersed,
        pytest.raises(DispersedError) as caught,
    ):
        dispersed.create_job(BODY, **ONCE)
    assert type(caught.value) is kind
    assert caught.value.outcome is outcome
    assert ("may be running" in caught.value.sentence) is (outcome is Outcome.UNKNOWN)
    assert (len(wire.requests), len(wire.steps)) == (1, 1)


def test_cooking_is_held_to_the_same_rule():
    with (
        Wire([html(502), reply(200, JOB)]) as wire,
        client(wire) as dispersed,
        pytest.raises(ServerBroken) as caught,
    ):
        dispersed.cook_job_recipe("r", {}, **ONCE)
    assert caught.value.ambiguous
    assert len(wire.requests) == 1


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def deaf_port():
    """A port whose queue is full: a connection to it is neither made nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for filler in fillers:
            filler.close()


def assert_not_sent(caught):
    assert caught.value.outcome is Outcome.NOT_SENT
    assert not caught.value.ambiguous
    assert "nothing was sent" in caught.value.sentence
    assert "may be running" not in caught.value.sentence


def test_a_refused_connection_was_not_sent(closed_port):
    with client(closed_port) as dispersed, pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, **ONCE)
    assert_not_sent(caught)


def test_a_connection_that_is_not_made_was_not_sent(deaf_port):
    with client(deaf_port) as dispersed, pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, deadline_s=SHORT_S, **ONCE)
    assert_not_sent(caught)


def test_a_failed_tls_handshake_was_not_sent():
    with (
        Wire([plain_text_at_once()]) as wire,
        client(wire.url.replace("http:", "https:")) as dispersed,
        pytest.raises(Unreachable) as caught,
    ):
        dispersed.create_job(BODY, **ONCE)
    assert_not_sent(caught)


def test_a_stalled_tls_handshake_was_not_sent():
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        client(f"https://127.0.0.1:{listener.getsockname()[1]}") as dispersed,
        pytest.raises(Unreachable) as caught,
    ):
        dispersed.create_job(BODY, deadline_s=SHORT_S, **ONCE)
    assert_not_sent(caught)


def test_a_name_that_does_not_resolve_was_not_sent():
    with client("http://name.invalid") as dispersed, pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, **ONCE)
    assert_not_sent(caught)


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": {1, 2}}, {1: 2}])
def test_a_body_that_cannot_be_written_is_not_sent(body):
    with Wire() as wire, client(wire) as dispersed, pytest.raises(DispersedError) as caught:
        dispersed.create_job(body, **ONCE)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert wire.connections == 0


@pytest.mark.parametrize("fault", SILENT.values(), ids=SILENT.keys())
def test_a_read_is_tried_again_on_a_fresh_connection(fault):
    with Wire([reply(200, JOB), fault, fault, reply(200, JOB)]) as wire, client(wire) as dispersed:
        dispersed.get_job("job-1")
        assert dispersed.get_job("job-1").uuid == "job-1"
    assert wire.connections == 3
    nonces = [request.headers["x-nonce"] for request in wire.requests]
    assert len(set(nonces)) == len(nonces)


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW.keys())
def test_a_slow_read_ends_at_its_deadline_and_is_tried_again(fault):
    with Wire([fault, reply(200, JOB)]) as wire, client(wire) as dispersed:
        assert short_at_first(dispersed, SHORT_S).get_job("job-1").uuid == "job-1"
    assert wire.connections == 2


@pytest.mark.parametrize("fault", [stall(), close_after_reading(), html(503), error(429, "slow"), error(408)])
def test_a_cancel_is_repeated_with_a_new_signature(fault):
    with Wire([fault, reply(200, JOB)]) as wire, client(wire) as dispersed:
        short_at_first(dispersed, SHORT_S).cancel_job("job-1", "dw:manual")
    first, second = wire.requests
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    assert first.headers["x-nonce"] != second.headers["x-nonce"]
    assert first.headers["x-signature"] != second.headers["x-signature"]


@pytest.mark.parametrize(
    "fault",
    [
        error(400),
        error(401),
        error(403),
        error(404),
        error(409),
        html(200),
        reply(302),
        oversized(6 * 1024 * 1024),
    ],
)
def test_what_another_try_would_not_mend_is_not_repeated(fault):
    with Wire([fault, reply(200, JOB)]) as wire, client(wire) as dispersed, pytest.raises(DispersedError):
        dispersed.get_job("job-1")
    assert len(wire.requests) == 1


def test_tries_are_counted_and_waits_grow():
    waits = []
    with (
        Wire([html(503)] * 4) as wire,
        client(wire, sleep=waits.append) as dispersed,
        pytest.raises(ServerBroken),
    ):
        dispersed.get_job("job-1")
    assert (len(wire.requests), waits) == (3, [0.5, 1.0])


def test_tries_and_waits_are_arguments():
    waits = []
    with (
        Wire([html(503)] * 6) as wire,
        client(wire, sleep=waits.append, backoff_s=(1, 2, 4, 8)) as dispersed,
        pytest.raises(ServerBroken),
    ):
        dispersed.get_job("job-1")
    assert (len(wire.requests), waits) == (5, [1, 2, 4, 8])


def test_no_try_begins_after_the_budget_of_the_call():
    waits = []
    with (
        Wire([html(503)] * 3) as wire,
        client(wire, sleep=waits.append, backoff_s=(0, 60, 60), budget_s=50) as dispersed,
        pytest.raises(ServerBroken),
    ):
        dispersed.get_job("job-1")
    assert (len(wire.requests), waits) == (2, [0])


def test_a_wait_that_the_cloud_asks_for_is_kept():
    waits = []
    steps = [error(429, headers=["Retry-After: 7"]), error(503, headers=["Retry-After: 0"]), reply(200, JOB)]
    with Wire(steps) as wire, client(wire, sleep=waits.append) as dispersed:
        dispersed.get_job("job-1")
    assert waits == [7, 1.0]


def test_a_longer_wait_is_left_to_the_caller():
    with (
        Wire([error(429, headers=["Retry-After: 31"])]) as wire,
        client(wire) as dispersed,
        pytest.raises(RateLimited) as caught,
    ):
        dispersed.get_job("job-1")
    assert caught.value.retry_after_s == 31
    assert len(wire.requests) == 1


def test_an_answer_of_5_mb_is_read_and_no_more():
    filler = b" " * (5 * 1024 * 1024 - 36)
    with (
        Wire([reply(200, body=b'{"uuid":"job-1","status":"PENDING"}' + filler)]) as wire,
        client(wire) as dispersed,
    ):
        assert dispersed.get_job("job-1").uuid == "job-1"
    with (
        Wire([reply(200, body=b'{"uuid":"job-1","status":"PENDING"}' + filler + b"  ")]) as wire,
        client(wire) as dispersed,
        pytest.raises(BadReply) as caught,
    ):
        dispersed.get_job("job-1")
    assert caught.value.code == "too_large"


def test_a_compressed_answer_that_was_not_asked_for_is_unusable():
    packed = reply(200, body=b"\x1f\x8b\x08rest", headers=["Content-Encoding: gzip"])
    with Wire([packed]) as wire, client(wire) as dispersed, pytest.raises(BadReply):
        dispersed.get_job("job-1")


def test_a_redirect_is_not_followed_and_says_so():
    with (
        Wire([reply(307, headers=["Location: /v1/elsewhere"])]) as wire,
        client(wire) as dispersed,
        pytest.raises(BadReply, match="redirect"),
    ):
        dispersed.get_job("job-1")
    assert [request.path for request in wire.requests] == ["/v1/jobs/job-1"]


ECHO = (
    "bad value hunter2-canary for TOKEN, secret registry-canary, key sk_sim_canary \x1b[31m" + "long " * 200
)


@pytest.mark.parametrize(
    "fault", [error(400, "hunter2-canary", ECHO), error(500, "x", ECHO), *SILENT.values()]
)
def test_errors_quote_no_secret_even_in_their_traceback(fault):
    with Wire([fault]) as wire, client(wire) as dispersed, pytest.raises(DispersedError) as caught:
        dispersed.create_job(BODY, **ONCE)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    for secret in ("hunter2-canary", "registry-canary", "sk_sim_canary", "X-Signature", "\x1b"):
        assert secret not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len(caught.value.sentence) < 600
    assert str(caught.value) == caught.value.sentence


def test_nothing_is_logged_that_names_an_address(caplog):
    caplog.set_level("INFO")
    with Wire([reply(200, JOB)]) as wire, client(wire) as dispersed:
        dispersed.get_job("job-1")
    assert [record for record in caplog.records if record.name.startswith("http")] == []


def test_a_failure_that_no_row_names_passes_through_unchanged():
    """A time limit of the worker that runs the call must not be taken for a failure of the network."""

    class TimeLimit(Exception):
        pass

    def handler(request):
        raise TimeLimit

    dispersed = client("http://127.0.0.1:9", transport=httpx.MockTransport(handler))
    with pytest.raises(TimeLimit):
        dispersed.create_job(BODY, **ONCE)
    with pytest.raises(TimeLimit):
        dispersed.get_job("job-1")


@pytest.mark.parametrize(
    "kind",
    [httpx.PoolTimeout, httpx.LocalProtocolError, httpx.ConnectError, httpx.ProxyError, httpx.ReadError],
)
def test_the_table_decides_for_exceptions_that_sockets_do_not_show(kind):
    def handler(request):
        raise kind("x")

    dispersed = client("http://127.0.0.1:9", transport=httpx.MockTransport(handler))
    with pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, **ONCE)
    unknown = kind in (httpx.ProxyError, httpx.ReadError)
    assert caught.value.outcome is (Outcome.UNKNOWN if unknown else Outcome.NOT_SENT)


def test_bytes_that_left_outweigh_an_exception_that_says_otherwise(monkeypatch):
    """An exception that belongs to the time before sending proves nothing once a byte was handed to the network."""
    send_really = DeadlineTransport.handle_request

    def send_and_fail(transport, request):
        send_really(transport, request).close()
        raise httpx.LocalProtocolError("x")

    monkeypatch.setattr(DeadlineTransport, "handle_request", send_and_fail)
    with Wire([reply(200, JOB)]) as wire, client(wire) as dispersed, pytest.raises(Unreachable) as caught:
        dispersed.create_job(BODY, **ONCE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert len(wire.requests) == 1
