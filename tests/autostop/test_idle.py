"""The engine and idleness on real rows: heartbeats as the receiver stores them, passes as the sweeps make them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from dispersed_web.autostop import engine, extend
from dispersed_web.autostop.models import ObservedStop, VerdictChange
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.teams.models import AutostopPolicy
from tests import factories
from tests.autostop.watched import HOUR, MINUTE, NOW, beat, beats, kinds, make_job, make_team, see

pytestmark = pytest.mark.django_db


def live(job: Job, begin: int, end: int, every: int = 1, **said: object) -> Iterator[Job]:
    """Minute by minute: the cloud is seen, a heartbeat comes, and the engine makes a pass."""
    for minute in range(begin, end, every):
        at = NOW + minute * MINUTE
        see(job, at)
        beat(job, at, **said)
        engine.evaluate_due(at)
        yield Job.objects.get(pk=job.pk)


def run(job: Job, begin: int, end: int, **said: object) -> Job:
    for _ in live(job, begin, end, **said):
        continue
    return Job.objects.get(pk=job.pk)


def say_arrived(job: Job, minute: int) -> None:
    """The warning reached somebody."""
    Job.objects.filter(pk=job.pk).update(warning_delivered_at=NOW + minute * MINUTE)


def test_what_is_quiet_for_an_hour_is_warned_about_and_stopped() -> None:
    job = make_job()
    states = {minute: row.verdict_state for minute, row in enumerate(live(job, 0, 40))}
    assert (states[0], states[30]) == ("active", "quiet")
    warned = run(job, 40, 50)
    assert kinds(job) == ["job.warned"]
    assert warned.warned_for == NOW + 61 * MINUTE  # a minute of boot grace, then an hour
    say_arrived(job, 50)
    assert run(job, 50, 61).stop_requested_at is None
    stopped = run(job, 61, 63)
    assert stopped.stop_reason == "idle"
    assert stopped.stop_requested_at - (NOW + 61 * MINUTE) <= MINUTE
    assert stopped.stop_evidence["sentence"].startswith("Idle for 1 h")
    assert kinds(job) == ["job.warned", "job.reminded", "job.stop_requested"]
    told = Event.objects.get(kind="job.stop_requested")
    assert "GPU 0 %" in told.sentence


def test_a_busy_gpu_is_never_stopped() -> None:
    job = make_job()
    row = run(job, 0, 150, gpu=87)
    assert (row.stop_requested_at, row.verdict_state, row.confidence) == (None, "active", "high")
    assert kinds(job) == []


def test_a_warning_that_reached_nobody_puts_the_stop_off_once() -> None:
    job = make_job()
    run(job, 0, 62)
    assert Job.objects.get(pk=job.pk).stop_requested_at is None
    row = run(job, 62, 80)
    assert row.stop_reason == "idle"
    assert row.stop_requested_at >= NOW + 76 * MINUTE


def test_use_after_the_warning_calls_the_stop_off_and_says_why() -> None:
    job = make_job()
    run(job, 0, 50)
    row = run(job, 50, 53, gpu=42)
    assert (row.warned_for, row.verdict_state) == (None, "active")
    told = Event.objects.get(kind="job.called_off")
    assert told.sentence == "The stop is called off, because it is used: GPU 42 %."
    assert told.audience == "job_owner"
    row = run(job, 53, 110)
    assert kinds(job, "job.warned") == ["job.warned"] * 2
    assert row.warned_for == NOW + (52 + 60) * MINUTE


def test_typing_keeps_it() -> None:
    job = make_job()
    for minute in range(0, 130):
        age = dt.timedelta(minutes=minute % 25)
        see(job, NOW + minute * MINUTE)
        beat(job, NOW + minute * MINUTE, ssh_open=1, key_age=age)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert kinds(job) == []


def test_an_open_but_silent_session_is_no_use_but_doubles_the_warning() -> None:
    job = make_job()
    row = run(job, 0, 33, ssh_open=1, key_age=3 * HOUR)
    assert row.warned_for == NOW + 61 * MINUTE
    assert row.warned_at == NOW + 31 * MINUTE


def test_an_extension_keeps_it_and_a_protection_too() -> None:
    job = make_job()
    row = run(job, 0, 50)
    actor = Actor.person(job.created_by)
    until = NOW + 3 * HOUR
    extend.extend(row, until=until, actor=actor, now=NOW + 50 * MINUTE, seen_version=row.limits_version)
    row = run(job, 50, 120)
    assert (row.stop_requested_at, row.warned_for) == (None, None)
    extend.protect(
        row, until=NOW + 5 * HOUR, reason="A demo", actor=actor, by_admin=False, now=NOW + 2 * HOUR
    )
    row = run(job, 120, 200)
    assert (row.verdict_state, row.warned_for) == ("protected", None)


def test_a_protection_of_a_warned_job_says_that_the_stop_is_called_off() -> None:
    job = make_job()
    row = run(job, 0, 50)
    actor, until = Actor.person(job.created_by), NOW + 3 * HOUR
    extend.protect(row, until=until, reason="A demo", actor=actor, by_admin=False, now=NOW + 50 * MINUTE)
    told = Event.objects.get(kind="job.protected")
    assert told.sentence.endswith("“A demo”. The announced stop is called off.")
    assert told.audience == "job_owner"


def test_silence_is_not_idleness_and_is_told_once() -> None:
    job = make_job()
    run(job, 0, 30)
    for minute in range(30, 60):
        see(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert (row.verdict_state, row.confidence) == ("unknown", "low")
    assert kinds(job) == ["job.blind"]
    # its check-in begins when the signal is given up: a quarter of an hour after the last heartbeat
    assert row.stop_at == NOW + (29 + 15 + 120 + 30) * MINUTE
    assert list(VerdictChange.objects.order_by("at").values_list("state", flat=True)) == [
        "active",
        "quiet",
        "blind",
        "unknown",
    ]


def test_a_signal_that_comes_and_goes_is_told_of_once_in_a_while() -> None:
    job = make_job()
    for minute in range(0, 420, 2):
        see(job, NOW + minute * MINUTE)
        if minute % 20 == 0:
            beat(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert kinds(job, "job.blind") == ["job.blind"] * 2


def test_while_the_cloud_cannot_be_seen_nothing_is_quiet_and_the_clock_begins_anew_after_it() -> None:
    job = make_job()
    run(job, 0, 40)
    for minute in range(40, 90):
        beat(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert Job.objects.get(pk=job.pk).verdict_state == "blind"
    see(job, NOW + 90 * MINUTE, since=NOW + 90 * MINUTE)
    row = run(job, 90, 140)
    assert row.warned_for == NOW + 150 * MINUTE
    assert kinds(job) == ["job.warned"]


def test_a_new_run_starts_afresh() -> None:
    job = make_job()
    run(job, 0, 40)
    second = factories.make_run(job, running_at=NOW + 41 * MINUTE, first_seen_at=NOW + 40 * MINUTE)
    Job.objects.filter(pk=job.pk).update(current_run=second, run_running_at=second.running_at)
    row = run(job, 41, 90)
    assert row.warned_for == NOW + (41 + 1 + 60) * MINUTE
    assert JobRun.objects.filter(job=job).count() == 2


def test_without_a_signal_a_person_is_asked_and_the_answer_counts() -> None:
    job = make_job()
    for minute in range(0, 125):
        see(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert kinds(job) == ["job.checkin"]
    assert (row.warned_at, row.stop_at) == (NOW + 120 * MINUTE, NOW + 150 * MINUTE)
    assert Event.objects.get(kind="job.checkin").sentence.startswith(
        "Still using it? It costs $0.69 per hour."
    )
    extend.confirm_use(row, actor=Actor.person(job.created_by), now=NOW + 125 * MINUTE)
    for minute in range(125, 366):
        see(job, NOW + minute * MINUTE)
        engine.evaluate_due(NOW + minute * MINUTE)
    assert kinds(job) == ["job.checkin", "job.in_use", "job.checkin"]
    say_arrived(job, 370)
    for minute in range(366, 397):
        engine.evaluate_due(NOW + minute * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert row.stop_reason == "checkin_unanswered"
    assert row.stop_requested_at == NOW + (125 + 240 + 30) * MINUTE


def test_a_new_team_only_observes_and_sees_what_would_have_been() -> None:
    team = make_team(mode="observe", observe_until=NOW + 7 * 24 * HOUR)
    job = make_job(team)
    row = run(job, 0, 70)
    assert (row.verdict_state, row.stop_requested_at, row.warned_for) == ("observed", None, None)
    assert kinds(job) == ["job.would_stop"]
    seen = ObservedStop.objects.get()
    assert (seen.at, seen.used_again_at) == (NOW + 61 * MINUTE, None)
    run(job, 70, 75, gpu=50)
    seen.refresh_from_db()
    assert seen.used_again == "GPU 50 %"
    assert NOW + 70 * MINUTE <= seen.used_again_at < NOW + 75 * MINUTE


def test_enforcing_gives_the_full_warning_from_then_on() -> None:
    team = make_team(mode="observe", observe_until=None)
    job = make_job(team)
    run(job, 0, 90)
    AutostopPolicy.objects.filter(team=team).update(mode="enforce", changed_at=NOW + 90 * MINUTE)
    Job.objects.update(evaluate_at=NOW + 90 * MINUTE)
    row = run(job, 90, 92)
    assert (row.warned_at, row.warned_for) == (NOW + 90 * MINUTE, NOW + 105 * MINUTE)
    say_arrived(job, 92)
    row = run(job, 92, 107)
    assert row.stop_requested_at == NOW + 105 * MINUTE


def test_looks_cost_few_queries_however_many_jobs(django_assert_max_num_queries: object) -> None:
    team = make_team()
    jobs = [make_job(team) for _ in range(30)]
    for job in jobs:
        beat(job, NOW + 2 * MINUTE)
    engine.evaluate_due(NOW + 2 * MINUTE)
    Job.objects.update(evaluate_at=NOW)
    with django_assert_max_num_queries(15):
        engine.evaluate_due(NOW + 2 * MINUTE + dt.timedelta(seconds=1))


def test_beats_alone_write_no_row_of_the_job() -> None:
    job = make_job()
    beats(job, NOW, NOW + 10 * MINUTE)
    assert Job.objects.get(pk=job.pk).limits_version == job.limits_version
