"""Recipes as files: export, import, and the starter recipes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web.clock import database_now
from dispersed_web.events.record import record
from dispersed_web.recipes import files, queries, starters
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.keeping import called
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.recipe_import import ImportForm
from dispersed_web.web.forms.recipe_yaml import written
from dispersed_web.web.recipes import recipe_importing
from dispersed_web.web.recipes.recipe_importing import Found
from dispersed_web.web.views.recipes import version_of


@require_safe
def recipe_export(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    """One version as a file: the current one, or that of ``v``."""
    place, found = access.recipe(request, slug, recipe_id)
    version = version_of(found, request.GET.get("v", ""))
    _note(place, "recipe.exported", ("recipe", found.pk), f"{called(found)} as a file", number=version.number)
    about = {name: getattr(found, name) for name in ("name", "description_md", "category", "icon")}
    return _file(written(version.document, about), f"{slugify(found.name) or 'recipe'}-v{version.number}")


@require_safe
def recipes_export(request: HttpRequest, slug: str) -> HttpResponse:
    """All recipes that the person sees and that are in use."""
    place = access.seat(request, slug)
    usable = queries.usable_by(request.user.pk, place.team).select_related("current").order_by("name", "pk")
    _note(place, "export.recipes", ("team", place.team.pk), "all recipes as a file")
    return _file(files.to_yaml(usable), f"recipes-{place.team.slug}")


def _note(place: Seat, kind: str, about: tuple[str, object], what: str, **data: Any) -> None:
    sentence = f"{place.actor.label} exported {what}."
    record(place.team.pk, place.actor, kind, about, sentence, now=database_now(), data=data, bump=False)


def _file(text: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return answer


@require_POST
def recipes_starters(request: HttpRequest, slug: str) -> HttpResponse:
    """Gives the team the starters that it has not."""
    place = access.seat(request, slug, Action.MAKE_RECIPES)
    try:
        made = starters.install(place.team, database_now(), place.actor)
    except RecipeRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _made(made) if made else "The team has all starter recipes.")
    return redirect("web:recipes", slug)


@require_http_methods(["GET", "POST"])
def recipe_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows what is in a file; makes it when somebody says so."""
    place = access.seat(request, slug, Action.MAKE_RECIPES)
    if request.method != "POST":
        return _import_page(request, place, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _import_page(request, place, form, status=422, text=request.POST.get("text", ""))
    text = form.cleaned_data["text"]
    found, faults = recipe_importing.look(place, request.user, text)
    if faults:
        return _import_page(request, place, form, status=422, faults=faults, text=text)
    if "make" not in request.POST:
        return _import_page(request, place, form, found=found)
    return _make(request, place, form, recipe_importing.ticked(found, request.POST.getlist("take")))


def _make(request: HttpRequest, place: Seat, form: ImportForm, found: Sequence[Found]) -> HttpResponse:
    if not any(one.taken for one in found):
        return _import_page(
            request, place, form, status=422, found=found, refused="Tick at least one of them."
        )
    try:
        made = recipe_importing.make(
            place, request.user, found, form.cleaned_data["visibility"], database_now()
        )
    except RecipeRefused as refused:
        return _import_page(request, place, form, status=422, found=found, refused=refused.sentence)
    messages.success(request, _made(made))
    if len(made) == 1:
        return redirect("web:recipe", place.team.slug, made[0].pk)
    return redirect("web:recipes", place.team.slug)


def _made(made: Sequence[Recipe]) -> str:
    return f"“{made[0].name}” is made." if len(made) == 1 else f"{len(made)} recipes are made."


def _import_page(
    request: HttpRequest, place: Seat, form: ImportForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"team": place.team, "form": form, "visibilities": Recipe.Visibility.choices}
    return render(request, "recipes/import.html", context | more, status=status)
