"""Policies, facts and lives of jobs, drawn for property tests."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from dispersed_web.autostop.policy import decide
from dispersed_web.autostop.schedule import Schedule, StopTime
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from tests.autostop.plain import DAY, HOUR, MINUTE, SECOND, T0, Beat, Stream, at

Draw = st.DrawFn
ZERO = dt.timedelta(0)


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


def is_sign(one: Beat) -> bool:
    return bool((one.gpu or 0) >= 5 or (one.cpu or 0) >= 0.25 or one.busy or one.key or one.lines)
