"""Notices to a team's webhook, taken by a real HTTP server."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.notifications import outbound, outbox, webhook
from dispersed_web.notifications.models import Channel, Delivery
from tests import factories
from tests.notifications.receiver import Receiver
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def deliver(at: dt.datetime = NOW) -> Delivery:
    outbox.fan_out(at)
    outbox.send_waiting(lambda: at)
    return Delivery.objects.filter(way="webhook").latest("id")


def warn(channel: Channel, **fields: Any) -> Event:
    job = factories.make_job(channel.team, title="Dev Box")
    fields.setdefault("data", {"stop_at": (NOW + dt.timedelta(minutes=15)).isoformat(), "rule": "idle"})
    return factories.make_event(channel.team, "job.warned", job, now=NOW, audience="job_owner", **fields)


@pytest.fixture
def channel(hook: Receiver) -> Channel:
    return factories.make_channel(factories.make_team(), hook.url, host="127.0.0.1", kind="json")


def test_the_team_is_told_with_links_that_act(hook: Receiver, channel: Channel) -> None:
    event = warn(channel)
    delivery = deliver()
    (body,) = hook.bodies()
    assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 1, "")
    assert (body["kind"], body["id"], body["job"]["title"]) == ("job.warned", event.pk, "Dev Box")
    assert [(one["act"], one["minutes"]) for one in body["links"]] == [
        ("extend", 30),
        ("extend", 60),
        ("extend", 240),
        ("stop", None),
    ]
    channel.refresh_from_db()
    assert (channel.last_success_at, channel.failures) == (NOW, 0)


def test_a_second_pass_sends_nothing_again(hook: Receiver, channel: Channel) -> None:
    warn(channel)
    deliver()
    deliver(NOW + dt.timedelta(hours=1))
    assert len(hook.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_a_server_in_trouble_is_asked_again_later(hook: Receiver, channel: Channel, status: int) -> None:
    hook.answer(status)
    warn(channel)
    delivery = deliver()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert f"It answered {status}" in delivery.error
    assert deliver(NOW + dt.timedelta(seconds=10)).attempts == 1
    assert deliver(NOW + dt.timedelta(seconds=31)).state == "sent"
    assert len(hook.requests) == 2


@pytest.mark.parametrize(("said", "waits_s"), [("3", 3), ("100000", 600), ("0", 1)])
def test_too_many_messages_wait_as_long_as_asked_within_bounds(
    hook: Receiver, channel: Channel, said: str, waits_s: int
) -> None:
    hook.answer(429, Retry_After=said)
    warn(channel)
    delivery = deliver()
    channel.refresh_from_db()
    assert delivery.next_try_at == NOW + dt.timedelta(seconds=waits_s)
    assert channel.quiet_until == delivery.next_try_at
    assert deliver(NOW + dt.timedelta(seconds=waits_s)).state == "sent"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (302, "redirect, which is not followed"),
        (404, "this webhook does not exist any more (no_service)"),
        (400, "another format may be right (no_service)"),
        (504, "may have been taken"),
    ],
)
def test_an_answer_that_stays_the_same_is_not_asked_for_again(
    hook: Receiver, channel: Channel, status: int, says: str
) -> None:
    hook.answer(status, b"no_service", Location="http://127.0.0.1:1/")
    warn(channel)
    delivery = deliver()
    assert delivery.state == "failed"
    assert says in delivery.error
    deliver(NOW + dt.timedelta(hours=1))
    webhooks = [body for body in hook.bodies() if body["kind"] == "job.warned"]
    assert len(webhooks) == 1


def test_what_may_have_been_taken_is_not_sent_again(
    hook: Receiver, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.answer(0)
    warn(channel)
    assert "may have taken" in deliver().error
    assert deliver(NOW + dt.timedelta(hours=1)).state == "failed"
    assert len(hook.requests) == 1


def test_a_private_address_is_refused_when_it_is_used(hook: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_HOSTS = []
    warn(factories.make_channel(factories.make_team(), hook.url))
    delivery = deliver()
    assert delivery.state == "failed"
    assert hook.requests == []


def test_a_slow_channel_holds_up_neither_mail_nor_other_teams(
    hook: Receiver, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first message alone is not waited for long.
    seconds = iter([0.5])
    post = outbound.post
    monkeypatch.setattr(
        outbound, "post", lambda *args, **more: post(*args, **more, seconds=next(seconds, LIMIT_S))
    )
    other = factories.make_channel(factories.make_team(), hook.url, host="127.0.0.1", kind="json")
    hook.answer(wait=LIMIT_S)
    for _ in range(3):
        warn(channel)
    warn(other)
    deliver()
    states = Delivery.objects.filter(channel=channel).order_by("id").values_list("state", flat=True)
    assert list(states) == ["failed", "waiting", "waiting"]
    assert Delivery.objects.get(channel=other).state == "sent"
    assert len(mail.outbox) == 4


def test_a_mail_server_that_is_away_holds_up_no_webhook(
    hook: Receiver, channel: Channel, mail_server: Any
) -> None:
    mail_server.at_open = OSError()
    warn(channel)
    assert deliver().state == "sent"


def test_admins_hear_once_that_the_webhook_fails(hook: Receiver, channel: Channel) -> None:
    hook.answer(404)
    hook.answer(404)
    warn(channel)
    warn(channel)
    deliver()
    deliver(NOW + dt.timedelta(minutes=1))
    (event,) = Event.objects.filter(kind="channel.broken")
    assert event.sentence == (
        f"The team's webhook at {channel.hint} does not work. "
        "It answered 404: this webhook does not exist any more."
    )
    assert not Delivery.objects.filter(event=event, way="webhook").exists()
    assert "The webhook does not work" in " ".join(message.subject for message in mail.outbox)


def test_it_rests_longer_with_every_failure_until_it_works(hook: Receiver, channel: Channel) -> None:
    rests = []
    at = NOW
    for _ in range(7):
        hook.answer(500)
        warn(channel)
        deliver(at)
        channel.refresh_from_db()
        rests.append(int((channel.quiet_until - at).total_seconds()))
        at = channel.quiet_until
    assert rests == [30, 60, 120, 240, 480, 600, 600]
    assert Event.objects.filter(kind="channel.broken").count() == 1
    deliver(at)
    channel.refresh_from_db()
    assert (channel.failures, channel.last_error, channel.quiet_until) == (0, "", None)


def test_nothing_goes_to_a_paused_channel(hook: Receiver, channel: Channel) -> None:
    Channel.objects.update(active=False)
    warn(channel)
    outbox.fan_out(NOW)
    outbox.send_waiting(lambda: NOW)
    assert hook.requests == []
    assert not Delivery.objects.filter(way="webhook").exists()


def test_news_that_follow_go_where_the_warning_went(hook: Receiver, channel: Channel) -> None:
    event = warn(channel)
    job = Job.objects.get(pk=event.subject_id)
    for kind in ("job.called_off", "job.stop_requested", "job.ended"):
        factories.make_event(channel.team, kind, job, audience="job_owner")
    deliver()
    assert [body["kind"] for body in hook.bodies()] == [
        "job.warned",
        "job.called_off",
        "job.stop_requested",
        "job.ended",
    ]


def test_an_address_that_cannot_be_opened_is_said_so_and_waits_for_its_key(
    hook: Receiver, channel: Channel
) -> None:
    Channel.objects.update(url_sealed="v1|gone|AAAA|AAAA")
    warn(channel)
    delivery = deliver()
    assert (delivery.state, hook.bodies()) == ("waiting", [])
    assert "cannot be read" in delivery.error
    Channel.objects.update(url_sealed=channel.url_sealed)
    assert deliver(NOW + dt.timedelta(minutes=5)).state == "sent"


def test_the_address_of_one_channel_does_not_open_in_another(hook: Receiver, channel: Channel) -> None:
    other = factories.make_channel(factories.make_team())
    Channel.objects.filter(pk=other.pk).update(url_sealed=channel.url_sealed)
    other.refresh_from_db()
    with pytest.raises(webhook.vault.CannotOpen):
        webhook.address_of(other)
