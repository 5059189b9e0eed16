from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dispersed_web.dispersed import BadReply, Secret, parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-08-26", datetime(2026, 8, 26, tzinfo=UTC)),
        ("2026-08-26T10:11:12Z", datetime(2026, 8, 26, 10, 11, 12, tzinfo=UTC)),
        ("2026-08-26T10:11:12.345+02:00", datetime(2026, 8, 26, 8, 11, 12, 345000, tzinfo=UTC)),
        ("2026-08-26T10:11:12", datetime(2026, 8, 26, 10, 11, 12, tzinfo=UTC)),
        (1706918400123, datetime(2024, 2, 3, 0, 0, 0, 123000, tzinfo=UTC)),
        ("1706918400000", datetime(2024, 2, 3, tzinfo=UTC)),
        (Decimal("1706918400000.0"), datetime(2024, 2, 3, tzinfo=UTC)),
    ],
)
def test_moments(value, expected):
    assert parse.moment(value) == expected


@pytest.mark.parametrize(
    "value", [None, "", "soon", 0, "0", True, [], {}, 10**18, "9999-99-99", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment_is_none(value):
    assert parse.moment(value) is None


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 1, 1_764_100_000])
def test_the_zeros_of_programs_and_seconds_for_milliseconds_are_no_moment(value):
    assert parse.moment(value) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), ("3", 3), (" 3 ", 3), (Decimal("3.9"), 3), ("3.0", 3), (-1, -1)]
)
def test_integers(value, expected):
    assert parse.integer(value) == expected


@pytest.mark.parametrize("value", [None, "", "x", True, [], "NaN", "Infinity", 2**63, "1e400", {}])
def test_what_is_no_integer_is_none(value):
    assert parse.integer(value) is None


def test_amounts_are_exact():
    assert parse.amount(parse.load_json(b"0.69")) == Decimal("0.69")
    assert parse.amount("4.14") == Decimal("4.14")
    assert parse.amount("-1.50") == Decimal("-1.50")
    assert parse.amount(10**15) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("TRUE", True),
        (1, True),
        (False, False),
        ("false", False),
        (0, False),
        (None, None),
        ("x", None),
        ([], None),
    ],
)
def test_booleans(value, expected):
    assert parse.boolean(value) is expected


def test_text_is_storable():
    assert parse.text("a\x00b\ud800c") == "a\ufffdb\ufffdc"
    assert parse.text("é\U0001f600\n") == "é\U0001f600\n"
    assert parse.text("x" * 100, limit=10) == "x" * 10
    assert parse.text(12) == "12"
    for value in (None, True, [], {}):
        assert parse.text(value) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"1" * 5000,
        b'{"a":1}x',
    ],
)
def test_what_is_not_json_is_a_bad_reply(body):
    with pytest.raises(BadReply) as caught:
        parse.load_json(body)
    assert caught.value.__cause__ is None


def test_tokens_come_as_texts_or_objects():
    assert parse.tokens(["a", {"token": "b"}, {"other": "c"}, 4, "", None]) == (Secret("a"), Secret("b"))
    assert parse.tokens(None) == parse.tokens("abc") == ()


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "a?b", "a b", "é", "a\n", None, 3, "x" * 129, "-a", "%2e"]
)
def test_what_cannot_stand_in_a_path_is_no_identifier(value):
    assert not parse.is_opaque_id(value)


@pytest.mark.parametrize("value", ["01a04047-3a57-4aac-aa54-3083e126f509", "job_1", "A.b-C"])
def test_identifiers_are_opaque(value):
    assert parse.is_opaque_id(value)
