"""What the OpenAPI document says of each operation: summary, description, examples, every answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from dispersed_web.api.authentication import TokenAuthentication
from dispersed_web.api.serializers.account import CredentialListSerializer, MeSerializer
from dispersed_web.api.serializers.acts import (
    ExtendSerializer,
    JobQuerySerializer,
    ProtectSerializer,
    SeenSerializer,
    StopSerializer,
)
from dispersed_web.api.serializers.autostop import (
    PolicyChangeSerializer,
    PolicySerializer,
    PolicyValuesSerializer,
    ReplaySerializer,
)
from dispersed_web.api.serializers.base import ErrorSerializer
from dispersed_web.api.serializers.jobs import JobPageSerializer, JobSerializer
from dispersed_web.api.serializers.launch import LaunchSerializer
from dispersed_web.api.throttling import CALLS

OVERVIEW = f"""
Launch, watch, extend and stop the jobs of your team on Dispersed.

**Token.** Make one on the *Me* page, or with `manage.py create_api_token`. It belongs to you and to one team, which is
the team that every call is about. What it may do is what its scope *and* your role there allow: `read` only looks,
`operate` also launches, extends and stops. When you leave the team, it is dead at once.

```
export DW={settings.PUBLIC_URL}/api/v1
export TOKEN=dwp_…
curl -H "Authorization: Bearer $TOKEN" $DW/me
```

**Faults** have one shape:
`{{"error": {{"code": "…", "message": "…", "fields": {{"env.0.name": "…"}}}}}}`. Programs look
at the status and `code`; `message` is for people; `fields` names each input at fault. Unknown fields are refused.

**Values.** Times are ISO 8601 in UTC. Money is US dollars as text, estimated until the cloud bills. Durations name their
unit: `lifetime_s`, `max_timeout_run_ms`. Another team's job answers 404 like one that does not exist.

**Bounds.** Each token may make {CALLS} calls in a minute (`429` with `Retry-After`). A body may have
{settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB.
"""


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document tells of it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dwp_…",
            "description": "An API token. Make one on the Me page; it is bound to one team and shown once.",
        }


_FAULTS = {
    400: "Not valid; `fields` says which inputs.",
    401: "No token, or one that is not valid (any more).",
    403: "The token's scope or its person's role does not allow it.",
    404: "No such job in the token's team.",
    409: "The state of things does not allow it; `code` says why.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many calls; wait for `Retry-After` seconds.",
    500: "A fault of ours, which was logged.",
}
_ALWAYS = (401, 403, 429, 500)


def _answers(good: dict[int, Any], *faults: int, **words: str) -> dict[int, Any]:
    """The good answers, the named faults and those that every call may meet; ``f409="…"`` says more of one."""
    answers = dict(good)
    for status in sorted({*faults, *_ALWAYS}):
        answers[status] = OpenApiResponse(
            ErrorSerializer, description=words.get(f"f{status}", _FAULTS[status])
        )
    return answers


_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="A text of your own for this one launch, such as a UUID: 1 to 100 visible ASCII characters. Send the same "
    "one when you repeat the call.",
)
_REPLAY = OpenApiParameter(
    "Idempotent-Replay",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="`true`: the job was launched by an earlier call with this key.",
)
_LOCATION = OpenApiParameter(
    "Location",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The job's address in this API.",
)

list_jobs = extend_schema(
    operation_id="list_jobs",
    tags=["Jobs"],
    summary="List the team's jobs",
    description="""
Active jobs, newest first, unless you say otherwise. Follow `next_cursor` until it is null; keep the other parameters as
they were.

```
curl -H "Authorization: Bearer $TOKEN" "$DW/jobs?owner=me&status=RUNNING&sort=cost"
```
""",
    parameters=[JobQuerySerializer],
    responses=_answers({200: JobPageSerializer}, 400),
)

launch_job = extend_schema(
    operation_id="launch_job",
    tags=["Jobs"],
    summary="Launch a job",
    description="""
The answer comes before the cloud knows of the job: its status is `QUEUED`. Look at it again to see it start. When the
cloud's own answer is unclear, the status is `UNCONFIRMED` until the job is found or proved absent; it is never sent twice.

Repeat a call that failed on the way (time-out, 500) with **the same `Idempotency-Key` and body**: you get the one job,
with `200` and `Idempotent-Replay: true`. A call that was answered with 400 or 409 launched nothing, and its key is free.

`409` has the code of the obstacle: `idempotency_key_reused`, `same_again`, `cannot_supersede`, `frozen`,
`credential_broken`, `credential_disabled`, `cannot_stop`, `cannot_see`, `clock_off`, `key_expires`, `too_many_jobs`,
`too_expensive`, `budget_used_up`, `budget_too_small`.

```
curl $DW/jobs -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: $(uuidgen)" -d '{"credential_id": "…", "task": "BATCH", "title": "Process Dataset",
    "image": "ubuntu", "tag": "24.04", "gpu_count": 1, "gpu_name": "RTX 5090",
    "max_timeout_run_ms": 3600000, "env": [{"name": "HF_TOKEN", "value": "…", "secret": true}]}'
```
""",
    request=LaunchSerializer,
    parameters=[_IDEMPOTENCY_KEY, _REPLAY, _LOCATION],
    responses=_answers(
        {
            201: OpenApiResponse(JobSerializer, description="The job is stored and will be sent."),
            200: OpenApiResponse(JobSerializer, description="This key launched this job before."),
        },
        400,
        409,
        413,
        415,
    ),
    examples=[
        OpenApiExample(
            "Batch",
            request_only=True,
            value={
                "credential_id": "5f0c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                "task": "BATCH",
                "title": "Process Dataset",
                "image": "ubuntu",
                "tag": "24.04",
                "gpu_count": 1,
                "gpu_name": "RTX 5090",
                "max_timeout_run_ms": 3_600_000,
                "env": [{"name": "DATASET", "value": "s3://bucket/set", "secret": False}],
            },
        ),
        OpenApiExample(
            "Development environment",
            request_only=True,
            value={
                "credential_id": "5f0c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                "task": "PERSISTENT",
                "title": "Development Environment",
                "image": "dispersednetwork/base",
                "gpu_count": 1,
                "gpu_name": "RTX 5090",
                "ssh_key": "ssh-ed25519 AAAA… you@laptop",
                "ports": [22, 8888],
                "lifetime_s": 14_400,
            },
        ),
    ],
)

get_job = extend_schema(
    operation_id="get_job",
    tags=["Jobs"],
    summary="Look at a job",
    description="""
With its runs and their addresses, limits, what auto-stop thinks of it, the progress of a stop, cost, and what was asked
for. Secret values are never given out.

```
curl -H "Authorization: Bearer $TOKEN" $DW/jobs/$JOB
```
""",
    responses=_answers({200: JobSerializer}, 404),
)

stop_job = extend_schema(
    operation_id="stop_job",
    tags=["Jobs"],
    summary="Stop a job",
    description="""
The wish is stored and pursued until the cloud shows the job's end; the job costs money until then. It is done when
`status` is `COMPLETED`, `FAILED` or `CANCELLED`; `stop` tells how far it is. A second call changes nothing and answers
200 as well; so does stopping a job that has ended.

```
curl $DW/jobs/$JOB/stop -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"note": "Training has converged"}'
```
""",
    request=StopSerializer,
    responses=_answers({200: JobSerializer}, 400, 404, 413, 415),
)

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
    responses=_answers({200: PolicySerializer}),
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
    responses=_answers(
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
    responses=_answers({200: ReplaySerializer}, 400, 413, 415),
)

_LATE = "`too_late`: its stop was asked for, or it ended."

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
    responses=_answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_LATE),
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
    responses=_answers({200: JobSerializer}, 400, 404, 409, 413, 415, f409=_LATE),
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
    responses=_answers(
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
    responses=_answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409=f"{_LATE} `nothing_to_accept`: no price is too high.",
    ),
)

extend_job = extend_schema(
    operation_id="extend_job",
    tags=["Jobs"],
    summary="Let a job run longer",
    description="""
Moves the stop to `until`, or to `by_s` seconds after the present stop time, but never beyond `limits.latest_stop_at`; the
answer says what was granted. Send `limits_version` as you saw it, so that you extend what you looked at.

```
curl $DW/jobs/$JOB/extend -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"by_s": 7200, "limits_version": 1}'
```
""",
    request=ExtendSerializer,
    responses=_answers(
        {200: JobSerializer},
        400,
        404,
        409,
        413,
        415,
        f409="`too_late`: its stop was asked for, or it ended. `outdated`: its limits changed since `limits_version`. "
        "`nothing_to_extend`: it already runs that long.",
    ),
    examples=[
        OpenApiExample("Two hours more", request_only=True, value={"by_s": 7200, "limits_version": 1}),
        OpenApiExample("Until six", request_only=True, value={"until": "2026-08-25T18:00:00Z"}),
    ],
)

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
    responses=_answers({200: CredentialListSerializer}),
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
    responses=_answers({200: MeSerializer}),
)
