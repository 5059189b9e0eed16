"""What the OpenAPI document says of jobs: list, launch, look, stop, extend."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.acts import (
    ExtendSerializer,
    JobQuerySerializer,
    StopSerializer,
)
from dispersed_web.api.serializers.jobs import JobPageSerializer, JobSerializer
from dispersed_web.api.serializers.launch import LaunchSerializer

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="A text of your own for this one launch, such as a UUID: 1 to 100 visible ASCII characters. Send the same "
    "one when you repeat the call.",
)
REPLAY = OpenApiParameter(
    "Idempotent-Replay",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="`true`: the job was launched by an earlier call with this key.",
)
LOCATION = OpenApiParameter(
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
    responses=answers({200: JobPageSerializer}, 400),
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

`409` has the code of the obstacle:

- about the call: `idempotency_key_reused`, `same_again`, `cannot_supersede`, `token_over`
- about the team: `frozen`, `too_many_jobs`, `too_expensive`, `budget_used_up`, `budget_too_small`
- about the credential: `credential_broken`, `credential_disabled`, `credential_retired`, `cannot_stop`, `cannot_see`,
  `clock_off`, `key_expires`
- about its caps: `cap_task`, `cap_gpu`, `cap_gpu_count`, `cap_regions`, `cap_image`, `cap_lifetime`,
  `cap_price_unknown`, `cap_jobs`, `cap_hourly`, `cap_spent`
- about secrets of the team: `secret_gone`, `secret_bound` (to other registries), `secret_unreadable`

What the launcher may not use is `403` with `credential_not_for_you` or `secret_not_for_you`. Asking too often is `429`
with `too_many_launches`. Without a good `Idempotency-Key` it is `400` with `idempotency_key_required` or
`idempotency_key_invalid`.

```
curl $DW/jobs -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: $(uuidgen)" -d '{"credential_id": "…", "task": "BATCH", "title": "Process Dataset",
    "image": "ubuntu", "tag": "24.04", "gpu_count": 1, "gpu_name": "RTX 5090",
    "max_timeout_run_ms": 3600000, "env": [{"name": "HF_TOKEN", "value": "…", "secret": true}]}'
```
""",
    request=LaunchSerializer,
    parameters=[IDEMPOTENCY_KEY, REPLAY, LOCATION],
    responses=answers(
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
    responses=answers({200: JobSerializer}, 404),
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
    responses=answers({200: JobSerializer}, 400, 404, 413, 415),
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
    responses=answers(
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
