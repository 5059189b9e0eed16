"""Links in messages that act: made when a message goes out, used once, by whoever the message was for.

A link grants one act on one job and nothing else. Its token is random and only its digest is kept; opening it changes
nothing, because programs open links too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.notifications.models import ActLink, Delivery
from dispersed_web.notifications.notice import Notice

LIVE_FOR = dt.timedelta(hours=24)
# An old link is told apart from an unknown one for so long.
REMEMBERED_FOR = dt.timedelta(days=30)
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Link:
    """``url`` holds the token, which exists only in the message."""

    act: str
    minutes: int | None
    label: str
    url: str


@sensitive_variables()
def make(delivery: Delivery, notice: Notice, now: dt.datetime) -> tuple[Link, ...]:
    """New links for what may be done from this message; those of an earlier try of it are forgotten."""
    offers = notice.offers(in_channel=delivery.channel_id is not None)
    expires_at = now + LIVE_FOR
    if notice.stop_at is not None:
        expires_at = min(expires_at, notice.stop_at)
    if not offers or notice.job is None or expires_at <= now:
        return ()
    ActLink.objects.filter(expires_at__lt=now - REMEMBERED_FOR).delete()
    ActLink.objects.filter(delivery=delivery, used_at=None).delete()
    made, rows = [], []
    for offer in offers:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        url = f"{settings.PUBLIC_URL}/do/{token}/"
        made.append(Link(offer.act, offer.minutes, offer.label, url))
        rows.append(
            ActLink(
                digest=digest(token),
                delivery=delivery,
                job=notice.job,
                act=offer.act,
                minutes=offer.minutes,
                created_at=now,
                expires_at=expires_at,
            )
        )
    ActLink.objects.bulk_create(rows)
    return tuple(made)


def digest(token: str) -> str:
    """What is kept of a link's token: it is random, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


@sensitive_variables()
def find(token: str) -> ActLink | None:
    """The link of this token with its job, its reader and its channel."""
    rows = ActLink.objects.select_related(
        "job", "job__team", "job__owner", "delivery", "delivery__user", "delivery__channel"
    )
    return rows.filter(digest=digest(token)).first()
