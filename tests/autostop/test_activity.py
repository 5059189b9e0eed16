"""What the signals of a run say together: active, quiet, blind or not known, and how well that is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.autostop import activity
from dispersed_web.autostop.activity import Activity, Confidence, Use
from dispersed_web.autostop.samples import Signal
from tests.autostop.plain import HOUR, MINUTE, SECOND, T0, Beat, at, every, heartbeat, log, quiet, quiet_log

FLOOR = at(20)


def read(*signals: Signal, now: dt.datetime, floor: dt.datetime = FLOOR, **given: Any) -> Activity:
    return activity.read(signals, floor=floor, now=now, **given)


def used(minute: float, **said: Any) -> Signal:
    """Quiet for an hour, but for one report."""
    beats = [one for one in every(MINUTE, 0, 60) if one.at != at(minute)]
    return heartbeat([*beats, Beat(at(minute), **said)])


# Active --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "window"),
    [({"gpu": 87}, 5), ({"cpu": 8.0}, 5), ({"net": 10**9}, 5), ({"busy": True}, 5)],
)
def test_work_counts_for_five_minutes(said: dict[str, Any], window: int) -> None:
    signal = used(50, **said)
    assert read(signal, now=at(50 + window)).use == Use.ACTIVE
    assert read(signal, now=at(50 + window) + SECOND).use == Use.QUIET
    assert read(signal, now=at(60)).quiet_since == at(50)
    assert read(signal, now=at(60)).active_until == at(50 + window)


@pytest.mark.parametrize(
    ("age", "expected"), [(0, "active"), (29, "active"), (30, "active"), (30.1, "quiet")]
)
def test_a_keystroke_counts_for_half_an_hour(age: float, expected: str) -> None:
    signal = used(60, ssh=1, key=at(60 - age))
    seen = read(signal, now=at(60))
    assert (seen.use, seen.quiet_since) == (expected, at(60 - age))


def test_an_open_session_alone_is_no_use() -> None:
    seen = read(quiet(0, 60, ssh=3), now=at(60))
    assert (seen.use, seen.ssh_is_open) == (Use.QUIET, True)
    assert not read(quiet(0, 60), now=at(60)).ssh_is_open
    assert not read(quiet(0, 60, ssh=None), now=at(60)).ssh_is_open


def test_new_lines_count_for_a_quarter_of_an_hour_and_one_line_does_not() -> None:
    beats = every(5 * MINUTE, 0, 90)
    for lines, expected in ((2, Use.ACTIVE), (1, Use.QUIET)):
        signal = log([replace(one, lines=lines if one.at == at(60) else 0) for one in beats])
        assert read(signal, now=at(75)).use == expected
        assert read(signal, now=at(76)).use == Use.QUIET


@pytest.mark.parametrize(("minutes", "expected"), [(15, Use.ACTIVE), (15.1, Use.QUIET)])
def test_what_a_person_did_counts_for_a_quarter_of_an_hour(minutes: float, expected: Use) -> None:
    seen = read(quiet(0, 60), acts=[("somebody said so", at(60 - minutes))], now=at(60))
    assert (seen.use, seen.quiet_since) == (expected, at(60 - minutes))
    assert seen.last_active is not None
    assert (seen.last_active.signal, seen.last_active.value) == ("person", "somebody said so")


def test_one_active_signal_is_enough() -> None:
    working = log([replace(one, lines=3) for one in every(5 * MINUTE, 0, 60)])
    assert read(quiet(0, 60), working, now=at(60)).use == Use.ACTIVE
    assert read(used(58, gpu=90), quiet_log(0, 60), now=at(60)).use == Use.ACTIVE
    assert read(quiet(0, 60), quiet_log(0, 60), now=at(60)).use == Use.QUIET


def test_the_latest_sign_of_any_lane_is_the_last_use() -> None:
    beats = [Beat(at(40), gpu=50), Beat(at(50), cpu=4.0), Beat(at(45), busy=True)]
    seen = read(heartbeat([*every(MINUTE, 0, 60), *beats]), now=at(60))
    assert (seen.last_active_at, seen.quiet_since) == (at(50), at(50))
    assert seen.last_active is not None
    assert (seen.last_active.signal, seen.last_active.value) == ("cpu", "4.0 cores")
    assert read(quiet(0, 60), now=at(60)).last_active is None


def test_work_that_counts_longest_is_what_keeps_it_active() -> None:
    beats = [*every(MINUTE, 0, 60), Beat(at(40), ssh=1, key=at(40)), Beat(at(55), gpu=90)]
    assert read(heartbeat(beats), now=at(60)).active_until == at(70)


def test_before_the_floor_it_is_active_if_anything_watches() -> None:
    assert read(quiet(0, 19), now=at(19)).use == Use.ACTIVE
    assert read(quiet(0, 20), now=at(20)).use == Use.QUIET
    assert read(now=at(19)).use == Use.UNKNOWN


# Quiet, and since when -----------------------------------------------------------------------------------------------


def test_quiet_time_counts_from_the_floor() -> None:
    assert read(quiet(0, 60), now=at(60)).quiet_since == FLOOR
    assert read(quiet(0, 60), floor=at(-60), now=at(60)).quiet_since == T0


def test_the_signal_that_was_watched_shortest_decides() -> None:
    late = heartbeat(every(MINUTE, 40, 60))
    assert read(late, quiet_log(0, 60), now=at(60)).quiet_since == at(40)
    assert read(quiet(0, 60), log(every(5 * MINUTE, 30, 60)), now=at(60)).quiet_since == at(30)


def test_a_gap_counts_neither_as_quiet_nor_as_use() -> None:
    beats = [*every(MINUTE, 0, 30), *every(MINUTE, 34, 60)]
    seen = read(heartbeat(beats), now=at(60))
    assert (seen.use, seen.quiet_since) == (Use.QUIET, at(34))


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (2, True), (2.1, False), (4.9, False)])
def test_a_sample_is_fresh_for_two_periods(age: float, fresh: bool) -> None:
    seen = read(quiet(0, 60), now=at(60 + age))
    assert (seen.use, seen.is_fresh) == (Use.QUIET, fresh)


def test_every_signal_must_be_fresh() -> None:
    assert read(quiet(0, 60), quiet_log(0, 50), now=at(60)).is_fresh
    assert not read(quiet(0, 60), quiet_log(0, 50), now=at(60) + SECOND).is_fresh
    assert not read(now=at(60)).is_fresh
    assert not read(Signal("heartbeat", T0, at(60)), now=at(60) + SECOND).is_fresh


@pytest.mark.parametrize(
    ("period", "covers"), [(MINUTE, True), (74 * SECOND, True), (80 * SECOND, False), (2 * MINUTE, False)]
)
def test_four_of_five_samples_must_be_there(period: dt.timedelta, covers: bool) -> None:
    signal = heartbeat(every(period, 0, 120))
    assert read(signal, now=at(120)).covers(HOUR, at(120)) is covers


def test_every_signal_must_cover_the_window() -> None:
    thin = heartbeat(every(90 * SECOND, 0, 120))
    assert read(quiet(0, 120), quiet_log(0, 120), now=at(120)).covers(HOUR, at(120))
    assert not read(thin, quiet_log(0, 120), now=at(120)).covers(HOUR, at(120))
    assert not read(now=at(120)).covers(HOUR, at(120))
    assert not read(quiet(90, 120), now=at(120)).covers(HOUR, at(120))
    assert read(quiet(90, 120), now=at(120)).covers(HOUR / 2, at(120))


# Blind, lost, not known ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "silent", "use", "confidence"),
    [
        (quiet(0, 60), 5, "quiet", "high"),
        (quiet(0, 60), 5.1, "blind", "high"),
        (quiet(0, 60), 14.9, "blind", "high"),
        (quiet(0, 60), 15, "unknown", "low"),
        (quiet_log(0, 60), 15, "quiet", "medium"),
        (quiet_log(0, 60), 15.1, "unknown", "low"),
    ],
)
def test_silence_is_blindness_and_then_a_lost_signal(
    signal: Signal, silent: float, use: str, confidence: str
) -> None:
    seen = read(signal, now=at(60 + silent))
    assert (seen.use, seen.confidence) == (use, confidence)
    assert seen.blind_since == (at(60) if use == "blind" else None)
    assert seen.lost_at == (at(75) if use == "unknown" else None)


def test_while_one_signal_is_blind_nothing_is_quiet_and_then_the_other_decides() -> None:
    heart, text = quiet(0, 60), quiet_log(0, 200)
    assert read(heart, text, now=at(70)).use == Use.BLIND
    seen = read(heart, text, now=at(80))
    assert (seen.use, seen.confidence, seen.lost_at) == (Use.QUIET, Confidence.MEDIUM, at(75))
    assert seen.quiet_since == at(75)  # what was blind was not quiet
    assert not seen.blind_since


def test_what_speaks_again_is_known_again_and_watched_anew() -> None:
    beats = [*every(MINUTE, 0, 60), *every(MINUTE, 100, 101)]
    seen = read(heartbeat(beats), now=at(101))
    assert (seen.use, seen.confidence, seen.quiet_since, seen.lost_at) == ("quiet", "high", at(100), None)


def test_a_signal_that_never_spoke_cannot_fall_silent() -> None:
    seen = read(now=at(600))
    assert seen == Activity(Use.UNKNOWN, Confidence.LOW)


def test_a_receiver_that_is_down_excuses_heartbeats_and_not_logs() -> None:
    seen = read(quiet(0, 60), receiver_is_down=True, now=at(600))
    assert (seen.use, seen.confidence, seen.lost_at) == (Use.BLIND, Confidence.HIGH, None)
    seen = read(quiet_log(0, 60), receiver_is_down=True, now=at(600))
    assert (seen.use, seen.confidence) == (Use.UNKNOWN, Confidence.LOW)


def test_after_an_outage_of_ours_silence_is_given_time_to_end() -> None:
    """Heartbeats that could not arrive are no sign that the machine fell silent."""
    back = at(240)
    seen = read(quiet(0, 60), trusted_since=back, floor=back, now=at(254))
    assert (seen.use, seen.confidence, seen.lost_at) == (Use.BLIND, Confidence.HIGH, None)
    seen = read(quiet(0, 60), trusted_since=back, floor=back, now=at(255))
    assert (seen.use, seen.lost_at) == (Use.UNKNOWN, at(75))
    assert read(quiet(0, 60), trusted_since=at(10), now=at(75)).use == Use.UNKNOWN


def test_where_the_cloud_cannot_be_seen_nothing_is_quiet_but_use_is_use() -> None:
    seen = read(quiet(0, 60), cloud_lost_since=at(55), now=at(60))
    assert (seen.use, seen.blind_since, seen.confidence) == (Use.BLIND, at(55), Confidence.HIGH)
    assert read(used(58, gpu=87), cloud_lost_since=at(55), now=at(60)).use == Use.ACTIVE
    assert read(cloud_lost_since=at(55), now=at(60)).use == Use.BLIND


def test_use_that_still_counts_outlasts_a_silent_signal() -> None:
    signal = heartbeat([*every(MINUTE, 0, 40), Beat(at(41), ssh=1, key=at(41))])
    assert read(signal, now=at(50)).use == Use.ACTIVE
    seen = read(signal, now=at(71))
    assert (seen.use, seen.confidence) == (Use.ACTIVE, Confidence.LOW)
    assert read(signal, now=at(71.1)).use == Use.UNKNOWN


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ((), "low"),
        ((quiet(0, 60),), "high"),
        ((quiet_log(0, 60),), "medium"),
        ((quiet(0, 60), quiet_log(0, 60)), "high"),
        ((quiet(0, 10), quiet_log(0, 60)), "medium"),
        ((quiet(0, 60), quiet_log(0, 10)), "high"),
    ],
)
def test_how_well_it_is_known(signals: tuple[Signal, ...], expected: str) -> None:
    assert read(*signals, now=at(60)).confidence == expected


# Evidence ------------------------------------------------------------------------------------------------------------


def evidence(*signals: Signal) -> dict[str, tuple[str, str]]:
    return {one.signal: (one.state, one.value) for one in read(*signals, now=at(60)).evidence}


def test_each_lane_tells_what_it_saw() -> None:
    assert evidence(quiet(0, 60, gpu=3, cpu=0.2, net=300_000), quiet_log(0, 60)) == {
        "gpu": ("quiet", "≤ 3 %"),
        "cpu": ("quiet", "≤ 0.2 cores"),
        "net": ("quiet", "≤ 0.3 MB/min"),
        "ssh": ("quiet", "nobody signed in"),
        "log": ("quiet", "unchanged"),
    }
    assert evidence(quiet(0, 60, ssh=2))["ssh"] == ("quiet", "open")
    assert evidence(used(59, gpu=87))["gpu"] == ("active", "87 %")
    assert evidence(used(59, busy=True))["busy"] == ("active", "the workload says so")
    assert evidence(quiet(0, 40)) == {"heartbeat": ("blind", "silent")}


def test_a_lane_that_never_spoke_tells_nothing() -> None:
    assert evidence(quiet(0, 60, gpu=None, cpu=None, net=None, ssh=None)) == {}


def test_the_value_of_quiet_time_is_not_that_of_the_work_before_it() -> None:
    signal = heartbeat([Beat(one.at, gpu=87 if one.at == at(32) else 2) for one in every(MINUTE, 0, 60)])
    gpu = next(one for one in read(signal, now=at(60)).evidence if one.signal == "gpu")
    assert (gpu.state, gpu.value, gpu.since, gpu.observed_at) == ("quiet", "≤ 2 %", at(32), at(60))
    assert gpu.samples == 26


def test_quiet_evidence_counts_from_the_floor_where_nothing_was_ever_used() -> None:
    gpu = next(one for one in read(quiet(0, 60), now=at(60)).evidence if one.signal == "gpu")
    assert (gpu.since, gpu.samples) == (FLOOR, 41)


def test_a_silent_signal_says_since_when() -> None:
    blind = read(quiet(0, 40), quiet_log(0, 60), now=at(60)).evidence[-1]
    assert (blind.signal, blind.state, blind.observed_at, blind.since) == (
        "heartbeat",
        "blind",
        at(40),
        at(40),
    )
