"""Who belongs to the team: the list, a member's role, taking somebody out.

A token cannot confirm who holds it, as a person does in the browser before each of these acts. Whoever made a token with
the scope admin did, and such a token does what an admin may. What only owners may do is out of reach of every token.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web import tasks
from dispersed_web.accounts.models import User
from dispersed_web.api import access, present
from dispersed_web.api.authentication import Caller
from dispersed_web.api.documents import people as documents
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.people import (
    STOP,
    MemberListSerializer,
    OneMemberSerializer,
    RemovedSerializer,
    RemoveSerializer,
    RoleChangeSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import removal
from dispersed_web.jobs.models import Job
from dispersed_web.teams import keeping
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import RANK, Action, Role

HIGHEST_ID = 2**63 - 1


class Members(ApiView):
    @documents.list_members
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        rows = sorted(_people(place), key=lambda one: (-RANK[Role(one.role)], str(one.user).lower(), one.pk))
        return Response(MemberListSerializer({"members": [_shown(row, place) for row in rows]}).data)


class OneMember(ApiView):
    http_method_names: ClassVar = ["get", "head", "patch"]

    @documents.get_member
    def get(self, request: Request, membership_id: int) -> Response:
        return Response(_told(*_member(request, membership_id)))

    @documents.change_member
    def patch(self, request: Request, membership_id: int) -> Response:
        place, row = _member(request, membership_id)
        role = valid(RoleChangeSerializer, request.data)["role"]
        access.need_no_owner(row.role, role)
        keeping.change_role(place.team, row.user, role, actor=place.actor, now=database_now())
        row.refresh_from_db(fields=["role"])
        return Response(_told(place, row))


class Remove(ApiView):
    @documents.remove_member
    def post(self, request: Request, membership_id: int) -> Response:
        place, row = _member(request, membership_id)
        body = valid(RemoveSerializer, request.data)
        if row.user_id == place.token.user_id:
            raise Refused(409, "is_you", "A token does not take its own person out. Leave in the browser.")
        access.need_no_owner(row.role)
        told = _shown(row, place)
        fates = _fates(place, row.user, body)
        done = removal.remove(place.team, row.user, fates, actor=place.actor, now=database_now())
        for job_id in done.stopped:
            tasks.nudge(tasks.pursue_stop, job_id)
        answer = {
            "member": told,
            "handed_over": done.handed_over,
            "stopping": done.stopped,
            "may_know": done.keys,
        }
        return Response(RemovedSerializer(answer).data)


def _fates(place: Caller, person: User, body: Mapping[str, Any]) -> dict[uuid.UUID, User | None]:
    """What becomes of each running job of the person. Raises :class:`Refused` for jobs that are not theirs, for people who
    cannot take one, and (409) while a job is undecided."""
    heirs = {heir.email.lower(): heir for heir in removal.heirs(place.team, person)}
    named = {one["job_id"]: one for one in body["jobs"]}
    known = set(Job.objects.filter(team=place.team, owner=person, pk__in=named).values_list("pk", flat=True))
    if not known >= set(named):
        found = {f"jobs.{at}.job_id": "No job of theirs." for at, pk in enumerate(named) if pk not in known}
        raise Refused(400, "invalid", f"Not valid: {', '.join(found)}.", found)
    fates = {pk: _heir(one, heirs, f"jobs.{at}.to") for at, (pk, one) in enumerate(named.items())}
    open_ones = [job.pk for job in removal.undecided(place.team, person) if job.pk not in fates]
    if open_ones and body["others"] is None:
        count = (
            "1 running job of theirs" if len(open_ones) == 1 else f"{len(open_ones)} running jobs of theirs"
        )
        sentence = f"Say what becomes of {count}: in `jobs`, or in `others` for all that are not named."
        raise Refused(409, "undecided", sentence, {"jobs": sentence})
    rest = _heir(body["others"], heirs, "others.to") if open_ones else None
    return fates | dict.fromkeys(open_ones, rest)


def _heir(fate: Mapping[str, Any], heirs: Mapping[str, User], field: str) -> User | None:
    """Who takes it; ``None`` to stop it."""
    if fate["decision"] == STOP:
        return None
    if fate["to"].lower() not in heirs:
        sentence = "Nobody else in the team who may launch has this e-mail address."
        raise Refused(400, "invalid", sentence, {field: sentence})
    return heirs[fate["to"].lower()]


def _people(place: Caller) -> Iterable[Membership]:
    return Membership.objects.filter(team=place.team, user__is_service=False).select_related("user", "team")


def _member(request: Request, membership_id: int) -> tuple[Caller, Membership]:
    """A person of the token's team. The same 404 for another team's, for a program's and for none."""
    place = access.caller(request, Action.MANAGE_MEMBERS)
    found = Membership.objects.filter(pk=min(membership_id, HIGHEST_ID), team=place.team)
    row = found.filter(user__is_service=False).select_related("user", "team").first()
    if row is None:
        raise Http404
    return place, row


def _shown(row: Membership, place: Caller) -> dict[str, Any]:
    is_me = row.user_id == place.token.user_id
    about = {"id": row.pk, "role": row.role, "joined_at": row.joined_at, "is_me": is_me}
    return (present.person(row.user) or {}) | about


def _told(place: Caller, row: Membership) -> dict[str, Any]:
    body = _shown(row, place) | {
        "running_jobs": removal.undecided(place.team, row.user),
        "heirs": [present.person(heir) for heir in removal.heirs(place.team, row.user)],
    }
    return OneMemberSerializer(body).data
