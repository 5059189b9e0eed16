from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web import durations
from dispersed_web.durations import BadDuration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h 30m", 9000),
        ("2h30m", 9000),
        ("2 h 30 min", 9000),
        ("1h30", 5400),
        ("90 min", 5400),
        ("90m", 5400),
        ("1d", 86400),
        ("1 day", 86400),
        ("2 weeks", 1209600),
        ("24h", 86400),
        ("1 hour, 15 minutes", 4500),
        ("45 s", 45),
        ("45sec", 45),
        ("1.5h", 5400),
        ("1,5 h", 5400),
        ("0.25 d", 21600),
        ("02:30", 9000),
        ("2:30", 9000),
        ("00:45", 2700),
        ("36:00", 129600),
        ("00:00:30", 30),
        ("  1H  ", 3600),
        ("0 min", 0),
        ("3650d", 3650 * 86400),
    ],
)
def test_reads_what_people_write(text: str, seconds: int) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "Write a duration"),
        ("   ", "Write a duration"),
        ("soon", "is not a duration"),
        ("90", "90 min or 90 h"),
        ("1d 12", "Say of what"),
        ("1h 30 2", "same unit|Say of what"),
        ("2h 3h", "same unit twice"),
        ("5 min 5 m", "same unit twice"),
        ("5 parsecs", "is not a unit of time"),
        ("500ms", "is not a unit of time"),
        ("1:75", "more than 59"),
        ("1:2", "hours:minutes"),
        ("1:00:99", "more than 59"),
        ("-5m", "is not a duration"),
        ("1.0000005 s", "is not a whole number|is not a unit|not a duration|Say of what"),
        ("0.5 s", "whole number of seconds"),
        ("3651d", "ten years"),
        ("٣h", "is not a duration"),
        ("h", "is not a duration"),
        ("1h" * 50, "same unit twice"),
        ("x" * 500, "x…"),
    ],
)
def test_says_what_to_write_instead(text: str, hint: str) -> None:
    with pytest.raises(BadDuration, match=hint) as caught:
        durations.parse(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (45, "45s"),
        (90, "1m 30s"),
        (3600, "1h"),
        (9000, "2h 30m"),
        (86400, "24h"),
        (93600, "26h"),
        (172800, "2d"),
        (180000, "2d 2h"),
        (604800, "7d"),
    ],
)
def test_writes_briefly(seconds: int, text: str) -> None:
    assert durations.write(seconds) == text
    assert durations.write_ms(seconds * 1000 + 999) == text


@given(st.integers(0, durations.LONGEST_S))
def test_reads_back_what_it_wrote(seconds: int) -> None:
    assert durations.parse(durations.write(seconds)) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_a_sentence(text: str) -> None:
    try:
        seconds = durations.parse(text)
    except BadDuration as error:
        seconds = len(str(error).rstrip(".")) - len(str(error)) + 1
    assert 0 <= seconds <= durations.LONGEST_S
