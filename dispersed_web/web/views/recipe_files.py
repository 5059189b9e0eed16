"""Recipes as files: export, import, and the starter recipes."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dispersed_web.teams.roles import Action
from dispersed_web.web import access


@require_http_methods(["GET", "POST"])
def recipe_import(request: HttpRequest, slug: str) -> HttpResponse:
    access.seat(request, slug, Action.MAKE_RECIPES)
    raise Http404


@require_safe
def recipes_export(request: HttpRequest, slug: str) -> HttpResponse:
    access.seat(request, slug)
    raise Http404


@require_safe
def recipe_export(request: HttpRequest, slug: str, recipe_id: uuid.UUID) -> HttpResponse:
    access.recipe(request, slug, recipe_id)
    raise Http404


@require_POST
def recipes_starters(request: HttpRequest, slug: str) -> HttpResponse:
    access.seat(request, slug, Action.MAKE_RECIPES)
    raise Http404
