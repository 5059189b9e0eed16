"""The versions of a recipe: any two of them compared, and going back to one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dispersed_web.clock import database_now
from dispersed_web.recipes import keeping
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.web import access
from dispersed_web.web.recipes import recipe_page
from dispersed_web.web.recipes.recipe_diff import compared
from dispersed_web.web.views.recipes import forbid_unless, rights_in, version_of


@require_safe
def versions(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """All versions, newest first; ``from`` and ``to`` are compared, without them the last two."""
    place, found = access.recipe(request, slug, recipe_id)
    lines = recipe_page.version_lines(found, timezone.now())
    before, after = _pair(request, found)
    parts = compared(before, after)
    current = found.current.number
    context = {
        "team": place.team,
        "recipe": found,
        "lines": lines,
        "before": before,
        "after": after,
        "parts": parts,
        "changes": sum(len(part.rows) for part in parts),
        "back_to": next((one.number for one in (before, after) if one and one.number != current), None),
        "next_number": current + 1,
    }
    context |= rights_in(place, found, request.user.pk)
    return render(request, "recipes/versions.html", context)


@require_POST
def roll_back(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """Makes a new version with the document of an old one."""
    place, found = access.recipe(request, slug, recipe_id)
    forbid_unless(keeping.may_edit(found, place.role, request.user.pk))
    to, seen = version_of(found, request.POST.get("to", "")).number, request.POST.get("seen", "")
    try:
        made = keeping.roll_back(
            found,
            to,
            seen_version=int(seen) if seen.isdecimal() else 0,
            actor=place.actor,
            now=database_now(),
        )
    except RecipeRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("web:recipe-versions", slug, found.pk)
    if made is None:
        messages.info(request, f"The current version says the same as v{to}, so nothing changed.")
    else:
        messages.success(request, f"Back to v{to}: it is the current version again, as v{made.number}.")
    return redirect("web:recipe", slug, found.pk)


def _pair(request: HttpRequest, found: Recipe) -> tuple[RecipeVersion | None, RecipeVersion]:
    """What is compared, the older first."""
    after = version_of(found, request.GET.get("to", ""))
    if request.GET.get("from"):
        before: Any = version_of(found, request.GET["from"])
    else:
        before = found.versions.filter(number__lt=after.number).order_by("-number").first()
    if before is not None and before.number > after.number:
        before, after = after, before
    return before, after
