"""What the OpenAPI document says of the audit log."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.events import EventPageSerializer, EventQuerySerializer

list_events = extend_schema(
    operation_id="list_events",
    tags=["Team"],
    summary="List the team's audit log",
    description="""
Every act of the team, newest first: who, from where, what was changed. For tokens with the scope `admin`. Follow
`next_cursor` until it is null; keep the other parameters as they were. Each event is sealed with a hash over the one
before it; *docs/audit.md* says how to compute it.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/events?group=credential&since=2026-11-01T00:00:00Z"
```
""",
    parameters=[EventQuerySerializer],
    responses=answers({200: EventPageSerializer}, 400),
)
