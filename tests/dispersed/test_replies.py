import json
from datetime import UTC, datetime

import httpx
import pytest

from dispersed_web.dispersed import (
    AuthShapes,
    BadReply,
    NotFound,
    Outcome,
    RateLimited,
    Rejected,
    ServerBroken,
    Unauthorized,
    Unreachable,
)
from dispersed_web.dispersed.errors import clean_upstream
from dispersed_web.dispersed.exchange import retry_wait_s
from dispersed_web.dispersed.replies import error_from_reply, http_date, read_error, retry_after_s
from dispersed_web.dispersed.sending import secret_values
from dispersed_web.dispersed.transport import Reply


def answer(status, body=b"", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Reply(status, httpx.Headers(pairs), body)


def error_for(status, body=b"", **kwargs):
    return error_from_reply(answer(status, body), host="h", auth_shapes=AuthShapes(), **kwargs)


def kind_for(status):
    named = {
        401: Unauthorized,
        403: Unauthorized,
        404: NotFound,
        429: RateLimited,
        408: ServerBroken,
        425: ServerBroken,
    }
    if status in named:
        return named[status]
    return BadReply if status < 400 else Rejected if status < 500 else ServerBroken


def test_every_status_has_one_error_with_a_sentence_of_its_own():
    for status in [*range(100, 200), *range(300, 600)]:
        error = error_for(status)
        assert type(error) is kind_for(status), status
        assert (error.status, error.outcome) == (status, Outcome.UNKNOWN)
        assert str(status) in error.sentence
        assert error.sentence.endswith(".")


@pytest.mark.parametrize(
    ("body", "code", "message", "shape"),
    [
        ({"error": {"code": "c", "message": "m"}}, "c", "m", True),
        ({"error": {"code": "c"}}, "c", "", True),
        ({"error": {"message": "m", "more": 1}}, "", "m", True),
        ({"error": {"code": 7}}, "7", "", True),
        ({"error": {}}, "", "", False),
        ({"error": {"code": None}}, "", "", False),
        ({"error": "text"}, "", "text", False),
        ({"code": "c", "message": "m"}, "c", "m", False),
        ({"message": "m"}, "", "m", False),
        ([], "", "", False),
        ("x", "", "", False),
        (None, "", "", False),
    ],
)
def test_error_bodies(body, code, message, shape):
    read = read_error(json.dumps(body).encode())
    assert (read.code, read.message, read.is_api_shape) == (code, message, shape)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 50_000])
def test_error_bodies_that_are_not_json(body):
    assert read_error(body).is_api_shape is False


def test_the_sentence_quotes_the_cloud_within_limits():
    body = json.dumps({"error": {"code": "c\n", "message": "line\nline\x1b[0m \x00" + "x" * 900}}).encode()
    error = error_for(400, body)
    assert error.code == "c"
    assert "line line" in error.sentence
    assert error.sentence.isprintable()
    assert len(error.sentence) < 400


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_abc123",
        "hf_abcdefgh12",
        "glpat-abcdef-123456",
        "AKIAABCDEFGHIJKL",
        "ghp_abcdefgh1234",
        "eyJhbGciOiJI.eyJzdWIi.sig",
    ],
)
def test_what_looks_like_a_secret_is_hidden(secret):
    assert secret not in clean_upstream(f"wrong value {secret}, sorry")
    assert "sorry" in clean_upstream(f"wrong value {secret}, sorry")


def test_what_is_a_secret_is_hidden_the_longest_first():
    assert clean_upstream("abcd-efgh abcd ab", ["abcd", "abcd-efgh", "ab", ""]) == "••• ••• ab"


def test_which_values_of_a_body_are_secret():
    body = {
        "title": "t",
        "parameters": {
            "parameters": {
                "image": "i",
                "tag": "t",
                "host": "h",
                "env": {"A": "1", "B": "2"},
                "secret": "3",
                "user": "4",
                "sshkey": "5",
                "ports": [22],
                "allowed_ips": ["0.0.0.0/0"],
                "volumes": [{"image": "i", "secret": "6"}],
            }
        },
    }
    assert sorted(secret_values(body)) == list("123456")
    assert secret_values({}) == secret_values({"parameters": None}) == ()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"retry_after": " 0 "}, 0),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "²"}, None),
        ({"retry_after": "9" * 400}, 999_999_999),
        ({"retry_after": "Sat, 03 Feb 2024 00:00:30 GMT"}, None),
        ({"retry_after": "Sat, 03 Feb 2024 00:00:30 GMT", "date": "Sat, 03 Feb 2024 00:00:10 GMT"}, 20),
        ({"retry_after": "Sat, 03 Feb 2024 00:00:00 GMT", "date": "Sat, 03 Feb 2024 00:00:10 GMT"}, 0),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after_s(answer(429, **headers)) == seconds


def test_http_dates():
    assert http_date("Sat, 03 Feb 2024 00:00:00 GMT") == datetime(2024, 2, 3, tzinfo=UTC)
    for value in ("", "now", "99", "Sat, 99 Feb 2024 00:00:00 GMT"):
        assert http_date(value) is None


def error_of(kind, **kwargs):
    return kind("x", outcome=Outcome.UNKNOWN, **kwargs)


@pytest.mark.parametrize(
    ("error", "clock_moved", "wait_s"),
    [
        (error_of(Unreachable), False, 0.5),
        (error_of(ServerBroken), False, 0.5),
        (error_of(RateLimited), False, 0.5),
        (error_of(RateLimited, retry_after_s=0.1), False, 0.5),
        (error_of(RateLimited, retry_after_s=30.0), False, 30.0),
        (error_of(RateLimited, retry_after_s=30.5), False, None),
        (error_of(ServerBroken, retry_after_s=600.0), False, None),
        (error_of(Unauthorized), False, None),
        (error_of(Unauthorized), True, 0.0),
        (error_of(Rejected), True, None),
        (error_of(NotFound), False, None),
        (error_of(BadReply), False, None),
    ],
)
def test_which_errors_are_worth_another_try(error, clock_moved, wait_s):
    assert retry_wait_s(error, 0, (0.5, 1.0), clock_moved=clock_moved) == wait_s
    assert retry_wait_s(error, 2, (0.5, 1.0), clock_moved=clock_moved) is None
    # Without a pause there is no other try, but with the right time.
    assert retry_wait_s(error, 0, (), clock_moved=clock_moved) == (0.0 if wait_s == 0.0 else None)
    assert retry_wait_s(error, 1, (), clock_moved=clock_moved) is None
