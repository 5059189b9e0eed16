"""What people do with a recipe beside editing it: pin, copy, share, archive, hand over."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.recipes import keeping, rights, sharing
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Membership, Team
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.forms.kept import HandOverForm
from dispersed_web.web.views.recipes import forbid_unless

FILTERS = ("q", "category", "archived")


@require_POST
def recipe_pin(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """Keeps it at the top of the person's own gallery, or does not any more."""
    _, found = access.recipe(request, slug, recipe_id)
    act = sharing.unpin if request.POST.get("pin") == "no" else sharing.pin
    act(found, request.user)
    if request.POST.get("back") == "gallery":
        filters = {name: request.POST[name] for name in FILTERS if request.POST.get(name)}
        return redirect(reverse("web:recipes", args=[slug], query=filters))
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


@require_http_methods(["GET", "POST"])
def recipe_hand_over(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """Asks which member is to own it, and gives it to them."""
    place, found = access.recipe(request, slug, recipe_id)
    forbid_unless(keeping.may_edit(found, place.role, request.user.pk))
    form = HandOverForm(request.POST or None, candidates=_members(place.team, found))
    if request.method == "POST" and form.is_valid():
        try:
            sharing.hand_over(found, form.person, actor=place.actor, now=database_now())
        except RecipeRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"“{found.name}” belongs to {form.person} now.")
            still_seen = found.visibility == Recipe.Visibility.TEAM
            return redirect("web:recipe", slug, found.pk) if still_seen else redirect("web:recipes", slug)
    context = {
        "team": place.team,
        "recipe": found,
        "form": form,
        "has_candidates": len(form.fields["to"].choices) > 1,
    }
    return render(request, "recipes/hand_over.html", context, status=422 if form.is_bound else 200)


def _members(team: Team, found: Recipe) -> list[User]:
    """The people who may own recipes, but for its owner."""
    rows = Membership.objects.filter(team=team, user__is_active=True, user__is_service=False)
    rows = rows.exclude(user=found.owner_id).select_related("user")
    people = [row.user for row in rows if rights.may_make(row.role)]
    return sorted(people, key=lambda user: str(user).casefold())


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
