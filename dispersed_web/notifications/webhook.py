"""Notices to a team's webhook: one request each, and what the answer means."""

from __future__ import annotations

import datetime as dt
import time

from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.clock import Clock
from dispersed_web.credentials import use_log, vault
from dispersed_web.events.models import Audience
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.notifications import bodies, deliveries, links, outbound, signing
from dispersed_web.notifications.models import Channel, ChannelKind, Delivery, Way
from dispersed_web.notifications.notice import compose
from dispersed_web.notifications.outbound import Answer

# A pass of slow servers must not keep the e-mails of the next one waiting.
PASS_S = 15.0
LONGEST_RETRY_AFTER = dt.timedelta(minutes=10)
LONGEST_QUIET = dt.timedelta(minutes=10)
ALARM_AFTER = 5
# Also 408: the server waited for a request that it never had. A 504 may have been taken behind the gateway.
AGAIN = frozenset({408, 425, 429, 500, 502, 503})
STATUS_WORDS = {
    400: "it does not understand the message, so another format may be right",
    401: "it does not accept this address",
    403: "it does not accept this address",
    404: "this webhook does not exist any more",
    410: "this webhook does not exist any more",
    429: "too many messages",
    504: "it may have been taken, so it is not sent again",
}


def send_due(clock: Clock) -> None:
    """Sends what is due, for some time at most. A channel that fails rests, so that it holds up no other."""
    ends_at = time.monotonic() + PASS_S
    rested: set[object] = set()
    free = Q(channel__quiet_until=None) | Q(channel__quiet_until__lte=clock())
    for delivery in deliveries.due(Way.WEBHOOK, clock()).filter(free, channel__active=True)[
        : deliveries.BATCH
    ]:
        if time.monotonic() > ends_at:
            return
        if delivery.channel_id in rested or not deliveries.claim(delivery, clock()):
            continue
        with deliveries.alone(delivery, clock()):
            if not send(delivery, clock):
                rested.add(delivery.channel_id)


@sensitive_variables()
def send(delivery: Delivery, clock: Clock, *, only_try: bool = False) -> bool:
    """Sends one claimed delivery and notes what became of it, also on its channel. ``only_try``: it is not put back."""
    failure, for_good, wait = "", True, None
    try:
        body = _body(delivery, clock)
        signed = _signature(delivery.channel, body, clock())
        answer = outbound.post(address_of(delivery.channel), body, headers=signed)
    except outbound.NotSent as error:
        failure, for_good = error.sentence, False
    except outbound.Failure as error:
        failure = error.sentence
    except vault.CannotOpen as error:
        # It is readable again once the encryption key is back.
        failure, for_good = f"The stored address or signing secret cannot be read. {error}", False
    else:
        if 200 <= answer.status <= 299:
            deliveries.note_sent(delivery, clock())
            note_success(delivery.channel, clock())
            return True
        failure, for_good, wait = _refusal(answer)
    if for_good or only_try:
        deliveries.fail(delivery, failure, clock())
    else:
        deliveries.put_back(delivery, failure, clock(), wait)
    note_failure(delivery.channel, failure, wait, clock(), gone=for_good)
    return False


@sensitive_variables()
def address_of(channel: Channel) -> str:
    """The stored address. Raises :class:`vault.CannotOpen`."""
    address = vault.unseal(channel.url_sealed, place_of(channel))
    use_log.note(channel.team_id, "channel", channel.pk, "notice")
    return address


def place_of(channel: Channel) -> vault.Place:
    """What the sealed address of a channel is bound to."""
    return vault.Place("channel", channel.pk, channel.team_id, "url")


def signing_place_of(channel: Channel) -> vault.Place:
    """What the sealed signing key of a channel is bound to."""
    return vault.Place("channel", channel.pk, channel.team_id, "signing")


@sensitive_variables()
def _signature(channel: Channel, body: bytes, now: dt.datetime) -> dict[str, str]:
    """Signs what goes to a program, once its team has a secret for that. Raises :class:`vault.CannotOpen`."""
    if channel.kind != ChannelKind.JSON or not channel.signing_sealed:
        return {}
    secret = vault.unseal(channel.signing_sealed, signing_place_of(channel))
    return signing.headers(secret, body, int(now.timestamp()))


@sensitive_variables()
def _body(delivery: Delivery, clock: Clock) -> bytes:
    notice = compose(delivery.event)
    return bodies.body(delivery.channel.kind, notice, links.make(delivery, notice, clock()))


def _refusal(answer: Answer) -> tuple[str, bool, dt.timedelta | None]:
    """(sentence, whether for good, how long to wait) for an answer that is no success."""
    status = answer.status
    if 300 <= status <= 399:
        return (
            "It answered with a redirect, which is not followed. Store the address it leads to.",
            True,
            None,
        )
    words = STATUS_WORDS.get(status, "an error of the server" if status >= 500 else "it refuses the message")
    said = f" ({answer.word})" if answer.word else ""
    wait = None
    if answer.retry_after_s is not None and status in (429, 503):
        wait = min(dt.timedelta(seconds=max(answer.retry_after_s, 1)), LONGEST_RETRY_AFTER)
    return f"It answered {status}: {words}{said}.", status not in AGAIN, wait


def note_success(channel: Channel, now: dt.datetime) -> None:
    """A message arrived: earlier failures count no more."""
    Channel.objects.filter(pk=channel.pk).update(
        last_success_at=now, last_error="", failures=0, quiet_until=None, alarmed_at=None
    )


def note_failure(
    channel: Channel, why: str, wait: dt.timedelta | None, now: dt.datetime, *, gone: bool
) -> None:
    """The channel rests, ever longer; when it is gone or failed several times in a row, the team's admins are told."""
    rows = Channel.objects.filter(pk=channel.pk)
    rows.update(last_failure_at=now, last_error=why, failures=F("failures") + 1)
    failures = rows.values_list("failures", flat=True).first()
    if failures is None:
        return
    rest = wait or min(dt.timedelta(seconds=15 * 2 ** min(failures, 10)), LONGEST_QUIET)
    if not gone:
        rows.update(quiet_until=now + rest)
    if gone or failures >= ALARM_AFTER:
        _alarm(channel, why, now)


def _alarm(channel: Channel, why: str, now: dt.datetime) -> None:
    with transaction.atomic():
        if not Channel.objects.filter(pk=channel.pk, alarmed_at=None).update(alarmed_at=now):
            return
        record(
            channel.team_id,
            LAUNCHER,
            "channel.broken",
            ("channel", channel.pk),
            f"The team's webhook at {channel.hint} does not work. {why}",
            now=now,
            audience=Audience.ADMINS,
        )
