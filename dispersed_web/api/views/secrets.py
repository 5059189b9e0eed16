"""The team's secrets: names and who may use them, never a value. Whoever may administer stores, changes and deletes them.

A value goes in and stays in: no answer has it, also not one that refuses it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, ClassVar

from django.http import Http404
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.accounts.models import User
from dispersed_web.api import access, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.documents import secrets as documents
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.recipes import NothingSerializer
from dispersed_web.api.serializers.secrets import (
    SecretAddSerializer,
    SecretChangeSerializer,
    SecretListSerializer,
    TeamSecretSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.teams.roles import Action

TOLD = ("id", "name", "note", "usable_by", "hosts", "fingerprint", "changed_at", "last_used_at")


class Secrets(ApiView):
    @documents.list_secrets
    def get(self, request: Request) -> Response:
        return Response(_listed(access.caller(request)))

    @documents.add_secret
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.MANAGE_SECRETS)
        given = valid(SecretAddSerializer, request.data)
        given["chosen"] = _people(place, given["chosen"])
        made = team_secrets.add(
            place.team,
            given.pop("name"),
            given.pop("value"),
            **given,
            user=place.token.user,
            actor=place.actor,
            now=database_now(),
        )
        return Response(_one(place, made.pk), status=201)


class OneSecret(ApiView):
    http_method_names: ClassVar = ["get", "head", "patch"]

    @documents.get_secret
    def get(self, request: Request, secret_id: uuid.UUID) -> Response:
        return Response(_one(access.caller(request), secret_id))

    @documents.change_secret
    @sensitive_variables()
    def patch(self, request: Request, secret_id: uuid.UUID) -> Response:
        place = access.caller(request, Action.MANAGE_SECRETS)
        row = _secret(place, secret_id)
        given = valid(SecretChangeSerializer, request.data)
        chosen = [one.user_id for one in row.chosen.all()]
        about = {name: given.get(name, getattr(row, name)) for name in ("note", "usable_by", "hosts")}
        about["chosen"] = _people(place, given["chosen"]) if "chosen" in given else chosen
        value = given.get("value", "")
        team_secrets.change_about(row, **about, value=value, actor=place.actor, now=database_now())
        return Response(_one(place, secret_id))


class Delete(ApiView):
    @documents.delete_secret
    def post(self, request: Request, secret_id: uuid.UUID) -> Response:
        place = access.caller(request, Action.MANAGE_SECRETS)
        row = _secret(place, secret_id)
        valid(NothingSerializer, request.data)
        team_secrets.remove(row, actor=place.actor, now=database_now())
        return Response(_listed(place))


def _people(place: Caller, addresses: Collection[str]) -> list[int]:
    """The members with these addresses. Raises :class:`Refused` at the first that is nobody's."""
    people = User.objects.filter(memberships__team=place.team, is_service=False)
    known = {email.lower(): pk for pk, email in people.values_list("pk", "email")}
    for at, address in enumerate(addresses):
        if address.lower() not in known:
            sentence = "Nobody in the team has this e-mail address."
            raise Refused(400, "invalid", sentence, {f"chosen.{at}": sentence})
    return [known[address.lower()] for address in addresses]


def _secret(place: Caller, secret_id: uuid.UUID) -> TeamSecret:
    """A secret of the token's team. The same 404 for another team's and for none."""
    found = team_secrets.of(place.team).filter(pk=secret_id).first()
    if found is None:
        raise Http404
    return found


def _listed(place: Caller) -> dict[str, Any]:
    known = Known.of(place.team, place.token.user_id, place.role)
    return SecretListSerializer({"secrets": [_told(row, known, place) for row in known.rows]}).data


def _one(place: Caller, secret_id: uuid.UUID) -> dict[str, Any]:
    known = Known.of(place.team, place.token.user_id, place.role)
    row = next((row for row in known.rows if row.pk == secret_id), None)
    if row is None:
        raise Http404
    return TeamSecretSerializer(_told(row, known, place)).data


def _told(secret: TeamSecret, known: Known, place: Caller) -> dict[str, Any]:
    may_use = access.allows(place, Action.LAUNCH) and known.may(secret)
    people = sorted((one.user for one in secret.chosen.all()), key=lambda user: (str(user).lower(), user.pk))
    chosen = [present.person(user) for user in people]
    return {name: getattr(secret, name) for name in TOLD} | {"may_use": may_use, "chosen": chosen}
