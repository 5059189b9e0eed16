from __future__ import annotations

import html as entities
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispersed_web.jobs.log_text import clean_keeping_colours, plain
from dispersed_web.web.job import ansi

ESC = "\x1b["


def classes(sequence: str) -> str:
    """Of text after a sequence with these numbers."""
    return next(style.classes for style, _ in ansi.spans(f"{ESC}{sequence}mx"))


@pytest.mark.parametrize(
    ("sequence", "found"),
    [
        ("1", "a-bold"), ("2", "a-dim"), ("3;4", "a-italic a-underline"), ("31", "a-red"), ("92", "a-green"),
        ("90", "a-grey"), ("30", "a-black"), ("1;33", "a-bold a-yellow"), ("44", "a-on a-on-blue"),
        ("31;42", "a-on a-on-green"), ("38;5;196", "a-red"), ("38;5;21", "a-blue"), ("38;5;244", "a-grey"),
        ("38;2;250;250;250", "a-white"), ("38:2:0:200:210", "a-cyan"), ("48;5;2", "a-on a-on-green"),
        ("31;39", ""), ("41;49", ""), ("1;22", ""), ("3;23", ""), ("4;24", ""), ("1;31;0", ""), ("31;", ""), ("", ""),
        ("7", ""), ("5;8;9", ""), ("38", ""), ("38;5", ""), ("38;5;999", ""), ("38;2;1;2", ""), ("38;5;300;1", "a-bold"),
        ("99999999999999999999", ""), (";".join(["1"] * 500), "a-bold"),
    ],
)  # fmt: skip
def test_numbers_become_classes(sequence, found):
    assert classes(sequence) == found


def test_a_style_lasts_until_it_is_ended_and_not_beyond_the_line():
    assert (
        ansi.html(f"a{ESC}31mb{ESC}1mc{ESC}0md")
        == 'a<span class="a-red">b</span><span class="a-bold a-red">c</span>d'
    )
    assert ansi.html("next") == "next"


def test_other_escapes_are_dropped():
    assert ansi.html(f"a{ESC}2Kb{ESC}10;5Hc\x1b7d\x1b") == "abcd"


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=120))
@example(f"{ESC}31m<script>\"'&{ESC}0m")
@example(f'{ESC}31"m onclick=x>')
@example(f"{ESC}{ESC}31m")
@example(f"{ESC}38;5m")
@example("\x1b]8;;javascript:alert(1)\x07x")
def test_whatever_is_written_the_page_gets_text_and_known_classes(raw):
    cleaned = clean_keeping_colours(raw)
    made = ansi.html(cleaned.replace("\n", " "))
    names = "|".join(f"a-(?:on-)?{name}" for name in ansi.NAMES)
    known = rf"(?:a-bold|a-dim|a-italic|a-underline|a-on|a-grey|{names})"
    left = re.sub(rf'<span class="{known}(?: {known})*">|</span>', "", made)
    assert "<" not in left
    assert '"' not in left
    assert entities.unescape(left) == plain(cleaned).replace("\n", " ")
