"""Running jobs with a past: machines that report, an engine that looked every five minutes, people who did something."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from dispersed_web.autostop import engine
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.signals.models import BUCKET, Bucket, Source, bucket_start
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
BUSY = {"gpu": 87, "cpu": 3.2, "net": 4_000_000, "ssh": 1, "key": True}
IDLE = {"gpu": 1, "cpu": 0.05, "net": 20_000, "ssh": 1}
Script = Callable[[float], dict[str, Any] | None]
URL = {
    "description": "ssh",
    "hostname": "ml3-us-east-1.proxy.example.net",
    "port": 41822,
    "container_port": 22,
}


def enforced(team: Team, **fields: Any) -> AutostopPolicy:
    """The team's policy, its stops for idleness carried out."""
    values = {"mode": "enforce", "observe_until": None, **fields}
    return AutostopPolicy.objects.update_or_create(team=team, defaults=values)[0]


def running(team: Team, hours: float = 3.0, now: dt.datetime | None = None, **fields: Any) -> Job:
    """A job that runs for so long, on a run of its own, with addresses to connect to."""
    now = now or timezone.now()
    begun = now - hours * HOUR
    fields = {"running_at": begun, "spending_since": begun, "launched_at": begun - 2 * MINUTE, **fields}
    job = factories.make_job(team, created_at=begun - 3 * MINUTE, now=now, **fields)
    job.current_run = factories.make_run(job, running_at=begun, node_urls=[URL])
    job.run_running_at, job.stop_at = begun, None
    token = secrets.token_urlsafe(32)
    job.heartbeat_digest = specs.heartbeat_digest(token)
    job.spec_secrets_sealed = specs.sealed_part(specs.restore(job), frozenset(), specs.place_of(job), token)
    job.save()
    return job


def bucket(run: JobRun, start: dt.datetime, **said: Any) -> Bucket:
    """Five reports of a machine: ``gpu`` percent, ``cpu`` cores, ``net`` bytes a minute, ``ssh`` sessions, ``key`` and
    ``busy`` whether a key was pressed and the workload called itself busy."""
    first_at, last_at = start + 20 * dt.timedelta(seconds=1), start + 260 * dt.timedelta(seconds=1)
    gpu, cpu, net = (said.get(name) for name in ("gpu", "cpu", "net"))
    return Bucket(
        run=run,
        source=Source.HEARTBEAT,
        start=start,
        count=5,
        first_at=first_at,
        last_at=last_at,
        gap=MINUTE,
        gpu_top=gpu,
        gpu_busy=5 if gpu and gpu >= 5 else 0,
        gpu_at=last_at if gpu and gpu >= 5 else None,
        cpu_top=cpu,
        cpu_at=last_at if cpu and cpu >= 0.25 else None,
        net_top=net,
        net_at=last_at if net and net >= 1_000_000 else None,
        ssh_open=said.get("ssh"),
        key_at=last_at if said.get("key") else None,
        busy_at=last_at if said.get("busy") else None,
        phase=said.get("phase", ""),
        note=said.get("note", ""),
    )


def log_bucket(run: JobRun, start: dt.datetime, lines: int) -> Bucket:
    """One reading of the log, with so many new lines."""
    at = start + 2 * MINUTE
    return Bucket(
        run=run,
        source=Source.LOG,
        start=start,
        first_at=at,
        last_at=at,
        period_s=300,
        lines=lines,
        lines_at=at if lines else None,
    )


def play(
    job: Job,
    script: Script | None,
    now: dt.datetime,
    *,
    log: Script | None = None,
    acts: dict[float, Callable[[Job, dt.datetime], Any]] | None = None,
    looks: bool = True,
) -> Job:
    """Lets five minutes after five minutes pass up to ``now``: what the machine says (``script`` of the minutes before
    ``now``; ``None``: nothing), what people do, and a look of the engine."""
    start, acts = bucket_start(job.run_running_at) + BUCKET, dict(acts or {})
    while start + BUCKET <= now + BUCKET:
        ago = (now - start) / MINUTE
        rows = [bucket(job.current_run, start, **said)] if script and (said := script(ago)) else []
        if log and (said := log(ago)):
            rows.append(log_bucket(job.current_run, start, said["lines"]))
        Bucket.objects.bulk_create([row for row in rows if row.first_at <= now])
        Bucket.objects.filter(run=job.current_run, last_at__gt=now).update(last_at=now)
        at = min(start + BUCKET - dt.timedelta(seconds=5), now)
        for before in [one for one in acts if one >= (now - at) / MINUTE]:
            acts.pop(before)(Job.objects.get(pk=job.pk), now - before * MINUTE)
        if looks:
            _look(job, at)
        start += BUCKET
    if looks:
        _look(job, now)
    job.refresh_from_db()
    return job


def _look(job: Job, at: dt.datetime) -> None:
    """The key was listed then too, so the cloud was in sight."""
    job.credential.__class__.objects.filter(pk=job.credential_id).update(listed_at=at)
    engine.evaluate([Job.objects.select_related("current_run").get(pk=job.pk)], at)
    Job.objects.filter(pk=job.pk, warned_at__isnull=False).update(warning_delivered_at=at)
