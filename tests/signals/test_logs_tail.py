"""What is new in a log, told from hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.jobs.log_text import clean
from dispersed_web.signals import tail
from dispersed_web.signals.tail import KEPT_LINES, Change, Kind

KEY = b"k" * 32
BOOT = ["== CUDA ==", "torch 2.7.1", "ready"]
WORK = [f"step {number} | loss {1 / (number + 1):.4f}" for number in range(400)]
PROBE = '10.42.0.1 - - "GET /healthz HTTP/1.1" 200 at {}'


def read(lines, noise=()):
    return tail.read("\n".join(lines) + "\n", noise, KEY)


def change(before, after, noise=()):
    return tail.compare(read(before, noise).hashes, read(after, noise))


def test_the_first_look_has_nothing_to_compare_with():
    assert tail.compare(None, read(WORK)) == Change(Kind.FIRST, 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(BOOT, BOOT, Change(Kind.SAME), id="nothing happened"),
        pytest.param(BOOT, [*BOOT, "one"], Change(Kind.GREW, 1), id="a line more"),
        pytest.param(BOOT, BOOT + WORK[:5], Change(Kind.GREW, 5), id="five lines more"),
        pytest.param([], ["one"], Change(Kind.GREW, 1), id="the first line that is no noise"),
        pytest.param(BOOT, [*BOOT, "one", "one", "one"], Change(Kind.GREW, 1), id="one line three times"),
        pytest.param(BOOT, [*BOOT, "ready", "ready"], Change(Kind.SAME), id="a line that was there before"),
        pytest.param(["a", "b", "tick"], ["a", "b"] + ["tick"] * 90, Change(Kind.SAME), id="ticks"),
        pytest.param(
            [*BOOT, "10 %"], [*BOOT, "70 %"], Change(Kind.GREW, 1), id="the last line was written over"
        ),
        pytest.param(
            [*BOOT, "load"], [*BOOT, "load… done"], Change(Kind.GREW, 1), id="the last line was ended"
        ),
        pytest.param(BOOT, ["", *BOOT, "  ", ""], Change(Kind.SAME), id="blank lines"),
        pytest.param(BOOT, [f"{line}  " for line in BOOT], Change(Kind.SAME), id="spaces at the end"),
        pytest.param(WORK[:300], WORK[:310], Change(Kind.GREW, 10), id="a long log"),
        pytest.param(WORK[:100], WORK[50:110], Change(Kind.GREW, 10), id="its beginning was cut off"),
        pytest.param(WORK[:100], WORK[50:100], Change(Kind.SAME), id="only its beginning was cut off"),
        pytest.param(
            [*WORK[:100], "10 %"],
            [*WORK[60:100], "50 %"],
            Change(Kind.GREW, 1),
            id="cut off and written over",
        ),
        pytest.param(
            WORK[:200], WORK[200:400], Change(Kind.SCROLLED, KEPT_LINES), id="all of it scrolled by"
        ),
        pytest.param(WORK[:30], WORK[100:130], Change(Kind.SCROLLED, 30), id="as many others"),
        pytest.param(WORK[:100], BOOT, Change(Kind.ANEW), id="another and shorter one"),
        pytest.param(BOOT + WORK[:50], BOOT, Change(Kind.ANEW), id="the same container once more"),
        pytest.param(BOOT + WORK[:50], BOOT + WORK[90:99], Change(Kind.ANEW), id="once more, and at work"),
        pytest.param(WORK[:300], WORK[:5], Change(Kind.ANEW), id="shrunk to its beginning"),
        pytest.param(WORK[:300], WORK[1:2] + BOOT, Change(Kind.ANEW), id="short with one line alike"),
        pytest.param(BOOT, [], Change(Kind.ANEW), id="nothing left"),
    ],
)
def test_what_changed(before, after, expected):
    assert change(before, after) == expected


def test_noise_is_left_out_by_plain_text():
    noise = ["/healthz", "(root) CMD"]
    before = [*BOOT, PROBE.format("13:01")]
    after = [*before, PROBE.format("13:02"), "CRON[7]: (root) CMD (rotate)", PROBE.format("13:03")]
    assert change(before, after, noise) == Change(Kind.SAME)
    assert change(before, [*after, "POST /v1/chat/completions"], noise) == Change(Kind.GREW, 1)
    assert change(before, after) == Change(Kind.GREW, 3)


def test_noise_is_no_pattern_and_case_counts():
    assert change(BOOT, [*BOOT, "GET /healthz"], [".*"]).new_lines == 1
    assert change(BOOT, [*BOOT, "GET /healthz"], ["get /HEALTHZ"]).new_lines == 1


def test_an_empty_text_is_no_noise():
    assert change(BOOT, [*BOOT, "one"], [""]).new_lines == 1


def test_noise_pushes_nothing_out_of_sight():
    before = BOOT + [PROBE.format(number) for number in range(1000)]
    after = before + [PROBE.format(number) for number in range(1000, 1990)]
    assert change(before, after, ["/healthz"]) == Change(Kind.SAME)


def test_a_line_behind_a_flood_of_noise_is_seen_although_the_others_are_gone():
    before = BOOT + [PROBE.format(number) for number in range(100)]
    after = [PROBE.format(number) for number in range(2000)] + ["POST /v1/chat/completions"]
    assert change(before, after, ["/healthz"]) == Change(Kind.SCROLLED, 1)


def test_a_progress_bar_that_moves_is_one_new_line():
    def bar(percent):
        steps = "\r".join(f"evaluating {one:3d}%" for one in range(0, percent + 1, 10))
        return clean("\n".join([*BOOT, steps]))

    before = tail.read(bar(30), (), KEY)
    assert tail.compare(before.hashes, tail.read(bar(80), (), KEY)) == Change(Kind.GREW, 1)
    assert tail.compare(before.hashes, tail.read(bar(30), (), KEY)) == Change(Kind.SAME)


def test_only_short_hashes_are_kept_and_not_many():
    kept = read(WORK).hashes
    assert len(kept) == KEPT_LINES
    assert {len(one) for one in kept} == {16}
    assert not any(word in "".join(kept) for word in ("step", "loss"))


def test_the_same_line_has_another_hash_in_another_run():
    assert set(read(BOOT).hashes).isdisjoint(tail.read("\n".join(BOOT), (), b"other").hashes)


@pytest.mark.parametrize("text", ["", "\n", "   \n\t\n"])
def test_nothing_is_no_line(text):
    assert tail.read(text, (), KEY) == tail.Tail((), 0)


lines = st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), max_size=60)
distinct = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), max_size=60, unique=True
)


@given(lines)
def test_the_same_tail_has_nothing_new(some):
    assert change(some, some) == Change(Kind.SAME)


@given(distinct, st.data())
def test_growing_by_k_distinct_lines_gives_k(some, data):
    split = data.draw(st.integers(0, len(some)))
    assert change(some[:split], some).new_lines == len(some) - split


@given(st.integers(0, 1000), st.integers(1, 300))
def test_growing_gives_the_growth_however_long_the_log_is_but_no_more_than_is_kept(length, growth):
    log = [f"line {number}" for number in range(length + growth)]
    assert change(log[:length], log).new_lines == min(growth, KEPT_LINES)


@given(lines, lines)
def test_no_more_is_new_than_there_are_lines(before, after):
    found = change(before, after)
    assert 0 <= found.new_lines <= len(set(after))
    assert (found.new_lines == 0) == (found.kind in (Kind.SAME, Kind.ANEW))


@given(distinct, distinct)
def test_a_log_that_shrank_and_shares_nothing_began_anew(one, other):
    others = [f"other {line}" for line in other]
    longer, shorter = (one, others) if len(one) > len(others) else (others, one)
    if len(shorter) < len(longer):
        assert change(longer, shorter) == Change(Kind.ANEW)


@given(distinct, st.integers(0, 60), st.integers(0, 20))
def test_cutting_off_the_beginning_hides_nothing_new(some, cut, growth):
    cut = min(cut, max(len(some) - 1, 0))
    new = [f"new {number}" for number in range(growth)]
    assert change(some, some[cut:] + new).new_lines == growth


@given(lines, lines)
def test_what_is_noise_never_counts(before, after):
    noisy = [f"{line} NOISE" for line in after]
    assert change(before, before + noisy, ["NOISE"]) == Change(Kind.SAME)
