"""What samples prove: thresholds, signs of work, and how closely a run was watched."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import fields, replace
from typing import Any

import pytest

from dispersed_web.autostop.samples import (
    WINDOWS,
    Lane,
    Samples,
    Signal,
    covered,
    signs,
    signs_of,
    watched_since,
)
from tests.autostop.plain import HOUR, MINUTE, SECOND, T0, Beat, at, every, heartbeat, log, quiet, quiet_log

# One good value for each argument: five quiet minutes of a heartbeat.
QUIET = Samples(first_at=at(0), last_at=at(4), count=5, gap=MINUTE, period=MINUTE)


def lanes(one: Samples) -> list[str]:
    return [lane.value for lane, _, _ in signs([one], 0)]


# Signs of work -------------------------------------------------------------------------------------------------------


OF_SAMPLES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"first_at": at(-1)}, []),
    ({"last_at": at(5)}, []),
    ({"count": 1}, []),
    ({"gap": 3 * MINUTE}, []),
    ({"period": HOUR}, []),
    ({"gpu_top": 4}, []),
    ({"gpu_top": 87, "gpu_at": at(3)}, []),
    ({"gpu_busy": 5}, []),
    ({"gpu_top": 87, "gpu_busy": 1, "gpu_at": at(3)}, ["gpu"]),
    ({"cpu_top": 0.2}, []),
    ({"cpu_top": 0.3, "cpu_at": at(3)}, ["cpu"]),
    ({"net_top": 999_999}, []),
    ({"net_top": 1_000_000, "net_at": at(3)}, ["net"]),
    ({"ssh_open": 3}, []),
    ({"ssh_open": 1, "key_at": at(3)}, ["ssh"]),
    ({"busy_at": at(3)}, ["busy"]),
    ({"lines": 1, "lines_at": at(3)}, []),
    ({"lines": 2}, []),
    ({"lines": 2, "lines_at": at(3)}, ["log"]),
]


@pytest.mark.parametrize(("changes", "expected"), OF_SAMPLES, ids=str)
def test_which_values_are_signs_of_work(changes: dict[str, Any], expected: list[str]) -> None:
    assert lanes(replace(QUIET, **changes)) == expected


def test_no_argument_of_samples_is_left_out() -> None:
    assert {name for changes, _ in OF_SAMPLES for name in changes} == {
        field.name for field in fields(Samples)
    }


def test_held_gpu_memory_is_no_use() -> None:
    assert not [field.name for field in fields(Samples) if "mem" in field.name]


def test_a_sign_tells_when_and_what() -> None:
    busy = replace(QUIET, gpu_top=87, gpu_busy=2, gpu_at=at(1), cpu_top=3.14, cpu_at=at(2), key_at=at(3))
    busy = replace(busy, net_top=2_500_000, net_at=at(4), busy_at=at(2))
    assert list(signs([busy], 0)) == [
        (Lane.GPU, at(1), "87 %"),
        (Lane.CPU, at(2), "3.1 cores"),
        (Lane.NET, at(4), "2.5 MB/min"),
        (Lane.SSH, at(3), "a key was pressed"),
        (Lane.BUSY, at(2), "the workload says so"),
    ]


@pytest.mark.parametrize(
    ("said", "is_sign"),
    [
        ({"gpu": 4}, False),
        ({"gpu": 5}, True),
        ({"cpu": 0.249}, False),
        ({"cpu": 0.25}, True),
        ({"net": 999_999}, False),
        ({"net": 1_000_000}, True),
        ({"busy": True}, True),
        ({"gpu": None, "cpu": None, "net": None, "ssh": None}, False),
    ],
)
def test_from_which_value_on_it_is_work(said: dict[str, Any], is_sign: bool) -> None:
    signal = heartbeat([Beat(at(1), **said)])
    assert bool(list(signs_of(signal))) is is_sign


# Twice as often as it says is the most that one machine sends.
SHORT, HALF_OF_IT = 15 * SECOND, 7.5 * SECOND


def percentile_95(values: list[int]) -> int:
    """The smallest value that at least 95 of 100 values do not exceed."""
    return min(one for one in values if 100 * sum(other <= one for other in values) >= 95 * len(values))


@pytest.mark.parametrize("count", range(1, 41))
def test_the_gpu_is_busy_by_its_95th_percentile(count: int) -> None:
    for busy in range(count + 1):
        values = [5] * busy + [4] * (count - busy)
        random.Random(busy).shuffle(values)
        beats = [Beat(at(0) + n * HALF_OF_IT, gpu=value) for n, value in enumerate(values)]
        is_busy = "gpu" in [lane for lane, _, _ in signs_of(heartbeat(beats, SHORT))]
        assert is_busy is (percentile_95(values) >= 5)


def test_one_hiccup_among_many_samples_is_no_work_but_among_few_it_is() -> None:
    def lone(count: int) -> bool:
        beats = [Beat(at(0) + n * HALF_OF_IT, gpu=90 if n == 0 else 0) for n in range(count)]
        return bool(list(signs_of(heartbeat(beats, SHORT))))

    assert [lone(count) for count in (1, 5, 19, 20, 30)] == [True, True, True, False, False]


def test_one_machine_that_works_does_not_drown_among_many_that_are_heard_as_one() -> None:
    beats = [Beat(at(n), gpu=90 if n == machine == 0 else 0) for n in range(5) for machine in range(20)]
    assert list(signs_of(heartbeat(beats)))


# Logs ----------------------------------------------------------------------------------------------------------------


def looks(*lines: tuple[float, int]) -> Signal:
    return log([Beat(at(minute), lines=count) for minute, count in lines])


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (looks((0, 2)), [0]),
        (looks((0, 1)), []),
        (looks((0, 1), (5, 1)), [5]),
        (looks((0, 1), (5, 0), (10, 0), (15, 1)), [15]),
        (looks((0, 1), (5, 0), (10, 0), (16, 1)), []),
        (looks((0, 1), (5, 1), (10, 1)), [5, 10]),
        # a line an hour, as cron writes it
        (looks(*((minute, int(minute % 60 == 0)) for minute in range(0, 300, 5))), []),
        # two lines an hour, together
        (looks(*((minute, 2 * (minute % 60 == 0)) for minute in range(0, 121, 5))), [0, 60, 120]),
    ],
)
def test_two_new_lines_within_a_quarter_of_an_hour_are_work(signal: Signal, expected: list[int]) -> None:
    assert [when for _, when, _ in signs_of(signal)] == [at(minute) for minute in expected]


def test_a_log_that_is_read_often_counts_when_its_lines_came() -> None:
    beats = [Beat(at(0) + n * 20 * SECOND, lines=int(n in (14, 44))) for n in range(45)]
    assert [when for lane, when, _ in signs_of(log(beats))] == [at(0) + 44 * 20 * SECOND]


def test_each_lane_has_its_window() -> None:
    assert set(WINDOWS) == set(Lane)
    assert (WINDOWS[Lane.GPU], WINDOWS[Lane.SSH], WINDOWS[Lane.LOG]) == (5 * MINUTE, 30 * MINUTE, 15 * MINUTE)
    assert WINDOWS[Lane.PERSON] == 15 * MINUTE


# Watched time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "since", "expected"),
    [
        ([*range(61)], 0, 0),
        ([*range(61)], 7, 7),
        ([*range(61)], -30, 0),
        ([*range(61)], 60, 60),
        ([*range(61)], 90, 90),
        # two minutes without a sample are tolerated, more are not
        ([*range(30), *range(31, 61)], 0, 0),
        ([*range(30), *range(32, 61)], 0, 32),
        ([*range(29), *range(31, 61)], 0, 31),
        ([*range(30), *range(50, 61)], 0, 50),
        # the gap lies before what counts
        ([*range(30), *range(32, 61)], 40, 40),
        # only the last gap counts
        ([0, 1, 10, 11, 20, 21, 22], 0, 20),
        ([5], 0, 5),
        # what counts begins in the middle of the first bucket
        ([*range(5, 61)], 7, 7),
        ([0, *range(5, 61)], 7, 7),
    ],
)
def test_quiet_time_begins_behind_the_last_gap(minutes: list[int], since: int, expected: int) -> None:
    signal = heartbeat([Beat(at(minute)) for minute in minutes])
    assert watched_since(signal, at(since)) == at(expected)


def test_a_gap_inside_of_a_bucket_is_seen_from_its_end() -> None:
    signal = heartbeat([Beat(at(minute)) for minute in (0, 1, 3.5, 4, 5, 6, 7)])
    assert signal.samples[0].gap == 2.5 * MINUTE
    assert watched_since(signal, at(-10)) == at(4)


@pytest.mark.parametrize("signal", [quiet(0, 60), quiet_log(0, 60)])
def test_time_never_begins_before_the_first_sample(signal: Signal) -> None:
    assert watched_since(signal, T0 - HOUR) == T0


def test_a_signal_without_samples_vouches_for_nothing() -> None:
    signal = Signal("heartbeat", at(0), at(30))
    assert watched_since(signal, at(10)) == at(30)
    assert watched_since(signal, at(40)) == at(40)
    assert (covered(signal, at(0)), signal.tolerated) == (dt.timedelta(0), dt.timedelta(0))


@pytest.mark.parametrize(
    ("said", "vouched"),
    [
        (SECOND, 15 * SECOND),
        (15 * SECOND, 15 * SECOND),
        (MINUTE, MINUTE),
        (5 * MINUTE, 5 * MINUTE),
        (10 * MINUTE, 5 * MINUTE),
    ],
)
def test_what_a_container_says_of_its_period_is_not_trusted_far(
    said: dt.timedelta, vouched: dt.timedelta
) -> None:
    one = replace(QUIET, period=said)
    assert (one.vouched, one.tolerated) == (vouched, 2 * vouched)


@pytest.mark.parametrize(
    ("signal", "stale"),
    [
        (quiet(0, 5), 5),
        (heartbeat(every(5 * MINUTE, 0, 20), 5 * MINUTE), 10),
        (quiet_log(0, 20), 15),
        (Signal("heartbeat", at(0), at(5)), 5),
        (Signal("log", at(0), at(5)), 15),
    ],
)
def test_who_reports_seldom_is_given_more_time(signal: Signal, stale: int) -> None:
    assert signal.stale_after == stale * MINUTE


@pytest.mark.parametrize(
    ("period", "real", "share"),
    [
        (MINUTE, MINUTE, 1.0),
        (MINUTE, 75 * SECOND, 0.8),
        (MINUTE, 90 * SECOND, 2 / 3),
        (MINUTE, 2 * MINUTE, 0.5),
        (MINUTE, 20 * SECOND, 1.0),
        (5 * MINUTE, 5 * MINUTE, 1.0),
        (15 * SECOND, 15 * SECOND, 1.0),
        (15 * SECOND, 30 * SECOND, 0.5),
    ],
)
def test_how_much_of_an_hour_samples_cover(period: dt.timedelta, real: dt.timedelta, share: float) -> None:
    signal = heartbeat(every(real, 0, 120), period)
    crowded = 0.2 if real < period else 0
    assert share - 0.01 <= covered(signal, at(60)) / HOUR <= share + crowded + period / HOUR


def test_many_samples_in_a_short_time_cover_no_more_than_it() -> None:
    crowd = every(SECOND, 0, 4)
    assert covered(heartbeat(crowd), at(0)) == 5 * MINUTE
    thin = every(2 * MINUTE, 6, 60)
    assert covered(heartbeat([*crowd, *thin]), at(0)) < 0.6 * HOUR


def test_only_what_lies_behind_the_beginning_covers() -> None:
    signal = quiet(0, 60)
    assert covered(signal, at(61)) == dt.timedelta(0)
    assert covered(signal, at(60)) == MINUTE
    assert covered(signal, at(58)) == 2 * MINUTE + MINUTE
    assert covered(signal, at(30)) == 31 * MINUTE
