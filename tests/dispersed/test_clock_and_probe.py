"""The cloud's time, and what a probe learns about refusals, against a server that checks time and nonce."""

import pytest

from dispersed_web.dispersed import AuthShapes, Client, DispersedError, KeyPair, Unauthorized
from dispersed_web.dispersed.exchange import CloudClock

from .wire import Step, Wire, error, html, reply

KEYS = KeyPair("pk_sim_1", "sk_sim_1")
NOW = 1_700_000_000
JOB = {"uuid": "job-1", "status": "PENDING"}
OK = reply(200, JOB, date=NOW)


def client(wire, **kwargs):
    wall_ms = kwargs.pop("wall_ms", lambda: NOW * 1000)
    return Client(KEYS, wire.url, simulated=True, wall_ms=wall_ms, sleep=lambda seconds: None, **kwargs)


def test_the_offset_is_the_median_of_what_was_seen():
    clock = CloudClock(lambda: 1_000_000)
    assert (clock.offset_ms, clock.now_ms()) == (None, 1_000_000)
    for time in ("00:16:50", "05:00:00", "00:16:51", "rubbish"):
        clock.observe(f"Thu, 01 Jan 1970 {time} GMT", 1_000_000)
    assert (clock.offset_ms, clock.now_ms()) == (11_500, 1_011_500)


def test_the_middle_of_request_and_answer_is_compared():
    clock = CloudClock(lambda: 1_004_000)
    clock.observe("Thu, 01 Jan 1970 00:16:42 GMT", sent_wall_ms=1_000_000)
    assert clock.offset_ms == 500


def test_the_offset_is_learned_from_every_answer_and_used_for_the_next_signature():
    with Wire([reply(404, date=NOW + 100), OK]) as wire, client(wire) as dispersed:
        assert dispersed.clock_offset_ms is None
        with pytest.raises(DispersedError):
            dispersed.get_job("job-1")
        assert dispersed.clock_offset_ms == 100_500
        assert dispersed.cloud_now_ms() == NOW * 1000 + 100_500
        dispersed.get_job("job-1")
    assert [request.headers["x-time"] for request in wire.requests] == [
        str(NOW * 1000),
        str(NOW * 1000 + 100_500),
    ]


def test_a_create_is_signed_with_the_time_it_was_given_whatever_the_clock_says():
    with Wire([reply(200, JOB, date=NOW + 500), reply(200, JOB)]) as wire, client(wire) as dispersed:
        dispersed.get_job("job-1")
        dispersed.create_job({}, time_ms=NOW * 1000 - 7, nonce="a" * 32, auth_shapes=AuthShapes())
    assert wire.requests[1].headers["x-time"] == str(NOW * 1000 - 7)


def test_a_clock_that_is_off_does_not_keep_a_job_from_being_stopped():
    """The refusal itself tells the cloud's time, and a cancel may be repeated."""
    with Wire([error(401, "time", date=NOW + 3600), reply(200, JOB)]) as wire, client(wire) as dispersed:
        dispersed.cancel_job("job-1", "dw:lifetime")
    assert int(wire.requests[1].headers["x-time"]) - int(wire.requests[0].headers["x-time"]) == 3_600_500


def test_a_refused_key_is_not_tried_again_and_again():
    with Wire([error(401, "bad_key", date=NOW + 3600)] * 4) as wire, client(wire) as dispersed:
        with pytest.raises(Unauthorized):
            dispersed.get_job("job-1")
        assert len(wire.requests) == 2
        with pytest.raises(Unauthorized):
            dispersed.get_job("job-1")
    assert len(wire.requests) == 3


class Guard:
    """A cloud that refuses old times and used nonces, each in its own way; None means it lets them pass."""

    def __init__(self, wire, *, stale, reused):
        self.wire, self.stale, self.reused, self.nonces = wire, stale, reused, set()

    def step(self) -> Step:
        def act(wire, connection):
            headers = wire.requests[-1].headers
            age_s = NOW - int(headers["x-time"]) / 1000
            used = headers["x-nonce"] in self.nonces
            self.nonces.add(headers["x-nonce"])
            refusal = self.stale if abs(age_s) > 300 else self.reused if used else None
            return (refusal or OK).after(wire, connection)

        return Step(act)


def probe(stale, reused):
    with Wire() as wire:
        guard = Guard(wire, stale=stale, reused=reused)
        wire.steps = [guard.step() for _ in range(9)]
        with client(wire) as dispersed:
            shapes = dispersed.probe_auth()
    assert {(request.method, request.target) for request in wire.requests} == {
        ("GET", "/v1/jobs?limit=1&page=1")
    }
    return shapes, wire.requests


def test_a_probe_learns_both_refusals():
    shapes, requests = probe(error(401, "stale_time"), error(403, "nonce_used"))
    assert shapes == AuthShapes(
        stale_time=(401, "stale_time"), reused_nonce=(403, "nonce_used"), window_enforced=True
    )
    twice = [request.headers["x-signature"] for request in requests]
    assert len(twice) == len(set(twice)) + 1 == 4


def test_a_probe_learns_that_nothing_is_enforced():
    shapes, _ = probe(None, None)
    assert shapes == AuthShapes(window_enforced=False)


def test_a_probe_learns_refusals_without_a_code():
    shapes, _ = probe(html(401), error(401))
    assert shapes == AuthShapes(stale_time=(401, ""), reused_nonce=(401, ""), window_enforced=True)


@pytest.mark.parametrize("fault", [error(429), html(502), reply(302)])
def test_a_probe_that_is_not_answered_learns_nothing(fault):
    with pytest.raises(DispersedError):
        probe(error(401, "stale_time"), fault)
    with pytest.raises(DispersedError):
        probe(fault, error(401, "nonce"))


def test_a_probe_with_a_wrong_key_says_so():
    with Wire([error(401, "bad_key")] * 4) as wire, client(wire) as dispersed, pytest.raises(Unauthorized):
        dispersed.probe_auth()
    assert len(wire.requests) == 1
