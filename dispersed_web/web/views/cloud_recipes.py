"""The cloud's own recipes: the list, one of them, and taking one over as a recipe of the team."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from dispersed_web import tasks
from dispersed_web.clock import database_now
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.dispersed.parse import is_opaque_id
from dispersed_web.jobs import cloud_recipes, market
from dispersed_web.recipes import keeping
from dispersed_web.recipes.cloud import to_import
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.recipes import cloud_page

KINDS = ("official", "own")
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Door:
    """Somebody's place, the credential that the cloud is asked with, and the others to choose from."""

    seat: Seat
    credential: Credential
    credentials: list[Credential]

    def address(self, name: str, *arguments: str) -> str:
        """The address of one of these pages, with the same credential."""
        path = reverse(f"web:{name}", args=[self.seat.team.slug, *arguments])
        return f"{path}?{urlencode({'credential': self.credential.pk})}"


@require_safe
def recipes(request: HttpRequest, slug: str) -> HttpResponse:
    """The recipes that a credential sees. What was never asked for is asked for now; what is old in the background."""
    seat = access.seat(request, slug)
    door = _door(request, seat)
    if door is None:
        return render(request, "cloud_recipes/list.html", {"team": seat.team, **_rights(seat)})
    catalog = _looked_at(door.credential)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    text = " ".join(request.GET.get("q", "")[:LONGEST_SEARCH].split())
    context = {
        "shelves": cloud_page.shelves(door.credential, catalog, request.user, kind, text),
        "sight": cloud_page.sight(door.credential, catalog, database_now()),
        "kind": kind,
        "text": text,
        **_frame(door),
    }
    return render(request, "cloud_recipes/list.html", context)


@require_safe
def recipe(request: HttpRequest, slug: str, recipe_uuid: str) -> HttpResponse:
    """One of them. What was not seen before is asked for now."""
    seat = access.seat(request, slug)
    door = _door(request, seat)
    if door is None or not is_opaque_id(recipe_uuid):
        raise Http404
    look = _find(door, recipe_uuid)
    if look.recipe is None:
        context = {"look": look, "recipe_uuid": recipe_uuid, **_frame(door)}
        return render(request, "cloud_recipes/missing.html", context, status=404 if look.is_gone else 200)
    context = cloud_page.context(look.recipe, door.credential, request.user)
    context |= {"cook_url": _cook_address(door, look.recipe), **_frame(door)}
    return render(request, "cloud_recipes/recipe.html", context)


@require_POST
def recipes_refresh(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks the cloud now, while the person waits."""
    seat = access.seat(request, slug)
    door = _door(request, seat)
    if door is None:
        raise Http404
    cloud_recipes.refresh(door.credential.pk, database_now, patient=False)
    return redirect(door.address("cloud-recipes"))


@require_POST
def recipe_take_over(request: HttpRequest, slug: str, recipe_uuid: str) -> HttpResponse:
    """Makes a private recipe of the team of it, and opens the editor: what the cloud does not say is to be checked."""
    seat = access.seat(request, slug)
    door = _door(request, seat)
    if door is None or not is_opaque_id(recipe_uuid):
        raise Http404
    seat.need(Action.MAKE_RECIPES)
    look = _find(door, recipe_uuid)
    back = door.address("cloud-recipe", recipe_uuid)
    if look.recipe is None:
        messages.error(request, f"Nothing was imported. {look.trouble}")
        return redirect(back)
    made = to_import(look.recipe)
    if made.fault:
        messages.error(request, f"This recipe cannot be imported: {made.fault}")
        return redirect(back)
    try:
        kept = keeping.create(
            seat.team,
            name=made.name,
            document=made.document,
            owner=request.user,
            actor=seat.actor,
            now=database_now(),
            source=made.source,
            note="Imported from Dispersed",
            description_md=made.description_md,
            category=made.category,
        )
    except RecipeRefused as refused:
        messages.error(request, f"Nothing was imported. {refused.sentence}")
        return redirect(back)
    _tell(request, kept, made.notes)
    return redirect("web:recipe-edit", slug, kept.pk)


def _tell(request: HttpRequest, kept: Recipe, notes: list[str]) -> None:
    messages.success(
        request, f"“{kept.name}” is yours now; only you see it until you share it. Look it over."
    )
    for note in notes:
        messages.warning(request, note)


# Asking -------------------------------------------------------------------------------------------------------------


def _door(request: HttpRequest, seat: Seat) -> Door | None:
    """With the credential that the address or the form names, or the first; ``None`` where the team has none. Another
    team's is not found."""
    credentials = cloud_page.credentials_of(seat.team, request.user.pk, seat.role)
    named = request.POST.get("credential") or request.GET.get("credential") or ""
    if named:
        try:
            wanted = uuid.UUID(named)
        except ValueError:
            raise Http404 from None
        chosen = next((one for one in credentials if one.pk == wanted), None)
        if chosen is None:
            raise Http404
        return Door(seat, chosen, credentials)
    return Door(seat, credentials[0], credentials) if credentials else None


def _looked_at(credential: Credential) -> Any:
    """What is stored. A credential that the cloud refuses is not asked with."""
    catalog, now = cloud_recipes.of(credential), database_now()
    if credential.state != CredentialState.ACTIVE:
        return catalog
    if catalog.fetched_at is None:
        cloud_recipes.refresh(credential.pk, database_now, patient=False)
        catalog = cloud_recipes.of(credential)
    elif cloud_recipes.is_stale(catalog, now):
        tasks.nudge(tasks.refresh_cloud_recipes, credential.pk)
    if market.is_stale(market.of(credential), now):
        tasks.nudge(tasks.refresh_market, credential.pk)
    return catalog


def _find(door: Door, recipe_uuid: str) -> cloud_recipes.Look:
    stored = cloud_recipes.find(door.credential.pk, recipe_uuid)
    if stored is not None and stored.payload.image:
        return cloud_recipes.Look(stored)
    look = cloud_recipes.look(door.credential, recipe_uuid, team_id=door.seat.team.pk)
    return cloud_recipes.Look(stored) if look.recipe is None and stored and not look.is_gone else look


# Showing -------------------------------------------------------------------------------------------------------------


def _frame(door: Door) -> dict[str, Any]:
    return {
        "team": door.seat.team,
        "credential": door.credential,
        "credentials": door.credentials,
        "list_url": door.address("cloud-recipes"),
        **_rights(door.seat),
    }


def _rights(seat: Seat) -> dict[str, bool]:
    return {
        "may_make": seat.may(Action.MAKE_RECIPES),
        "may_launch": seat.may(Action.LAUNCH),
        "may_add": seat.may(Action.MANAGE_CREDENTIALS),
    }


def _cook_address(door: Door, recipe: CloudRecipe) -> str:
    """The launch form, filled from the recipe. Empty where nothing of it can be launched."""
    if recipe.is_archived or door.credential.state != CredentialState.ACTIVE:
        return ""
    asked = urlencode({"cook": recipe.uuid, "credential": door.credential.pk})
    return f"{reverse('web:launch', args=[door.seat.team.slug])}?{asked}"
