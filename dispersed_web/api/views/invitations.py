"""Inviting people: the list, a new one by mail or as a link, sending it again, withdrawing it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.http import Http404
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.accounts import throttles
from dispersed_web.api import access, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.documents import people as documents
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.people import (
    BY_LINK,
    BY_MAIL,
    InvitationListSerializer,
    InvitedSerializer,
    InviteSerializer,
)
from dispersed_web.api.serializers.recipes import NothingSerializer
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.notifications import invitation_mail
from dispersed_web.teams import invitations, keeping
from dispersed_web.teams.models import Invitation
from dispersed_web.teams.roles import Action


class Invitations(ApiView):
    @documents.list_invitations
    def get(self, request: Request) -> Response:
        return Response(_listed(access.caller(request, Action.MANAGE_MEMBERS)))

    @documents.invite
    @sensitive_variables("token")
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.MANAGE_MEMBERS)
        given = valid(InviteSerializer, request.data)
        access.need_no_owner(given["role"])
        now = database_now()
        _count(place, now)
        made, token = invitations.invite(
            place.team,
            given["email"],
            given["role"],
            by_mail=given["way"] == BY_MAIL,
            actor=place.actor,
            now=now,
        )
        return _handed_out(made, token)


class SendAgain(ApiView):
    @documents.send_invitation_again
    @sensitive_variables("token")
    def post(self, request: Request, invitation_id: uuid.UUID) -> Response:
        place, found = _invitation(request, invitation_id)
        valid(NothingSerializer, request.data)
        now = database_now()
        _count(place, now)
        made, token = invitations.send_again(place.team, found.pk, actor=place.actor, now=now)
        return _handed_out(made, token)


class Withdraw(ApiView):
    @documents.withdraw_invitation
    def post(self, request: Request, invitation_id: uuid.UUID) -> Response:
        place, found = _invitation(request, invitation_id)
        valid(NothingSerializer, request.data)
        invitations.withdraw(place.team, found.pk, actor=place.actor, now=database_now())
        return Response(_listed(place))


def _count(place: Caller, now: dt.datetime) -> None:
    """Nobody sends mails in bulk from here. Raises :class:`Refused` (429)."""
    if wait_s := throttles.take("invite", place.token.user_id, now):
        sentence = f"You sent many invitations lately. Send the next in {throttles.in_words(wait_s)}."
        raise Refused(429, "too_many", sentence, **{"Retry-After": str(wait_s)})


@sensitive_variables()
def _handed_out(made: Invitation, token: str) -> Response:
    """By mail, or once in this answer. An invitation whose mail failed is stored, and can be sent again."""
    link, fault = None, ""
    if made.by_mail:
        try:
            invitation_mail.send(made, token)
        except invitation_mail.MailFault as error:
            fault = f"The mail server did not take it ({error})."
        else:
            made.sent_at = database_now()
            invitations.note_sent(made, made.sent_at)
    else:
        link = invitation_mail.link_of(token)
    body = _shown(made, database_now()) | {"link": link, "mail_fault": fault}
    return Response(InvitedSerializer(body).data, status=201)


def _invitation(request: Request, invitation_id: uuid.UUID) -> tuple[Caller, Invitation]:
    """A waiting invitation of the token's team that the caller may give. The same 404 for another team's and for none."""
    place = access.caller(request, Action.MANAGE_MEMBERS)
    found = keeping.open_invitations(place.team).filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    access.need_no_owner(found.role)
    return place, found


def _listed(place: Caller) -> dict[str, Any]:
    now = database_now()
    rows = [_shown(row, now) for row in invitations.waiting(place.team)]
    return InvitationListSerializer({"invitations": rows}).data


def _shown(row: Invitation, now: dt.datetime) -> dict[str, Any]:
    names = ("id", "email", "role", "created_at", "sent_at", "expires_at")
    return {name: getattr(row, name) for name in names} | {
        "way": BY_MAIL if row.by_mail else BY_LINK,
        "invited_by": present.person(row.invited_by),
        "expired": row.expires_at <= now,
    }
