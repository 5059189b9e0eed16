"""What the OpenAPI document says of the team's secrets."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.secrets import (
    SecretAddSerializer,
    SecretChangeSerializer,
    SecretListSerializer,
    TeamSecretSerializer,
)

_GONE = "No such secret of the token's team."
_JSON = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'

list_secrets = extend_schema(
    operation_id="list_secrets",
    tags=["Team"],
    summary="List the team's secrets",
    description="""
Registry logins and access tokens that a launch can name instead of a value: `team_secret_id` in a row of `env` or a
volume, `registry_secret_id`, or as the answer to a recipe's secret input `{"team_secret": "NAME"}`. Their values are never
given out.

```
curl -H "Authorization: Bearer $TOKEN" $DW/secrets
```
""",
    responses=answers({200: SecretListSerializer}),
)

get_secret = extend_schema(
    operation_id="get_secret",
    tags=["Team"],
    summary="Look at a secret of the team",
    description="""
All but its value.

```
curl -H "Authorization: Bearer $TOKEN" $DW/secrets/$SECRET
```
""",
    responses=answers({200: TeamSecretSerializer}, 404, f404=_GONE),
)

add_secret = extend_schema(
    operation_id="add_secret",
    tags=["Team"],
    summary="Store a secret",
    description=f"""
Its value is encrypted, and no call gives it back. Needs the scope `admin`. Keep the value out of the shell's history:

```
jq -n --rawfile value token.txt '{{name: "hf-token", $value}}' | curl $DW/secrets {_JSON} -d @-
```
""",
    request=SecretAddSerializer,
    responses=answers(
        {201: OpenApiResponse(TeamSecretSerializer, description="It is stored.")},
        400,
        409,
        413,
        415,
        f409="`name_taken`, `too_many`.",
    ),
    examples=[
        OpenApiExample(
            "A registry's login",
            request_only=True,
            value={
                "name": "ghcr",
                "value": "not-a-real-password",
                "note": "Read-only token of the lab",
                "usable_by": "chosen",
                "chosen": ["ana@example.org"],
                "hosts": ["ghcr.io"],
            },
        )
    ],
)

change_secret = extend_schema(
    operation_id="change_secret",
    tags=["Team"],
    summary="Change a secret",
    description=f"""
Another value, its note, who may use it, its registries: all that the body names, or nothing. What is launched from now on
gets the new value; running jobs keep the one they got. Needs the scope `admin`.

```
jq -n --rawfile value token.txt '{{$value}}' | curl -X PATCH $DW/secrets/$SECRET {_JSON} -d @-
```
""",
    request=SecretChangeSerializer,
    responses=answers(
        {200: TeamSecretSerializer}, 400, 404, 409, 413, 415, f404=_GONE, f409="`gone`: deleted meanwhile."
    ),
    examples=[
        OpenApiExample("Another value", request_only=True, value={"value": "not-a-real-password"}),
        OpenApiExample("For admins only", request_only=True, value={"usable_by": "admins"}),
    ],
)

delete_secret = extend_schema(
    operation_id="delete_secret",
    tags=["Team"],
    summary="Delete a secret",
    description=f"""
Its value is destroyed here; revoke it where it was made as well. Running jobs keep what they got; recipes and presets that
name it are refused until somebody mends them. The answer lists the others. Needs the scope `admin`.

```
curl $DW/secrets/$SECRET/delete {_JSON} -d '{{}}'
```
""",
    request=None,
    responses=answers({200: SecretListSerializer}, 404, 409, f404=_GONE, f409="`gone`: deleted meanwhile."),
)
