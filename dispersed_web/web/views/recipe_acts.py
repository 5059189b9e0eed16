"""What people do with a recipe beside editing it: pin, copy, share, archive."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dispersed_web.clock import database_now
from dispersed_web.recipes import keeping, sharing
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.views.recipes import forbid_unless


@require_POST
def recipe_pin(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """Keeps it at the top of the person's own gallery, or does not any more."""
    _, found = access.recipe(request, slug, recipe_id)
    act = sharing.unpin if request.POST.get("pin") == "no" else sharing.pin
    act(found, request.user)
    if request.POST.get("back") == "gallery":
        return redirect("web:recipes", slug)
    return redirect("web:recipe", slug, found.pk)


@require_POST
def recipe_copy(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    place, found = access.recipe(request, slug, recipe_id, Action.MAKE_RECIPES)
    try:
        made = keeping.copy(found, user=request.user, actor=place.actor, now=database_now())
    except RecipeRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("web:recipe", slug, found.pk)
    messages.success(request, "This is your copy. Only you see it until you share it.")
    return redirect("web:recipe", slug, made.pk)


@require_POST
def recipe_share(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """Shows it to the team, or hides it from all but its owner."""
    if request.POST.get("visibility") == Recipe.Visibility.PRIVATE:
        return _act(request, slug, recipe_id, sharing.make_private, "Only you see and launch it now.")
    return _act(request, slug, recipe_id, sharing.share, "The whole team sees and launches it now.")


@require_POST
def recipe_archive(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    if request.POST.get("archive") == "no":
        return _act(request, slug, recipe_id, sharing.unarchive, "It is back in the gallery.")
    return _act(
        request, slug, recipe_id, sharing.archive, "It is archived: it launches nothing until it is restored."
    )


def _act(
    request: HttpRequest, slug: str, recipe_id: uuid.UUID, act: Callable[..., bool], done: str
) -> HttpResponse:
    place, found = access.recipe(request, slug, recipe_id)
    forbid_unless(keeping.may_edit(found, place.role, request.user.pk))
    try:
        if act(found, actor=place.actor, now=database_now()):
            messages.success(request, done)
    except RecipeRefused as refused:
        messages.error(request, refused.sentence)
    return redirect("web:recipe", slug, found.pk)
