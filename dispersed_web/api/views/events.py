"""The team's audit log."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access
from dispersed_web.api.documents import events as documents
from dispersed_web.api.serializers.events import EventPageSerializer, EventQuerySerializer
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.events import search
from dispersed_web.events.search import Wanted
from dispersed_web.teams.roles import Action


class Events(ApiView):
    @documents.list_events
    def get(self, request: Request) -> Response:
        place = access.caller(request, Action.READ_AUDIT)
        query = valid(EventQuerySerializer, request.query_params.dict())
        subject_type, _, subject_id = query.get("subject", "").partition(":")
        wanted = Wanted(
            group=query.get("group", ""),
            kind=query.get("kind", ""),
            actor=query.get("actor", ""),
            person=query.get("person"),
            subject=(subject_type, subject_id) if subject_id else None,
            address=query.get("ip_address", ""),
            text=query.get("q", ""),
            since=query.get("since"),
            until=query.get("until"),
            before=int(query["cursor"]) if "cursor" in query else None,
        )
        limit = query["limit"]
        found = list(search.of_team(place.team.pk, wanted)[: limit + 1])
        more = str(found[limit - 1].pk) if len(found) > limit else None
        return Response(EventPageSerializer({"events": found[:limit], "next_cursor": more}).data)
