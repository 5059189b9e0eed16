"""Who calls the REST API: a person's token for one team, or a token of the team itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from dispersed_web.accounts import places, second_factor, throttles
from dispersed_web.accounts.models import User
from dispersed_web.api.errors import Refused
from dispersed_web.clock import database_now
from dispersed_web.events import context
from dispersed_web.events.models import ActorKind
from dispersed_web.events.record import Actor
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken, Team
from dispersed_web.teams.roles import Role, lower_of

SCHEME = "Bearer"


@dataclass(frozen=True)
class Caller:
    """The token of this request, the team it is bound to, and its person's ``own_role`` there as the database has it now.
    ``role`` is the one in which they act: their own, but no higher than the token's scope is worth."""

    token: ApiToken
    team: Team
    own_role: str
    role: str
    actor: Actor


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer dwp_…``. Sets ``request.user`` to the person, or to the service account of a team's token,
    and ``request.auth`` to the :class:`Caller`.

    A token that is unknown, damaged, revoked or expired, and one whose person left the team, get the same answer. Texts
    that never were a token are counted by address; a right one is taken from anywhere.
    """

    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        now = database_now()
        token = api_tokens.find(presented.strip(), now)
        address = context.current().address
        if token is None:
            if not api_tokens.is_known(presented.strip()):
                _count_wrong(address, now)
            raise AuthenticationFailed(
                "This token is not valid: it is mistyped, revoked, expired, or its person left the team.",
                code="invalid_token",
            )
        if token.team.require_mfa and not (token.user.is_service or second_factor.has_one(token.user_id)):
            raise Refused(
                403,
                "mfa_required",
                "This team needs a second factor. Set one up in the browser, under Profile and security.",
            )
        api_tokens.touch(token, now, address)
        return token.user, _caller(token)

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="Dispersed Web"'


def _count_wrong(address: str | None, now: dt.datetime) -> None:
    """In the database, so that it holds across processes and without Redis. Raises :class:`Refused` (429)."""
    wait_s = throttles.take("api_token", places.network_of(address or ""), now)
    if wait_s:
        message = f"Too many wrong tokens came from your address. Try again in {wait_s} s."
        raise Refused(429, "throttled", message, **{"Retry-After": str(wait_s)})


def _caller(token: ApiToken) -> Caller:
    worth = api_tokens.ROLE_OF_SCOPE[token.scope]
    role = lower_of(token.role, worth) or token.role
    return Caller(token, token.team, token.role, role, _actor(token, worth))


def _actor(token: ApiToken, worth: Role) -> Actor:
    if token.user.is_service:
        return Actor(ActorKind.TOKEN, f"The API token “{token.name}”", token.user_id, worth, token.pk)
    return Actor.token(token.user, token.name, at_most=worth, token_id=token.pk)
