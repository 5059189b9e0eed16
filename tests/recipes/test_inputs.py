"""What a launcher may answer to an input of each type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dispersed_web import durations
from dispersed_web.recipes.document import INPUT_TYPES, Input
from dispersed_web.recipes.inputs import BadAnswer, matches, read
from tests.factories import SSH_KEY
from tests.recipes.documents import INPUTS

PLACE = {**{kind: INPUTS[kind]["to"] for kind in INPUTS}, "number": "gpu_count", "choice": "env.SIZE"}


def make_input(kind: str, **fields: Any) -> Input:
    if kind == "choice":
        fields.setdefault("choices", ({"value": "s", "label": "S"}, {"value": "2", "label": "Two"}))
    return Input(**{"key": "k", "type": kind, "to": PLACE[kind], **fields})


TAKEN: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("text", {}, " a b ", "a b"),
    ("text", {"max_length": 3}, "abc", "abc"),
    ("text", {"pattern": "[a-z]+"}, "abc", "abc"),
    ("text", {}, "x" * 1000, "x" * 1000),
    ("lines", {}, "a\r\nb\n", "a\nb"),
    ("lines", {}, "x" * 20_000, "x" * 20_000),
    ("number", {}, 2, 2),
    ("number", {}, " 2 ", 2),
    ("number", {}, "2.0", 2),
    ("number", {"minimum": 2, "maximum": 2}, "2", 2),
    ("number", {"to": "budget_usd"}, "2.5", Decimal("2.5")),
    ("number", {"to": "env.X"}, "2,5", Decimal("2.5")),
    ("number", {"minimum": 0.1, "to": "env.X"}, "0.1", Decimal("0.1")),
    ("choice", {}, "s", "s"),
    ("choice", {}, 2, "2"),
    ("gpu", {}, "RTX 5090", "RTX 5090"),
    ("gpu", {}, "0198AC1C-7063-4BE8-BB94-57A5BD83548E", "0198ac1c-7063-4be8-bb94-57a5bd83548e"),
    ("gpu", {}, "any", "any"),
    ("region", {}, "eu-west-1, us-east-1", ("eu-west-1", "us-east-1")),
    ("region", {}, ["eu-west-1", "eu-west-1"], ("eu-west-1",)),
    *[("switch", {}, answer, True) for answer in (True, "true", "on", "yes", "1")],
    *[("switch", {}, answer, False) for answer in (False, "false", "off", "no", "0", "", None)],
    ("secret", {}, " s p a c e ", " s p a c e "),
    ("secret", {}, "x" * 4000, "x" * 4000),
    ("ssh_key", {}, SSH_KEY + "\n", SSH_KEY),
    ("duration", {}, "2h 30m", 9000),
    ("duration", {}, 90, 90),
    ("duration", {"minimum": 60, "maximum": 60}, "1m", 60),
    ("ports", {}, "22, 8888 22", (22, 8888)),
    ("ports", {}, [1, 65535], (1, 65535)),
    ("ports", {}, list(range(1, 51)), tuple(range(1, 51))),
    ("env", {}, {"A": "1"}, {"A": "1"}),
    ("env", {}, {f"A{n}": "" for n in range(100)}, {f"A{n}": "" for n in range(100)}),
    ("addresses", {}, "203.0.113.7\n198.51.100.0/24", ("203.0.113.7", "198.51.100.0/24")),
    ("addresses", {}, ["2001:db8::/32"], ("2001:db8::/32",)),
]
REFUSED: list[tuple[str, dict[str, Any], Any]] = [
    ("text", {}, 5),
    ("text", {}, ["a"]),
    ("text", {}, "a\nb"),
    ("text", {}, "a\0"),
    ("text", {}, "a\ud800"),
    ("text", {}, "x" * 1001),
    ("text", {"max_length": 3}, "abcd"),
    ("text", {"pattern": "[a-z]+"}, "abc1"),
    ("text", {}, "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ("lines", {}, "x" * 20_001),
    ("lines", {}, "-----BEGIN RSA PRIVATE KEY-----\nx"),
    ("number", {}, "two"),
    ("number", {}, True),
    ("number", {}, "NaN"),
    ("number", {}, "Infinity"),
    ("number", {}, float("nan")),
    ("number", {}, "1e99"),
    ("number", {}, "9" * 5000),
    ("number", {}, "2.5"),
    ("number", {"minimum": 2}, "1"),
    ("number", {"maximum": 2}, "3"),
    ("number", {"minimum": 2, "maximum": 4}, "5"),
    ("number", {"to": "env.X", "maximum": 1}, "1.1"),
    ("choice", {}, "m"),
    ("choice", {}, True),
    ("choice", {}, ["s"]),
    ("gpu", {}, "x" * 81),
    ("gpu", {}, "RTX\n5090"),
    ("gpu", {}, "é"),
    ("gpu", {}, 5090),
    ("region", {}, "mars-1"),
    ("region", {}, {"a": 1}),
    ("switch", {}, "perhaps"),
    ("switch", {}, 2),
    ("secret", {}, "x" * 4001),
    ("secret", {}, "a\nb"),
    ("secret", {"pattern": "hf_.*"}, "x"),
    ("ssh_key", {}, "ssh-ed25519 AAAA"),
    ("ssh_key", {}, "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ("ssh_key", {}, SSH_KEY + "\n" + SSH_KEY),
    ("duration", {}, "soon"),
    ("duration", {}, "90"),
    ("duration", {}, -1),
    ("duration", {}, durations.LONGEST_S + 1),
    ("duration", {}, 1.5),
    ("duration", {"minimum": 60}, "59s"),
    ("duration", {"maximum": 60}, "61s"),
    ("ports", {}, "0"),
    ("ports", {}, "65536"),
    ("ports", {}, "0655359"),
    ("ports", {}, "http"),
    ("ports", {}, "٢٢"),
    ("ports", {}, [True]),
    ("ports", {}, list(range(1, 52))),
    ("env", {}, "A=1"),
    ("env", {}, {"1A": "x"}),
    ("env", {}, {"A B": "x"}),
    ("env", {}, {"A": 1}),
    ("env", {}, {"A": "x" * 20_001}),
    ("env", {}, {"A": "-----BEGIN PRIVATE KEY-----"}),
    ("env", {}, {f"A{n}": "" for n in range(101)}),
    ("addresses", {}, "home"),
    ("addresses", {}, "203.0.113.7/24"),
    ("addresses", {}, "256.0.0.1"),
]
WHOLE = set(INPUT_TYPES)


@pytest.mark.parametrize(("kind", "fields", "answer", "value"), TAKEN)
def test_an_answer_is_read_as_a_value_of_its_type(
    kind: str, fields: dict[str, Any], answer: Any, value: Any
) -> None:
    found = read(make_input(kind, **fields), answer)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("kind", "fields", "answer"), REFUSED)
def test_what_an_input_does_not_allow_is_refused(kind: str, fields: dict[str, Any], answer: Any) -> None:
    with pytest.raises(BadAnswer):
        read(make_input(kind, **fields), answer)


def test_every_type_is_tried_both_ways() -> None:
    assert {kind for kind, *_ in TAKEN} == WHOLE
    assert {kind for kind, *_ in REFUSED} == WHOLE


@pytest.mark.parametrize("empty", [None, "", [], {}])
@pytest.mark.parametrize("kind", sorted(WHOLE - {"switch"}))
def test_an_empty_answer_is_none_unless_one_is_needed(kind: str, empty: Any) -> None:
    assert read(make_input(kind), empty) is None
    with pytest.raises(BadAnswer, match="needed"):
        read(make_input(kind, required=True), empty)


@pytest.mark.parametrize(
    ("kind", "answer"), [("text", "  "), ("ports", ","), ("region", [""]), ("addresses", " ,")]
)
def test_blanks_are_no_answer_where_one_is_needed(kind: str, answer: Any) -> None:
    with pytest.raises(BadAnswer, match="needed"):
        read(make_input(kind, required=True), answer)


@pytest.mark.parametrize("answer", ["canary-" + "x" * 4000, "canary\nx", "canary"])
def test_no_refusal_repeats_a_secret(answer: str) -> None:
    with pytest.raises(BadAnswer) as refused:
        read(make_input("secret", pattern="hf_.*"), answer)
    assert "canary" not in str(refused.value)


def test_a_number_of_thousands_of_digits_is_no_number() -> None:
    with pytest.raises(BadAnswer):
        read(make_input("number"), 10**5000)


def test_a_pattern_that_takes_too_long_does_not_match() -> None:
    assert not matches("(a+)+$", "a" * 40 + "!")
    assert not matches("(", "a")
    assert matches("(a+)+", "a" * 40)
