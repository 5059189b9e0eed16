from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.jobs import marker


def test_a_marker_is_found_wherever_it_stands() -> None:
    mark = marker.new("x7k2")
    assert marker.find([None, "", f"My job {mark}"]) == mark
    assert marker.find([f"({mark})"]) == mark
    assert marker.is_of(mark, "x7k2")
    assert not marker.is_of(mark, "x7k3")


@pytest.mark.parametrize(
    "text", ["dw-x7k2", "dw-x7k2-short", "xdw-x7k2-0123456789abcdef", "dw-x7k2-0123456789abcdef0"]
)
def test_what_only_looks_like_a_marker_is_none(text: str) -> None:
    assert marker.find([text]) is None


def test_markers_do_not_repeat() -> None:
    assert len({marker.new("abcd") for _ in range(1000)}) == 1000


@given(st.text(max_size=200))
def test_any_title_becomes_short_printable_ascii(title: str) -> None:
    plain = marker.ascii_title(title)
    assert plain
    assert plain.isascii()
    assert plain.isprintable()
    assert len(plain) <= marker.TITLE_LENGTH


def test_accents_become_letters() -> None:
    assert marker.ascii_title("Dév  Umgebung №5") == "Dev Umgebung No5"


def test_the_marker_is_taken_off_for_people() -> None:
    mark = marker.new("abcd")
    assert marker.without(f"My job {mark}") == "My job"
    assert marker.without(mark) == mark
