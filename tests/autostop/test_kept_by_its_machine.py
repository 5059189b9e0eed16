"""A container asks not to be stopped: for idleness it counts, in the place of people's answers it does not."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest

from dispersed_web.autostop import engine
from dispersed_web.autostop.extend import keep
from dispersed_web.events.models import ActorKind, Audience, Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs.errors import JobError
from dispersed_web.jobs.models import Job
from tests.autostop.watched import HOUR, MINUTE, NOW, beats, kinds, make_job, see

pytestmark = pytest.mark.django_db
CONTAINER = Actor(ActorKind.CLOUD, "The container")


def look(job: Job, at: dt.datetime) -> None:
    """The engine looks at the job, all of whose warnings arrive."""
    see(job, at)
    Job.objects.filter(pk=job.pk).update(evaluate_at=at)
    Job.objects.filter(pk=job.pk, warned_at__isnull=False).update(warning_delivered_at=at)
    engine.evaluate_due(at)


def test_a_machine_that_asks_to_be_kept_answers_no_question_that_was_put_to_people() -> None:
    job = make_job()
    for minute in range(119, 152):
        at = NOW + minute * MINUTE
        look(job, at)
        if minute > 120 and (row := Job.objects.get(pk=job.pk)).stop_requested_at is None:
            with suppress(JobError):
                keep(row, until=at + HOUR, actor=CONTAINER, now=at)
    row = Job.objects.get(pk=job.pk)
    assert (row.stop_reason, row.stop_requested_at) == ("checkin_unanswered", NOW + 150 * MINUTE)
    assert kinds(job, "job.checkin") == ["job.checkin"]
    assert not Event.objects.filter(kind="job.kept").exclude(audience=Audience.NOBODY).exists()


def test_a_heartbeat_that_begins_to_speak_takes_the_place_of_the_question() -> None:
    job = make_job()
    look(job, NOW + 120 * MINUTE)
    beats(job, NOW + 121 * MINUTE, NOW + 123 * MINUTE)
    look(job, NOW + 123 * MINUTE)
    assert kinds(job, "job.checkin", "job.called_off") == ["job.checkin", "job.called_off"]
    told = Event.objects.get(kind="job.called_off").sentence
    assert told == "The stop is called off, because a heartbeat tells now whether it is used."


def test_a_machine_that_asks_to_be_kept_calls_off_a_stop_for_idleness() -> None:
    job = make_job()
    beats(job, NOW, NOW + 50 * MINUTE)
    look(job, NOW + 50 * MINUTE)
    row = Job.objects.get(pk=job.pk)
    assert row.verdict_state == "warned"
    keep(row, until=NOW + 3 * HOUR, actor=CONTAINER, now=NOW + 51 * MINUTE)
    row.refresh_from_db()
    assert (row.warned_for, Event.objects.get(kind="job.kept").audience) == (None, Audience.JOB_OWNER)
