"""The presets of the token's person."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access, documents, recipe_orders
from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.recipes import (
    PresetListSerializer,
    PresetMakeSerializer,
    PresetSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import presets
from dispersed_web.jobs.models import Preset
from dispersed_web.recipes import queries
from dispersed_web.recipes.answers import kept_answers
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe
from dispersed_web.recipes.render import render
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action


class Presets(ApiView):
    @documents.list_presets
    def get(self, request: Request) -> Response:
        return Response(_listed(access.caller(request)))

    @documents.make_preset
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.LAUNCH)
        given = valid(PresetMakeSerializer, request.data)
        recipe = _usable(place, given["recipe_id"])
        preset = presets.save(
            place.token.user,
            place.team,
            name=given["name"],
            recipe=recipe,
            values={},
            answers=_answers(recipe, given["answers"]),
            is_usual=given["is_usual"],
            now=database_now(),
            actor=place.actor,
        )
        return Response(PresetSerializer(_shown(preset, place.team)).data, status=201)


class OnePreset(ApiView):
    @documents.get_preset
    def get(self, request: Request, preset_id: uuid.UUID) -> Response:
        place = access.caller(request)
        return Response(PresetSerializer(_shown(_mine(place, preset_id), place.team)).data)


class Delete(ApiView):
    @documents.delete_preset
    def post(self, request: Request, preset_id: uuid.UUID) -> Response:
        place = access.caller(request, Action.LAUNCH)
        presets.delete(_mine(place, preset_id), now=database_now(), actor=place.actor)
        return Response(_listed(place))


@sensitive_variables()
def _answers(recipe: Recipe, given: dict[str, Any]) -> dict[str, Any]:
    """The answers that may be stored. A missing one may be given at the launch; a wrong one is refused now."""
    given = recipe_orders.with_names(given, recipe.team)
    document = Document.from_json(recipe.current.document if recipe.current else {})
    problems = render(document, given).problems
    faults = {f"answers.{key}": sentence for key, sentence in problems.items() if key in given}
    if faults:
        raise Refused(400, "invalid", f"Not valid: {', '.join(faults)}.", faults)
    return kept_answers(document, given)


def _usable(place: Caller, recipe_id: uuid.UUID) -> Recipe:
    """The same refusal for a recipe that the person may not use and for none."""
    found = queries.usable_by(place.token.user_id, place.team).select_related("current").filter(pk=recipe_id)
    recipe = found.first()
    if recipe is None:
        sentence = "There is no such recipe that you may launch."
        raise Refused(400, "invalid", sentence, {"recipe_id": sentence})
    return recipe


def _mine(place: Caller, preset_id: uuid.UUID) -> Preset:
    preset = presets.of(place.token.user, place.team).filter(pk=preset_id).first()
    if preset is None:
        raise Http404
    return preset


def _listed(place: Caller) -> dict[str, Any]:
    found = presets.of(place.token.user, place.team)
    return PresetListSerializer({"presets": [_shown(preset, place.team) for preset in found]}).data


def _shown(preset: Preset, team: Team) -> dict[str, Any]:
    names = ("id", "name", "is_usual", "recipe_id", "answers", "values", "created_at")
    page = "web:recipe-launch" if preset.recipe_id else "web:launch"
    arguments = [team.slug, preset.recipe_id] if preset.recipe_id else [team.slug]
    address = f"{settings.PUBLIC_URL}{reverse(page, args=arguments)}?preset={preset.pk}"
    return {name: getattr(preset, name) for name in names} | {"launch_url": address}
