"""The team's secrets: names and who may use them, never a value."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access
from dispersed_web.api.documents.secrets import list_secrets
from dispersed_web.api.serializers.secrets import SecretListSerializer
from dispersed_web.api.views.base import ApiView
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.teams.roles import Action

TOLD = ("id", "name", "note", "usable_by", "hosts", "fingerprint", "changed_at", "last_used_at")


class Secrets(ApiView):
    @list_secrets
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        known = Known.of(place.team, place.token.user_id, place.role)
        may_launch = access.allows(place, Action.LAUNCH)
        body = {"secrets": [_told(row, may_launch and known.may(row)) for row in known.rows]}
        return Response(SecretListSerializer(body).data)


def _told(secret: TeamSecret, may_use: bool) -> dict[str, Any]:
    return {name: getattr(secret, name) for name in TOLD} | {"may_use": may_use}
