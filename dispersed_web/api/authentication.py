"""Who calls the REST API: a person's token for one team."""

from __future__ import annotations

from dataclasses import dataclass

from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import User
from dispersed_web.api.errors import Refused
from dispersed_web.clock import database_now
from dispersed_web.events.record import Actor
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken, Team

SCHEME = "Bearer"


@dataclass(frozen=True)
class Caller:
    """The token of this request, the team it is bound to, and its person's role there as the database has it now."""

    token: ApiToken
    team: Team
    role: str
    actor: Actor


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer dwp_…``. Sets ``request.user`` to the person and ``request.auth`` to the :class:`Caller`.

    A token that is unknown, damaged, revoked or expired, and one whose person left the team, get the same answer.
    """

    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        now = database_now()
        token = api_tokens.find(presented.strip(), now)
        if token is None:
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
        api_tokens.touch(token, now)
        return token.user, Caller(token, token.team, token.role, Actor.token(token.user, token.name))

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="Dispersed Web"'
