"""A change of policy against the engine, on real connections: never a stop without the full warning from the change on,
and nobody waits in a circle."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from dispersed_web.autostop import engine, facts, keeping, policy
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import request_stop
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories
from tests.autostop.watched import MINUTE, NOW, beats, make_job, make_team, see
from tests.jobs.test_races import at_once
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10
DUE = NOW + 61 * MINUTE
# So long the two are in each other's way. (On SQLite the second transaction begins only after the first.)
MEET_S = 0.3


@pytest.fixture
def due() -> Job:
    """A job that is quiet, warned a quarter of an hour ago, and due now."""
    job = make_job()
    beats(job, NOW, DUE - MINUTE)
    see(job, DUE)
    return again(job)


def again(job: Job, **more: Any) -> Job:
    nothing = {"stop_reason": "", "stop_requested_at": None, "stop_token": None, "stop_next_at": None}
    told = {"warned_for": DUE, "warned_at": DUE - 15 * MINUTE, "warning_delivered_at": DUE - 14 * MINUTE}
    Job.objects.filter(pk=job.pk).update(**nothing | told | {"evaluate_at": NOW} | more)
    AutostopPolicy.objects.filter(pk=job.team_id).update(high_idle_s=3600, changed_at=None)
    job.refresh_from_db()
    assert more or policy.decide(*facts.of(job, DUE), DUE).stop
    return job


def change(team: Team, **values: Any) -> Any:
    actor = Actor.person(factories.owner_of(team))
    return keeping.change(team, values, actor=actor, now=DUE, seen_version=None)


def test_a_stop_that_was_decided_on_the_old_policy_comes_first_or_not_at_all(due: Job) -> None:
    for _ in range(ROUNDS):
        again(due)
        changed, _ = at_once([partial(change, due.team, high_idle_s=1800), partial(engine.evaluate_due, DUE)])
        row = Job.objects.get(pk=due.pk)
        assert changed is True
        events = list(Event.objects.order_by("-id").values_list("kind", flat=True)[:2])
        if row.stop_requested_at is None:
            verdict = policy.decide(*facts.of(row, DUE), DUE)
            assert not verdict.stop
            assert verdict.stop_at >= DUE + 15 * MINUTE
        else:
            assert events == ["team.autostop_changed", "job.stop_requested"], "stopped after the change"


def test_the_change_lands_between_the_decision_and_the_stop(
    due: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not left to chance: the engine has decided, then the policy changes, then the engine acts."""
    decide = policy.decide

    def decide_and_wait(*terms: Any) -> Any:
        verdict = decide(*terms)
        at_once([partial(change, due.team, high_idle_s=1800)])
        return verdict

    monkeypatch.setattr(engine.policy, "decide", decide_and_wait)
    assert engine.evaluate_due(DUE) == []
    assert Job.objects.get(pk=due.pk).stop_requested_at is None
    again(due, warned_for=None, warned_at=None)
    engine.evaluate_due(DUE - MINUTE)
    row = Job.objects.get(pk=due.pk)
    assert row.warned_at is None, "warned of a deadline of the old policy"


def test_of_two_who_decided_on_the_same_version_one_is_told() -> None:
    team = make_team()
    actor = Actor.person(factories.owner_of(team))
    for round_ in range(ROUNDS):
        seen = AutostopPolicy.objects.get(pk=team.pk).version
        results = at_once(
            [
                partial(
                    keeping.change,
                    team,
                    {"high_idle_s": limit + round_},
                    actor=actor,
                    now=NOW,
                    seen_version=seen,
                )
                for limit in (1800, 7200)
            ]
        )
        assert [one for one in results if one is True] == [True]
        (refused,) = [one for one in results if one is not True]
        assert isinstance(refused, TeamRefused)
        assert refused.code == "outdated"


def test_a_stop_is_taken_while_the_policy_changes() -> None:
    """Jobs are locked before their team: a stop holds its job and waits for the team, never the other way round."""
    job = make_job()
    holds_its_job = threading.Event()

    def stop_it() -> bool:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(pk=job.pk)
            holds_its_job.set()
            time.sleep(MEET_S)
            return request_stop(job, actor=Actor.person(job.created_by), reason=Reason.USER, now=NOW)

    def change_it() -> Any:
        assert holds_its_job.wait(LIMIT_S)
        return change(job.team, high_idle_s=1800)

    assert at_once([stop_it, change_it]) == [True, True]
