"""Access is fetched, not checked: a program reaches a row only through its token's team.

Two things must both allow an act: the scope of the token and the role of its person. The domain judges by the lower of the
role and what the scope is worth (``teams/seats.py``).
"""

from __future__ import annotations

import uuid

from django.http import Http404
from rest_framework.request import Request

from dispersed_web.api import scopes
from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from dispersed_web.teams.roles import Action, Role, may


def allows(place: Caller, action: Action) -> bool:
    """Whether scope and role both allow it."""
    return scopes.allows(place.token.scope, action) and may(place.role, action)


def caller(request: Request, action: Action = Action.SEE) -> Caller:
    """Who calls, if scope and role both allow ``action``. Raises :class:`Refused` (403)."""
    found: Caller = request.auth
    need(found, action)
    return found


def need(found: Caller, action: Action) -> None:
    """For what turns out later to need more, such as somebody else's recipe. Raises :class:`Refused` (403)."""
    if not scopes.allows(found.token.scope, action):
        raise Refused(403, "scope_too_small", scopes.refusal(action))
    if not may(found.own_role, action):
        raise Refused(
            403, "role_too_small", "Your role in this team does not allow that. Ask one of its admins."
        )


def need_no_owner(*roles: str | None) -> None:
    """What concerns owners is done by owners, in the browser, where they confirm who they are. Raises :class:`Refused`."""
    if Role.OWNER in roles:
        raise Refused(
            403,
            "not_by_token",
            "No token makes, invites, changes or removes an owner. An owner does that in the browser.",
        )


def job(request: Request, job_id: uuid.UUID, action: Action = Action.SEE) -> tuple[Caller, Job]:
    """A job of the token's team. The same 404 for another team's job and for none."""
    place = caller(request, action)
    rows = Job.objects.select_related(
        "credential", "created_by", "owner", "stop_requested_by", "team", "recipe_version"
    )
    found = rows.filter(pk=job_id, team=place.team).first()
    if found is None:
        raise Http404
    found.reader_id = request.user.pk
    return place, found


def credential(place: Caller, credential_id: uuid.UUID) -> Credential:
    """The credential that a body names. The same refusal for another team's credential and for none."""
    found = Credential.objects.filter(pk=credential_id, team=place.team).first()
    if found is None:
        sentence = "The team of this token has no such credential."
        raise Refused(400, "invalid", sentence, {"credential_id": sentence})
    return found
