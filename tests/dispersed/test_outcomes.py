"""The outcome table, row by row and in total: every exception class of httpx, every status from 100 to 599."""

import itertools

import httpx
import pytest

from dispersed_web.dispersed import ACCEPTED, AuthShapes, Outcome, classify_exception, classify_response

ALL_EXCEPTIONS = {
    value for value in vars(httpx).values() if isinstance(value, type) and issubclass(value, BaseException)
}
NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "UnsupportedProtocol",
    "InvalidURL",
    "LocalProtocolError",
}
UNKNOWN = {
    "CloseError",
    "CookieConflict",
    "DecodingError",
    "HTTPError",
    "HTTPStatusError",
    "NetworkError",
    "ProtocolError",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "RequestError",
    "RequestNotRead",
    "ResponseNotRead",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "TimeoutException",
    "TooManyRedirects",
    "TransportError",
    "WriteError",
    "WriteTimeout",
}
LEARNED = AuthShapes(stale_time=(401, "time"), reused_nonce=(401, "nonce"), window_enforced=True)


def make(kind):
    return kind.__new__(kind)


def test_every_exception_of_httpx_is_in_one_row_of_this_test():
    assert {kind.__name__ for kind in ALL_EXCEPTIONS} == NOT_SENT | UNKNOWN
    assert not NOT_SENT & UNKNOWN


@pytest.mark.parametrize(
    "kind", sorted(ALL_EXCEPTIONS, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__
)
def test_exceptions(kind):
    expected = Outcome.NOT_SENT if kind.__name__ in NOT_SENT else Outcome.UNKNOWN
    assert classify_exception(make(kind)) is expected


@pytest.mark.parametrize("exc", [OSError(), ValueError(), KeyError("x"), MemoryError(), KeyboardInterrupt()])
def test_whatever_else_is_raised_is_unknown(exc):
    assert classify_exception(exc) is Outcome.UNKNOWN


def expected_for(status, code, shape, uuid, shapes):
    """The table once more, written as the protocol states it."""
    if status in range(200, 300):
        return ACCEPTED if uuid else Outcome.UNKNOWN
    if status in (400, 402, 404, 405, 413, 415, 422) and shape:
        return Outcome.REFUSED
    learned = shapes.stale_time is not None and shapes.reused_nonce is not None
    if status in (401, 403) and shape and code == "other" and learned:
        return Outcome.REFUSED
    return Outcome.UNKNOWN


@pytest.mark.parametrize(
    "shapes", [AuthShapes(), LEARNED, AuthShapes(reused_nonce=(401, "nonce"), window_enforced=False)]
)
def test_every_status(shapes):
    for status, code, shape, uuid in itertools.product(
        range(100, 600), ("", "time", "nonce", "other"), (True, False), (True, False)
    ):
        if status == 403 and code in ("time", "nonce"):
            continue  # another status than was learned: see below
        got = classify_response(
            status, error_code=code, json_error_shape=shape, readable_uuid=uuid, auth_shapes=shapes
        )
        assert got == expected_for(status, code, shape, uuid, shapes), (status, code, shape, uuid)


@pytest.mark.parametrize(
    "status", [300, 302, 307, 408, 409, 425, 429, 500, 502, 503, 504, 100, 101, 418, 451, 599]
)
def test_these_never_prove_a_refusal(status):
    assert refused(status, "any") is Outcome.UNKNOWN


def refused(status, code, shapes=LEARNED):
    return classify_response(
        status, error_code=code, json_error_shape=True, readable_uuid=False, auth_shapes=shapes
    )


def test_a_second_copy_of_a_request_that_was_done_is_never_taken_for_a_refusal():
    assert refused(401, "time") is Outcome.UNKNOWN
    assert refused(401, "nonce") is Outcome.UNKNOWN
    assert refused(401, "") is Outcome.UNKNOWN
    assert refused(401, "bad_key") is Outcome.REFUSED
    assert refused(403, "nonce") is Outcome.REFUSED
    assert refused(403, "forbidden") is Outcome.REFUSED


def test_without_both_shapes_no_401_or_403_is_a_refusal():
    for shapes in (
        AuthShapes(),
        AuthShapes(stale_time=(401, "time"), window_enforced=True),
        AuthShapes(reused_nonce=(401, "nonce")),
    ):
        assert refused(401, "bad_key", shapes) is Outcome.UNKNOWN
        assert refused(403, "bad_key", shapes) is Outcome.UNKNOWN


def test_when_all_refusals_look_alike_none_is_believed():
    alike = AuthShapes(
        stale_time=(401, "unauthorized"), reused_nonce=(401, "unauthorized"), window_enforced=True
    )
    assert refused(401, "unauthorized", alike) is Outcome.UNKNOWN
