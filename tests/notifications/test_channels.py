"""A team's webhook: what is stored of its address, and who is told of changes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications import channels, outbound, outbox, webhook
from dispersed_web.notifications.models import Channel, ChannelKind, Delivery
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.test_races import at_once
from tests.notifications.receiver import Receiver

NOW = timezone.now()
URL = "https://hooks.slack.com/services/T0CANARY0/B0CANARY0/secretpart9f3a"


def store(team: Team, url: str = URL, kind: str = "slack", now: dt.datetime = NOW) -> Channel:
    user = factories.owner_of(team)
    return channels.store(team, url, kind, user=user, actor=Actor.person(user), now=now)


@pytest.fixture
def team(db: None) -> Team:
    return factories.make_team()


def test_the_address_is_sealed_and_shown_by_its_ends_only(team: Team) -> None:
    channel = store(team)
    assert channel.hint == "hooks.slack.com/…9f3a"
    assert webhook.address_of(channel) == URL
    stored = str(Channel.objects.values().get()) + str(list(Event.objects.values()))
    assert "secretpart" not in stored
    assert Event.objects.get().kind == "channel.set"


def test_of_a_short_path_nothing_is_shown(team: Team) -> None:
    assert store(team, "https://hooks.example.com/abcdef").hint == "hooks.example.com/…"


def test_another_one_takes_its_place_and_starts_afresh(team: Team) -> None:
    first = store(team)
    Channel.objects.update(active=False, failures=9, last_error="Gone.", alarmed_at=NOW)
    second = store(team, f"{URL}z", "json", now=NOW + dt.timedelta(minutes=1))
    assert second.pk == first.pk
    assert webhook.address_of(Channel.objects.get()) == f"{URL}z"
    assert (second.active, second.failures, second.last_error, second.kind) == (True, 0, "", "json")
    assert second.changed_at > first.changed_at


def test_an_address_that_is_never_asked_is_not_stored(team: Team) -> None:
    with pytest.raises(outbound.Refused):
        store(team, "http://127.0.0.1/x")
    assert not Channel.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_that_store_the_first_one_at_once_make_one() -> None:
    team = factories.make_team()
    results = at_once([lambda: store(team)] * 4)
    assert {type(result) for result in results} == {Channel}
    assert webhook.address_of(Channel.objects.get()) == URL


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://hooks.slack.com/services/x", ChannelKind.SLACK),
        ("https://discord.com/api/webhooks/1/x", ChannelKind.DISCORD),
        ("https://discord.com/api/webhooks/1/x/slack", ChannelKind.SLACK),
        ("https://example.com/x", None),
    ],
)
def test_known_services_are_known_by_their_host(url: str, kind: ChannelKind | None) -> None:
    assert channels.kind_of(url) == kind


def test_a_test_is_sent_at_once_and_once(team: Team, hook: Receiver) -> None:
    channel = store(team, hook.url, "json")
    actor = Actor.person(factories.owner_of(team))
    delivery = channels.test(channel, actor=actor, clock=lambda: NOW)
    assert (delivery.state, delivery.sent_at) == ("sent", NOW)
    (body,) = hook.bodies()
    assert (body["kind"], body["sentence"]) == (
        "channel.tested",
        "If you read this, notices of Lab arrive here.",
    )
    hook.answer(500)
    delivery = channels.test(channel, actor=actor, clock=lambda: NOW)
    assert delivery.state == "failed"
    assert delivery.error == "It answered 500: an error of the server."
    outbox.send_waiting(lambda: NOW + dt.timedelta(hours=1))
    assert len(hook.requests) == 2


def test_what_waited_when_it_was_paused_is_not_sent_later(team: Team, hook: Receiver) -> None:
    channel = store(team, hook.url, "json")
    actor = Actor.person(factories.owner_of(team))
    factories.make_event(team, "job.warned", factories.make_job(team), now=NOW, audience="job_owner")
    outbox.fan_out(NOW)
    assert channels.set_active(channel, False, actor=actor, now=NOW)
    assert not channels.set_active(channel, False, actor=actor, now=NOW)
    assert channels.set_active(channel, True, actor=actor, now=NOW)
    outbox.send_waiting(lambda: NOW)
    assert Delivery.objects.get(channel=channel).error == channels.PAUSED
    assert hook.requests == []
    kinds = Event.objects.filter(kind__startswith="channel.").order_by("id")
    assert [event.kind for event in kinds] == ["channel.set", "channel.paused", "channel.resumed"]


def test_removing_forgets_it(team: Team) -> None:
    channel = store(team)
    channels.remove(channel, actor=Actor.person(factories.owner_of(team)), now=NOW)
    assert not Channel.objects.exists()
    assert Event.objects.latest("id").kind == "channel.removed"
