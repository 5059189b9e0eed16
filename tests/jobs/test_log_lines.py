from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.jobs.log_lines import Lines


def of(*lines: str, first: int = 0) -> Lines:
    return Lines.of("\n".join(lines), first)


def whole(lines: Lines) -> list[str]:
    return lines.part(lines.first, lines.end)


@given(
    st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",))), max_size=30),
    st.integers(0, 9),
)
def test_parts_are_slices(written, first):
    lines = of(*written, "end", first=first)
    everything = [*written, "end"]
    assert whole(lines) == everything
    assert (len(lines), lines.end) == (len(everything), first + len(everything))
    for begin in range(-1, len(everything) + 2):
        assert lines.part(first + begin, first + begin + 3) == everything[max(0, begin) : max(0, begin + 3)]
    assert Lines.unpack(lines.pack(), first) == lines


def test_nothing_is_no_line():
    assert [len(Lines()), len(Lines.of("")), len(Lines.of("\n\n"))] == [0, 0, 0]
    assert Lines().part(0, 9) == []
    assert Lines.unpack(b"") == Lines()


def test_search_looks_through_colours_and_case_and_from_a_line_on():
    lines = of("an Error", "fine", "\x1b[31mERR\x1b[0mOR", "Straße", first=10)
    assert lines.find("error") == [10, 12]
    assert lines.find("error", 11) == [12]
    assert lines.find("STRASSE") == []
    assert lines.find("straße") == [13]
    assert lines.find("31m") == []
    assert lines.find("") == []
    assert lines.find("x", 99) == []


def test_what_does_not_fit_is_cut_from_the_beginning_and_numbers_stay():
    lines = of(*(f"{number:09d}" for number in range(100)))
    last = lines.last(most_bytes=100)
    assert (last.first, last.end, last.part(last.first, last.first + 1)) == (90, 100, ["000000090"])
    assert len(last.data) <= 100
    assert lines.last(most_lines=5).first == 95
    assert lines.last() is lines
    assert len(of("x" * 50).last(most_bytes=10)) == 0


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        (["a", "b"], ["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "50 %"], ["a", "b", "100 %"], ["a", "b", "100 %"]),
        (["a", "b", "c", "d"], ["c", "d", "e"], ["a", "b", "c", "d", "e"]),
        (["a", "b", "c", "50 %"], ["b", "c", "100 %", "e"], ["a", "b", "c", "100 %", "e"]),
        (["a", "x", "x", "x"], ["x", "x", "x", "x"], ["a", "x", "x", "x", "x"]),
        (["a", "b", "c"], ["x", "y"], None),
        (["a", "b", "c"], [], None),
        ([], ["a"], ["a"]),
    ],
)
def test_a_sight_that_goes_on_from_the_one_before_is_joined_to_it(before, after, joined):
    found = of(*before, first=7).joined(of(*after)) if before else Lines().joined(of(*after))
    assert (whole(found) if found else None) == joined
    if before and found:
        assert found.first == 7


@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=40), st.integers(0, 40), st.integers(1, 40))
def test_a_window_that_moves_on_loses_nothing(written, cut, seen):
    """The cloud shows the end of what was written, twice; together that is at least the second sight."""
    before, after = of(*written[:seen]), of(*written[min(cut, max(0, seen - 2)) :])
    found = before.joined(after)
    if found is not None:
        assert whole(found)[-len(after) :] == whole(after)
        assert len(found) <= len(written)
        assert whole(found)[: len(before) - 1] == whole(before)[:-1]
