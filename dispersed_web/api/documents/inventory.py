"""What the OpenAPI document says of the inventory."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.acts import SettleSerializer
from dispersed_web.api.serializers.inventory import (
    AdoptSerializer,
    InventorySerializer,
    NothingSerializer,
    StopUnmanagedSerializer,
    UnmanagedSerializer,
)
from dispersed_web.api.serializers.jobs import JobSerializer

_NOT_YOURS = (
    "`another_team`: it is, or may be, another team's. `admins_only`: another installation's, and you are no admin. "
    "`not_confirmed`: send its `confirm`. `gone`: it ended meanwhile. `not_yours`: another team adopted it."
)

get_inventory = extend_schema(
    operation_id="get_inventory",
    tags=["Inventory"],
    summary="List what was not launched here",
    description="""
Jobs that run on the team's keys and were launched elsewhere, and jobs of the team that were lost sight of. Nothing stops the
former by itself until somebody adopts them.

```
curl -H "Authorization: Bearer $TOKEN" $DW/inventory
```
""",
    responses=answers({200: InventorySerializer}),
)

adopt = extend_schema(
    operation_id="adopt_unmanaged",
    tags=["Inventory"],
    summary="Adopt a job",
    description="""
It becomes a job of the team: it is watched, warned about and stopped as any other. Adopting it again gives the same job.

```
curl $DW/inventory/$ID/adopt -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"lifetime_s": 28800}'
```
""",
    request=AdoptSerializer,
    responses=answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_NOT_YOURS),
    examples=[
        OpenApiExample("For eight hours", request_only=True, value={"lifetime_s": 28800}),
        OpenApiExample(
            "Another installation's",
            request_only=True,
            value={"owner": "ana@example.org", "lifetime_s": 3600, "confirm": "00beef"},
        ),
    ],
)

stop = extend_schema(
    operation_id="stop_unmanaged",
    tags=["Inventory"],
    summary="Stop a job that was not launched here",
    description="""
Adopts it and asks for its end, both or neither. The answer is the job; it is stopped when its status says so.

```
curl $DW/inventory/$ID/stop -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"note": "Forgotten"}'
```
""",
    request=StopUnmanagedSerializer,
    responses=answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_NOT_YOURS),
    examples=[OpenApiExample("Forgotten", request_only=True, value={"note": "Forgotten"})],
)


def _simple(act: str, summary: str, description: str) -> Any:
    curl = f"""
```
curl -X POST $DW/inventory/$ID/{act} -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{}}'
```
"""
    return extend_schema(
        operation_id=f"{act}_unmanaged",
        tags=["Inventory"],
        summary=summary,
        description=f"\n{description}\n{curl}",
        request=NothingSerializer,
        responses=answers(
            {200: UnmanagedSerializer}, 400, 404, 409, 413, 415, f409="`another_team`: not yours."
        ),
        examples=[OpenApiExample("Nothing else to say", request_only=True, value={})],
    )


watch = _simple("watch", "Hear of a job", "You hear once a day what it has cost, and when it ends.")
unwatch = _simple("unwatch", "Hear no more of a job", "Others who watch it still hear of it.")
ignore = _simple(
    "ignore",
    "Fold a job away",
    "For the whole team. It is counted on, and comes back in a week or when its price rises.",
)
unignore = _simple("unignore", "Show an ignored job again", "It stands among the others at once.")

settle_job = extend_schema(
    operation_id="settle_job",
    tags=["Inventory"],
    summary="Say that a job does not run, after a look",
    description="""
Ends a job of which Dispersed says nothing, on your word: a launch in doubt whose absence cannot be proved, or a job that was
missing for an hour. Look in the console of Dispersed first. If it is shown after all, it is taken in again. For admins.

```
curl -X POST $DW/jobs/$JOB/settle -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"looked": true}'
```
""",
    request=SettleSerializer,
    responses=answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409="`not_yet`: it is still being looked for. `too_late`: it became known meanwhile, or has ended.",
    ),
)
