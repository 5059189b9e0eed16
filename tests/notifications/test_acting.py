"""Links in messages: what they do, once, and for whom they do it no more."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import acting, channels, links, outbox
from dispersed_web.notifications.acting import Standing
from dispersed_web.notifications.models import ActLink, Channel
from dispersed_web.teams.models import Membership, Team
from tests import factories
from tests.jobs.test_races import at_once
from tests.notifications.receiver import Receiver

NOW = timezone.now()
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
NAMES = {
    ("extend", 30): "Extend by 30 min",
    ("extend", 60): "Extend by 1 h",
    ("stop", None): "Stop now",
    ("keep", None): "Still in use",
}


def warn(team: Team, kind: str = "job.warned", rule: str = "max_lifetime", **fields: Any) -> Job:
    """A job that stops in 15 minutes, and the message about that, sent."""
    stop_at = NOW + 15 * MINUTE
    values = {"lifetime_s": 3600 + 15 * 60, "created_at": NOW - HOUR, "launched_at": NOW - HOUR}
    job = factories.make_job(
        team, **values | {"stop_at": stop_at, "warned_for": stop_at, "warned_at": NOW} | fields
    )
    data = {"stop_at": stop_at.isoformat(), "rule": rule}
    factories.make_event(team, kind, job, now=NOW, audience="job_owner", data=data)
    outbox.fan_out(NOW)
    outbox.send_waiting(lambda: NOW)
    return job


def link(act: str, minutes: int | None = None, message: int = 0) -> ActLink:
    """The link of this act in a message that went out."""
    token = re.search(rf"{NAMES[act, minutes]}: \S+/do/([\w-]+)/", mail.outbox[message].body)
    assert token, mail.outbox[message].body
    found = links.find(token[1])
    assert found
    return found


@pytest.fixture
def team(db: None) -> Team:
    return factories.make_team(owner=factories.make_user(name="Ana"))


def test_the_token_is_in_the_message_only(team: Team) -> None:
    warn(team)
    found = link("stop")
    token = re.search(r"Stop now: \S+/do/([\w-]+)/", mail.outbox[0].body)[1]
    assert len(token) == 43
    assert found.digest == links.digest(token) != token
    assert links.find(token[:-1]) is None


def test_each_link_lives_until_the_stop_and_a_day_at_most(team: Team) -> None:
    warn(team)
    assert link("stop").expires_at == NOW + 15 * MINUTE
    job = factories.make_job(team)
    factories.make_event(team, "job.rate_exceeded", job, now=NOW, audience="job_owner")
    outbox.fan_out(NOW)
    outbox.send_waiting(lambda: NOW)
    assert link("stop", message=1).expires_at == NOW + 24 * HOUR


def test_extending_moves_the_stop_once(team: Team) -> None:
    job = warn(team)
    found = link("extend", 60)
    result = acting.use(found, NOW + MINUTE)
    job.refresh_from_db()
    assert result.standing == Standing.DONE
    assert job.extend_until == result.until == job.stop_at == NOW + 75 * MINUTE
    event = Event.objects.get(kind="job.extended")
    assert event.actor_label == "Ana by a link in an e-mail"
    assert event.actor_user == factories.owner_of(team)
    assert acting.use(ActLink.objects.get(pk=found.pk), NOW + MINUTE).standing == Standing.USED
    job.refresh_from_db()
    assert job.stop_at == result.until


def test_an_extension_is_cut_at_what_the_team_allows(team: Team) -> None:
    job = warn(team, ceiling_s=3600 + 30 * 60)
    result = acting.use(link("extend", 60), NOW)
    assert result.until == job.launched_at + dt.timedelta(minutes=90)
    refused = acting.use(link("extend", 30), NOW + MINUTE)
    assert refused.standing == Standing.REFUSED
    assert "as long as the team allows" in refused.sentence


def test_stopping_asks_for_the_stop(team: Team) -> None:
    job = warn(team)
    assert acting.use(link("stop"), NOW).standing == Standing.DONE
    job.refresh_from_db()
    assert (job.stop_reason, job.stop_requested_by) == ("user", factories.owner_of(team))
    assert acting.use(link("extend", 60), NOW).standing == Standing.TOO_LATE


def test_answering_a_check_in_says_that_it_is_used(team: Team) -> None:
    job = warn(team, "job.checkin", "checkin_unanswered")
    assert acting.use(link("keep"), NOW).standing == Standing.DONE
    job.refresh_from_db()
    assert (job.confirmed_at, job.warned_for) == (NOW, None)
    assert Event.objects.filter(kind="job.in_use").exists()


def test_an_ended_job_is_too_late(team: Team) -> None:
    job = warn(team)
    Job.objects.filter(pk=job.pk).update(status="CANCELLED")
    assert acting.use(link("stop"), NOW).standing == Standing.TOO_LATE
    assert acting.use(link("extend", 30), NOW).standing == Standing.TOO_LATE


def test_after_the_announced_stop_it_does_nothing(team: Team) -> None:
    job = warn(team)
    assert acting.use(link("extend", 30), NOW + 15 * MINUTE).standing == Standing.EXPIRED
    job.refresh_from_db()
    assert job.extend_until is None


def test_who_is_out_of_the_team_or_may_only_look_does_nothing(team: Team) -> None:
    job = warn(team)
    seat = Membership.objects.filter(user=factories.owner_of(team))
    for change in (lambda: seat.update(role="viewer"), lambda: seat.delete()):
        change()
        for act, minutes in (("stop", None), ("extend", 30)):
            found = link(act, minutes)
            assert acting.use(found, NOW).standing == Standing.NOT_ALLOWED
            found.refresh_from_db()
            assert found.used_at is None
    job.refresh_from_db()
    assert (job.stop_requested_at, job.extend_until) == (None, None)


def test_a_membership_of_another_team_helps_nobody(team: Team) -> None:
    warn(team)
    user = factories.owner_of(team)
    Membership.objects.filter(team=team).delete()
    factories.make_team(owner=user)
    assert acting.use(link("stop"), NOW).standing == Standing.NOT_ALLOWED


def test_who_cannot_sign_in_any_more_does_nothing(team: Team) -> None:
    warn(team)
    user = factories.owner_of(team)
    user.is_active = False
    user.save()
    assert acting.use(link("stop"), NOW).standing == Standing.NOT_ALLOWED


def test_a_later_try_of_the_same_message_makes_the_earlier_links_void(
    team: Team, mail_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.at_send = smtplib.SMTPDataError(451, b"later")
    warn(team)
    first = set(ActLink.objects.values_list("digest", flat=True))
    mail_server.at_send = None
    outbox.send_waiting(lambda: NOW + MINUTE)
    second = set(ActLink.objects.values_list("digest", flat=True))
    assert len(first) == len(second) == 4
    assert not first & second


class TestInTheTeamsChannel:
    @pytest.fixture
    def channel(self, team: Team, hook: Receiver) -> Channel:
        return factories.make_channel(team, hook.url, host="127.0.0.1", kind="json", changed_at=NOW - HOUR)

    def posted(self, hook: Receiver, act: str, minutes: int | None = None) -> ActLink:
        (body,) = hook.bodies()
        (url,) = [one["url"] for one in body["links"] if (one["act"], one["minutes"]) == (act, minutes)]
        found = links.find(url.rstrip("/").rpartition("/")[2])
        assert found
        return found

    def test_whoever_reads_it_extends_and_stops(self, team: Team, channel: Channel, hook: Receiver) -> None:
        job = warn(team)
        assert acting.use(self.posted(hook, "extend", 240), NOW).standing == Standing.DONE
        assert acting.use(self.posted(hook, "stop"), NOW).standing == Standing.DONE
        kinds = ("job.extended", "job.stop_requested")
        events = list(Event.objects.filter(kind__in=kinds, subject_id=str(job.pk)))
        assert {event.actor_label for event in events} == {"A link in the team's channel"}
        assert {event.audience for event in events} == {"job_owner"}

    def test_a_check_in_is_answered_by_extending(self, team: Team, channel: Channel, hook: Receiver) -> None:
        job = warn(team, "job.checkin", "checkin_unanswered")
        (body,) = hook.bodies()
        assert "keep" not in {one["act"] for one in body["links"]}
        assert acting.use(self.posted(hook, "extend", 30), NOW).standing == Standing.DONE
        job.refresh_from_db()
        assert job.confirmed_at == NOW

    def test_once_it_is_paused_changed_or_gone_its_links_do_nothing(
        self, team: Team, channel: Channel, hook: Receiver
    ) -> None:
        warn(team)
        found = self.posted(hook, "stop")
        actor = factories.LAUNCHER
        channels.set_active(channel, False, actor=actor, now=NOW)
        assert acting.use(found, NOW).standing == Standing.NOT_ALLOWED
        channels.set_active(channel, True, actor=actor, now=NOW)
        assert acting.standing(found, NOW) == Standing.READY
        channels.store(team, hook.url, "json", user=factories.owner_of(team), actor=actor, now=NOW + MINUTE)
        assert acting.use(found, NOW + MINUTE).standing == Standing.NOT_ALLOWED
        channels.remove(channel, actor=actor, now=NOW)
        assert not ActLink.objects.filter(pk=found.pk).exists()

    def test_a_channel_that_belongs_to_another_team_now_does_nothing(
        self, team: Team, channel: Channel, hook: Receiver
    ) -> None:
        warn(team)
        found = self.posted(hook, "stop")
        Channel.objects.update(team=factories.make_team())
        assert acting.use(found, NOW).standing == Standing.NOT_ALLOWED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("act", "minutes"), [("extend", 60), ("stop", None)])
def test_many_at_once_act_once(act: str, minutes: int | None) -> None:
    team = factories.make_team()
    job = warn(team)
    found = link(act, minutes)
    results = at_once([lambda: acting.use(ActLink.objects.get(pk=found.pk), NOW) for _ in range(6)])
    standings = [result.standing for result in results]
    assert standings.count(Standing.DONE) == 1
    assert set(standings) <= {Standing.DONE, Standing.USED, Standing.TOO_LATE}
    kind = {"extend": "job.extended", "stop": "job.stop_requested"}[act]
    assert Event.objects.filter(kind=kind, subject_id=str(job.pk)).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_links_of_two_people_at_once_both_act() -> None:
    team = factories.make_team()
    job = warn(team)
    member = factories.make_member(team)
    Job.objects.filter(pk=job.pk).update(owner=member)
    event = Event.objects.get(kind="job.warned")
    Event.objects.filter(pk=event.pk).update(fanned_out_at=None)
    outbox.fan_out(NOW)
    outbox.send_waiting(lambda: NOW)
    first, second = link("extend", 30), link("extend", 60, message=1)
    results = at_once([lambda one=one: acting.use(one, NOW) for one in (first, second)])
    assert [result.standing for result in results] == [Standing.DONE, Standing.DONE]


def test_an_act_that_fails_in_the_product_itself_leaves_the_link_unused(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    warn(team)

    def broken(*_: Any, **__: Any) -> None:
        raise ArithmeticError

    with monkeypatch.context() as patched:
        patched.setattr(stop, "request_stop", broken)
        with pytest.raises(ArithmeticError):
            acting.use(link("stop"), NOW)
    assert acting.use(link("stop"), NOW).standing == Standing.DONE
    assert Job.objects.get().stop_requested_at == NOW
