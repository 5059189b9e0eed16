"""What the OpenAPI document says of recipes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.documents.jobs import IDEMPOTENCY_KEY, LOCATION, REPLAY
from dispersed_web.api.serializers.jobs import JobSerializer
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
    responses=answers({200: RecipeSerializer}, 404),
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
recipe's; `remove_env` takes variables away, and `registry_secret_id: null` a secret that the recipe names. What its author
locked cannot be changed (`409`, `locked`). All else is as for `POST /jobs`: repeat a call that failed on the way with the
same `Idempotency-Key` and body.

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

_MOVED = (
    "`changed_meanwhile`: there is a newer version. `archived`. `locked`: a copy keeps its original's locks."
)

make_recipe = extend_schema(
    operation_id="make_recipe",
    tags=["Recipes"],
    summary="Make a recipe",
    description="""
It is yours; `visibility` says whether the team sees it. A document holds no secrets: what is secret is an input of that
type. Of a faulty document `fields` names each fault by its path, such as `document.inputs.0.to`.

```
curl $DW/recipes -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"name": "Box", "document": {"spec": {"task": "PERSISTENT", "title": "Box", "image": "dispersednetwork/base"}}}'
```
""",
    request=RecipeMakeSerializer,
    responses=answers(
        {201: OpenApiResponse(RecipeSerializer, description="It is made.")}, 400, 409, 413, 415
    ),
    examples=[
        OpenApiExample(
            "A machine",
            request_only=True,
            value={
                "name": "Box",
                "category": "machine",
                "visibility": "team",
                "document": {
                    "spec": {
                        "task": "PERSISTENT",
                        "title": "Box",
                        "image": "dispersednetwork/base",
                        "ports": [22],
                    },
                    "inputs": [{"key": "ssh_key", "type": "ssh_key", "to": "ssh_key", "required": True}],
                },
            },
        )
    ],
)

change_recipe = extend_schema(
    operation_id="change_recipe",
    tags=["Recipes"],
    summary="Change what is said of a recipe",
    description="""
Name, description, category, icon. For its owner and for admins.

```
curl -X PATCH $DW/recipes/$RECIPE -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"name": "Big box"}'
```
""",
    request=AboutSerializer,
    responses=answers({200: RecipeSerializer}, 400, 404, 409, 413, 415),
)

make_version = extend_schema(
    operation_id="make_recipe_version",
    tags=["Recipes"],
    summary="Save a new version",
    description="""
It is the current one from then on. Running jobs keep what they were launched with. When nothing changed, no version is
made.

```
curl $DW/recipes/$RECIPE/versions -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"seen_version": 3, "note": "More memory", "document": {"spec": {"task": "PERSISTENT", "title": "Box",
    "image": "dispersednetwork/base", "min_vram_gb": 48}}}'
```
""",
    request=VersionMakeSerializer,
    responses=answers({200: RecipeSerializer}, 400, 404, 409, 413, 415, f409=_MOVED),
)

roll_back = extend_schema(
    operation_id="roll_back_recipe",
    tags=["Recipes"],
    summary="Go back to an older version",
    description="""
Makes a new version with the document of `to`.

```
curl $DW/recipes/$RECIPE/roll-back -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"seen_version": 5, "to": 3}'
```
""",
    request=RollBackSerializer,
    responses=answers({200: RecipeSerializer}, 400, 404, 409, 413, 415, f409=_MOVED),
)

copy_recipe = extend_schema(
    operation_id="copy_recipe",
    tags=["Recipes"],
    summary="Copy a recipe",
    description="""
A private one of yours, which keeps what the author locked.

```
curl $DW/recipes/$RECIPE/copy -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{}'
```
""",
    request=CopySerializer,
    responses=answers(
        {201: OpenApiResponse(RecipeSerializer, description="The copy.")}, 400, 404, 409, 413, 415
    ),
)


def recipe_act(act: str, summary: str, words: str) -> Any:
    """One of the acts without a body of their own."""
    return extend_schema(
        operation_id=f"{act.replace('-', '_')}_recipe",
        tags=["Recipes"],
        summary=summary,
        description=f"""
{words}

```
curl $DW/recipes/$RECIPE/{act} -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{}}'
```
""",
        request=NothingSerializer,
        responses=answers({200: RecipeSerializer}, 400, 404, 409, 413, 415),
    )


share_recipe = recipe_act("share", "Share a recipe", "The whole team sees and uses it.")
make_recipe_private = recipe_act("make-private", "Make a recipe private", "Only for its owner.")
archive_recipe = recipe_act(
    "archive", "Archive a recipe", "It cannot be launched any more; nothing of it is lost."
)
unarchive_recipe = recipe_act("unarchive", "Bring a recipe back", "From the archive, into use.")
