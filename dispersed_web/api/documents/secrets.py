"""What the OpenAPI document says of the team's secrets."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.secrets import SecretListSerializer

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
