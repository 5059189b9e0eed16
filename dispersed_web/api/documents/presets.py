"""What the OpenAPI document says of presets."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.recipes import (
    PresetListSerializer,
    PresetMakeSerializer,
    PresetSerializer,
)

_GONE = "No such preset of the token's person."

list_presets = extend_schema(
    operation_id="list_presets",
    tags=["Recipes"],
    summary="List your presets",
    description="""
Fillings of the launch form that the token's person saved in this team, the usual one first. Nobody else sees them.

```
curl -H "Authorization: Bearer $TOKEN" $DW/presets
```
""",
    responses=answers({200: PresetListSerializer}),
)

make_preset = extend_schema(
    operation_id="make_preset",
    tags=["Recipes"],
    summary="Save answers as a preset",
    description="""
Of a recipe. Secret answers are left out, and what the recipe's author locked is refused.

```
curl $DW/presets -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"name": "My box", "recipe_id": "…", "answers": {"lifetime": "4h"}}'
```
""",
    request=PresetMakeSerializer,
    responses=answers(
        {201: OpenApiResponse(PresetSerializer, description="It is saved.")},
        400,
        409,
        413,
        415,
        f409="`name_taken`, `too_many_presets`.",
    ),
    examples=[
        OpenApiExample(
            "My box",
            request_only=True,
            value={
                "name": "My box",
                "recipe_id": "0a3c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                "answers": {"lifetime": "4h"},
                "is_usual": True,
            },
        )
    ],
)

get_preset = extend_schema(
    operation_id="get_preset",
    tags=["Recipes"],
    summary="Look at a preset",
    description="""
Launch it by sending its `answers` to its recipe, with the secrets that it does not hold.

```
curl -H "Authorization: Bearer $TOKEN" $DW/presets/$PRESET
```
""",
    responses=answers({200: PresetSerializer}, 404, f404=_GONE),
)

delete_preset = extend_schema(
    operation_id="delete_preset",
    tags=["Recipes"],
    summary="Delete a preset",
    description="""
Jobs that were launched from it stay as they are.

```
curl -X POST $DW/presets/$PRESET/delete -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{}'
```
""",
    request=None,
    responses=answers({200: PresetListSerializer}, 404, f404=_GONE),
)
