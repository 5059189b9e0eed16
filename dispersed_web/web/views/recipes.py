"""The gallery of recipes and the page of one."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dispersed_web.recipes import keeping, rights, starters
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.teams.roles import Action
from dispersed_web.web import access, live
from dispersed_web.web.access import Seat
from dispersed_web.web.recipes import recipe_cards, recipe_page
from dispersed_web.web.recipes.recipe_cards import Wanted

LONGEST_SEARCH = 100


@require_safe
def recipes(request: HttpRequest, slug: str) -> HttpResponse:
    """The recipes that the person may see, as the address filters them."""
    place = access.seat(request, slug)
    wanted = _wanted(request)
    context = {
        "team": place.team,
        "wanted": wanted,
        "gallery": recipe_cards.gallery(place.team, request.user, wanted, timezone.now()),
        "categories": Recipe.Category.choices,
        "may_make": place.may(Action.MAKE_RECIPES),
        "may_launch": place.may(Action.LAUNCH),
        "missing": starters.missing(place.team) if place.may(Action.MAKE_RECIPES) else [],
    }
    template = "recipes/_cards.html" if live.is_part(request) else "recipes/gallery.html"
    return render(request, template, context)


def _wanted(request: HttpRequest) -> Wanted:
    category = request.GET.get("category", "")
    return Wanted(
        text=" ".join(request.GET.get("q", "")[:LONGEST_SEARCH].split()),
        category=category if category in Recipe.Category.values else "",
        archived=request.GET.get("archived") == "yes",
    )


@require_safe
def recipe(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """One recipe, as its current version has it or the one that ``v`` names."""
    place, found = access.recipe(request, slug, recipe_id)
    version = version_of(found, request.GET.get("v", ""))
    context = recipe_page.context(place, found, version, request.user.pk, timezone.now())
    return render(request, "recipes/recipe.html", context | rights_in(place, found, request.user.pk))


def version_of(found: Recipe, number: str) -> RecipeVersion:
    """The version of this number, the current one without any. Raises ``Http404``."""
    if not number:
        return found.current
    if not (number.isascii() and number.isdecimal() and len(number) < 9):
        raise Http404
    version = found.versions.select_related("made_by").filter(number=int(number)).first()
    if version is None:
        raise Http404
    return version


def rights_in(place: Seat, found: Recipe, user_id: int) -> dict[str, Any]:
    """What the person may do with the recipe, for templates."""
    is_mine = found.owner_id == user_id
    return {
        "may_make": place.may(Action.MAKE_RECIPES),
        "may_launch": place.may(Action.LAUNCH),
        "may_change": keeping.may_edit(found, place.role, user_id),
        "may_hide": rights.may_hide(place.role, is_owner=is_mine),
    }


def forbid_unless(allowed: bool) -> None:
    """Raises ``PermissionDenied`` for somebody who sees the recipe and may not change it."""
    if not allowed:
        raise PermissionDenied("Only its owner changes this recipe, or an admin where the team has it.")
