"""API tokens: ``dwp_``, 30 random characters, 6 that prove the rest was copied whole. Shown once, stored as a digest.

A person's own token acts as that person and dies with their membership. A team's (service) token acts as a service
account: a user without password or mail whose membership is the token's, so that guards, budgets and events need know
no difference.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import string
import uuid
import zlib
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.teams import keeping, seats
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import ApiToken, Membership, Team
from dispersed_web.teams.roles import Action, Role, may, rank_at_least

PREFIX = "dwp_"
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
LONGEST = dt.timedelta(days=365)
LONGEST_NAME = 60
# What a scope is worth: a service account gets this role, and nobody makes a token above their own.
ROLE_OF_SCOPE = {"read": Role.VIEWER, "operate": Role.MEMBER, "admin": Role.ADMIN}
SCOPES = tuple(ROLE_OF_SCOPE)
TOUCH_EVERY = dt.timedelta(minutes=1)
SERVICE_DOMAIN = "service.invalid"
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
    """A token of the person ``user``, and its text, which exists only here: show it once.

    Raises :class:`TeamRefused`, also for a scope that is worth more than the person's role.
    """
    _check(name, scope, lifetime)
    with transaction.atomic():
        row = _hold(team)
        role = seats.role_of(row, user.pk)
        if user.is_service or not may(role, Action.MAKE_TOKENS):
            raise TeamRefused("not_allowed", f"The role in {team} does not allow API tokens.", "team")
        _need_rank(role, scope)
        for_whom = "" if actor.user_id == user.pk else f" for {user}"
        token, text = _store(row, user, name, scope, now + lifetime, user)
        sentence = f"{actor.label} made the API token “{name}”{for_whom}: it may {scope}."
        _tell_of(token, actor, "token.created", sentence, now)
    return token, text


@sensitive_variables()
def create_service(
    team: Team, *, name: str, scope: str, lifetime: dt.timedelta, actor: Actor, now: dt.datetime
) -> tuple[ApiToken, str]:
    """A token of the team itself, with the service account that it acts as, and its text: show it once.

    For admins, and for the operator. Raises :class:`TeamRefused`.
    """
    _check(name, scope, lifetime)
    with transaction.atomic():
        row = _hold(team)
        role = Role.OWNER.value if actor == keeping.OPERATOR else seats.role_of_actor(row, actor)
        maker = User.objects.filter(pk=actor.user_id).first()
        if not may(role, Action.MANAGE_TOKENS) or (maker and maker.is_service):
            raise TeamRefused("not_allowed", "Your role in this team does not allow that.")
        _need_rank(role, scope)
        address = f"token-{uuid.uuid4().hex}@{SERVICE_DOMAIN}"
        account = User.objects.create_user(address, None, name=name, is_service=True)
        Membership.objects.create(team=row, user=account, role=ROLE_OF_SCOPE[scope])
        token, text = _store(row, account, name, scope, now + lifetime, maker)
        sentence = f"{actor.label} made the API token “{name}” of the team: it may {scope}."
        _tell_of(token, actor, "token.created", sentence, now)
    return token, text


def _check(name: str, scope: str, lifetime: dt.timedelta) -> None:
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise TeamRefused("invalid", f"A token needs a name of {LONGEST_NAME} characters at most.", "name")
    if scope not in SCOPES:
        raise TeamRefused("invalid", "Choose what the token may do: read, operate or admin.", "scope")
    if not dt.timedelta(0) < lifetime <= LONGEST:
        raise TeamRefused("invalid", "A token lives for a year at most.", "lifetime")


def _hold(team: Team) -> Team:
    """The team's row, behind which members come and go. A deleted team has no tokens."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    if row.deleted_at is not None:
        raise TeamRefused("not_allowed", "The team was deleted.", "team")
    return row


def _need_rank(role: str | None, scope: str) -> None:
    if not rank_at_least(role, ROLE_OF_SCOPE[scope]):
        raise TeamRefused("not_allowed", "A token can do no more than the role of who makes it.", "scope")


@sensitive_variables()
def _store(
    team: Team, user: User, name: str, scope: str, expires_at: dt.datetime, maker: User | None
) -> tuple[ApiToken, str]:
    text = _new()
    token = ApiToken.objects.create(
        team=team,
        user=user,
        made_by=maker,
        name=name,
        digest=_digest(text),
        prefix=text[:8],
        scope=scope,
        expires_at=expires_at,
    )
    return token, text


def _tell_of(token: ApiToken, actor: Actor, kind: str, sentence: str, now: dt.datetime) -> None:
    """A token outlives the password and the session it was made with, so whoever it acts for is told of each new one, and
    the owners of what acts for the team or does what admins do. Of an end by somebody else its person is told."""
    theirs = not token.user.is_service
    data: dict[str, Any] = {
        "name": token.name,
        "scope": token.scope,
        "expires_at": token.expires_at.isoformat(),
        "service": not theirs,
    }
    if theirs:
        data["concerns"] = [token.user_id]
    audience = Audience.NOBODY
    if kind == "token.created":
        audience = Audience.PERSON if theirs and token.scope != "admin" else Audience.OWNERS
    elif theirs and actor.user_id != token.user_id:
        audience = Audience.PERSON
    about = ("apitoken", token.pk)
    record(token.team_id, actor, kind, about, sentence, now=now, data=data, audience=audience)


@sensitive_variables()
def find(presented: str, now: dt.datetime) -> ApiToken | None:
    """The token of this text with its person and team, and their role as ``token.role``; ``None`` when it is no token,
    unknown, revoked or expired, or when its person is no longer active or no longer in the team, or the team deleted."""
    if not SHAPE.fullmatch(presented) or not secrets.compare_digest(
        presented[-CHECKSUM_LENGTH:], _checksum(presented[:-CHECKSUM_LENGTH])
    ):
        return None
    return (
        ApiToken.objects.filter(
            Q(digest=_digest(presented), revoked_at=None, expires_at__gt=now, user__is_active=True),
            Q(team__deleted_at=None),
            team__memberships__user=F("user"),
        )
        .annotate(role=F("team__memberships__role"))
        .select_related("user", "team")
        .first()
    )


def worth_now(token_id: uuid.UUID, team_id: uuid.UUID, now: dt.datetime) -> Role | None:
    """The role that bounds what the token asked for and what is carried out now; ``None`` when it was revoked, deleted or
    has expired meanwhile. Whether its person may still act is another question (``seats.py``)."""
    rows = ApiToken.objects.filter(pk=token_id, team=team_id, revoked_at=None, expires_at__gt=now)
    scope = rows.values_list("scope", flat=True).first()
    return None if scope is None else ROLE_OF_SCOPE[scope]


def is_known(presented: str) -> bool:
    """Whether this is the text of a token, dead or alive: who presents one is not guessing."""
    return ApiToken.objects.filter(digest=_digest(presented)).exists()


def touch(token: ApiToken, now: dt.datetime, address: str | None = None) -> None:
    """Notes the use and the address that it came from, at most once a minute."""
    ApiToken.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lte=now - TOUCH_EVERY), pk=token.pk
    ).update(last_used_at=now, last_used_ip=address)


def revoke(token: ApiToken, *, actor: Actor, now: dt.datetime) -> bool:
    """The token is refused from now on; False when it was revoked before.

    The service account of a team's token leaves the team with it: what it asked for and was not sent yet is not sent.
    Its running jobs stay with the team.
    """
    with transaction.atomic():
        changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
        if changed:
            if token.user.is_service:
                Membership.objects.filter(team=token.team_id, user=token.user_id).delete()
                User.objects.filter(pk=token.user_id, is_service=True).update(is_active=False)
            whose = "the team" if token.user.is_service else token.user
            sentence = f"{actor.label} revoked the API token “{token.name}” of {whose}."
            _tell_of(token, actor, "token.revoked", sentence, now)
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
