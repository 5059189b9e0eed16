"""What the OpenAPI document says of auto-stop: the policy, and what people say of a job."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.acts import (
    ProtectSerializer,
    SeenSerializer,
)
from dispersed_web.api.serializers.autostop import (
    PolicyChangeSerializer,
    PolicySerializer,
    PolicyValuesSerializer,
    ReplaySerializer,
)
from dispersed_web.api.serializers.jobs import JobSerializer

get_policy = extend_schema(
    operation_id="get_policy",
    tags=["Auto-stop"],
    summary="The team's auto-stop policy",
    description="""
Defaults, and the bounds inside which jobs may deviate. It holds for running jobs too.

```
curl -H "Authorization: Bearer $TOKEN" $DW/autostop
```
""",
    responses=answers({200: PolicySerializer}),
)

change_policy = extend_schema(
    operation_id="change_policy",
    tags=["Auto-stop"],
    summary="Change the auto-stop policy",
    description="""
For admins; to raise or lift a budget, for owners. What the change makes due is warned about in full first. `version` is
the one that you saw: when somebody changed the policy meanwhile, nothing is saved.

```
curl $DW/autostop -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"version": 3, "mode": "enforce", "high_idle_s": 3600}'
```
""",
    request=PolicyChangeSerializer,
    responses=answers(
        {200: PolicySerializer}, 400, 409, 413, 415, f409="`outdated`: somebody changed the policy meanwhile."
    ),
    examples=[
        OpenApiExample("Enforce", request_only=True, value={"version": 3, "mode": "enforce"}),
        OpenApiExample(
            "Stop in the evening",
            request_only=True,
            value={
                "version": 3,
                "schedule": {
                    "zone": "Europe/Berlin",
                    "stops": [{"weekdays": [0, 1, 2, 3, 4], "at": "20:00"}],
                },
            },
        ),
    ],
)

replay_policy = extend_schema(
    operation_id="replay_policy",
    tags=["Auto-stop"],
    summary="Try a draft of the policy on the past",
    description="""
What the policy with these changes would have done with the team's runs of the last 30 days: stops, false stops (used again
later), money. Nothing is saved.

```
curl $DW/autostop/replay -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"high_idle_s": 1800, "high_lead_s": 600}'
```
""",
    request=PolicyValuesSerializer,
    responses=answers({200: ReplaySerializer}, 400, 413, 415),
)

_LATE = (
    "`too_late`: its stop was asked for, or it ended. `outdated`: its limits changed since `limits_version`."
)

in_use = extend_schema(
    operation_id="say_in_use",
    tags=["Auto-stop"],
    summary="Say that a job is in use",
    description="""
Answers a check-in, and calls off a stop for idleness that was announced: idle time and check-ins count anew from now.
Lifetime, schedule and budget stay.

```
curl -X POST $DW/jobs/$JOB/in-use -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{}'
```
""",
    request=SeenSerializer,
    responses=answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_LATE),
)

protect_job = extend_schema(
    operation_id="protect_job",
    tags=["Auto-stop"],
    summary="Protect a job from stops for idleness",
    description="""
Until then it is not stopped for idleness, whatever its signals say. Hard limits (lifetime, schedule, budget, price) still
hold. Everybody in the team sees the reason.

```
curl $DW/jobs/$JOB/protect -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"until": "2026-11-27T18:00:00Z", "reason": "Waiting for the reviewers"}'
```
""",
    request=ProtectSerializer,
    responses=answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_LATE),
    examples=[
        OpenApiExample(
            "Until Friday",
            request_only=True,
            value={"until": "2026-11-27T18:00:00Z", "reason": "Waiting for the reviewers"},
        )
    ],
)

unprotect_job = extend_schema(
    operation_id="unprotect_job",
    tags=["Auto-stop"],
    summary="Lift a protection",
    description="""
Whatever that makes due is warned about in full first.

```
curl -X POST $DW/jobs/$JOB/unprotect -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{}'
```
""",
    request=SeenSerializer,
    responses=answers(
        {200: JobSerializer}, 400, 404, 409, 413, 415, f409=f"{_LATE} `not_protected`: there is none."
    ),
)

accept_rate = extend_schema(
    operation_id="accept_rate",
    tags=["Auto-stop"],
    summary="Accept that a job costs more than was allowed",
    description="""
A job whose node costs more per hour than `limits.rate_cap_usd` is stopped five minutes after the alarm, unless somebody
accepts the price.

```
curl -X POST $DW/jobs/$JOB/accept-rate -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{}'
```
""",
    request=SeenSerializer,
    responses=answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409=f"{_LATE} `nothing_to_accept`: no price is too high. `cap_hourly`: its credential may not burn so much.",
    ),
)
