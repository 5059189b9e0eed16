"""The team's auto-stop policy: as it is, changed, and a draft of it tried on the past."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access, documents
from dispersed_web.api.authentication import Caller
from dispersed_web.api.serializers.autostop import (
    PolicyChangeSerializer,
    PolicySerializer,
    PolicyValuesSerializer,
    ReplaySerializer,
    seconds,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.autostop import history, keeping
from dispersed_web.clock import database_now
from dispersed_web.teams.models import AutostopPolicy
from dispersed_web.teams.roles import Action


def _shown(place: Caller) -> dict[str, Any]:
    return PolicySerializer(AutostopPolicy.of(place.team.pk)).data


class Policy(ApiView):
    @documents.get_policy
    def get(self, request: Request) -> Response:
        return Response(_shown(access.caller(request)))

    @documents.change_policy
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.MANAGE_LIMITS)
        values = valid(PolicyChangeSerializer, request.data)
        version = values.pop("version")
        keeping.change(place.team, values, actor=place.actor, now=database_now(), seen_version=version)
        return Response(_shown(place))


class Replay(ApiView):
    @documents.replay_policy
    def post(self, request: Request) -> Response:
        place = access.caller(request)
        draft = AutostopPolicy.of(place.team.pk)
        changes = valid(PolicyValuesSerializer, request.data)
        now = database_now()
        keeping.check({name: getattr(draft, name) for name in keeping.FIELDS} | changes, changes, now)
        for name, value in changes.items():
            setattr(draft, name, value)
        return Response(ReplaySerializer(_told(history.try_out(draft, now))).data)


def _told(tried: history.Tried) -> dict[str, Any]:
    return {
        "days": tried.days,
        "totals": tried.totals,
        "stops": [
            asdict(outcome) | {"job_id": past.job_id, "title": past.title, "owner": past.owner}
            for past, outcome in tried.stops
        ],
        "by_limit": [asdict(totals) | {"idle_limit_s": seconds(limit)} for limit, totals in tried.by_limit],
        "watched": tried.watched,
        "left_out": tried.left_out,
    }
