"""Telling people that an API token expires soon: its person, or of a token of the team the team's admins."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction

from dispersed_web.events.models import Audience
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.teams.models import ApiToken

log = logging.getLogger(__name__)
DAYS_AHEAD = (7, 1)
DAY = dt.timedelta(days=1)


def warning_due(
    created_at: dt.datetime, expires_at: dt.datetime, told_days: int | None, now: dt.datetime
) -> int | None:
    """The warning to give now: so many days ahead of the expiry; ``None`` for none. Pure.

    ``told_days`` is the last one that was given. What comes late gets the nearest one, and none of those before it. Whoever
    makes a token for a few days knows how long it lives: the warnings before its making are left out.
    """
    if expires_at <= now:
        return None
    reached = [
        days for days in DAYS_AHEAD if expires_at - now <= days * DAY and created_at < expires_at - days * DAY
    ]
    nearest = min(reached, default=None)
    if nearest is None or (told_days is not None and told_days <= nearest):
        return None
    return nearest


def tell_all(now: dt.datetime) -> int:
    """Gives each warning that is due, once; how many there were. One token that cannot be told of keeps no other back."""
    told = 0
    alive = ApiToken.objects.filter(revoked_at=None, user__is_active=True, team__deleted_at=None)
    soon = alive.filter(expires_at__gt=now, expires_at__lte=now + max(DAYS_AHEAD) * DAY)
    for token in soon.select_related("user", "team").order_by("expires_at", "pk"):
        try:
            told += tell(token, now)
        except Exception:
            log.exception("Nobody could be told that the API token %s expires; it is tried again.", token.pk)
    return told


def tell(token: ApiToken, now: dt.datetime) -> bool:
    """Gives the warning that is due for this token; False when there is none, or another sweep gave it."""
    days = warning_due(token.created_at, token.expires_at, token.expiry_told_days, now)
    if days is None:
        return False
    with transaction.atomic():
        rows = ApiToken.objects.filter(
            pk=token.pk,
            revoked_at=None,
            expires_at=token.expires_at,
            expiry_told_days=token.expiry_told_days,
        )
        if not rows.update(expiry_told_days=days):
            return False
        data = {"name": token.name, "expires_at": token.expires_at.isoformat()}
        if not token.user.is_service:
            data |= {"concerns": [token.user_id]}
        audience = Audience.ADMINS if token.user.is_service else Audience.PERSON
        about = ("apitoken", token.pk)
        record(
            token.team_id,
            LAUNCHER,
            "token.expires",
            about,
            words(token, days),
            now=now,
            data=data,
            audience=audience,
        )
    return True


def words(token: ApiToken, days: int) -> str:
    """The warning as sentences."""
    ahead = "within a day" if days == 1 else f"in less than {days} days"
    whose = f" of the team {token.team}" if token.user.is_service else f" for the team {token.team}"
    return (
        f"The API token “{token.name}”{whose} expires {ahead}, on {token.expires_at:%d %B %Y at %H:%M} UTC. Make a new one "
        "and give it to the programs that use this one: from then on they are refused."
    )
