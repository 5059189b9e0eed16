"""What holds of every decision, whatever the policy and the facts: searched for counterexamples."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispersed_web.autostop import deadlines, policy
from dispersed_web.autostop.activity import Use
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.policy import State, activity_of, decide
from dispersed_web.autostop.samples import Samples, Signal
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from tests.autostop.plain import DAY, HOUR, MINUTE, POLICY, SECOND, T0, Beat, Engine, Stream, at
from tests.autostop.test_schedule import CHANGES, FOLDS, GAPS, ZONES, Change

Draw = st.DrawFn
ZERO = dt.timedelta(0)
NOTICES = {"max_lifetime": 5, "schedule": 10, "budget": 5, "rate": 5, "stuck_starting": 5}


FAR = {
    "lifetime": 90 * DAY,
    "ceiling": 90 * DAY,
    "checkin": CheckIn(90 * DAY, 90 * DAY, HOUR),
    "schedule": None,
}


def few(examples: int) -> Callable[[Any], Any]:
    return settings(max_examples=examples, deadline=None)


def minutes(least: float, most: float) -> st.SearchStrategy[dt.timedelta]:
    return st.integers(int(least * 60), int(most * 60)).map(lambda seconds: seconds * SECOND)


def seldom(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 5).flatmap(lambda dice: values if dice == 5 else st.none())


moments = minutes(-60, 500).map(lambda after: T0 + after)


@st.composite
def policies(draw: Draw, shortest_limit: float = 1) -> Policy:
    """Any policy; of the ones that make sense and of those that hardly do."""
    lifetime = draw(minutes(600, 900) | minutes(1, 900))
    limits = minutes(shortest_limit, 60) | minutes(60, 200)
    schedule = st.builds(
        Schedule,
        st.sampled_from(("UTC", "Asia/Kathmandu", "America/New_York")),
        st.tuples(st.builds(StopTime, st.just(frozenset(range(7))), st.builds(dt.time, st.integers(0, 23)))),
    )
    return Policy(
        lifetime=lifetime,
        ceiling=lifetime + draw(minutes(0, 900)),
        warn_lead=draw(minutes(0.1, 60)),
        task=draw(st.sampled_from(("PERSISTENT", "PERSISTENT", "PERSISTENT", "BATCH"))),
        high=IdleRule(draw(limits), draw(minutes(0.1, 60))),
        medium=IdleRule(draw(limits), draw(minutes(0.1, 60))),
        checkin=CheckIn(draw(minutes(1, 300)), draw(minutes(1, 300)), draw(minutes(1, 60))),
        boot_grace=draw(minutes(0, 20)),
        start_limit=draw(st.none() | minutes(1, 60)),
        schedule=draw(seldom(schedule)),
        schedule_since=draw(seldom(moments)),
        observes=draw(st.sampled_from((False, False, True))),
        observe_until=draw(st.none() | moments),
        changed_at=draw(seldom(moments)),
    )


QUIET: dict[str, Any] = {}
KINDS = [
    QUIET,
    QUIET,
    QUIET,
    QUIET,
    {"gpu": 60},
    {"cpu": 4.0},
    {"busy": True},
    {"ssh": 1},
    {"gpu": None, "cpu": None},
]


def beats(period: dt.timedelta, kinds: list[dict[str, Any]] = KINDS) -> st.SearchStrategy[list[Beat]]:
    """Stretches of reports of one kind, late by some seconds and with gaps between them."""
    return seeds.map(lambda seed: _beats(random.Random(seed), period, kinds))


def _beats(luck: random.Random, period: dt.timedelta, kinds: list[dict[str, Any]]) -> list[Beat]:
    found: list[Beat] = []
    now = T0 + luck.randint(-600, 1800) * SECOND
    for _ in range(luck.randint(1, 4)):
        said, every = luck.choice(kinds), period * luck.choice((1, 1, 1, 1.3, 1.9))
        for _ in range(min(int(luck.randint(1, 120) * MINUTE / every) + 1, 90)):
            found.append(Beat(now, key=now if "ssh" in said and luck.random() < 0.5 else None, **said))
            now += every
        now += luck.choice((0, 0, 3, 12, 20)) * MINUTE
    return found


def _looks(luck: random.Random) -> list[Beat]:
    """Looks at a log, of which some find new lines."""
    return [Beat(at(5 * place), lines=luck.choice((0, 0, 0, 1, 2))) for place in range(luck.randint(1, 40))]


def _streams(seed: int) -> list[Stream]:
    """A heartbeat, a log, both or none."""
    luck = random.Random(seed)
    period = luck.choice((15 * SECOND, MINUTE, MINUTE, 5 * MINUTE))
    found = [Stream(_beats(luck, period, KINDS), period)] if luck.random() < 0.75 else []
    return found + ([Stream(_looks(luck), 5 * MINUTE, "log")] if luck.random() < 0.5 else [])


seeds = st.integers(0, 2**32)
streams = seeds.map(_streams)
looks = seeds.map(lambda seed: _looks(random.Random(seed)))


@st.composite
def facts_at(draw: Draw, now: dt.datetime, found: list[Stream]) -> Facts:
    """Anything that can be known of a job at ``now``."""
    past = minutes(0, 600).map(lambda before: now - before)
    once = seldom(past)
    return Facts(
        launched_at=T0 - draw(minutes(0, 60)),
        running_at=draw(st.sampled_from((T0, T0, T0, T0, None)) | past),
        starting_since=draw(once),
        extend_until=draw(seldom(moments)),
        protected_until=draw(seldom(moments)),
        confirmed_at=draw(once),
        connected_at=draw(once),
        kept_until=draw(seldom(moments)),
        signals=tuple(signal for stream in found for signal in stream.known(now)),
        trusted_since=draw(once),
        resumed_at=draw(once),
        cloud_lost_since=draw(once),
        receiver_is_down=draw(st.booleans()),
        budget_reached_at=draw(once),
        rate_exceeded_at=draw(once),
        warning_arrived=draw(st.sampled_from((True, True, False))),
        soft_hold=draw(st.sampled_from(("", "", "held"))),
    )


@st.composite
def cases(draw: Draw) -> tuple[Policy, Facts, dt.datetime]:
    """A policy, facts and a moment; most often people were warned of the very stop that is near, or nearly of it."""
    found = draw(streams)
    ends = [stream.times[-1] for stream in found]
    now = max(ends) + draw(minutes(-15, 15)) if ends and draw(st.integers(0, 5)) else draw(moments)
    rules, facts = draw(policies()), draw(facts_at(now, found))
    if draw(st.booleans()):
        rules = replace(rules, **FAR)
        facts = replace(facts, budget_reached_at=None, rate_exceeded_at=None)
    told_of = decide(rules, facts, now).deadline_at
    if told_of is None or draw(st.integers(0, 3)) == 0:
        return rules, facts, now
    off = draw(st.sampled_from((0, 0, 0, 0, -59, -61, 1)))
    told_at = now - draw(minutes(0, 90))
    told = replace(
        facts, warned_for=told_of + off * SECOND, warned_at=told_at, reminded_for=draw(st.none() | moments)
    )
    return rules, told, now


def limits(rules: Policy, facts: Facts, now: dt.datetime) -> dict[str, Deadline]:
    return {one.rule: one for one in deadlines.hard(rules, facts, activity_of(rules, facts, now))}


def idle(rules: Policy, facts: Facts, now: dt.datetime) -> Deadline | None:
    return deadlines.idle(rules, facts, activity_of(rules, facts, now), now)


# Every single decision -----------------------------------------------------------------------------------------------


@given(cases())
@few(250)
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
@few(150)
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
@few(150)
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
@few(150)
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
@few(120)
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


def is_sign(one: Beat) -> bool:
    return bool((one.gpu or 0) >= 5 or (one.cpu or 0) >= 0.25 or one.busy or one.key or one.lines)


@given(st.data())
@few(120)
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


def acts(now: dt.datetime) -> st.SearchStrategy[dict[str, Any]]:
    """What may happen to a job at ``now``."""
    until = minutes(1, 200).map(lambda after: now + after)
    void = {"warned_for": None, "warned_at": None}
    return st.one_of(
        st.builds(lambda to: {"extend_until": to, "confirmed_at": now} | void, until),
        st.builds(lambda to: {"protected_until": to} | void, until),
        st.builds(lambda to: {"kept_until": to} | void, until),
        st.just({"confirmed_at": now} | void),
        st.just({"connected_at": now}),
        st.just({"trusted_since": now, "resumed_at": now}),
        st.just({"cloud_lost_since": now}),
        st.just({"cloud_lost_since": None, "trusted_since": now}),
        st.just({"receiver_is_down": True}),
        st.just({"receiver_is_down": False}),
        st.just({"warning_arrived": False}),
        st.just({"budget_reached_at": now}),
        st.just({"rate_exceeded_at": now}),
        st.just({"soft_hold": "held"}),
        st.just({"soft_hold": ""}),
    )


@given(st.data())
@few(60)
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
@few(40)
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


# Schedules, where clocks change --------------------------------------------------------------------------------------


def scheduled(change: Change, wall: dt.datetime, launched: dt.datetime) -> policy.Verdict:
    """The decision on a job that a daily stop at ``wall`` ends, in the zone of the change."""
    daily = Schedule(change.zone, (StopTime(frozenset(range(7)), wall.time()),))
    rules = replace(POLICY, schedule=daily, lifetime=7 * DAY, checkin=CheckIn(7 * DAY, 7 * DAY, HOUR))
    return decide(rules, Facts(launched, launched), launched)


def utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC)


def test_there_are_enough_zones_and_changes() -> None:
    assert len(ZONES) >= 20
    assert len(CHANGES) > 300
    assert {change.at.year for change in CHANGES} >= set(range(2024, 2036))


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_stop_in_a_gap_of_the_clock_comes_at_its_end(part: float) -> None:
    for change in GAPS:
        width = change.after - change.before
        wall = change.at + change.before + int(part * width / MINUTE) * MINUTE
        verdict = scheduled(change, wall, utc(change.at) - 6 * HOUR)
        assert (verdict.rule, verdict.deadline_at) == ("schedule", utc(change.at)), change
        assert not verdict.stop


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_stop_at_a_time_that_comes_twice_comes_the_first_time_and_only_then(part: float) -> None:
    for change in FOLDS:
        width = change.before - change.after
        wall = change.at + change.after + int(part * width / MINUTE) * MINUTE
        first = utc(wall - change.before)
        assert scheduled(change, wall, utc(change.at) - 6 * HOUR).deadline_at == first, change
        between = scheduled(change, wall, first + MINUTE)
        assert between.deadline_at is not None
        assert between.deadline_at - first > 22 * HOUR, change


@given(st.sampled_from(CHANGES), st.integers(0, 24 * 60 - 1), minutes(0, 60 * 30))
@few(100)
def test_around_a_change_of_clocks_a_job_is_warned_and_stopped_by_the_wall(
    change: Change, minute: int, before: dt.timedelta
) -> None:
    wall = dt.datetime(2024, 1, 1) + minute * MINUTE
    verdict = scheduled(change, wall, utc(change.at) - before)
    assert verdict.deadline_at is not None
    shown = verdict.deadline_at.astimezone(zoneinfo.ZoneInfo(change.zone)).replace(tzinfo=None)
    late = (shown - shown.replace(hour=wall.hour, minute=wall.minute)) % DAY
    assert late <= max(change.after - change.before, ZERO)
    assert ZERO < verdict.deadline_at - utc(change.at - before) <= DAY + 3 * HOUR
