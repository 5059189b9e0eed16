"""Recipes: list, look at one and its versions, make and change them, launch from one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from dispersed_web.api import access, documents, launching, orders, present, recipe_orders
from dispersed_web.api.authentication import Caller
from dispersed_web.api.errors import Refused
from dispersed_web.api.serializers.recipes import (
    AboutSerializer,
    CopySerializer,
    FullVersionSerializer,
    NothingSerializer,
    RecipeLaunchSerializer,
    RecipeListSerializer,
    RecipeMakeSerializer,
    RecipeQuerySerializer,
    RecipeSerializer,
    RollBackSerializer,
    VersionListSerializer,
    VersionMakeSerializer,
)
from dispersed_web.api.views.base import ApiView, valid
from dispersed_web.clock import database_now
from dispersed_web.jobs import form_tokens
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping, queries, sharing
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe, RecipeVersion
from dispersed_web.teams.models import Team
from dispersed_web.teams.roles import Action, may


class Recipes(ApiView):
    @documents.make_recipe
    def post(self, request: Request) -> Response:
        place = access.caller(request, Action.MAKE_RECIPES)
        given = valid(RecipeMakeSerializer, request.data)
        recipe = keeping.create(
            place.team, owner=place.token.user, actor=place.actor, now=database_now(), **given
        )
        return Response(_told(request, recipe.pk), status=201)

    @documents.list_recipes
    def get(self, request: Request) -> Response:
        place = access.caller(request)
        query = valid(RecipeQuerySerializer, request.query_params.dict())
        rows = _visible(place).filter(archived_at__isnull=not query["archived"])
        for word in query.get("q", "").split():
            rows = rows.filter(Q(name__icontains=word) | Q(description_md__icontains=word))
        if "category" in query:
            rows = rows.filter(category=query["category"])
        recipes = [_brief(recipe, place.team) for recipe in rows.order_by("name", "pk")]
        return Response(RecipeListSerializer({"recipes": recipes}).data)


class OneRecipe(ApiView):
    http_method_names: ClassVar = ["get", "head", "patch"]

    @documents.get_recipe
    def get(self, request: Request, recipe_id: uuid.UUID) -> Response:
        return Response(_told(request, recipe_id))

    @documents.change_recipe
    def patch(self, request: Request, recipe_id: uuid.UUID) -> Response:
        place, recipe = _mine_or_managed(request, recipe_id)
        given = valid(AboutSerializer, request.data)
        keeping.change_about(recipe, actor=place.actor, now=database_now(), **given)
        return Response(_told(request, recipe_id))


class Versions(ApiView):
    @documents.make_version
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        place, recipe = _mine_or_managed(request, recipe_id)
        given = valid(VersionMakeSerializer, request.data)
        keeping.save_version(recipe, actor=place.actor, now=database_now(), **given)
        return Response(_told(request, recipe_id))

    @documents.list_versions
    def get(self, request: Request, recipe_id: uuid.UUID) -> Response:
        recipe = _recipe(request, recipe_id)[1]
        rows = recipe.versions.select_related("made_by").defer("document").order_by("-number")
        return Response(VersionListSerializer({"versions": [_version(row) for row in rows]}).data)


class OneVersion(ApiView):
    @documents.get_version
    def get(self, request: Request, recipe_id: uuid.UUID, number: int) -> Response:
        recipe = _recipe(request, recipe_id)[1]
        found = recipe.versions.select_related("made_by").filter(number=number).first()
        if found is None:
            raise Http404
        return Response(FullVersionSerializer(_full(found)).data)


class RollBack(ApiView):
    @documents.roll_back
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        place, recipe = _mine_or_managed(request, recipe_id)
        given = valid(RollBackSerializer, request.data)
        keeping.roll_back(recipe, actor=place.actor, now=database_now(), **given)
        return Response(_told(request, recipe_id))


class Copy(ApiView):
    @documents.copy_recipe
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        place, recipe = _recipe(request, recipe_id, Action.MAKE_RECIPES)
        given = valid(CopySerializer, request.data)
        made = keeping.copy(recipe, user=place.token.user, actor=place.actor, now=database_now(), **given)
        return Response(_told(request, made.pk), status=201)


class Share(ApiView):
    @documents.share_recipe
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        return _act(request, recipe_id, sharing.share)


class MakePrivate(ApiView):
    @documents.make_recipe_private
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        return _act(request, recipe_id, sharing.make_private)


class Archive(ApiView):
    @documents.archive_recipe
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        return _act(request, recipe_id, sharing.archive)


class Unarchive(ApiView):
    @documents.unarchive_recipe
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        return _act(request, recipe_id, sharing.unarchive)


class Launch(ApiView):
    @documents.launch_recipe
    def post(self, request: Request, recipe_id: uuid.UUID) -> Response:
        place, recipe = _recipe(request, recipe_id, Action.LAUNCH)
        key = orders.idempotency_key(request)
        given = valid(RecipeLaunchSerializer, request.data)
        version = _version_of(place, key, recipe) or recipe.current
        if version is None or given.get("version") not in (None, version.number):
            sentence = "The recipe has another version by now. Look it over and launch again."
            raise Refused(409, "recipe_moved", sentence, {"version": sentence})
        credential = access.credential(place, given["credential_id"])
        given["answers"] = recipe_orders.with_names(given["answers"], place.team)
        body = recipe_orders.body_of(Document.from_json(version.document), given)
        order = recipe_orders.order_of(version, given, body, place.team, credential)
        return launching.answer(
            request,
            place,
            launching.Call(key, credential, body, order, recipe_orders.is_same),
            database_now(),
        )


def _act(request: Request, recipe_id: uuid.UUID, act: Callable[..., bool]) -> Response:
    place, recipe = _mine_or_managed(request, recipe_id)
    valid(NothingSerializer, request.data)
    act(recipe, actor=place.actor, now=database_now())
    return Response(_told(request, recipe_id))


def _told(request: Request, recipe_id: uuid.UUID) -> dict[str, Any]:
    """The recipe as every call about one answers, read afresh."""
    place, recipe = _recipe(request, recipe_id)
    body = _brief(recipe, place.team) | {
        "description_md": recipe.description_md,
        "current": recipe.current and _full(recipe.current),
    }
    return RecipeSerializer(body).data


def _version_of(place: Caller, key: str, recipe: Recipe) -> RecipeVersion | None:
    """The version that an earlier call with this key launched: a repetition is judged by that one."""
    token = form_tokens.for_api(place.token.user_id, key)
    job = Job.objects.select_related("recipe_version").filter(team=place.team, form_token=token).first()
    version = job.recipe_version if job else None
    return version if version and version.recipe_id == recipe.pk else None


def _visible(place: Caller) -> Any:
    return queries.visible_to(place.token.user_id, place.team).select_related("owner", "current")


def _recipe(request: Request, recipe_id: uuid.UUID, action: Action = Action.SEE) -> tuple[Caller, Recipe]:
    """A recipe that the token's person may see. The same 404 for another's and for none."""
    place = access.caller(request, action)
    found = _visible(place).select_related("current__made_by").filter(pk=recipe_id).first()
    if found is None:
        raise Http404
    return place, found


def _mine_or_managed(request: Request, recipe_id: uuid.UUID) -> tuple[Caller, Recipe]:
    """A recipe to change. Somebody else's needs the scope of those who manage recipes; the role is the domain's to ask."""
    place, recipe = _recipe(request, recipe_id, Action.MAKE_RECIPES)
    if recipe.owner_id != place.token.user_id and may(place.own_role, Action.MANAGE_RECIPES):
        access.need(place, Action.MANAGE_RECIPES)
    return place, recipe


def _brief(recipe: Recipe, team: Team) -> dict[str, Any]:
    names = ("id", "name", "category", "visibility", "launches", "launched_at", "changed_at", "archived_at")
    return {name: getattr(recipe, name) for name in names} | {
        "owner": present.person(recipe.owner),
        "version": recipe.current.number if recipe.current else None,
        "page_url": settings.PUBLIC_URL + reverse("web:recipe", args=[team.slug, recipe.pk]),
    }


def _version(row: RecipeVersion) -> dict[str, Any]:
    return {
        "number": row.number,
        "note": row.note,
        "made_by": present.person(row.made_by),
        "made_at": row.made_at,
    }


def _full(row: RecipeVersion) -> dict[str, Any]:
    document = Document.from_json(row.document)
    inputs = [one for one in document.inputs if not one.hidden]
    return _version(row) | {"inputs": inputs, "document": document.to_json()}
