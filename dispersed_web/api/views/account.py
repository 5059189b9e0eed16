"""Who the token is, and what it can launch with."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access, documents, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.serializers.account import CredentialListSerializer, MeSerializer
from dispersed_web.api.views.base import ApiView
from dispersed_web.clock import database_now
from dispersed_web.credentials.models import Credential, CredentialCaps, CredentialState
from dispersed_web.jobs import guard, launch_facts
from dispersed_web.teams.roles import Action

TOLD = (Action.SEE, Action.LAUNCH, Action.STOP, Action.EXTEND, Action.MANAGE_LIMITS)


class Me(ApiView):
    @documents.get_me
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        service = place.token.user.is_service
        body = {
            "person": None if service else present.person(place.token.user),
            "team": place.team,
            "role": place.own_role,
            "token": {
                "name": place.token.name,
                "kind": "service" if service else "personal",
                "scope": place.token.scope,
                "expires_at": place.token.expires_at,
            },
            "may": [action.value for action in TOLD if access.allows(place, action)],
        }
        return Response(MeSerializer(body).data)


class Credentials(ApiView):
    @documents.list_credentials
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        now = database_now()
        rows = (
            Credential.objects.filter(team=place.team)
            .exclude(state=CredentialState.GONE)
            .defer("secret_sealed")
            .order_by("name")
        )
        caps = {row.pk: row for row in CredentialCaps.objects.filter(credential__team=place.team)}
        body = {"credentials": [_shown(credential, caps, place, now) for credential in rows]}
        return Response(CredentialListSerializer(body).data)


def _shown(
    credential: Credential, caps: dict[uuid.UUID, CredentialCaps], place: Caller, now: dt.datetime
) -> dict[str, Any]:
    return {
        "id": credential.pk,
        "name": credential.name,
        "public_key_hint": credential.public_key_hint,
        "simulated": credential.simulated,
        "state": credential.state,
        "failure": credential.failure,
        "listed_at": credential.listed_at,
        "expires_at": credential.expires_at,
        "usable_by": credential.usable_by,
        "managed_by": credential.managed_by,
        "retired_at": credential.retired_at,
        "replaced_by": credential.successor_id,
        "caps": caps.get(credential.pk) or CredentialCaps(),
        "may_launch": _may_launch(credential, place, now),
    }


def _may_launch(credential: Credential, place: Caller, now: dt.datetime) -> dict[str, Any]:
    """What the launch itself would say, for a job of the longest lifetime and no known price."""
    if not access.allows(place, Action.LAUNCH):
        return {"allowed": False, "code": "not_allowed", "sentence": "This token may not launch."}
    end = now + dt.timedelta(seconds=place.team.max_lifetime_s)
    facts = launch_facts.gather(
        place.team,
        credential,
        launch_facts.Launcher(place.token.user_id, place.role),
        launch_facts.Outline(end, quoted_usd=None),
        now,
    )
    refusal = guard.refusal(facts)
    if refusal is None:
        return {"allowed": True, "code": "", "sentence": ""}
    waits = refusal.waits and not facts.listing_failed
    return {"allowed": waits, "code": refusal.code, "sentence": refusal.sentence}
