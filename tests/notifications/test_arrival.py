"""The two facts on the job: that its warning reached somebody, or that every way of it failed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import inbox, outbox
from dispersed_web.notifications.models import Wishes
from dispersed_web.teams.models import Membership, Team
from tests import factories
from tests.notifications.mailing import MoodyBackend
from tests.notifications.receiver import Receiver

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def team() -> Team:
    return factories.make_team()


def warn(team: Team, kind: str = "job.warned", job: Job | None = None, at: dt.datetime = NOW) -> Event:
    job = job or factories.make_job(team)
    Job.objects.filter(pk=job.pk).update(warned_at=at, warning_delivered_at=None, warning_failed_at=None)
    return factories.make_event(team, kind, job, now=at, audience="job_owner")


def deliver(at: dt.datetime = NOW) -> None:
    outbox.fan_out(at)
    outbox.send_waiting(lambda: at)


def facts(event: Event) -> tuple[dt.datetime | None, dt.datetime | None]:
    job = Job.objects.get(pk=event.subject_id)
    return job.warning_delivered_at, job.warning_failed_at


@pytest.mark.parametrize("kind", ["job.warned", "job.checkin"])
def test_an_email_that_is_sent_has_arrived(team: Team, kind: str) -> None:
    event = warn(team, kind)
    outbox.fan_out(NOW)
    assert facts(event) == (None, None)
    deliver()
    assert facts(event) == (NOW, None)


def test_other_news_are_no_warning(team: Team) -> None:
    event = warn(team, "job.ended")
    deliver()
    assert facts(event) == (None, None)


def test_a_webhook_alone_is_enough(team: Team, hook: Receiver, mail_server: type[MoodyBackend]) -> None:
    mail_server.at_open = OSError()
    factories.make_channel(team, hook.url)
    event = warn(team)
    deliver()
    assert facts(event) == (NOW, None)


def test_it_failed_when_every_way_was_refused_twice_or_for_good(
    team: Team, hook: Receiver, mail_server: type[MoodyBackend]
) -> None:
    mail_server.at_open = OSError()
    hook.answer(404)
    factories.make_channel(team, hook.url)
    event = warn(team)
    deliver()
    assert facts(event) == (None, None)
    deliver(NOW + MINUTE)
    assert facts(event) == (None, NOW + MINUTE)
    told = Event.objects.get(kind="job.warning_failed")
    assert (told.subject_id, told.audience, told.team) == (event.subject_id, "admins", team)
    assert "It comes all the same." in told.sentence
    deliver(NOW + 2 * MINUTE)
    assert Event.objects.filter(kind="job.warning_failed").count() == 1
    mail_server.at_open = None
    deliver(NOW + 5 * MINUTE)
    assert facts(event) == (NOW + 5 * MINUTE, NOW + MINUTE)


def test_in_the_inbox_it_arrives_when_it_is_read(team: Team, mail_server: type[MoodyBackend]) -> None:
    mail_server.at_open = OSError()
    event = warn(team)
    deliver()
    assert inbox.mark_read(inbox.of(factories.owner_of(team)), NOW + MINUTE) == 1
    assert facts(event) == (NOW + MINUTE, None)


def test_who_wants_no_mail_is_not_a_way_that_failed(team: Team) -> None:
    Wishes.objects.create(user=factories.owner_of(team), email_my_jobs=False)
    event = warn(team)
    deliver()
    assert facts(event) == (None, None)


def test_where_nobody_is_left_to_be_told_it_failed(team: Team) -> None:
    event = warn(team)
    Membership.objects.all().delete()
    deliver()
    assert facts(event) == (None, NOW)


@pytest.mark.parametrize("kind", ["job.warned", "job.checkin"])
def test_a_soft_stop_of_which_nobody_was_warned_is_put_off_and_the_admins_are_told(
    team: Team, kind: str
) -> None:
    event = warn(team, kind)
    Event.objects.filter(pk=event.pk).update(data={"rule": "idle" if kind == "job.warned" else ""})
    Membership.objects.all().delete()
    deliver()
    assert "It is put off once" in Event.objects.get(kind="job.warning_failed").sentence


def test_a_late_delivery_of_an_older_warning_says_nothing_of_the_newest(team: Team, mail_server: Any) -> None:
    mail_server.at_open = OSError()
    first = warn(team)
    deliver()
    job = Job.objects.get(pk=first.subject_id)
    warn(team, job=job, at=NOW + MINUTE)
    mail_server.at_open = None
    outbox.send_waiting(lambda: NOW + 2 * MINUTE)
    assert facts(first) == (None, None)
    deliver(NOW + 3 * MINUTE)
    assert facts(first) == (NOW + 3 * MINUTE, None)
