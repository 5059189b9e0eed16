"""Whom notices of security reach: the person, the owners, never a program, never a channel; always by mail."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.urls import reverse

from dispersed_web.credentials import vault
from dispersed_web.events import context
from dispersed_web.events.context import RequestFacts
from dispersed_web.events.models import Event
from dispersed_web.events.record import ENGINE, Actor
from dispersed_web.events.security import note_account, tell_owners, tell_person
from dispersed_web.jobs import tokens
from dispersed_web.notifications import inbox, outbox
from dispersed_web.notifications.models import Delivery, Wishes
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def deliver() -> None:
    outbox.fan_out(NOW)
    outbox.send_waiting(lambda: NOW)


def told() -> set[str]:
    return set(Delivery.objects.filter(way="inbox").values_list("user__email", flat=True))


def test_a_person_without_a_team_is_told_of_their_account(client) -> None:
    ana = factories.make_user("ana@example.org", time_zone="Europe/Berlin")
    with context.within(RequestFacts("203.0.113.9", FIREFOX, "r-1")):
        tell_person(ana, "account.signed_in", "A new browser signed in to your account.", NOW)
    deliver()
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ana@example.org"], "New sign-in")
    for words in (
        "A new browser signed in",
        "Network address: 203.0.113.9",
        "Browser: Firefox on Linux",
        "Noticed: 25 November 2026, 13:00 (Europe/Berlin)",
        "/me/security/",
        "It concerns security, so it is always sent.",
    ):
        assert words in message.body
    assert "Team:" not in message.body
    factories.sign_in(client, ana)
    page = client.get(reverse("web:inbox")).content.decode()
    assert "New sign-in" in page
    assert "Your account" in page
    assert inbox.unread(ana) == 1


def test_nobody_learns_from_where_another_person_acted_on_their_account(client) -> None:
    team = factories.make_team("Lab")
    ben = factories.make_user("ben@example.org")
    with context.within(RequestFacts("203.0.113.9", FIREFOX, "r-1")):
        by = Actor.person(factories.owner_of(team))
        tell_person(ben, "account.removed", "Ana removed you from the team Lab.", NOW, actor=by)
    deliver()
    factories.sign_in(client, ben)
    page = client.get(reverse("web:me-security")).content.decode()
    assert "Ana removed you" in page
    for text in (page, mail.outbox[0].body):
        assert "203.0.113.9" not in text
        assert "Firefox" not in text


def test_one_message_tells_of_the_end_of_what_auto_stop_stops() -> None:
    team = factories.make_team()
    job = factories.make_job(team, title="Dev Box")
    for kind in ("job.stop_requested", "job.ended"):
        factories.make_event(team, kind, job, "Idle.", actor=ENGINE, now=NOW, audience="job_owner")
    deliver()
    assert [one.subject for one in mail.outbox] == ["Ended: Dev Box"]
    assert inbox.unread(factories.owner_of(team)) == 2


@pytest.mark.parametrize("audience", ["job_owner", "admins"])
def test_a_stop_by_somebody_else_is_mailed_at_once(audience: str) -> None:
    team = factories.make_team()
    admin = Actor.person(factories.make_member(team, "admin"))
    job = factories.make_job(team, title="Dev Box")
    factories.make_event(team, "job.stop_requested", job, "Stopped.", actor=admin, now=NOW, audience=audience)
    deliver()
    assert "Being stopped: Dev Box" in [one.subject for one in mail.outbox]


def test_who_joined_is_not_told_of_it_themselves() -> None:
    team = factories.make_team()
    ben = factories.make_member(team)
    tell_owners(team.pk, Actor.person(ben), "member.joined", ("user", ben.pk), "Ben joined.", NOW)
    deliver()
    assert told() == {factories.owner_of(team).email}


def test_others_do_not_see_it() -> None:
    team = factories.make_team()
    ana = factories.make_member(team)
    tell_person(ana, "account.mfa_removed", "Your second factor was removed.", NOW)
    deliver()
    assert told() == {ana.email}
    assert inbox.unread(factories.owner_of(team)) == 0


def test_the_owners_and_the_person_are_told_of_a_role_and_nobody_else() -> None:
    team = factories.make_team("Lab")
    owner, ben = factories.owner_of(team), factories.make_member(team)
    factories.make_member(team, "admin")
    factories.make_channel(team)
    tell_owners(
        team.pk, Actor.person(owner), "member.role_changed", ("user", ben.pk), "Ana made Ben an admin.", NOW
    )
    deliver()
    assert told() == {owner.email, ben.email}
    assert {message.to[0] for message in mail.outbox} == told()
    assert not Delivery.objects.filter(way="webhook").exists()


def test_wishes_hold_no_notice_of_security_back() -> None:
    team = factories.make_team()
    owner = factories.owner_of(team)
    Wishes.objects.create(user=owner, email_my_jobs=False)
    job = factories.make_job(team)
    tell_owners(team.pk, Actor.person(owner), "job.token_shown", ("job", job.pk), "Ana saw the token.", NOW)
    deliver()
    assert len(mail.outbox) == 1


def test_a_token_that_somebody_looked_up_is_told_to_the_jobs_owner_and_the_teams() -> None:
    team = factories.make_team("Lab")
    ben, cem = factories.make_member(team), factories.make_member(team)
    job = factories.make_job(team, created_by=ben)
    run = factories.make_run(job)
    run.access_tokens_sealed = vault.seal("canary-token", tokens.token_place(job, run.remote_uuid))
    run.save(update_fields=["access_tokens_sealed"])
    tokens.show(job, run, actor=Actor.person(cem), now=NOW)
    deliver()
    assert told() == {ben.email, factories.owner_of(team).email}
    assert mail.outbox[0].subject == f"Access token shown: {job.title}"
    assert "canary" not in mail.outbox[0].body


def test_a_program_is_told_nothing_and_its_jobs_are_the_admins() -> None:
    team = factories.make_team()
    program = factories.make_user("ci@service.invalid", is_service=True)
    factories.make_member(team, "admin", program)
    admin = factories.make_member(team, "admin")
    factories.make_member(team)
    job = factories.make_job(team, created_by=program)
    factories.make_event(team, "job.ended", job, "It ended.", now=NOW, audience="job_owner")
    tell_person(program, "account.signed_in", "It signed in.", NOW)
    deliver()
    assert told() == {factories.owner_of(team).email, admin.email}


def test_who_cannot_sign_in_any_more_is_told_nothing() -> None:
    gone = factories.make_user(is_active=False)
    tell_person(gone, "account.signed_in", "Somebody signed in.", NOW)
    deliver()
    assert (told(), mail.outbox) == (set(), [])


def test_what_needs_no_message_is_only_kept() -> None:
    ana = factories.make_user()
    note_account(ana, "account.sign_in_failed", "Somebody typed a wrong password.", NOW)
    deliver()
    event = Event.objects.get()
    assert (event.team, event.subject_type, event.subject_id) == (None, "user", str(ana.pk))
    assert not Delivery.objects.exists()
