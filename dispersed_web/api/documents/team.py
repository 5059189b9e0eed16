"""What the OpenAPI document says of the team."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.account import CredentialListSerializer, MeSerializer

list_credentials = extend_schema(
    operation_id="list_credentials",
    tags=["Team"],
    summary="List the team's credentials",
    description="""
Their health, and whether a job could be launched with each of them now. Their secrets are never given out.

```
curl -H "Authorization: Bearer $TOKEN" $DW/credentials
```
""",
    responses=answers({200: CredentialListSerializer}),
)

get_me = extend_schema(
    operation_id="get_me",
    tags=["Team"],
    summary="Who this token is",
    description="""
Its person, team, role and scope.

```
curl -H "Authorization: Bearer $TOKEN" $DW/me
```
""",
    responses=answers({200: MeSerializer}),
)
