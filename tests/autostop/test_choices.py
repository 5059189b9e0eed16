"""Changing the choices of a running job: inside the team's bounds, with a warning in full, never to put a hard limit off."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dispersed_web.autostop import choices, engine
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.launch import StopChoices
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop import request_stop
from tests.autostop.watched import HOUR, MINUTE, NOW, beats, kinds, make_job, make_team, see

pytestmark = pytest.mark.django_db


def change(job: Job, wanted: StopChoices, minute: int = 0, version: int | None = None) -> bool:
    row = Job.objects.get(pk=job.pk)
    seen = row.limits_version if version is None else version
    return choices.change(
        row, wanted, actor=Actor.person(job.created_by), now=NOW + minute * MINUTE, seen_version=seen
    )


def test_what_was_chosen_holds_and_is_told() -> None:
    job = make_job()
    wanted = StopChoices(1800, 3600, True, ("heartbeat ok",), Decimal("12.50"), Decimal("1.2"))
    assert change(job, wanted, 5)
    row = Job.objects.get(pk=job.pk)
    assert choices.of(row) == wanted
    assert (row.choices_changed_at, row.evaluate_at) == (NOW + 5 * MINUTE, NOW + 5 * MINUTE)
    assert row.limits_version == job.limits_version + 1
    told = Event.objects.get(kind="job.choices_changed")
    assert told.data["after"]["budget_usd"] == "12.5"
    assert told.data["before"]["idle_limit_s"] is None
    assert "the stop after idleness" in told.sentence


def test_the_same_again_changes_nothing() -> None:
    job = make_job(idle_limit_s=1800, budget_usd=Decimal("5.00"))
    assert not change(job, StopChoices(idle_limit_s=1800, budget_usd=Decimal(5)))
    assert kinds(job) == []


def test_money_alone_moves_no_deadline() -> None:
    job = make_job()
    assert change(job, StopChoices(budget_usd=Decimal(5)))
    assert Job.objects.get(pk=job.pk).choices_changed_at is None


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (StopChoices(idle_limit_s=9 * 3600), "idle_limit"),
        (StopChoices(idle_limit_s=0), "idle_limit"),
        (StopChoices(checkin_every_s=13 * 3600), "checkin_every"),
        (StopChoices(budget_usd=Decimal(0)), "budget_usd"),
        (StopChoices(rate_cap_usd=Decimal(-1)), "rate_cap_usd"),
        (StopChoices(log_noise=("",)), "log_noise"),
    ],
)
def test_what_lies_outside_the_bounds_is_refused(wanted: StopChoices, field: str) -> None:
    job = make_job()
    with pytest.raises(JobError) as refused:
        change(job, wanted)
    assert refused.value.field == field
    assert Job.objects.get(pk=job.pk).limits_version == job.limits_version


def test_an_outdated_page_and_a_stop_that_came_first_win() -> None:
    job = make_job()
    with pytest.raises(JobError) as outdated:
        change(job, StopChoices(idle_limit_s=1800), version=job.limits_version - 1)
    assert outdated.value.code == "outdated"
    request_stop(job, actor=Actor.person(job.created_by), reason=Reason.USER, now=NOW)
    with pytest.raises(TooLate):
        change(job, StopChoices(idle_limit_s=1800))


def test_a_shorter_limit_that_makes_it_due_gives_the_full_warning() -> None:
    job = make_job()
    beats(job, NOW, NOW + 40 * MINUTE)
    see(job, NOW + 40 * MINUTE)
    change(job, StopChoices(idle_limit_s=600), 40)
    engine.evaluate_due(NOW + 40 * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert row.stop_requested_at is None
    # Of a limit of ten minutes the warning is at most half.
    assert (row.warned_at, row.warned_for) == (NOW + 40 * MINUTE, NOW + 45 * MINUTE)


def test_no_change_puts_off_what_is_hard() -> None:
    """A lifetime or a scheduled stop that people were warned of comes, whatever is changed meanwhile."""
    for fields, policy in (
        ({"lifetime_s": 3600}, {}),
        ({}, {"schedule": schedule_in(HOUR), "schedule_changed_at": NOW - 2 * HOUR}),
    ):
        job = make_job(make_team(**policy), confirmed_at=NOW, **fields)
        for minute in range(40, 61):
            beats(job, NOW + minute * MINUTE, NOW + minute * MINUTE, gpu=90)
            see(job, NOW + minute * MINUTE)
            engine.evaluate_due(NOW + minute * MINUTE)
            if Job.objects.get(pk=job.pk).stop_requested_at is None and minute < 60:
                change(job, replace(StopChoices(), log_noise=(f"{minute}",)), minute)
        stopped = Job.objects.get(pk=job.pk)
        assert stopped.stop_reason in ("max_lifetime", "schedule")
        assert stopped.stop_requested_at <= NOW + 60 * MINUTE


def schedule_in(ahead: object) -> dict[str, object]:
    at = NOW + ahead
    return {"zone": "UTC", "stops": [{"weekdays": [at.weekday()], "at": f"{at:%H:%M}"}]}
