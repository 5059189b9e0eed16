"""Rows of past runs as values, and a draft tried on them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispersed_web.autostop import history
from dispersed_web.autostop.extend import confirm_use, extend, note_connected, protect, unprotect
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.signals.models import Bucket
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories
from tests.autostop.watched import HOUR, MINUTE, NOW, beats, make_job, make_team

pytestmark = pytest.mark.django_db
DAY = 24 * HOUR


def try_out(team: Team, at: dt.datetime, **draft: Any) -> history.Tried:
    row = AutostopPolicy.objects.get(pk=team.pk)
    for name, value in draft.items():
        setattr(row, name, value)
    return history.try_out(row, at)


def past_run(team: Team, hours_ago: float, *, lasted: float = 2, source: str = "", **fields: Any) -> JobRun:
    """A run that ended so many hours ago, with a single quiet bucket of ``source``, if any."""
    ended_at = NOW - hours_ago * HOUR
    begun_at = ended_at - lasted * HOUR
    job = factories.make_job(
        team,
        "COMPLETED",
        created_at=begun_at,
        launched_at=begun_at,
        running_at=begun_at,
        ended_at=ended_at,
        **fields,
    )
    run = factories.make_run(job, running_at=begun_at, started_at=begun_at, ended_at=ended_at)
    if source:
        Bucket.objects.create(run=run, source=source, start=begun_at, first_at=begun_at, last_at=begun_at)
    return run


def test_heartbeats_as_they_were_received_are_replayed() -> None:
    job = make_job()
    beats(job, NOW, NOW + 20 * MINUTE, gpu=90)
    beats(job, NOW + 21 * MINUTE, NOW + 150 * MINUTE)
    tried = try_out(job.team, NOW + 150 * MINUTE)
    ((past, outcome),) = tried.stops
    assert (past.job_id, past.still_runs) == (job.pk, True)
    assert outcome.rule == "idle"
    assert abs(outcome.stop_at - (NOW + 80 * MINUTE)) <= 6 * MINUTE
    assert outcome.saved_usd == pytest.approx(Decimal("0.69") * 70 / 60, abs=Decimal("0.08"))
    assert (tried.watched, tried.left_out) == (1, 0)
    assert tried.samples == Bucket.objects.count()
    assert {limit: totals.stops for limit, totals in tried.by_limit} == {
        30 * MINUTE: 1,
        60 * MINUTE: 1,
        90 * MINUTE: 1,
        120 * MINUTE: 1,
    }


def test_the_draft_counts_and_the_jobs_own_choice_inside_its_bounds() -> None:
    job = make_job(idle_limit_s=7200)
    beats(job, NOW, NOW + 150 * MINUTE)
    at = NOW + 150 * MINUTE
    chosen = try_out(job.team, at).stops[0][1].stop_at
    bounded = (
        try_out(job.team, at, high_idle_s=1200, high_idle_max_s=1800, high_lead_s=300).stops[0][1].stop_at
    )
    assert abs(chosen - (NOW + 121 * MINUTE)) <= 6 * MINUTE
    assert abs(bounded - (NOW + 31 * MINUTE)) <= 6 * MINUTE
    assert AutostopPolicy.objects.get(pk=job.team_id).high_idle_s == 3600


def test_what_people_did_is_in_it() -> None:
    job = make_job()
    who = Actor.person(job.created_by)

    def fresh() -> Job:
        return Job.objects.get(pk=job.pk)

    extend(
        fresh(),
        until=NOW + 4 * HOUR,
        actor=who,
        now=NOW + 40 * MINUTE,
        seen_version=fresh().limits_version,
    )
    protect(fresh(), until=NOW + 3 * HOUR, reason="A demo", actor=who, by_admin=False, now=NOW + 50 * MINUTE)
    unprotect(fresh(), actor=who, now=NOW + 60 * MINUTE)
    note_connected(fresh(), NOW + 70 * MINUTE, who)
    confirm_use(fresh(), actor=who, now=NOW + 80 * MINUTE)
    (past,) = history._past(
        history._rows(job.team_id, NOW)[0], AutostopPolicy.of(job.team_id), NOW + 2 * HOUR
    )
    acts = past.history.acts
    assert [act.at for act in acts] == [NOW + minute * MINUTE for minute in (40, 50, 60, 70, 80)]
    assert (acts[0].extends, acts[1].protects) == (NOW + 4 * HOUR, NOW + 3 * HOUR)
    assert (acts[2].lifts, acts[2].what) == (True, "")
    assert acts[3].connects
    assert acts[4].what == f"{who.label} said that it is in use"


def test_a_run_whose_limits_contradict_themselves_hides_no_other() -> None:
    team = make_team()
    past_run(team, 10, source="heartbeat", lifetime_s=7200, ceiling_s=3600)
    past_run(team, 20, source="heartbeat")
    assert try_out(team, NOW).totals.runs == 2


def test_logs_count_only_where_the_launcher_said_so() -> None:
    team = make_team()
    past_run(team, 3, source="log")
    past_run(team, 4, source="log", uses_logs=True)
    assert try_out(team, NOW).watched == 1


def test_only_persistent_runs_of_the_team_in_the_last_days_are_looked_at() -> None:
    team = make_team()
    past_run(team, 1)
    past_run(team, 29 * 24)
    past_run(team, 31 * 24)
    past_run(team, 1, task="BATCH")
    past_run(make_team(), 1)
    never_ran = factories.make_job(team, "PENDING")
    factories.make_run(never_ran, running_at=None)
    assert try_out(team, NOW).totals.runs == 2


def test_a_run_whose_end_nobody_saw_ended_with_its_job() -> None:
    team = make_team()
    run = past_run(team, 5)
    JobRun.objects.filter(pk=run.pk).update(ended_at=None)
    (past,) = history._past(history._rows(team.pk, NOW - DAY)[0], AutostopPolicy.of(team.pk), NOW)
    assert (past.still_runs, past.history.until) == (False, NOW - 5 * HOUR)


class TestBounds:
    def test_the_newest_runs_are_taken_and_the_rest_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        team = make_team()
        for hours in (1, 2, 3):
            past_run(team, hours)
        monkeypatch.setattr(history, "MOST_RUNS", 2)
        tried = try_out(team, NOW)
        assert (tried.totals.runs, tried.left_out) == (2, 1)

    def test_of_runs_with_very_many_samples_fewer_are_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        team = make_team()
        for hours in (1, 2, 3):
            past_run(team, hours, source="heartbeat")
        monkeypatch.setattr(history, "MOST_SAMPLES", 2)
        tried = try_out(team, NOW)
        assert (tried.totals.runs, tried.samples, tried.left_out) == (2, 2, 1)

    def test_nobody_waits_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        team = make_team()
        for hours in (1, 2, 3):
            past_run(team, hours)
        monkeypatch.setattr(history, "LONGEST_S", -1)
        tried = try_out(team, NOW)
        assert (tried.totals.runs, tried.left_out) == (0, 3)

    def test_the_number_of_queries_grows_by_one_a_run(self) -> None:
        team = make_team()
        counts = []
        for hours in (1, 2, 3):
            past_run(team, hours, source="heartbeat")
            with CaptureQueriesContext(
                connection,
            ) as queries:
                try_out(team, NOW)
            counts.append(len(queries))
        assert counts[2] - counts[1] == 1
