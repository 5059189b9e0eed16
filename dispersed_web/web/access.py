"""Access is fetched, not checked: an object is reached only through a function that proves the reader may have it.

Who is no member gets the same 404 as for something that does not exist; who is a member without the right gets 403.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from dispersed_web.accounts import second_factor
from dispersed_web.credentials.models import Credential
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import queries
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams import belonging
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action, may


class SecondFactorNeeded(PermissionDenied):
    """The person belongs to the team, which wants more of its members than a password."""

    def __init__(self, team: Team) -> None:
        super().__init__("This team needs a second factor. Set one up under Profile and security.")
        self.team = team


@dataclass(frozen=True)
class Seat:
    """A person's place in one team, read from the database for this request."""

    team: Team
    role: str
    actor: Actor

    def may(self, action: Action) -> bool:
        return may(self.role, action)

    @property
    def manages(self) -> bool:
        """Whether the pages of those who manage the team are open to this person."""
        return self.may(Action.MANAGE_TEAM)

    def need(self, action: Action) -> None:
        if not self.may(action):
            raise PermissionDenied("Your role in this team does not allow that. Ask one of its admins.")


def seat(request: HttpRequest, slug: str, action: Action = Action.SEE) -> Seat:
    """The signed-in person's seat in the team of this address; remembered on the request for the page's frame."""
    mine = belonging.find(request.user.pk, slug)
    if mine is None:
        raise Http404
    if mine.team.require_mfa and not second_factor.has_one(request.user.pk):
        raise SecondFactorNeeded(mine.team)
    found = Seat(mine.team, mine.role, Actor.person(request.user))
    request.seat = found
    found.need(action)
    return found


def job(request: HttpRequest, slug: str, job_id: uuid.UUID, action: Action = Action.SEE) -> tuple[Seat, Job]:
    """A job of the team, for somebody who may do ``action`` with it."""
    place = seat(request, slug)
    found = (
        Job.objects.select_related("credential", "created_by", "owner", "team")
        .filter(pk=job_id, team=place.team)
        .first()
    )
    if found is None:
        raise Http404
    place.need(action)
    return place, found


def credential(
    request: HttpRequest, slug: str, credential_id: uuid.UUID, action: Action
) -> tuple[Seat, Credential]:
    """The seat and the team's credential. 404 for a stranger and for another team's, 403 without the right to
    ``action``."""
    place = seat(request, slug)
    found = Credential.objects.select_related("team").filter(pk=credential_id, team=place.team).first()
    if found is None:
        raise Http404
    place.need(action)
    return place, found


def recipe(
    request: HttpRequest, slug: str, recipe_id: uuid.UUID, action: Action = Action.SEE
) -> tuple[Seat, Recipe]:
    """A recipe that the team shares or the person owns, archived or not, for somebody who may do ``action``."""
    place = seat(request, slug)
    visible = queries.visible_to(request.user.pk, place.team).exclude(current=None)
    found = (
        visible.select_related("current", "current__made_by", "owner", "team").filter(pk=recipe_id).first()
    )
    if found is None:
        raise Http404
    place.need(action)
    return place, found
