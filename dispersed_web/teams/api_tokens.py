"""API tokens: ``dwp_``, 30 random characters, 6 that prove the rest was copied whole. Shown once, stored as a digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import string
import zlib

from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.events.record import Actor, record
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import ApiToken, Membership, Team
from dispersed_web.teams.roles import Action, may

PREFIX = "dwp_"
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
LONGEST = dt.timedelta(days=365)
SCOPES = ("read", "operate")
TOUCH_EVERY = dt.timedelta(minutes=1)
_BASE62 = string.digits + string.ascii_letters


@sensitive_variables()
def create(
    team: Team,
    user: User,
    *,
    name: str,
    scope: str,
    lifetime: dt.timedelta,
    actor: Actor,
    now: dt.datetime,
) -> tuple[ApiToken, str]:
    """The stored token and its text, which exists only here: show it once. Raises :class:`TeamRefused`."""
    if scope not in SCOPES:
        raise TeamRefused("invalid", "Choose what the token may do: read or operate.", "scope")
    if not dt.timedelta(0) < lifetime <= LONGEST:
        raise TeamRefused("invalid", "A token lives for a year at most.", "lifetime")
    text = _new()
    with transaction.atomic():
        role = Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()
        if not may(role, Action.MAKE_TOKENS):
            raise TeamRefused("not_allowed", f"The role in {team} does not allow API tokens.", "team")
        token = ApiToken.objects.create(
            team=team,
            user=user,
            name=name,
            digest=_digest(text),
            prefix=text[:8],
            scope=scope,
            expires_at=now + lifetime,
        )
        for_whom = "" if actor.user_id == user.pk else f" for {user}"
        sentence = f"{actor.label} made the API token “{name}”{for_whom}: it may {scope}."
        data = {"scope": scope, "expires_at": token.expires_at.isoformat()}
        record(team.pk, actor, "token.created", ("apitoken", token.pk), sentence, now=now, data=data)
    return token, text


@sensitive_variables()
def find(presented: str, now: dt.datetime) -> ApiToken | None:
    """The token of this text with its person and team, and their role as ``token.role``; ``None`` when it is no token,
    unknown, revoked or expired, or when its person is no longer active or no longer in the team."""
    if not SHAPE.fullmatch(presented) or not secrets.compare_digest(
        presented[-CHECKSUM_LENGTH:], _checksum(presented[:-CHECKSUM_LENGTH])
    ):
        return None
    return (
        ApiToken.objects.filter(
            Q(digest=_digest(presented), revoked_at=None, expires_at__gt=now, user__is_active=True),
            team__memberships__user=F("user"),
        )
        .annotate(role=F("team__memberships__role"))
        .select_related("user", "team")
        .first()
    )


def touch(token: ApiToken, now: dt.datetime) -> None:
    """Notes the use, at most once a minute."""
    ApiToken.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lte=now - TOUCH_EVERY), pk=token.pk
    ).update(last_used_at=now)


def revoke(token: ApiToken, *, actor: Actor, now: dt.datetime) -> bool:
    """The token is refused from now on; False when it was revoked before."""
    with transaction.atomic():
        changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
        if changed:
            sentence = f"{actor.label} revoked the API token “{token.name}” of {token.user}."
            record(token.team_id, actor, "token.revoked", ("apitoken", token.pk), sentence, now=now)
    return bool(changed)


def _new() -> str:
    body = PREFIX + "".join(secrets.choice(_BASE62) for _ in range(RANDOM_LENGTH))
    return body + _checksum(body)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    """CRC32 in base 62, padded: enough to tell a damaged token from an unknown one without asking the database."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits
