"""The pure decision: one valid value for each argument, and each case changes one thing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.autostop import policy
from dispersed_web.autostop.policy import Activity, Confidence, Facts, Policy, State, decide

T0 = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)

POLICY = Policy(lifetime=4 * HOUR, ceiling=24 * HOUR, warn_lead=15 * MINUTE)
FACTS = Facts(launched_at=T0, running_at=T0 + 5 * MINUTE)
END = T0 + 4 * HOUR
WARNED = replace(FACTS, warned_for=END, warned_at=END - 15 * MINUTE)


@pytest.mark.parametrize(
    ("facts", "now", "warn", "stop", "state"),
    [
        (FACTS, T0 + HOUR, False, False, State.ACTIVE),
        (replace(FACTS, running_at=None), T0 + MINUTE, False, False, State.STARTING),
        (FACTS, END - 16 * MINUTE, False, False, State.ACTIVE),
        (FACTS, END - 15 * MINUTE, True, False, State.WARNED),
        (WARNED, END - 5 * MINUTE, False, False, State.WARNED),
        (WARNED, END - dt.timedelta(seconds=1), False, False, State.WARNED),
        (WARNED, END, False, True, State.DUE),
        (WARNED, END + 3 * HOUR, False, True, State.DUE),
        # nobody was told: even long after the deadline people get notice first
        (FACTS, END + 3 * HOUR, True, False, State.WARNED),
        # told late: five minutes pass before the stop
        (replace(WARNED, warned_at=END + HOUR), END + HOUR + 4 * MINUTE, False, False, State.WARNED),
        (replace(WARNED, warned_at=END + HOUR), END + HOUR + 5 * MINUTE, False, True, State.DUE),
        # told of another deadline: that warning does not count
        (replace(WARNED, warned_for=END - HOUR), END + MINUTE, True, False, State.WARNED),
        # a job that never got to run is stopped all the same: it bills from its launch on
        (replace(WARNED, running_at=None), END, False, True, State.DUE),
    ],
)
def test_the_ladder_from_start_to_stop(
    facts: Facts, now: dt.datetime, warn: bool, stop: bool, state: State
) -> None:
    verdict = decide(POLICY, facts, now)
    assert (verdict.warn, verdict.stop, verdict.state) == (warn, stop, state)
    assert verdict.rule == "max_lifetime"


def test_a_verdict_explains_itself() -> None:
    verdict = decide(POLICY, FACTS, T0 + HOUR)
    assert verdict.stop_at == END
    assert verdict.warn_at == END - 15 * MINUTE
    assert verdict.look_again_at == verdict.warn_at
    assert verdict.confidence is Confidence.LOW
    assert verdict.sentence == "Its maximum lifetime of 4 h ends."


def test_an_extension_moves_the_stop_and_asks_for_a_new_warning() -> None:
    extended = replace(WARNED, extend_until=END + 2 * HOUR)
    verdict = decide(POLICY, extended, END)
    assert (verdict.warn, verdict.stop, verdict.stop_at) == (False, False, END + 2 * HOUR)
    assert verdict.sentence == "The extension ends."
    assert decide(POLICY, extended, END + 2 * HOUR - 10 * MINUTE).warn


def test_no_extension_lifts_the_ceiling() -> None:
    verdict = decide(POLICY, replace(FACTS, extend_until=T0 + 90 * HOUR), T0 + HOUR)
    assert verdict.stop_at == T0 + 24 * HOUR
    assert verdict.sentence == "The longest lifetime that the team allows, 24 h, ends."


@pytest.mark.parametrize(
    ("wanted", "granted"),
    [
        (T0 + 6 * HOUR, T0 + 6 * HOUR),
        (T0 + 48 * HOUR, T0 + 24 * HOUR),
        (END, None),
        (T0 + HOUR, None),
    ],
)
def test_what_an_extension_grants(wanted: dt.datetime, granted: dt.datetime | None) -> None:
    assert policy.extension(POLICY, FACTS, wanted) == granted


def test_at_the_ceiling_there_is_nothing_to_extend() -> None:
    assert policy.extension(POLICY, replace(FACTS, extend_until=T0 + 24 * HOUR), T0 + 48 * HOUR) is None


def test_no_limit_at_all_is_said_plainly() -> None:
    verdict = decide(Policy(lifetime=None, ceiling=None), FACTS, T0 + 900 * HOUR)
    assert (verdict.state, verdict.stop_at, verdict.stop) == (State.UNLIMITED, None, False)


@pytest.mark.parametrize("field", ["lifetime", "ceiling", "idle_limit"])
@pytest.mark.parametrize("value", [dt.timedelta(0), dt.timedelta(seconds=-1)])
def test_a_zero_limit_is_a_mistake_and_never_means_no_limit(field: str, value: dt.timedelta) -> None:
    with pytest.raises(ValueError, match="zero limit"):
        replace(POLICY, **{field: value})


def test_a_ceiling_below_the_lifetime_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Policy(lifetime=2 * HOUR, ceiling=HOUR)


def test_a_short_lifetime_is_warned_about_in_proportion() -> None:
    short = Policy(lifetime=2 * MINUTE, ceiling=HOUR)
    assert decide(short, FACTS, T0).warn_at == T0 + dt.timedelta(seconds=96)


# Idleness: the place where signals come in -----------------------------------------------------------------------------

QUIET = Activity(State.QUIET, Confidence.HIGH, last_active_at=T0 + 30 * MINUTE)
IDLE = replace(POLICY, idle_limit=HOUR)


def test_quiet_long_enough_stops_before_the_lifetime() -> None:
    verdict = decide(IDLE, replace(FACTS, activity=QUIET), T0 + 40 * MINUTE)
    assert (verdict.rule, verdict.stop_at) == ("idle", T0 + 90 * MINUTE)


def test_boot_grace_counts_from_running() -> None:
    early = replace(QUIET, last_active_at=None)
    verdict = decide(IDLE, replace(FACTS, activity=early), T0 + 10 * MINUTE)
    assert verdict.stop_at == T0 + 5 * MINUTE + 20 * MINUTE + HOUR


@pytest.mark.parametrize("state", [State.ACTIVE, State.BLIND, State.STARTING])
def test_only_quiet_is_idle(state: State) -> None:
    verdict = decide(IDLE, replace(FACTS, activity=replace(QUIET, state=state)), T0 + 3 * HOUR)
    assert verdict.rule == "max_lifetime"


def test_an_extension_outlasts_idleness_but_not_the_hard_limit() -> None:
    facts = replace(FACTS, activity=QUIET, extend_until=T0 + 3 * HOUR)
    assert decide(IDLE, facts, T0 + 2 * HOUR).stop_at == T0 + 3 * HOUR
    assert decide(IDLE, replace(facts, extend_until=T0 + 90 * HOUR), T0).stop_at == T0 + 24 * HOUR


# Properties -----------------------------------------------------------------------------------------------------------

spans = st.integers(60, 14 * 86400).map(lambda s: dt.timedelta(seconds=s))
moments = st.integers(-3600, 20 * 86400).map(lambda s: T0 + dt.timedelta(seconds=s))
maybe = st.none() | moments


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    lifetime = draw(spans)
    return Policy(lifetime, lifetime + draw(spans), draw(spans), draw(st.none() | spans))


@st.composite
def facts_drawn(draw: st.DrawFn) -> Facts:
    warned_for, warned_at = draw(maybe), draw(maybe)
    activity = Activity(draw(st.sampled_from(list(State)[:4])), Confidence.HIGH, draw(maybe))
    return Facts(T0, draw(maybe), draw(maybe), warned_for, warned_at, activity)


@given(policies(), facts_drawn(), moments)
def test_never_both_and_never_before_the_notice(rules: Policy, facts: Facts, now: dt.datetime) -> None:
    verdict = decide(rules, facts, now)
    assert not (verdict.warn and verdict.stop)
    if verdict.stop:
        deadline = policy.stop_deadline(rules, facts)
        assert deadline is not None
        assert facts.warned_for == deadline.at
        assert now >= deadline.at
        assert facts.warned_at is not None
        assert now - facts.warned_at >= min(policy.warn_lead(rules, facts, deadline), policy.LATE_NOTICE)


@given(policies(), facts_drawn(), moments)
def test_an_extension_never_shortens_and_never_passes_the_ceiling(
    rules: Policy, facts: Facts, wanted: dt.datetime
) -> None:
    before = policy.stop_deadline(rules, facts)
    granted = policy.extension(rules, facts, wanted)
    after = policy.stop_deadline(rules, replace(facts, extend_until=wanted))
    assert before is not None
    assert after is not None
    if granted is not None:
        assert before.at < granted <= T0 + (rules.ceiling or dt.timedelta.max)
        extended = policy.stop_deadline(rules, replace(facts, extend_until=granted))
        assert extended is not None
        assert extended.at >= before.at


@given(policies(), facts_drawn(), moments)
def test_it_is_stopped_once_warned_and_due_whatever_else_holds(
    rules: Policy, facts: Facts, now: dt.datetime
) -> None:
    """Following the engine's own steps leads to a stop: warn when asked to, look again when told to."""
    for _ in range(4):
        verdict = decide(rules, facts, now)
        if verdict.stop:
            return
        deadline = policy.stop_deadline(rules, facts)
        assert deadline is not None
        if verdict.warn:
            facts = replace(facts, warned_for=deadline.at, warned_at=now)
        else:
            assert verdict.look_again_at is not None
            now = max(now, verdict.look_again_at)
    raise AssertionError("never stopped")


@given(policies(), facts_drawn(), moments, spans)
def test_a_longer_idle_limit_never_stops_sooner(
    rules: Policy, facts: Facts, now: dt.datetime, more: dt.timedelta
) -> None:
    limit = rules.idle_limit or HOUR
    short = policy.stop_deadline(replace(rules, idle_limit=limit), facts)
    long = policy.stop_deadline(replace(rules, idle_limit=limit + more), facts)
    assert short is not None
    assert long is not None
    assert short.at <= long.at


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (90, "90 s"),
        (120, "2 min"),
        (2700, "45 min"),
        (3600, "1 h"),
        (9000, "2 h 30 min"),
        (86400, "24 h"),
        (259200, "3 days"),
    ],
)
def test_durations_in_words(seconds: int, words: str) -> None:
    assert policy.words(dt.timedelta(seconds=seconds)) == words
