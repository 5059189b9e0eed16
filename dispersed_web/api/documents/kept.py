"""What the OpenAPI document says of title, notes, tags, stars and handing over."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.jobs import JobSerializer
from dispersed_web.api.serializers.kept import HandOverSerializer, JobChangeSerializer, StarSerializer

change_job = extend_schema(
    operation_id="change_job",
    tags=["Jobs"],
    summary="Rename a job, write notes, set tags",
    description="""
What the body leaves out stays. Everything in it is stored, or nothing is. Send `notes_version` as you saw it, so that you
do not overwrite what somebody else wrote meanwhile.

```
curl -X PATCH $DW/jobs/$JOB -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"title": "Sweep 3, seed 7", "tags": ["sweep 3", "loader"], "notes": "Loss 0.12 after **8 h**."}'
```
""",
    request=JobChangeSerializer,
    responses=answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409="`outdated`: the notes changed since `notes_version`.",
    ),
    examples=[
        OpenApiExample(
            "Title and tags",
            request_only=True,
            value={"title": "Sweep 3, seed 7", "tags": ["sweep 3", "loader"]},
        ),
        OpenApiExample(
            "Notes",
            request_only=True,
            value={"notes": "Loss 0.12 after **8 h**.", "notes_version": "e3b0c44298fc1c14"},
        ),
    ],
)

hand_over_job = extend_schema(
    operation_id="hand_over_job",
    tags=["Jobs"],
    summary="Hand a job over",
    description="""
Another member answers for the job from then on: warnings and questions go to them. Both are told. The job runs on
unchanged, and who launched it stays `launched_by`, whose budgets go on counting. Its owner may do that, and admins.

```
curl $DW/jobs/$JOB/hand-over -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"to": "bob@example.org"}'
```
""",
    request=HandOverSerializer,
    responses=answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409="`no_member`: nobody active in the team has this address. `cannot_own`: they may only look. `outdated`: "
        "somebody else handed it over a moment ago.",
    ),
    examples=[OpenApiExample("To a teammate", request_only=True, value={"to": "bob@example.org"})],
)

star_job = extend_schema(
    operation_id="star_job",
    tags=["Jobs"],
    summary="Star a job, or take the star back",
    description="""
A star is your own: nobody else sees it. List yours with `GET /jobs?starred=true&show=all`.

```
curl $DW/jobs/$JOB/star -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"starred": true}'
```
""",
    request=StarSerializer,
    responses=answers({200: JobSerializer}, 400, 404, 413, 415),
    examples=[OpenApiExample("No more", request_only=True, value={"starred": False})],
)
