"""Races of auto-stop with people and with itself, on real connections: never an accepted extension followed by a stop,
never two warnings for one deadline, never a stop without the full warning after a change of policy."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from dispersed_web.autostop import engine, facts, policy
from dispersed_web.autostop.extend import confirm_use, extend, keep, protect
from dispersed_web.autostop.last_look import last_look
from dispersed_web.events.models import Event
from dispersed_web.events.record import ENGINE, Actor
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import call_off, request_stop
from dispersed_web.signals.models import Bucket
from dispersed_web.teams.models import AutostopPolicy
from tests.autostop.watched import HOUR, MINUTE, NOW, beat, beats, make_job, see
from tests.jobs.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12
DUE = NOW + 61 * MINUTE


@pytest.fixture
def due() -> Job:
    """A job that is quiet, warned, told of, and due now."""
    job = make_job()
    beats(job, NOW, DUE - MINUTE)
    see(job, DUE)
    again(job)
    assert policy.decide(*facts.of(job, DUE), DUE).stop
    return job


def again(job: Job) -> Job:
    """As it was before the race."""
    nothing = {"stop_reason": "", "stop_requested_at": None, "stop_requested_by": None, "stop_token": None}
    nothing |= {"stop_next_at": None, "stop_attempts": 0, "extend_until": None, "confirmed_at": None}
    nothing |= {"protected_until": None, "protected_reason": "", "kept_until": None}
    told = {"warned_for": DUE, "warned_at": DUE - 15 * MINUTE, "warning_delivered_at": DUE - 14 * MINUTE}
    Job.objects.filter(pk=job.pk).update(**nothing, **told, evaluate_at=NOW)
    job.refresh_from_db()
    return job


def person(job: Job) -> Actor:
    return Actor.person(job.created_by)


def acts_of(job: Job) -> dict[str, Callable[[Job], Any]]:
    who = person(job)
    return {
        "extend": lambda row: extend(
            row, until=DUE + HOUR, actor=who, now=DUE, seen_version=row.limits_version
        ),
        "in use": lambda row: confirm_use(row, actor=who, now=DUE),
        "protect": lambda row: protect(
            row, until=DUE + HOUR, reason="A demo", actor=who, by_admin=False, now=DUE
        ),
        "keep": lambda row: keep(row, until=DUE + HOUR, actor=who, now=DUE),
    }


@pytest.mark.parametrize("act", ["extend", "in use", "protect", "keep"])
def test_whoever_commits_first_wins_and_the_other_is_told(due: Job, act: str) -> None:
    for _ in range(ROUNDS):
        seen = again(due)
        said, stopped = at_once([partial(acts_of(due)[act], seen), partial(engine.evaluate_due, DUE)])
        row = Job.objects.get(pk=due.pk)
        accepted = not isinstance(said, Exception)
        assert accepted != (row.stop_requested_at is not None), "an accepted act was followed by a stop"
        assert (due.pk in stopped) == (not accepted)
        if not accepted:
            assert isinstance(said, JobError), said
            assert said.code == "too_late"


def test_many_engines_stop_once_and_warn_once(due: Job) -> None:
    at_once([partial(engine.evaluate_due, DUE)] * 4)
    assert Event.objects.filter(kind="job.stop_requested").count() == 1
    again(due)
    Job.objects.filter(pk=due.pk).update(warned_for=None, warned_at=None)
    at_once([partial(engine.evaluate_due, DUE - 5 * MINUTE)] * 4)
    assert Event.objects.filter(kind="job.warned").count() == 1


def test_a_change_of_policy_against_a_stop(due: Job) -> None:
    """The engine decides on the old policy while the new one is committed: whoever loses starts anew, and after the
    change there is always the full warning."""
    for minutes in itertools.islice(itertools.cycle((30, 45)), ROUNDS):
        again(due)
        at_once([partial(change_policy, due, minutes), partial(engine.evaluate_due, DUE)])
        row = Job.objects.get(pk=due.pk)
        if row.stop_requested_at is not None:
            continue
        for later in (dt.timedelta(seconds=1), 14 * MINUTE):
            engine.evaluate_due(DUE + later)
        row.refresh_from_db()
        assert row.stop_requested_at is None
        assert row.warned_for is None or row.warned_for >= DUE + 15 * MINUTE


def change_policy(job: Job, minutes: int) -> None:
    """As the policy page does it: the jobs first, then the policy, in one transaction."""
    with transaction.atomic():
        rows = Job.objects.filter(pk=job.pk, stop_requested_at=None)
        rows.update(limits_version=F("limits_version") + 1, evaluate_at=DUE)
        policies = AutostopPolicy.objects.filter(team=job.team_id)
        policies.update(high_idle_s=minutes * 60, changed_at=DUE, version=F("version") + 1)


def test_a_last_look_never_takes_back_what_a_person_wants(due: Job) -> None:
    """The machine is used again right before the stop: the last look calls it off, unless somebody wants the stop."""
    for _ in range(ROUNDS):
        again(due)
        assert request_stop(due, actor=ENGINE, reason=Reason.IDLE, now=DUE)
        seen = Job.objects.get(pk=due.pk)
        Bucket.objects.update(gpu_busy=60, gpu_at=DUE, gpu_top=95)
        wish = partial(request_stop, seen, actor=person(due), reason=Reason.USER, now=DUE)
        _, asked = at_once([partial(last_look, seen, lambda: DUE), wish])
        assert asked is True
        assert Job.objects.get(pk=due.pk).stop_reason == Reason.USER, "a person's stop was called off"


def asked_to_stop(job: Job) -> Job:
    request_stop(job, actor=ENGINE, reason=Reason.IDLE, now=DUE)
    return Job.objects.get(pk=job.pk)


def test_a_last_look_that_finds_use_calls_off_and_says_why(due: Job) -> None:
    row = asked_to_stop(due)
    beat(due, DUE, gpu=95)
    assert last_look(row, lambda: DUE) is False
    row.refresh_from_db()
    assert (row.stop_requested_at, row.stop_reason, row.warned_for) == (None, "", None)
    told = Event.objects.get(kind="job.called_off")
    assert told.sentence == "The stop is called off, because it is used: GPU 95 %."


def test_what_went_wrong_with_a_stop_that_was_called_off_is_not_said_of_the_next(due: Job) -> None:
    row = asked_to_stop(due)
    Job.objects.filter(pk=due.pk).update(stop_alarmed=1, stop_error="No answer.")
    assert call_off(row, "it is used", DUE) is True
    row.refresh_from_db()
    assert (row.stop_alarmed, row.stop_error) == (0, "")


def test_a_last_look_that_finds_nothing_new_lets_it_go(due: Job) -> None:
    assert last_look(asked_to_stop(due), lambda: DUE) is True


def test_a_last_look_without_a_fresh_sample_calls_off(due: Job) -> None:
    assert last_look(asked_to_stop(due), lambda: DUE + 3 * MINUTE) is False
    assert "no fresh sample" in Event.objects.get(kind="job.called_off").sentence


def test_a_look_at_an_earlier_stop_takes_back_no_later_one(due: Job) -> None:
    earlier = asked_to_stop(due)
    asked_to_stop(again(due))
    assert call_off(earlier, "it is used", DUE) is False
    assert Job.objects.get(pk=due.pk).stop_reason == "idle"


def test_what_was_sent_is_not_called_off(due: Job) -> None:
    row = asked_to_stop(due)
    Job.objects.filter(pk=due.pk).update(stop_attempts=1)
    beat(due, DUE, gpu=95)
    assert last_look(row, lambda: DUE) is True
    assert Job.objects.get(pk=due.pk).stop_reason == "idle"
