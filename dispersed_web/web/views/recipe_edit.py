"""Making and changing recipes: as a form or as YAML, with the launch form that comes of it beside."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from dispersed_web.clock import database_now
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.recipe import RecipeForm
from dispersed_web.web.forms.recipe_yaml import YamlForm
from dispersed_web.web.recipes import recipe_editing
from dispersed_web.web.recipes.recipe_editing import Draft, Start
from dispersed_web.web.recipes.recipe_preview import Preview, names_of_secrets, preview_of
from dispersed_web.web.recipes.recipe_prices import Prices
from dispersed_web.web.views.recipes import forbid_unless


@dataclass
class Editor:
    """One look at the editor: whose recipe, where it is sent, what it began with, and what else the page says."""

    request: HttpRequest
    place: Seat
    address: str
    start: Start
    recipe: Recipe | None = None
    job: Job | None = None
    notes: list[str] = field(default_factory=list)


@require_http_methods(["GET", "POST"])
def recipe_new(request: HttpRequest, slug: str) -> HttpResponse:
    place = access.seat(request, slug, Action.MAKE_RECIPES)
    return _edit(Editor(request, place, reverse("web:recipe-new", args=[slug]), Start()))


@require_http_methods(["GET", "POST"])
def recipe_edit(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    place, found = access.recipe(request, slug, recipe_id)
    forbid_unless(keeping.may_edit(found, place.role, request.user.pk))
    address = reverse("web:recipe-edit", args=[slug, found.pk])
    return _edit(Editor(request, place, address, Start.of_recipe(found), found))


@require_http_methods(["GET", "POST"])
def recipe_from_job(request: HttpRequest, slug: str, job_id: uuid.UUID) -> HttpResponse:
    """A new recipe that begins with what a job was launched with."""
    place, job = access.job(request, slug, job_id, Action.MAKE_RECIPES)
    try:
        start, notes = Start.of_job(job, place.actor)
    except RecipeRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("web:job", slug, job.pk)
    address = reverse("web:recipe-from-job", args=[slug, job.pk])
    return _edit(Editor(request, place, address, start, job=job, notes=notes))


@require_POST
def recipe_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The launch form that what is typed so far makes; nothing is saved."""
    place = access.seat(request, slug, Action.MAKE_RECIPES)
    form = YamlForm(request.POST) if _is_yaml(request) else RecipeForm(request.POST)
    return render(request, "recipes/_preview.html", {"team": place.team, "preview": _preview(place, form)})


def _is_yaml(request: HttpRequest) -> bool:
    return request.POST.get("as") == "yaml"


def _edit(editor: Editor) -> HttpResponse:
    request = editor.request
    if request.method != "POST":
        return _show(editor, editor.start.form())
    if "show" in request.POST:
        return _switch(editor, request.POST["show"])
    if _is_yaml(request):
        text = YamlForm(request.POST)
        return _save(editor, text, Draft.of_yaml(text)) if text.is_valid() else _faulty(editor, text)
    if "act" in request.POST:
        form, opened = recipe_editing.rearranged(request.POST)
        return _show(editor, form, open_row=opened)
    form = RecipeForm(request.POST)
    return _save(editor, form, Draft.of_form(form)) if form.is_valid() else _faulty(editor, form)


def _switch(editor: Editor, to: str) -> HttpResponse:
    """The other way to edit the same; where something cannot be read yet, it stays with its faults shown."""
    request = editor.request
    now: RecipeForm | YamlForm = YamlForm(request.POST) if _is_yaml(request) else RecipeForm(request.POST)
    if isinstance(now, YamlForm):
        other: RecipeForm | YamlForm | None = now if to == "yaml" else recipe_editing.as_form(now)
    else:
        other = now if to == "form" else recipe_editing.as_yaml(now)
    return _faulty(editor, now) if other is None else _show(editor, other)


def _save(editor: Editor, form: RecipeForm | YamlForm, draft: Draft) -> HttpResponse:
    request, place, now = editor.request, editor.place, database_now()
    try:
        if editor.recipe is None:
            made = recipe_editing.make(place, request.user, draft, now)
            messages.success(request, "The recipe is made. Only you see it until you share it.")
            return redirect("web:recipe", place.team.slug, made.pk)
        number = recipe_editing.save(place, editor.recipe, draft, now)
    except RecipeRefused as refused:
        return _refused(editor, form, draft, refused)
    messages.success(request, f"Saved as v{number}." if number else "Saved. What it launches is as before.")
    return redirect("web:recipe", place.team.slug, editor.recipe.pk)


def _refused(
    editor: Editor, form: RecipeForm | YamlForm, draft: Draft, refused: RecipeRefused
) -> HttpResponse:
    """What was typed stays, with the reason. After a newer version was seen here, saving again replaces it."""
    if refused.code == "changed_meanwhile" and editor.recipe is not None:
        conflict = recipe_editing.conflict(editor.recipe, draft)
        form.data = form.data.copy()
        form.data["seen"] = str(conflict.newest.number)
        return _show(editor, form, status=409, conflict=conflict)
    form.refuse(refused)
    return _faulty(editor, form)


def _faulty(editor: Editor, form: RecipeForm | YamlForm) -> HttpResponse:
    return _show(editor, form, status=422, faults=form.fault_count)


def _show(editor: Editor, form: RecipeForm | YamlForm, *, status: int = 200, **more: Any) -> HttpResponse:
    place, recipe = editor.place, editor.recipe
    prices = Prices.of_team(place.team)
    context = {
        "team": place.team,
        "recipe": recipe,
        "job": editor.job,
        "notes": editor.notes,
        "form": form,
        "as_yaml": isinstance(form, YamlForm),
        "address": editor.address,
        "heading": f"Edit {recipe.name}" if recipe else "New recipe",
        "next_number": recipe.current.number + 1 if recipe else 1,
        "gpu_names": sorted({gpu["name"].removeprefix("NVIDIA ") for gpu in prices.gpus}),
        "preview": _preview(place, form),
        "secret_names": names_of_secrets(place.team),
    }
    return render(editor.request, "recipes/edit.html", context | more, status=status)


def _preview(place: Seat, form: RecipeForm | YamlForm) -> Preview | None:
    """``None`` while what is typed makes no launch form."""
    typed = form.typed()
    return preview_of(place.team, *typed) if typed else None
