"""Making a job of what the cloud shows: for jobs that were not launched by a row of ours.

The cloud echoes environments and logins. Their values are dropped while its answer is read, so all that is stored here
of them is names.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from dispersed_web.credentials import vault
from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobSpec
from dispersed_web.jobs import marker, specs, states
from dispersed_web.jobs.models import Job, Origin, UnmanagedJob
from dispersed_web.jobs.states import Status

OWN_ENV = (marker.ENV_NAME, specs.HEARTBEAT_ENV)
TASKS = ("BATCH", "PERSISTENT")
SAME_NAME = (
    *(
        "cpu_count",
        "gpu_count",
        "gpu_name",
        "gpu_registry_uuid",
        "min_vram_gb",
        "min_ram_gb",
        "min_storage_gb",
    ),
    *("max_node_count", "max_retry_count", "max_timeout_assign_ms", "max_timeout_start_ms"),
    *("max_timeout_run_ms", "allowed_region_codes"),
)
LONGEST_S = 2**31 - 1
FIRST_SIGHT = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Shown:
    """What the cloud shows of a job, without secrets. ``spec`` is as a job stores it; empty where nothing is known."""

    remote_uuid: str
    title: str
    task: str
    status: str
    gpu_label: str
    created_at: dt.datetime | None
    spec: dict[str, Any]


def of_remote(remote: RemoteJob) -> Shown:
    """A job as the cloud lists it."""
    return Shown(
        remote.uuid,
        remote.title,
        remote.task,
        remote.status,
        remote.gpu_name,
        remote.created_at,
        echo_of(remote),
    )


def of_row(row: UnmanagedJob) -> Shown:
    """An unmanaged job as it was last listed."""
    return Shown(
        row.remote_uuid,
        row.title,
        row.task,
        row.status,
        row.gpu_label,
        row.created_at,
        dict(row.echo) or unknown(),
    )


def echo_of(remote: RemoteJob) -> dict[str, Any]:
    """Its specification as far as the cloud shows it: every variable's name, no variable's value."""
    docker = remote.docker
    names = [name for name in docker.env_names if name not in OWN_ENV] if docker else []
    spec = JobSpec(
        title="",
        task=remote.task,
        image=docker.image if docker else "",
        tag=docker.tag if docker else "",
        registry_host=docker.host if docker else "",
        ports=docker.ports if docker else (),
        allowed_ips=docker.allowed_ips if docker else (),
        description=marker.PATTERN.sub("", remote.description).strip(),
        env=dict.fromkeys(names, ""),
        **{name: getattr(remote, name) for name in SAME_NAME},
    )
    return specs.plain_part(spec, frozenset(names))


def unknown() -> dict[str, Any]:
    """A specification of which nothing is known."""
    return specs.plain_part(JobSpec(title="", task="", image=""), frozenset())


def title_of(text: str) -> str:
    """A title for people: without a marker, never empty, short enough for its column."""
    return marker.PATTERN.sub("", text).strip()[:120].strip() or "Without a title"


def filler() -> str:
    """Stands in the column of the marker where a job has none of ours; no marker can ever equal it."""
    return f"none:{uuid.uuid4().hex[:24]}"


def build(
    credential: Credential, shown: Shown, origin: Origin, token: str, now: dt.datetime, **fields: Any
) -> Job:
    """The row, not stored yet. ``token`` is what makes it once: ``adopt``, ``found``, ``import``. ``fields`` overrule."""
    launched_at = min(shown.created_at or now, now)
    status = states.from_cloud(shown.status, None, Status.PENDING)
    values: dict[str, Any] = {
        "created_at": launched_at,
        "launched_at": launched_at,
        "title": title_of(shown.title),
        "task": shown.task if shown.task in TASKS else "PERSISTENT",
        "status": status,
        "running_at": launched_at if status == Status.RUNNING else None,
        "spec": shown.spec,
        "spec_fingerprint": vault.fingerprint(json.dumps(shown.spec, sort_keys=True)),
        "form_token": f"{token}:{shown.remote_uuid}"[:128],
        "marker": filler(),
        "gpu_label": shown.gpu_label[:80],
        "send_by": now,
        "next_try_at": now,
        "maybe_sent": 1,
        "remote_uuid": shown.remote_uuid,
        "remote_status": shown.status[:32],
        # Auto-stop waits for the next listing: before it knows the runs, an old job would look overdue for everything.
        "evaluate_at": now + FIRST_SIGHT,
    }
    return Job(team_id=credential.team_id, credential=credential, origin=origin, **values | fields)


def limits_from_now(job: Job, lifetime_s: int, now: dt.datetime) -> None:
    """Gives it this lifetime and the team's ceiling, both within the longest that the credential's caps allow, counted
    from ``now``: the columns count from when the cloud took it, which may be days ago."""
    team = job.credential.team
    caps = CredentialCaps.objects.filter(credential=job.credential_id).first()
    most_s = min(team.max_lifetime_s, (caps and caps.max_lifetime_s) or team.max_lifetime_s)
    age_s = max(int((now - (job.launched_at or now)).total_seconds()), 0)
    job.lifetime_s = min(age_s + min(lifetime_s, most_s), LONGEST_S)
    job.ceiling_s = min(age_s + most_s, LONGEST_S)
    job.warn_lead_s = team.warn_lead_s
