"""What the OpenAPI document says of recipes."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.documents.jobs import IDEMPOTENCY_KEY, LOCATION, REPLAY
from dispersed_web.api.serializers.jobs import JobSerializer
from dispersed_web.api.serializers.recipes import (
    FullVersionSerializer,
    RecipeLaunchSerializer,
    RecipeListSerializer,
    RecipeQuerySerializer,
    RecipeSerializer,
    VersionListSerializer,
)

list_recipes = extend_schema(
    operation_id="list_recipes",
    tags=["Recipes"],
    summary="List the recipes",
    description="""
Those that the team shares and your own private ones, by name.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/recipes?q=comfy"
```
""",
    parameters=[RecipeQuerySerializer],
    responses=answers({200: RecipeListSerializer}, 400),
)

get_recipe = extend_schema(
    operation_id="get_recipe",
    tags=["Recipes"],
    summary="Look at a recipe",
    description="""
With its current version: what it asks (`inputs`), and the whole document.

```
curl -H "Authorization: Bearer $TOKEN" $DW/recipes/$RECIPE
```
""",
    responses=answers({200: RecipeSerializer}, 404, f404="No such recipe that the token's person may see."),
)

list_versions = extend_schema(
    operation_id="list_recipe_versions",
    tags=["Recipes"],
    summary="List a recipe's versions",
    description="""
The newest first. A version never changes.

```
curl -H "Authorization: Bearer $TOKEN" $DW/recipes/$RECIPE/versions
```
""",
    responses=answers({200: VersionListSerializer}, 404),
)

get_version = extend_schema(
    operation_id="get_recipe_version",
    tags=["Recipes"],
    summary="Look at a version of a recipe",
    description="""
As it was; only the current one can be launched.

```
curl -H "Authorization: Bearer $TOKEN" $DW/recipes/$RECIPE/versions/3
```
""",
    responses=answers({200: FullVersionSerializer}, 404),
)

launch_recipe = extend_schema(
    operation_id="launch_recipe",
    tags=["Recipes"],
    summary="Launch from a recipe",
    description="""
Answers the recipe's inputs and launches its current version. `overrides` are fields of `POST /jobs` put in the place of the
recipe's; what its author locked cannot be changed (`409`, `locked`). All else is as for `POST /jobs`: repeat a call that
failed on the way with the same `Idempotency-Key` and body.

```
curl $DW/recipes/$RECIPE/launch -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: $(uuidgen)" -d '{"credential_id": "…", "answers": {"ssh_key": "ssh-ed25519 AAAA… you@laptop"}}'
```
""",
    request=RecipeLaunchSerializer,
    parameters=[IDEMPOTENCY_KEY, REPLAY, LOCATION],
    responses=answers(
        {
            201: OpenApiResponse(JobSerializer, description="The job is stored and will be sent."),
            200: OpenApiResponse(JobSerializer, description="This key launched this job before."),
        },
        400,
        404,
        409,
        413,
        415,
        f409="As for `POST /jobs`, and `recipe_moved` (there is a newer version), `recipe_gone` (archived), `locked`.",
    ),
    examples=[
        OpenApiExample(
            "Answers",
            request_only=True,
            value={
                "credential_id": "5f0c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                "version": 3,
                "title": "Paint",
                "answers": {"ssh_key": "ssh-ed25519 AAAA… you@laptop", "lifetime": "4h"},
            },
        )
    ],
)
