"""Too many idle stops at once are held until a person decides; hard limits pass; otherwise one at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.autostop import breaker, engine
from dispersed_web.autostop.models import Hold
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from tests import factories
from tests.autostop.watched import HOUR, MINUTE, NOW, beat, make_job, make_team, see


@pytest.mark.parametrize(
    ("due", "watched", "trips"),
    [
        (0, 0, False),
        (2, 2, False),
        (3, 3, True),
        (3, 14, True),
        (3, 15, False),
        (3, 16, False),
        (20, 100, False),
        (21, 100, True),
    ],
)
def test_three_and_more_than_a_fifth(due: int, watched: int, trips: bool) -> None:
    assert breaker.trips(due, watched) is trips


@pytest.mark.parametrize(
    ("ago_s", "slowly", "may"),
    [(None, False, True), (9, False, False), (10, False, True), (299, True, False), (300, True, True)],
)
def test_the_pace(ago_s: int | None, slowly: bool, may: bool) -> None:
    last = None if ago_s is None else NOW - dt.timedelta(seconds=ago_s)
    assert breaker.pace(last, NOW, slowly=slowly) is may


@pytest.fixture
def quiet() -> list[Job]:
    """Five jobs of one team that are quiet since NOW, warned, and due at NOW + 61 min."""
    team = make_team()
    return [make_job(team) for _ in range(5)]


def live(jobs: list[Job], begin: int, end: int, silent: int = 0) -> None:
    """Minute by minute; the first ``silent`` jobs send no heartbeat."""
    for minute in range(begin, end):
        at = NOW + minute * MINUTE
        for place, job in enumerate(jobs):
            see(job, at)
            if place >= silent:
                beat(job, at)
        engine.evaluate_due(at)


def say_arrived(at: dt.datetime) -> None:
    Job.objects.update(warning_delivered_at=at)


def stopped() -> int:
    return Job.objects.filter(stop_requested_at__isnull=False).count()


def actor(job: Job) -> Actor:
    return Actor.person(job.created_by)


@pytest.mark.django_db
def test_all_due_at_once_are_held_and_admins_are_asked(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 70)
    assert stopped() == 0
    hold = Hold.objects.get()
    assert (hold.kind, hold.decided_at, sorted(hold.job_ids)) == (
        "many_due",
        None,
        sorted(str(job.pk) for job in quiet),
    )
    told = Event.objects.get(kind="team.hold")
    assert told.audience == "admins"
    assert told.sentence.startswith("5 of 5 watched jobs would be stopped for idleness at once.")


@pytest.mark.django_db
def test_a_person_lets_them_go_and_they_go_one_by_one(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 65)
    at = NOW + 65 * MINUTE
    assert breaker.decide(Hold.objects.get(), "stop", actor(quiet[0]), at)
    assert not breaker.decide(Hold.objects.get(), "keep", actor(quiet[0]), at)
    for place in range(1, 6):
        for job in quiet:
            see(job, at)
        engine.evaluate_due(at + dt.timedelta(seconds=1))
        assert stopped() == place
        at += dt.timedelta(seconds=11)
    assert Hold.objects.count() == 1


@pytest.mark.django_db
def test_a_person_keeps_them_and_they_count_as_used(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 65)
    assert breaker.decide(Hold.objects.get(), "keep", actor(quiet[0]), NOW + 65 * MINUTE)
    live(quiet, 65, 100)
    assert (stopped(), Job.objects.filter(warned_for__isnull=False).count()) == (0, 0)


@pytest.mark.django_db
def test_what_nobody_decides_goes_on_slowly_after_half_an_hour(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 91)
    assert stopped() == 0
    live(quiet, 91, 102)
    assert stopped() == 3  # at 91, 96 and 101


@pytest.mark.django_db
def test_while_others_cannot_be_heard_nothing_goes_on_by_itself(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 70)
    live(quiet, 70, 80, silent=1)
    assert Hold.objects.get(kind="many_due").proven_since is None
    live(quiet, 80, 110)
    assert stopped() == 0
    live(quiet, 110, 116)
    assert stopped() > 0


@pytest.mark.django_db
def test_a_key_that_fails_proves_nothing(quiet: list[Job]) -> None:
    hold = Hold.objects.create(team_id=quiet[0].team_id, kind="many_due", opened_at=NOW, sentence="s")
    Job.objects.update(confidence="high")
    breaker.watch_proofs(NOW)
    hold.refresh_from_db()
    assert hold.proven_since == NOW
    breaker.watch_proofs(NOW + MINUTE)
    hold.refresh_from_db()
    assert hold.proven_since == NOW
    Credential.objects.update(failures=1)
    breaker.watch_proofs(NOW + 2 * MINUTE)
    hold.refresh_from_db()
    assert hold.proven_since is None


@pytest.mark.django_db
def test_hard_limits_pass(quiet: list[Job]) -> None:
    Job.objects.filter(pk=quiet[0].pk).update(lifetime_s=60 * 65)
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 75)
    assert stopped() == 1
    assert Job.objects.get(pk=quiet[0].pk).stop_reason == "max_lifetime"


@pytest.mark.django_db
def test_one_of_many_is_simply_stopped() -> None:
    team = make_team()
    jobs = [make_job(team) for _ in range(4)]
    for minute in range(0, 65):
        at = NOW + minute * MINUTE
        for place, job in enumerate(jobs):
            see(job, at)
            beat(job, at, gpu=0 if place == 0 else 80)
        if minute == 55:
            say_arrived(at)
        engine.evaluate_due(at)
    assert [bool(Job.objects.get(pk=job.pk).stop_requested_at) for job in jobs] == [True, False, False, False]
    assert not Hold.objects.exists()


@pytest.mark.django_db
def test_jobs_that_could_not_be_idle_anyway_do_not_count() -> None:
    team = factories.make_team()
    due = [factories.make_job(team, confidence="high") for _ in range(3)]
    for _ in range(20):
        factories.make_job(team, confidence="low")
    assert breaker.admit(team.pk, due, NOW) == set()
    assert Hold.objects.get().sentence.startswith("3 of 3 watched jobs")


@pytest.mark.django_db
def test_too_many_of_one_credential_are_held_though_few_of_the_team() -> None:
    team = factories.make_team()
    first, second = factories.make_credential(team), factories.make_credential(team)
    due = [factories.make_job(team, confidence="high", credential=first) for _ in range(3)]
    for _ in range(17):
        factories.make_job(team, confidence="medium", credential=second)
    assert breaker.admit(team.pk, [due[0], due[1]], NOW) == {due[0].pk}
    assert breaker.admit(team.pk, due, NOW) == set()
    assert Hold.objects.get().sentence.startswith("3 of 3 watched jobs of one credential would be")


@pytest.mark.django_db
def test_what_went_before_it_was_seen_is_counted_and_said() -> None:
    team = make_team()
    first, second, third, fourth, _ = (make_job(team, confidence="high") for _ in range(5))
    gone = {"stop_reason": "idle", "stop_requested_at": NOW}
    Job.objects.filter(pk=first.pk).update(**gone)
    assert breaker.admit(team.pk, [second], NOW + MINUTE) == {second.pk}
    Job.objects.filter(pk=second.pk).update(**gone)
    assert breaker.admit(team.pk, [third], NOW + MINUTE) == set()
    hold = Hold.objects.get()
    assert hold.job_ids == [str(third.pk)]
    assert hold.sentence == (
        "3 of 5 watched jobs became idle at once. That is unusual. 2 of them were stopped before it was seen; the others "
        "are held: decide whether they may be stopped."
    )
    breaker.admit(team.pk, [third, fourth], NOW + 2 * MINUTE)
    assert Hold.objects.get().job_ids == [str(third.pk), str(fourth.pk)]


@pytest.mark.django_db
def test_another_teams_jobs_do_not_count(quiet: list[Job]) -> None:
    other = make_team()
    alone = make_job(other)
    for minute in range(0, 65):
        at = NOW + minute * MINUTE
        for job in (*quiet, alone):
            see(job, at)
            beat(job, at)
        if minute == 55:
            say_arrived(at)
        engine.evaluate_due(at)
    assert Job.objects.get(pk=alone.pk).stop_reason == "idle"
    assert stopped() == 1


@pytest.mark.django_db
def test_when_all_heartbeats_fall_silent_at_once_nothing_is_inferred_until_a_person_decides(
    quiet: list[Job],
) -> None:
    live(quiet, 0, 30)
    live(quiet, 30, 60, silent=5)
    hold = Hold.objects.get()
    assert (hold.kind, len(hold.job_ids)) == ("all_silent", 5)
    # held: blind for as long as it takes, and nobody is asked about each machine
    live(quiet, 60, 240, silent=5)
    assert set(Job.objects.values_list("verdict_state", flat=True)) == {"blind"}
    assert not Event.objects.filter(kind__in=["job.blind", "job.checkin", "job.warned"]).exists()
    assert breaker.decide(hold, "stop", actor(quiet[0]), NOW + 4 * HOUR)
    live(quiet, 240, 250, silent=5)
    assert Event.objects.filter(kind="job.blind").count() == 5
    assert stopped() == 0


@pytest.mark.django_db
def test_a_hold_whose_jobs_are_used_again_closes_by_itself(quiet: list[Job]) -> None:
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 65)
    for minute in range(65, 76):
        for job in quiet:
            see(job, NOW + minute * MINUTE)
            beat(job, NOW + minute * MINUTE, gpu=90)
        engine.evaluate_due(NOW + minute * MINUTE)
        breaker.close_passed(NOW + minute * MINUTE)
    hold = Hold.objects.get()
    assert (hold.decision, hold.decided_by) == ("passed", None)


@pytest.mark.django_db
def test_a_job_whose_stop_fails_keeps_no_other_of_its_team_waiting(
    quiet: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = stop.request_stop

    def fail_for_the_first(job: Job, **options: Any) -> bool:
        if job.pk == quiet[0].pk:
            raise ArithmeticError
        return ask(job, **options)

    monkeypatch.setattr(stop, "request_stop", fail_for_the_first)
    busy = [make_job(quiet[0].team) for _ in range(6)]
    Job.objects.filter(pk=quiet[0].pk).update(evaluate_at=NOW - HOUR)
    for minute in range(0, 70):
        at = NOW + minute * MINUTE
        for job in [*quiet[:2], *busy]:
            see(job, at)
            beat(job, at, gpu=0 if job in quiet else 80)
        if minute == 55:
            say_arrived(at)
        engine.evaluate_due(at)
    found = [Job.objects.get(pk=job.pk).stop_requested_at for job in quiet[:2]]
    assert (found[0], bool(found[1])) == (None, True)


@pytest.mark.django_db
def test_a_team_whose_idle_jobs_cannot_be_judged_keeps_its_hard_limits(
    quiet: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(breaker, "admit", broken)
    Job.objects.filter(pk=quiet[0].pk).update(lifetime_s=60 * 65)
    live(quiet, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(quiet, 55, 75)
    assert stopped() == 1
    assert Job.objects.get(pk=quiet[0].pk).stop_reason == "max_lifetime"


@pytest.mark.django_db
@pytest.mark.parametrize("decision", ["stop", "keep"])
def test_a_decision_on_silent_jobs_is_not_asked_for_again_at_once(quiet: list[Job], decision: str) -> None:
    live(quiet, 0, 20)
    live(quiet, 20, 28, silent=4)
    hold = Hold.objects.get()
    assert hold.kind == "all_silent"
    assert breaker.decide(hold, decision, actor(quiet[4]), NOW + 28 * MINUTE)
    for minute in range(28, 40):
        at = NOW + minute * MINUTE
        for job in quiet:
            see(job, at)
        beat(quiet[4], at, gpu=80 if minute % 8 == 0 else 0)
        engine.evaluate_due(at)
    assert Hold.objects.count() == 1


# All teams together ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_many_teams_with_a_job_each_lose_none_of_them_at_once() -> None:
    jobs = [make_job(make_team()) for _ in range(4)]
    live(jobs, 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live(jobs, 55, 65)
    assert stopped() == 0
    assert sorted(Hold.objects.values_list("team", flat=True)) == sorted(job.team_id for job in jobs)
    assert {hold.sentence for hold in Hold.objects.all()} == {breaker.EVERYWHERE}
    at = NOW + 65 * MINUTE
    first = jobs[0]
    assert breaker.decide(Hold.objects.get(team=first.team_id), "stop", actor(first), at)
    for job in jobs:
        see(job, at)
        beat(job, at)
    engine.evaluate_due(at + dt.timedelta(seconds=1))
    first.refresh_from_db()
    assert first.stop_requested_at is not None
    assert stopped() == 1


@pytest.mark.django_db
def test_what_one_team_has_held_for_a_reason_of_its_own_holds_no_job_of_another(quiet: list[Job]) -> None:
    other = make_job(make_team())
    jobs = [*quiet, other]
    live(quiet, 0, 5)
    live(jobs, 5, 60)
    say_arrived(NOW + 60 * MINUTE)
    live(jobs, 60, 75)
    assert Hold.objects.get().team_id == quiet[0].team_id
    other.refresh_from_db()
    assert (other.stop_requested_at is not None, stopped()) == (True, 1)


@pytest.mark.django_db
def test_where_all_teams_cannot_be_counted_what_is_due_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(make_team())
    monkeypatch.setattr(breaker, "many_everywhere", lambda *_: 1 / 0)
    live([job], 0, 55)
    say_arrived(NOW + 55 * MINUTE)
    live([job], 55, 70)
    assert stopped() == 0
