"""Who is told what over which way, and what becomes of each e-mail."""

from __future__ import annotations

import datetime as dt
import smtplib
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import ENGINE
from dispersed_web.notifications import deliveries, outbox
from dispersed_web.notifications.models import Delivery, Wishes
from dispersed_web.teams.models import Membership
from tests import factories
from tests.notifications.mailing import MoodyBackend

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def deliver(at: dt.datetime = NOW) -> None:
    outbox.fan_out(at)
    outbox.send_waiting(lambda: at)


def warn(team: Any = None, **fields: Any) -> Event:
    team = team or factories.make_team()
    job = fields.pop("job", None) or factories.make_job(team)
    fields.setdefault("audience", "job_owner")
    return factories.make_event(team, "job.warned", job, "Stops in 15 min.", actor=ENGINE, now=NOW, **fields)


def email() -> Delivery:
    """The warning by e-mail; of one that failed the admins are told, which is another."""
    return Delivery.objects.get(way="email", event__kind="job.warned")


def recipients() -> set[str]:
    return {message.to[0] for message in mail.outbox}


def test_a_warning_reaches_the_jobs_owner_in_their_zone() -> None:
    team = factories.make_team("Vision Lab")
    owner = factories.make_member(team, user=factories.make_user(time_zone="Asia/Tokyo"))
    job = factories.make_job(team, created_by=owner, title="Dév Box")
    stop_at = (NOW + dt.timedelta(days=2)).replace(hour=20, minute=30)
    data = {"stop_at": stop_at.isoformat(), "rule": "max_lifetime", "sentence": "Its maximum lifetime ends."}
    warn(team, job=job, data=data)
    deliver()
    (message,) = mail.outbox
    next_day = stop_at + dt.timedelta(days=1)
    assert message.to == [owner.email]
    assert message.subject == f"Stops at 05:30 on {next_day.day} {next_day:%b}: Dév Box"
    for words in (
        "Its maximum lifetime ends.",
        f"Stops: {next_day.day} {next_day:%B %Y}, 05:30 (Asia/Tokyo)",
        "Costs: $0.69 per hour",
        f"/t/{team.slug}/jobs/{job.pk}/",
    ):
        assert words in message.body
    assert "Stops in 15 min" not in message.body


def test_nobody_is_told_twice() -> None:
    warn(audience="admins")
    for _ in range(3):
        deliver()
    assert len(mail.outbox) == 1
    assert Delivery.objects.filter(way="inbox").count() == 1


def test_the_inbox_has_it_before_anything_is_sent() -> None:
    event = warn()
    outbox.fan_out(NOW)
    inbox = Delivery.objects.get(way="inbox")
    assert (inbox.event, inbox.state, inbox.read_at) == (event, "sent", None)
    assert mail.outbox == []


def test_an_event_that_cannot_be_told_keeps_no_other_waiting() -> None:
    team = factories.make_team()
    broken = factories.make_event(
        team, "budget.reached", factories.make_user(), now=NOW, audience="job_owner"
    )
    Event.objects.filter(pk=broken.pk).update(subject_id="nobody")
    warn(team)
    deliver()
    assert len(mail.outbox) == 1
    broken.refresh_from_db()
    assert broken.fanned_out_at is None
    deliver(NOW + dt.timedelta(minutes=61))
    broken.refresh_from_db()
    assert broken.fanned_out_at is not None


def test_an_event_without_audience_is_not_sent() -> None:
    team = factories.make_team()
    factories.make_event(team, "job.status", factories.make_job(team))
    deliver()
    assert mail.outbox == []
    assert not Delivery.objects.exists()


def test_admins_and_the_owner_hear_of_what_needs_a_person() -> None:
    team = factories.make_team()
    owner, admin = factories.owner_of(team), factories.make_member(team, "admin")
    member = factories.make_member(team)
    factories.make_member(team, "viewer")
    job = factories.make_job(team, created_by=member)
    factories.make_event(team, "job.missing", job, audience="admins")
    deliver()
    assert recipients() == {owner.email, admin.email, member.email}


def test_what_is_about_one_person_is_told_to_that_person() -> None:
    team = factories.make_team()
    member = factories.make_member(team)
    factories.make_event(team, "budget.reached", member, audience="job_owner", data={"percent": 50})
    deliver()
    assert recipients() == {member.email}
    assert mail.outbox[0].subject == "50 % of a budget is used: Lab"


def test_who_left_the_team_is_not_told_and_the_admins_are_instead() -> None:
    team = factories.make_team()
    warn(team, job=factories.make_job(team, created_by=factories.make_user()))
    deliver()
    assert recipients() == {factories.owner_of(team).email}


def test_news_after_a_warning_go_to_whoever_was_warned() -> None:
    team = factories.make_team()
    admin, member = factories.owner_of(team), factories.make_member(team)
    job = factories.make_job(team, created_by=factories.make_user())
    warn(team, job=job)
    deliver()
    job.owner = member
    job.save()
    mail.outbox.clear()
    factories.make_event(team, "job.called_off", job, "It is used again.", audience="job_owner")
    deliver()
    assert recipients() == {admin.email, member.email}
    mail.outbox.clear()
    factories.make_event(team, "job.found", job, "It is found again.", audience="job_owner")
    deliver()
    assert recipients() == {member.email}


def test_who_wants_no_mail_of_their_jobs_still_has_the_inbox() -> None:
    team = factories.make_team()
    owner = factories.owner_of(team)
    Wishes.objects.create(user=owner, email_my_jobs=False)
    warn(team)
    deliver()
    assert mail.outbox == []
    assert Delivery.objects.get().way == "inbox"
    warn(team, job=factories.make_job(team, created_by=factories.make_user()))
    factories.make_event(team, "credential.broken", audience="admins")
    deliver()
    assert len(mail.outbox) == 2


def test_a_stop_that_is_only_observed_stays_in_the_inbox() -> None:
    team = factories.make_team()
    factories.make_channel(team)
    factories.make_event(team, "job.would_stop", factories.make_job(team), audience="job_owner")
    deliver()
    assert [one.way for one in Delivery.objects.all()] == ["inbox"]


def test_a_mail_server_that_is_away_is_asked_again(mail_server: type[MoodyBackend]) -> None:
    warn()
    warn()
    mail_server.at_open = smtplib.SMTPServerDisconnected("secret host name")
    deliver()
    assert mail_server.opened == 1
    for delivery in Delivery.objects.filter(way="email"):
        assert (delivery.state, delivery.attempts) == ("waiting", 1)
        assert delivery.error == "The mail server cannot be reached (SMTPServerDisconnected)."
    mail_server.at_open = None
    deliver(NOW + dt.timedelta(minutes=5))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert len(mail.outbox) == 2


def test_a_message_for_ever_refused_ends_as_failed(mail_server: type[MoodyBackend]) -> None:
    warn()
    mail_server.at_send = smtplib.SMTPDataError(451, b"try later")
    for number in range(deliveries.MAX_ATTEMPTS + 3):
        deliver(NOW + dt.timedelta(hours=number))
    assert (email().state, email().attempts) == ("failed", deliveries.MAX_ATTEMPTS)


def test_an_unknown_recipient_is_not_tried_again(mail_server: type[MoodyBackend]) -> None:
    warn()
    mail_server.at_send = smtplib.SMTPRecipientsRefused({"x@example.org": (550, b"unknown")})
    deliver()
    assert (email().state, email().attempts) == ("failed", 1)


def test_what_may_have_been_taken_is_not_sent_again(mail_server: type[MoodyBackend]) -> None:
    warn()
    mail_server.at_send = smtplib.SMTPServerDisconnected("while it answered")
    deliver()
    mail_server.at_send = None
    deliver(NOW + dt.timedelta(hours=1))
    assert email().state == "failed"
    assert "may have taken" in email().error
    assert [message.subject.startswith("Stops at") for message in mail.outbox] == [False]


def test_one_message_that_fails_holds_up_no_other(mail_server: type[MoodyBackend]) -> None:
    team = factories.make_team()
    admin = factories.make_member(team, "admin")
    warn(team, audience="admins")
    outbox.fan_out(NOW)
    mail_server.at_send = smtplib.SMTPSenderRefused(421, b"busy", "me")
    first = Delivery.objects.filter(way="email").exclude(user=admin).get()
    Delivery.objects.filter(user=admin, way="email").update(next_try_at=NOW + dt.timedelta(seconds=9))
    outbox.send_waiting(lambda: NOW)
    mail_server.at_send = None
    outbox.send_waiting(lambda: NOW + dt.timedelta(seconds=10))
    first.refresh_from_db()
    assert first.state == "waiting"
    assert recipients() == {admin.email}


def test_what_a_dead_worker_had_claimed_is_given_up() -> None:
    warn()
    outbox.fan_out(NOW)
    Delivery.objects.filter(way="email").update(state="sending", claimed_at=NOW)
    outbox.send_waiting(lambda: NOW + dt.timedelta(minutes=9))
    assert email().state == "sending"
    outbox.send_waiting(lambda: NOW + dt.timedelta(minutes=11))
    assert email().state == "failed"
    assert mail.outbox == []


def test_what_waited_for_a_day_is_no_news() -> None:
    warn()
    deliver(NOW + dt.timedelta(hours=25))
    assert (email().state, email().error) == ("failed", "Not sent: it was a day old.")
    assert mail.outbox == []


def test_who_leaves_while_a_message_waits_does_not_get_it() -> None:
    event = warn()
    outbox.fan_out(NOW)
    Membership.objects.filter(team=event.team_id).delete()
    outbox.send_waiting(lambda: NOW)
    assert (email().state, mail.outbox) == ("failed", [])


def test_titles_cannot_break_out_of_the_subject() -> None:
    team = factories.make_team()
    warn(team, job=factories.make_job(team, title="x\nBcc: all@example.org\u202e"))
    deliver()
    assert mail.outbox[0].subject == "Stops soon: x Bcc: all@example.org"


def test_the_html_part_escapes_what_people_wrote_and_loads_nothing() -> None:
    team = factories.make_team("<b>Team</b>")
    warn(
        team,
        job=factories.make_job(team, title="<script>alert(1)</script>"),
        data={"sentence": "<img src=x>"},
    )
    deliver()
    message = mail.outbox[0]
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    for unsafe in ("<script>", "<img", "<b>Team", "src=", "url("):
        assert unsafe not in html.replace("&lt;img src=x&gt;", "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<img src=x>" in message.body


def test_messages_about_one_job_form_a_conversation() -> None:
    team = factories.make_team()
    job = factories.make_job(team)
    warn(team, job=job)
    factories.make_event(team, "job.called_off", job, audience="job_owner")
    deliver()
    assert {message.extra_headers["References"] for message in mail.outbox} == {f"<job.{job.pk}@127.0.0.1>"}
