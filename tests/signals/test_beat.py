"""What is believed of a report, and what is not."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.signals.beat import Beat, NotABeat, parse
from tests.signals.beating import beat_body

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ["v", "seq", "period_s", "gpus", "cpu", "net", "ssh", "busy", "phase", "note", "use", "key_age_s"]


def said(**keys: object) -> Beat:
    return parse(json.dumps(keys).encode())


def test_a_whole_report():
    assert parse(beat_body(busy=True).encode()) == Beat(
        period_s=60,
        gpu=87,
        cpu=1.37,
        net=1234567,
        ssh_open=1,
        key_age=dt.timedelta(seconds=12),
        busy=True,
        phase="train",
        note="epoch 3",
    )


def test_what_is_not_said_is_not_known():
    assert said() == Beat() == Beat(gpu=None, cpu=None, net=None, ssh_open=None, key_age=None, busy=False)


def test_unknown_keys_are_left_alone():
    assert said(temperature=80, gpus=[{"use": 3, "fan": "loud"}]) == Beat(gpu=3)


def test_the_busiest_gpu_and_the_youngest_keystroke_count():
    beat = said(gpus=[{"use": 3}, {"use": 61.2}, {"mem": 9}], ssh=[{"key_age_s": 900}, {}, {"key_age_s": 7}])

    assert (beat.gpu, beat.ssh_open, beat.key_age) == (62, 3, dt.timedelta(seconds=7))


def test_a_little_use_is_not_rounded_to_none():
    assert said(gpus=[{"use": 0.2}]).gpu == 1


def test_more_than_all_is_all():
    assert said(gpus=[{"use": 250}]).gpu == 100


@pytest.mark.parametrize("odd", [-1, True, "87", None, [], 1e999, float("nan")])
def test_impossible_numbers_are_not_said(odd):
    beat = said(gpus=[{"use": odd if odd != 1e999 else -odd}], cpu=odd, net=odd, ssh=[{"key_age_s": odd}])

    assert beat == Beat(ssh_open=1)


def test_absurd_numbers_are_not_said():
    assert said(cpu=1e6, net=10**15, ssh=[{"key_age_s": 10**12}]) == Beat(ssh_open=1)


@pytest.mark.parametrize(
    ("period", "taken"), [(60, 60), (1, 10), (3600, 600), (10**9, 60), (0, 60), ("x", 60), (-5, 60)]
)
def test_the_period_stays_between_ten_seconds_and_ten_minutes(period, taken):
    assert said(period_s=period).period_s == taken


def test_only_true_is_busy():
    assert [said(busy=word).busy for word in (True, "true", 1, False)] == [True, False, False, False]


def test_texts_are_one_short_line_that_can_be_stored():
    beat = said(phase="x" * 99, note="epoch\n3\x00\u202e of\t\ud800 9")

    assert beat.phase == "x" * 40
    assert beat.note == "epoch 3 of ? 9"


@pytest.mark.parametrize("body", [b"", b"x", b"[1]", b'"x"', b"null", b"[" * 4096, b'{"v": 1', b"9" * 4096])
def test_what_is_no_object_is_no_report(body):
    with pytest.raises(NotABeat):
        parse(body)


def test_a_broken_character_costs_a_character():
    assert parse(b'{"note": "a\xffb"}').note == "a\ufffdb"


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_any_object_is_a_report_in_bounds(keys):
    beat = parse(json.dumps(keys).encode())

    assert beat.gpu is None or 0 <= beat.gpu <= 100
    assert beat.cpu is None or 0 <= beat.cpu <= 4096
    assert beat.net is None or 0 <= beat.net <= 10**13
    assert beat.ssh_open is None or 0 <= beat.ssh_open <= 1000
    assert 10 <= beat.period_s <= 600
    assert "\x00" not in beat.phase + beat.note
    (beat.phase + beat.note).encode()
