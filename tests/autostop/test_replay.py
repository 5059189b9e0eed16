"""What a policy would have done with made histories: a heartbeat a minute in buckets of five, with known times of use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from dispersed_web.autostop.activity import Samples, Signal
from dispersed_web.autostop.replay import Act, Outcome, RunHistory, replay, sum_up, with_limit
from dispersed_web.autostop.schedule import from_json
from dispersed_web.autostop.terms import IdleRule, Policy

T0 = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)  # a Monday
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
POLICY = Policy(lifetime=24 * HOUR, ceiling=48 * HOUR, boot_grace=20 * MINUTE)
RATE = Decimal("0.60")


def at(hours: float) -> dt.datetime:
    return T0 + hours * HOUR


def heartbeat(
    hours: float,
    *,
    busy: Iterable[tuple[float, float]] = (),
    silent: Iterable[tuple[float, float]] = (),
    begin: float = 0,
) -> Signal:
    """Buckets from ``begin`` on for so many hours; the GPU works during ``busy``, nothing comes during ``silent``."""
    samples = []
    for slot in range(int(begin * 12), int((begin + hours) * 12)):
        first = T0 + slot * 5 * MINUTE
        if any(at(a) <= first < at(b) for a, b in silent):
            continue
        works = any(at(a) <= first < at(b) for a, b in busy)
        last = first + 4 * MINUTE
        use = {"gpu_top": 90, "gpu_busy": 5, "gpu_at": last} if works else {"gpu_top": 1}
        samples.append(Samples(first, last, count=5, gap=MINUTE, ssh_open=0, **use))
    return Signal("heartbeat", samples[0].first_at, samples[-1].last_at, tuple(samples))


def run(*signals: Signal, hours: float = 12, acts: tuple[Act, ...] = ()) -> RunHistory:
    return RunHistory(T0, T0, at(hours), RATE, signals, acts)


def close(moment: dt.datetime | None, hours: float) -> bool:
    return moment is not None and abs(moment - at(hours)) <= 6 * MINUTE


def test_a_machine_left_alone_is_stopped_an_hour_after_its_last_use() -> None:
    outcome = replay(POLICY, run(heartbeat(12, busy=[(0, 3)])))
    assert close(outcome.stop_at, 4)
    assert outcome.rule == "idle"
    assert not outcome.is_false
    assert outcome.saved == at(12) - outcome.stop_at
    assert outcome.saved_usd == pytest.approx(Decimal("4.80"), abs=Decimal("0.06"))


def test_one_that_works_on_is_not() -> None:
    assert replay(POLICY, run(heartbeat(12, busy=[(0, 12)]))) == Outcome()


def test_pauses_shorter_than_the_limit_stop_nothing() -> None:
    busy = [(hour, hour + 0.2) for hour in range(12)]
    assert replay(POLICY, run(heartbeat(12, busy=busy))).stop_at is None


def test_use_after_the_stop_makes_it_a_false_one_and_says_what_and_when() -> None:
    outcome = replay(POLICY, run(heartbeat(12, busy=[(0, 3), (6, 7)])))
    assert close(outcome.stop_at, 4)
    assert outcome.is_false
    assert close(outcome.used_again_at, 6)
    assert outcome.used_again == "GPU 90 %"


def test_a_longer_limit_does_not_make_that_mistake() -> None:
    history = run(heartbeat(12, busy=[(0, 3), (4.8, 12)]))
    stops = {
        minutes: replay(with_limit(POLICY, minutes * MINUTE), history).stop_at
        for minutes in (30, 60, 90, 120)
    }
    assert close(stops[30], 3.5)
    assert close(stops[60], 4)
    assert close(stops[90], 4.5)
    assert stops[120] is None


def test_a_person_who_extends_or_says_so_moves_the_stop_and_counts_as_use() -> None:
    idle = heartbeat(12, busy=[(0, 3)])
    extended = Act(at(3.8), "Ana extended it", extends=at(7))
    assert close(replay(POLICY, run(idle, acts=(extended,))).stop_at, 7)
    outcome = replay(POLICY, run(idle, acts=(Act(at(9), "Ana said that it is in use"),)))
    assert close(outcome.stop_at, 4)
    assert (outcome.used_again_at, outcome.used_again) == (at(9), "Ana said that it is in use")


def test_a_protection_holds_until_its_end_or_until_it_is_lifted() -> None:
    idle = heartbeat(12, busy=[(0, 2)])
    protected = Act(at(2.5), "Ana protected it", protects=at(8))
    assert close(replay(POLICY, run(idle, acts=(protected,))).stop_at, 8)
    lifted = replay(POLICY, run(idle, acts=(protected, Act(at(5), lifts=True))))
    assert lifted.stop_at is not None
    assert at(5) <= lifted.stop_at <= at(5.5)


def test_without_a_signal_nothing_is_inferred_and_check_ins_count_as_answered() -> None:
    assert replay(POLICY, run()) == Outcome()


def test_silence_is_not_idleness() -> None:
    """Silent from the third hour on: what was used until then is not stopped for what nobody saw."""
    signal = heartbeat(12, busy=[(0, 3)], silent=[(3, 12)])
    assert replay(POLICY, run(signal)).stop_at is None
    back = heartbeat(12, busy=[(0, 3)], silent=[(3, 6)])
    outcome = replay(POLICY, run(back))
    assert close(outcome.stop_at, 7)


def test_the_time_to_start_is_not_idle() -> None:
    outcome = replay(replace(POLICY, boot_grace=2 * HOUR), run(heartbeat(12)))
    assert close(outcome.stop_at, 3)


def test_a_draft_is_tried_as_if_it_were_enforced_and_had_always_held() -> None:
    draft = replace(POLICY, observes=True, changed_at=at(11), schedule_since=at(11))
    assert replay(draft, run(heartbeat(12, busy=[(0, 3)]))) == replay(
        POLICY, run(heartbeat(12, busy=[(0, 3)]))
    )


def test_the_schedule_stops_what_works_and_that_is_a_false_stop() -> None:
    schedule = from_json({"zone": "UTC", "stops": [{"weekdays": [0], "at": "18:00"}]})
    draft = replace(POLICY, schedule=schedule)
    outcome = replay(draft, run(heartbeat(12, busy=[(0, 12)])))
    assert (outcome.stop_at, outcome.rule) == (at(10), "schedule")
    assert outcome.is_false
    unwatched = replay(draft, run())
    assert (unwatched.stop_at, unwatched.is_false) == (at(10), False)
    assert replay(draft, run(hours=9)).stop_at is None


def test_the_log_decides_at_its_own_limit() -> None:
    lines = [
        Samples(
            at(n / 12),
            at(n / 12),
            period=5 * MINUTE,
            lines=4 if n < 24 else 0,
            lines_at=at(n / 12) if n < 24 else None,
        )
        for n in range(144)
    ]
    signal = Signal("log", lines[0].first_at, lines[-1].last_at, tuple(lines))
    assert close(replay(POLICY, run(signal)).stop_at, 3.5)
    slow = replace(POLICY, medium=IdleRule(4 * HOUR, 20 * MINUTE))
    assert close(replay(slow, run(signal)).stop_at, 6)


def test_totals_count_money_of_right_stops_only() -> None:
    outcomes = [
        replay(POLICY, run(heartbeat(12, busy=[(0, 3)]))),
        replay(POLICY, run(heartbeat(12, busy=[(0, 3), (6, 7)]))),
        replay(POLICY, run(heartbeat(12, busy=[(0, 12)]))),
    ]
    totals = sum_up(outcomes)
    assert (totals.runs, totals.stops, totals.false_stops) == (3, 2, 1)
    assert totals.saved_usd == outcomes[0].saved_usd


def test_without_a_price_the_stop_is_told_all_the_same() -> None:
    outcome = replay(POLICY, replace(run(heartbeat(12, busy=[(0, 3)])), hourly_rate_usd=None))
    assert outcome.stop_at is not None
    assert outcome.saved_usd is None
