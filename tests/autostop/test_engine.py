"""The engine on real rows: warns once for a deadline, stops after the notice, and loses every race it should lose."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.autostop import engine, facts, policy
from dispersed_web.autostop.extend import extend
from dispersed_web.autostop.policy import Verdict
from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import queries
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import request_stop
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
MINUTE, SECOND = dt.timedelta(minutes=1), dt.timedelta(seconds=1)
NOW = timezone.now().replace(microsecond=0)


def make_job(**fields: Any) -> Job:
    """Launched at NOW with a lifetime of an hour and a ceiling of four."""
    team = factories.make_team()
    values = {
        "launched_at": NOW,
        "running_at": NOW,
        "lifetime_s": 3600,
        "ceiling_s": 4 * 3600,
        "evaluate_at": NOW,
    }
    return factories.make_job(team, created_at=NOW, **(values | fields))


def person(job: Job) -> Actor:
    return Actor.person(job.created_by)


def tick(at: dt.datetime) -> None:
    engine.evaluate_due(at)


def events(job: Job, kind: str) -> int:
    return Event.objects.filter(subject_id=str(job.pk), kind=kind).count()


def test_a_lifetime_is_warned_about_once_and_then_ends() -> None:
    job = make_job()
    for minutes in range(0, 48, 3):
        tick(NOW + minutes * MINUTE)
    assert events(job, "job.warned") == 0
    for minutes in range(48, 60):
        tick(NOW + minutes * MINUTE)
    job.refresh_from_db()
    assert events(job, "job.warned") == 1
    assert job.warned_for == NOW + HOUR
    assert job.stop_requested_at is None
    tick(NOW + HOUR)
    job.refresh_from_db()
    assert (job.stop_requested_at, job.stop_reason) == (NOW + HOUR, Reason.MAX_LIFETIME)
    warning = Event.objects.get(subject_id=str(job.pk), kind="job.warned")
    assert warning.audience == "job_owner"
    assert warning.data["rule"] == "max_lifetime"


def test_an_extension_calls_the_stop_off_and_is_warned_about_anew() -> None:
    job = make_job()
    tick(NOW + 50 * MINUTE)
    job.refresh_from_db()
    granted = extend(
        job, until=NOW + 2 * HOUR, actor=person(job), now=NOW + 55 * MINUTE, seen_version=job.limits_version
    )
    assert granted == NOW + 2 * HOUR
    tick(NOW + HOUR)
    job.refresh_from_db()
    assert job.stop_requested_at is None
    assert job.stop_at == NOW + 2 * HOUR
    assert "called off" in Event.objects.get(subject_id=str(job.pk), kind="job.extended").sentence
    tick(NOW + 2 * HOUR - 10 * MINUTE)
    tick(NOW + 2 * HOUR)
    job.refresh_from_db()
    assert events(job, "job.warned") == 2
    assert job.stop_requested_at == NOW + 2 * HOUR


def test_an_outage_gives_notice_before_the_stop() -> None:
    job = make_job()
    tick(NOW + 4 * HOUR)
    job.refresh_from_db()
    assert job.stop_requested_at is None
    assert job.stop_at == NOW + 4 * HOUR + 5 * MINUTE
    tick(NOW + 4 * HOUR + 5 * MINUTE)
    job.refresh_from_db()
    assert job.stop_requested_at is not None


def test_a_stop_loses_against_an_extension_that_was_committed_first() -> None:
    job = make_job()
    tick(NOW + 50 * MINUTE)
    seen_by_the_engine = Job.objects.get(pk=job.pk)
    extend(
        Job.objects.get(pk=job.pk),
        until=NOW + 3 * HOUR,
        actor=person(job),
        now=NOW + HOUR,
        seen_version=seen_by_the_engine.limits_version,
    )
    engine.evaluate([seen_by_the_engine], NOW + HOUR)
    job.refresh_from_db()
    assert job.stop_requested_at is None


def test_an_extension_loses_against_a_stop_that_was_committed_first() -> None:
    job = make_job()
    seen_on_the_page = Job.objects.get(pk=job.pk)
    request_stop(job, actor=person(job), reason=Reason.USER, now=NOW + MINUTE)
    with pytest.raises(TooLate, match="Too late: the stop was asked for at"):
        extend(
            seen_on_the_page,
            until=NOW + 2 * HOUR,
            actor=person(job),
            now=NOW + 2 * MINUTE,
            seen_version=seen_on_the_page.limits_version,
        )


def test_an_extension_from_an_outdated_page_is_refused_and_says_so() -> None:
    job = make_job()
    extend(job, until=NOW + 2 * HOUR, actor=person(job), now=NOW, seen_version=job.limits_version)
    with pytest.raises(JobError) as caught:
        extend(
            Job.objects.get(pk=job.pk),
            until=NOW + 3 * HOUR,
            actor=person(job),
            now=NOW,
            seen_version=job.limits_version,
        )
    assert caught.value.code == "outdated"


def test_the_ceiling_holds() -> None:
    job = make_job()
    granted = extend(job, until=NOW + 99 * HOUR, actor=person(job), now=NOW, seen_version=job.limits_version)
    assert granted == NOW + 4 * HOUR
    job.refresh_from_db()
    with pytest.raises(JobError) as caught:
        extend(job, until=NOW + 99 * HOUR, actor=person(job), now=NOW, seen_version=job.limits_version)
    assert caught.value.code == "nothing_to_extend"
    assert "4 h from its launch" in caught.value.sentence


def test_two_engines_warn_once() -> None:
    job = make_job()
    first, second = Job.objects.get(pk=job.pk), Job.objects.get(pk=job.pk)
    engine.evaluate([first], NOW + 50 * MINUTE)
    engine.evaluate([second], NOW + 50 * MINUTE)
    assert events(job, "job.warned") == 1


@pytest.mark.parametrize("status", ["QUEUED", "LAUNCHING", "UNCONFIRMED", "COMPLETED", "CANCELLED"])
def test_what_is_not_in_the_cloud_is_not_stopped(status: str) -> None:
    job = make_job(status=status, lifetime_s=60)
    tick(NOW + 9 * HOUR)
    tick(NOW + 10 * HOUR)
    job.refresh_from_db()
    assert job.stop_requested_at is None


@pytest.mark.parametrize("status", ["PENDING", "ASSIGNED", "PREPARING", "RUNNING", "FAILING", "CANCELLING"])
def test_whatever_bills_is_stopped_at_its_limit(status: str) -> None:
    job = make_job(status=status)
    tick(NOW + 50 * MINUTE)
    tick(NOW + HOUR)
    job.refresh_from_db()
    assert job.stop_requested_at == NOW + HOUR


def test_one_broken_row_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = make_job(launched_at=NOW - MINUTE)
    job = make_job()
    decide = policy.decide

    def decide_on_others(rules: Policy, known: Facts, now: dt.datetime) -> Verdict:
        if known.launched_at == broken.launched_at:
            raise OverflowError
        return decide(rules, known, now)

    monkeypatch.setattr(policy, "decide", decide_on_others)
    for at in (NOW + 50 * MINUTE, NOW + HOUR):
        tick(at)
    job.refresh_from_db()
    broken.refresh_from_db()
    assert job.stop_requested_at is not None
    assert broken.evaluate_at > NOW + HOUR


@pytest.mark.parametrize("change", ["another_run", "it_runs"])
def test_a_verdict_on_one_run_stops_no_other(change: str) -> None:
    """It was stuck while starting, and came to run, or began anew, while the engine decided."""
    job = make_job(status="PREPARING", running_at=None, lifetime_s=7200, warn_lead_s=60)
    run = factories.make_run(job, status="PREPARING", started_at=NOW, first_seen_at=NOW, running_at=None)
    Job.objects.filter(pk=job.pk).update(current_run=run)
    limit = facts.of(job, NOW)[0].start_limit
    tick(NOW + limit - 10 * SECOND)
    due = NOW + limit + 5 * MINUTE
    seen = queries.to_evaluate(due).get()
    assert policy.decide(*facts.of(seen, due), due).rule == Reason.STUCK_STARTING
    other = factories.make_run(job, status="PREPARING", started_at=due, running_at=None)
    values = {"current_run": other} if change == "another_run" else {"run_running_at": due}
    Job.objects.filter(pk=job.pk).update(**values)
    assert engine.evaluate([seen], due) == []
    Job.objects.filter(pk=job.pk).update(current_run=run, run_running_at=None)
    assert engine.evaluate([seen], due) == [job.pk]


def test_one_job_whose_facts_cannot_be_read_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, job = make_job(), make_job()
    facts_of = facts.facts_of

    def facts_of_others(row: Job, *known: Any) -> Facts:
        return facts_of(None if row.pk == broken.pk else row, *known)

    monkeypatch.setattr(facts, "facts_of", facts_of_others)
    for at in (NOW + 50 * MINUTE, NOW + HOUR):
        tick(at)
    assert Job.objects.get(pk=job.pk).stop_requested_at is not None
    assert Job.objects.get(pk=broken.pk).evaluate_at > NOW + HOUR
    assert facts.gather([broken], NOW) == {}


def test_no_limit_at_all_is_looked_at_and_left() -> None:
    job = make_job(task="BATCH", lifetime_s=None, ceiling_s=None)
    tick(NOW + 90 * HOUR)
    job.refresh_from_db()
    assert (job.stop_requested_at, job.stop_at) == (None, None)


def test_a_clock_that_is_set_back_leaves_no_job_without_its_limits() -> None:
    job = make_job()
    tick(NOW + 30 * HOUR * 24)
    Job.objects.update(warned_for=None, warned_at=None, stop_requested_at=None, stop_reason="")
    assert Job.objects.get(pk=job.pk).evaluate_at > NOW + 29 * HOUR * 24
    for minute in range(40, 61):
        tick(NOW + minute * MINUTE)
    assert Job.objects.get(pk=job.pk).stop_requested_at == NOW + HOUR


def test_a_warning_of_which_nobody_knows_when_it_was_given_is_given_anew() -> None:
    job = make_job(warned_for=NOW + HOUR, warned_at=None)
    for minute in range(50, 61):
        tick(NOW + minute * MINUTE)
    assert events(job, "job.warned") == 1
    assert Job.objects.get(pk=job.pk).stop_requested_at == NOW + HOUR
