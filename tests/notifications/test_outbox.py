from __future__ import annotations

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.utils import timezone

from dispersed_web.events.record import ENGINE
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def deliver(at: dt.datetime = NOW) -> None:
    outbox.fan_out(at)
    outbox.send_waiting(lambda: at)


def test_a_warning_reaches_the_jobs_owner_in_their_zone() -> None:
    team = factories.make_team("Vision Lab")
    owner = factories.make_member(team, user=factories.make_user(time_zone="Asia/Tokyo"))
    job = factories.make_job(team, created_by=owner, title="Dév Box")
    stop_at = dt.datetime(2026, 11, 23, 20, 30, tzinfo=dt.UTC)
    data = {"stop_at": stop_at.isoformat(), "rule": "max_lifetime"}
    factories.make_event(
        team, "job.warned", job, "Stops in 15 min.", actor=ENGINE, audience="job_owner", data=data
    )
    deliver()
    (message,) = mail.outbox
    assert message.to == [owner.email]
    assert message.subject == "Stops soon: Dév Box"
    assert "Stops: 24 November, 05:30 unless somebody extends it" in message.body
    assert f"/t/{team.slug}/jobs/{job.pk}/" in message.body


def test_nobody_is_told_twice() -> None:
    team = factories.make_team()
    job = factories.make_job(team)
    factories.make_event(team, "job.warned", job, audience="admins")
    for _ in range(3):
        deliver()
    assert len(mail.outbox) == 1


def test_an_event_without_audience_is_not_sent() -> None:
    team = factories.make_team()
    factories.make_event(team, "job.status", factories.make_job(team))
    deliver()
    assert mail.outbox == []


def test_admins_and_the_owner_hear_of_what_needs_a_person() -> None:
    team = factories.make_team()
    owner, admin = factories.owner_of(team), factories.make_member(team, "admin")
    member = factories.make_member(team)
    factories.make_member(team, "viewer")
    job = factories.make_job(team, created_by=member)
    factories.make_event(team, "job.missing", job, audience="admins")
    deliver()
    assert {message.to[0] for message in mail.outbox} == {owner.email, admin.email, member.email}


def test_who_left_the_team_is_not_told_and_the_admins_are_instead() -> None:
    team = factories.make_team()
    job = factories.make_job(team, created_by=factories.make_user())
    factories.make_event(team, "job.warned", job, audience="job_owner")
    deliver()
    assert [message.to for message in mail.outbox] == [[factories.owner_of(team).email]]


def test_a_mail_server_that_refuses_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    team = factories.make_team()
    factories.make_event(team, "job.warned", factories.make_job(team), audience="job_owner")

    def refuse(*args: object) -> None:
        raise smtplib.SMTPServerDisconnected("secret host name")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "send_mail", refuse)
        deliver()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts) == ("waiting", 1)
        assert "secret" not in delivery.error
    deliver(NOW + dt.timedelta(minutes=5))
    assert Delivery.objects.get().state == "sent"
    assert len(mail.outbox) == 1


def test_a_message_for_ever_refused_ends_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    team = factories.make_team()
    factories.make_event(team, "job.warned", factories.make_job(team), audience="job_owner")
    monkeypatch.setattr(outbox, "send_mail", lambda *args: (_ for _ in ()).throw(OSError))
    for hours in range(10):
        deliver(NOW + dt.timedelta(hours=hours))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("failed", outbox.MAX_ATTEMPTS)


def test_titles_cannot_break_out_of_the_subject() -> None:
    team = factories.make_team()
    job = factories.make_job(team, title="x\nBcc: all@example.org")
    factories.make_event(team, "job.warned", job, audience="job_owner")
    deliver()
    assert mail.outbox[0].subject == "Stops soon: x Bcc: all@example.org"
