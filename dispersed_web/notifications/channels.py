"""A team's webhook: stored, paused, removed, tried out."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.clock import Clock
from dispersed_web.credentials import vault
from dispersed_web.events.changes import changes, snapshot
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor, record
from dispersed_web.notifications import arrival, outbound, signing, webhook
from dispersed_web.notifications.models import Channel, ChannelKind, Delivery, DeliveryState, Way
from dispersed_web.teams.models import Team

PAUSED = "Not sent: the webhook was paused."
# Of a shorter path the last characters would say too much.
SHORTEST_FOR_A_HINT = 16


@sensitive_variables()
def kind_of(url: str) -> ChannelKind | None:
    """The format that an address of a known service wants."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in ("hooks.slack.com", "hooks.slack-gov.com"):
        return ChannelKind.SLACK
    if host in ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"):
        return ChannelKind.SLACK if parts.path.rstrip("/").endswith("/slack") else ChannelKind.DISCORD
    return None


@sensitive_variables()
def store(team: Team, url: str, kind: str, *, user: User, actor: Actor, now: dt.datetime) -> Channel:
    """Stores the address sealed, in the place of an earlier one; the links posted there act no more.

    Raises :class:`outbound.Refused` for an address that is never asked.
    """
    target = outbound.parse(url)
    try:
        return _store(team, url, kind, target, user=user, actor=actor, now=now)
    except IntegrityError:  # somebody stored the first one at the same moment
        return _store(team, url, kind, target, user=user, actor=actor, now=now)


@sensitive_variables()
def _store(
    team: Team,
    url: str,
    kind: str,
    target: outbound.Target,
    *,
    user: User,
    actor: Actor,
    now: dt.datetime,
) -> Channel:
    with transaction.atomic():
        row = Channel.objects.select_for_update().filter(team=team).first()
        changed, before = row is not None, snapshot(row) if row else {}
        channel = row or Channel(id=uuid.uuid4(), team=team, created_at=now)
        channel.url_sealed = vault.seal(url, webhook.place_of(channel))
        if channel.host != target.host or kind != ChannelKind.JSON:
            channel.signing_sealed, channel.signing_since = (
                "",
                None,
            )  # another program is not to know the old secret
        channel.kind, channel.host, channel.tail = kind, target.host, _tail(target.path)
        channel.created_by, channel.changed_at, channel.active = user, now, True
        channel.failures, channel.last_error, channel.quiet_until, channel.alarmed_at = 0, "", None, None
        channel.save()
        word = "changed" if changed else "set"
        sentence = f"{actor.label} {word} the webhook: {channel.hint}."
        data = changes("notifications.Channel", before, snapshot(channel))
        _record(channel, actor, f"channel.{word}", sentence, now, data)
    return channel


@sensitive_variables()
def renew_signing_secret(channel: Channel, *, actor: Actor, now: dt.datetime) -> str:
    """Another secret to sign with, from the next message on. Its text is returned this once and kept sealed."""
    secret = signing.new_secret()
    with transaction.atomic():
        sealed = vault.seal(secret, webhook.signing_place_of(channel))
        Channel.objects.filter(pk=channel.pk).update(signing_sealed=sealed, signing_since=now)
        words = "made a new signing secret for the webhook"
        _record(channel, actor, "channel.signing_changed", f"{actor.label} {words}: {channel.hint}.", now)
    return secret


def _tail(path: str) -> str:
    return path.rstrip("/")[-4:] if len(path) >= SHORTEST_FOR_A_HINT else ""


def set_active(channel: Channel, active: bool, *, actor: Actor, now: dt.datetime) -> bool:
    """Pauses the webhook or lets it go on; false when it was so already. What waited is not sent later."""
    with transaction.atomic():
        if not Channel.objects.filter(pk=channel.pk, active=not active).update(
            active=active, quiet_until=None
        ):
            return False
        waiting = Delivery.objects.filter(channel=channel, state=DeliveryState.WAITING)
        events = [one.event for one in waiting.select_related("event")]
        waiting.update(state=DeliveryState.FAILED, error=PAUSED)
        for event in events:
            arrival.note(event, now)
        name, words = ("resumed", "lets the webhook go on") if active else ("paused", "paused the webhook")
        _record(channel, actor, f"channel.{name}", f"{actor.label} {words}: {channel.hint}.", now)
    return True


def remove(channel: Channel, *, actor: Actor, now: dt.datetime) -> None:
    """Forgets the address, with what was sent there; links posted there act no more."""
    with transaction.atomic():
        deleted, _ = Channel.objects.filter(pk=channel.pk).delete()
        if deleted:
            _record(
                channel, actor, "channel.removed", f"{actor.label} removed the webhook: {channel.hint}.", now
            )


def test(channel: Channel, *, actor: Actor, clock: Clock) -> Delivery:
    """Sends a message now, once, also while paused. The delivery says what became of it."""
    now = clock()
    with transaction.atomic():
        event = _record(channel, actor, "channel.tested", f"{actor.label} tested the webhook.", now)
        delivery = Delivery.objects.create(
            event=event,
            channel=channel,
            way=Way.WEBHOOK,
            state=DeliveryState.SENDING,
            attempts=1,
            claimed_at=now,
        )
    webhook.send(delivery, clock, only_try=True)
    delivery.refresh_from_db()
    return delivery


def _record(
    channel: Channel,
    actor: Actor,
    kind: str,
    sentence: str,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    return record(channel.team_id, actor, kind, ("channel", channel.pk), sentence, now=now, data=data)
