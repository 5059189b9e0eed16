"""What the OpenAPI document says of logs."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.logs import LogQuerySerializer, LogSerializer

read_log = extend_schema(
    operation_id="read_log",
    tags=["Jobs"],
    summary="Read a job's log",
    description="""
The lines of one run, secrets masked as far as they are known. Without `from` the last ones; to go on, or to follow a job
that runs, call again with `from` set to `next` every few seconds. With `search` only the lines that contain the text, from
the whole log. The log of an ended run is kept for 90 days.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/jobs/$JOB/logs?from=1&limit=500"
curl -H "Authorization: Bearer $TOKEN" "$DW/jobs/$JOB/logs?search=error"
```
""",
    parameters=[LogQuerySerializer],
    responses=answers(
        {200: LogSerializer},
        400,
        404,
        503,
        f503="`log_unavailable`: the cloud or the key fails, and nothing was kept. Try again later.",
    ),
    examples=[
        OpenApiExample(
            "While it runs",
            response_only=True,
            status_codes=["200"],
            value={
                "run_id": "7f0c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                "lines": [
                    {"number": 4102, "text": "step 41010 | loss 2.8521"},
                    {"number": 4103, "text": "step 41020 | loss 2.8519"},
                ],
                "first": 1,
                "total": 4103,
                "is_cut": False,
                "live": True,
                "next": 4104,
                "seen_at": "2026-08-25T18:00:00Z",
                "trouble": "",
            },
        )
    ],
)
