"""What holds of every decision, whatever the policy and the facts: searched for counterexamples."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.autostop import deadlines, policy
from dispersed_web.autostop.activity import Use
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.policy import State, activity_of, decide
from dispersed_web.autostop.samples import Samples, Signal
from dispersed_web.autostop.terms import Facts, IdleRule, Policy
from tests.autostop.drawn import (
    FAR,
    QUIET,
    acts,
    beats,
    cases,
    few,
    is_sign,
    looks,
    minutes,
    moments,
    policies,
    seldom,
    streams,
)
from tests.autostop.plain import HOUR, MINUTE, POLICY, SECOND, T0, Engine, Stream, at

ZERO = dt.timedelta(0)
NOTICES = {"max_lifetime": 5, "schedule": 10, "budget": 5, "rate": 5, "stuck_starting": 5}


def limits(rules: Policy, facts: Facts, now: dt.datetime) -> dict[str, Deadline]:
    return {one.rule: one for one in deadlines.hard(rules, facts, activity_of(rules, facts, now))}


def idle(rules: Policy, facts: Facts, now: dt.datetime) -> Deadline | None:
    return deadlines.idle(rules, facts, activity_of(rules, facts, now), now)


# Every single decision -----------------------------------------------------------------------------------------------


@given(cases())
@few(80)
def test_a_decision_never_fails_and_is_always_the_same(case: tuple[Policy, Facts, dt.datetime]) -> None:
    rules, facts, now = case
    verdict = decide(rules, facts, now)
    assert verdict == decide(rules, facts, now)
    assert verdict.warn + verdict.remind + verdict.stop <= 1
    assert verdict.look_again_at is None or verdict.look_again_at > now
    assert (verdict.state == State.UNLIMITED) is (verdict.stop_at is None)
    assert (verdict.state == State.DUE) is verdict.stop
    assert not (verdict.stop and verdict.waits_for)
    assert verdict.stop or verdict.stop_at is None or verdict.stop_at > now or verdict.waits_for
    if verdict.stop:
        assert verdict.rule != "idle" or not facts.soft_hold
        assert facts.warned_for is not None
        assert facts.warned_at is not None
        assert facts.warned_at + notice(verdict) <= now
        assert now != facts.resumed_at


def notice(verdict: policy.Verdict) -> dt.timedelta:
    """What people get at least between the warning and the stop."""
    assert verdict.deadline_at is not None
    assert verdict.warn_at is not None
    lead = verdict.deadline_at - verdict.warn_at
    return min(lead, NOTICES.get(verdict.rule, 9999) * MINUTE)


@given(cases(), moments)
@few(70)
def test_nothing_that_is_said_moves_a_hard_limit_beyond_what_the_team_allows(
    case: tuple[Policy, Facts, dt.datetime], until: dt.datetime
) -> None:
    rules, facts, now = case
    before = limits(rules, facts, now)
    for words in ({"protected_until": until}, {"kept_until": until}, {"extend_until": until}):
        after = limits(rules, replace(facts, **words), now)
        assert before.keys() == after.keys()
        for rule, deadline in after.items():
            if rule == "max_lifetime" and "extend_until" in words:
                assert deadline.at <= facts.launched_at + (rules.ceiling or ZERO)
            elif rule != "checkin_unanswered":
                assert deadline == before[rule]


@given(cases(), moments)
@few(70)
def test_an_extension_never_shortens(case: tuple[Policy, Facts, dt.datetime], wanted: dt.datetime) -> None:
    rules, facts, now = case
    granted = policy.extension(rules, facts, wanted, now)
    before = decide(rules, replace(facts, warning_arrived=True), now).stop_at
    if granted is None:
        return
    assert granted > now
    assert granted <= wanted
    latest = policy.latest_end(rules, facts)
    assert latest is None or granted <= latest
    after = decide(rules, replace(facts, extend_until=granted, warning_arrived=True), now).stop_at
    assert before is not None
    assert after is not None
    assert after > before


@given(cases(), minutes(1, 200))
@few(70)
def test_a_longer_idle_limit_never_stops_sooner(
    case: tuple[Policy, Facts, dt.datetime], more: dt.timedelta
) -> None:
    rules, facts, now = case
    facts = replace(facts, warned_for=None, warned_at=None)
    longer = replace(
        rules,
        high=IdleRule(rules.high.limit + more, rules.high.lead),
        medium=IdleRule(rules.medium.limit + more, rules.medium.lead),
    )
    one, other = idle(rules, facts, now), idle(longer, facts, now)
    assert (one is None) is (other is None)
    if one is not None and other is not None:
        assert one.at <= other.at
        assert one.earliest(facts, now) <= other.earliest(facts, now)
    alone = replace(facts, budget_reached_at=None, rate_exceeded_at=None, running_at=T0)
    stops = [decide(replace(each, **FAR), alone, now).stop_at for each in (rules, longer)]
    assert stops[0] is not None
    assert stops[1] is not None
    assert stops[0] <= stops[1]


# Fewer samples -------------------------------------------------------------------------------------------------------


@given(st.data())
@few(80)
def test_fewer_reports_never_make_a_job_idle_or_its_stop_earlier(data: st.DataObject) -> None:
    """To the five minutes of a bucket: inside of it nobody knows where a gap was."""
    period = data.draw(st.sampled_from((15 * SECOND, MINUTE, 5 * MINUTE)))
    some = data.draw(beats(period))
    now = data.draw(st.sampled_from(some)).at + data.draw(minutes(0, 10))
    some = [one for one in some if one.at <= now]
    left_out = data.draw(st.sets(st.integers(0, len(some) - 2))) if len(some) > 1 else set()
    fewer = [one for place, one in enumerate(some) if place not in left_out or is_sign(one)]
    text = Stream(data.draw(looks), 5 * MINUTE, "log").known(now) if data.draw(st.booleans()) else ()
    rules = replace(POLICY, high=IdleRule(data.draw(minutes(1, 90)), 15 * MINUTE), boot_grace=5 * MINUTE)
    before, after = (
        Facts(T0, T0, signals=(*Stream(reports, period).known(now), *text)) for reports in (some, fewer)
    )
    compare(rules, before, after, now, blur=5 * MINUTE)


@given(st.data())
@few(80)
def test_fewer_buckets_never_make_a_job_idle_or_its_stop_earlier(data: st.DataObject) -> None:
    period = data.draw(st.sampled_from((15 * SECOND, MINUTE, 5 * MINUTE)))
    stream = Stream(data.draw(beats(period, [QUIET, QUIET, {"gpu": 60}])), period)
    signal = stream.known(stream.times[-1])[0]
    left_out = data.draw(st.sets(st.integers(0, len(signal.samples) - 1)))
    kept = tuple(one for place, one in enumerate(signal.samples) if place not in left_out or one.gpu_at)
    if not kept:
        return
    now = signal.last_at + data.draw(minutes(0, 10))
    rules = replace(POLICY, high=IdleRule(data.draw(minutes(1, 90)), 15 * MINUTE), boot_grace=5 * MINUTE)
    fewer = Signal("heartbeat", signal.first_at, kept[-1].last_at, kept)
    compare(rules, Facts(T0, T0, signals=(signal,)), Facts(T0, T0, signals=(fewer,)), now, blur=ZERO)


def compare(rules: Policy, before: Facts, after: Facts, now: dt.datetime, blur: dt.timedelta) -> None:
    use = activity_of(rules, before, now).use
    assert activity_of(rules, after, now).use != Use.QUIET or use == Use.QUIET
    one, other = idle(rules, before, now), idle(rules, after, now)
    if one is None:
        assert other is None
    elif other is not None:
        assert other.at >= one.at - blur
        assert one.is_armed or not other.is_armed
        assert one.is_proven or not other.is_proven


@given(st.data())
@few(20)
def test_the_engine_never_stops_earlier_for_want_of_reports(data: st.DataObject) -> None:
    some = data.draw(beats(MINUTE, [QUIET, QUIET, {"gpu": 60}]))
    left_out = data.draw(st.sets(st.integers(0, len(some) - 1), max_size=30))
    fewer = [one for place, one in enumerate(some) if place not in left_out or is_sign(one)]
    rules = replace(POLICY, high=IdleRule(30 * MINUTE, 5 * MINUTE), boot_grace=5 * MINUTE)
    stops = [
        Engine(rules, Facts(T0, T0), *([Stream(reports)] if reports else [])).run(T0, at(120))
        for reports in (some, fewer)
    ]
    assert stops[1] is None or (stops[0] is not None and stops[1] >= stops[0] - 5 * MINUTE)


@given(st.builds(Samples, moments, moments, st.integers(1, 40), minutes(0, 10), minutes(0, 20)))
@few(50)
def test_even_samples_that_cannot_be_are_decided_on(odd: Samples) -> None:
    facts = Facts(T0, T0, signals=(Signal("heartbeat", odd.first_at, odd.last_at, (odd,)),))
    assert decide(POLICY, facts, at(60)).rule


# The engine's loop ---------------------------------------------------------------------------------------------------


@given(st.data())
@few(50)
def test_no_stop_comes_before_a_warning_and_its_time(data: st.DataObject) -> None:
    """Idle stops and unanswered questions by the full lead; hard limits by the shortest notice at least."""
    rules = data.draw(policies())
    if data.draw(st.booleans()):
        rules = replace(rules, **FAR)
    job = Engine(rules, Facts(T0, data.draw(st.sampled_from((T0, T0, T0, None))), T0), *data.draw(streams))
    now = T0
    for _ in range(60):
        verdict = job.look(now)
        if verdict.stop:
            break
        if data.draw(st.integers(0, 11)) == 11:
            job.facts = replace(job.facts, **data.draw(acts(now)))
        if data.draw(st.integers(0, 19)) == 19:
            job.policy = replace(
                job.policy, high=IdleRule(data.draw(minutes(1, 90)), 5 * MINUTE), changed_at=now
            )
        now += data.draw(st.sampled_from((15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE)))
    last = job.steps[-1]
    if not last.verdict.stop:
        return
    assert last.verdict.deadline_at is not None
    told = [step for step in job.warnings if step.now <= last.now - notice(last.verdict)]
    assert told
    promised = [step.verdict.deadline_at for step in told if step.verdict.deadline_at]
    assert any(ZERO <= last.verdict.deadline_at - one < MINUTE for one in promised)
    assert last.verdict.deadline_at <= last.now


@given(st.data())
@few(25)
def test_hard_limits_are_enforced_whatever_a_machine_says_of_itself(data: st.DataObject) -> None:
    rules = replace(
        data.draw(policies()), lifetime=HOUR, ceiling=HOUR, task="PERSISTENT", schedule=None, changed_at=None
    )
    signs = [QUIET, {"gpu": 60}, {"ssh": 1}, {"busy": True}]
    some = [
        *data.draw(beats(MINUTE, signs)),
        *data.draw(beats(MINUTE, signs)),
        *data.draw(beats(MINUTE, signs)),
    ]
    kept = data.draw(st.none() | moments)
    job = Engine(
        rules,
        Facts(T0, T0, kept_until=kept, soft_hold=data.draw(st.sampled_from(("", "held")))),
        Stream(some),
    )
    stopped = job.run(T0, at(80), 30 * SECOND)
    assert stopped is not None
    assert stopped <= at(70)


@given(st.data())
@few(25)
def test_who_sleeps_until_told_is_hardly_later_than_who_always_looks(data: st.DataObject) -> None:
    rules = replace(
        data.draw(policies(shortest_limit=10)),
        boot_grace=data.draw(minutes(0, 10)),
        changed_at=None,
        task="PERSISTENT",
    )
    rules = replace(rules, high=replace(rules.high, limit=data.draw(minutes(10, 40))))
    mostly_quiet = beats(MINUTE, [QUIET, QUIET, {"gpu": 60}]).map(lambda reports: [Stream(reports)])
    found = data.draw(st.just([]) | streams | mostly_quiet)
    if found:  # idleness alone: what comes a moment later may leave the word to another limit
        rules = replace(rules, **FAR)
    facts = Facts(
        T0, T0, T0, receiver_is_down=data.draw(st.booleans()), protected_until=data.draw(seldom(moments))
    )
    awake, asleep = Engine(rules, facts, *found), Engine(rules, facts, *found)
    stops = awake.run(T0, at(100), 15 * SECOND), asleep.run_by_itself(T0, at(103))
    warnings = [engine.warnings[0].now if engine.warnings else None for engine in (awake, asleep)]
    if warnings[0] is not None:
        assert warnings[1] is not None
        assert warnings[1] <= warnings[0] + MINUTE
    if stops[0] is not None:
        assert stops[1] is not None
        assert stops[1] <= stops[0] + MINUTE + 15 * SECOND
    assert len(asleep.steps) < len(awake.steps) * 2 + 50
