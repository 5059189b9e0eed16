"""Ended jobs of the cloud as rows of ours: history that nobody here decided on."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.dispersed import is_terminal
from dispersed_web.jobs import finding, found, making, marker, runs, states
from dispersed_web.jobs.models import Job, JobRun, Origin
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.teams.models import Installation


def bring_in(credential: Credential, remotes: Sequence[RemoteJob], now: dt.datetime) -> int:
    """Stores those of the ended jobs that no row knows, each once; how many they were. Left out is what was launched
    here: it has a row, or its row's team cannot be told. Call in a transaction."""
    marks = {remote.uuid: finding.marker_of(remote) for remote in remotes}
    rows = Job.objects.filter(cloud=cloud_name(credential.api_url), remote_uuid__in=list(marks))
    known = set(rows.values_list("remote_uuid", flat=True))
    marked = set(
        Job.objects.filter(marker__in=[one for one in marks.values() if one]).values_list("marker", flat=True)
    )
    code = Installation.get().code
    is_shared = found.is_shared(credential)
    made = 0
    for remote in remotes:
        mark = marks[remote.uuid]
        is_ours = mark is not None and marker.is_of(mark, code)
        if remote.uuid in known or mark in marked or (is_ours and is_shared):
            continue
        made += _store(credential, remote, now)
    return made


def _store(credential: Credential, remote: RemoteJob, now: dt.datetime) -> bool:
    if not is_terminal(remote.status):
        return False
    status = states.from_cloud(remote.status, None, Status.PENDING)
    job = making.build(credential, making.of_remote(remote), Origin.IMPORTED, "import", now, status=status)
    ended_at = remote.completed_at or remote.updated_at or job.created_at
    job.ended_at = job.end_seen_at = min(max(ended_at, job.created_at), now)
    job.running_at = min(remote.started_at, job.ended_at) if remote.started_at else None
    job.reason = states.end_reason(status, "")
    job.reason_text = (
        "It ended by itself." if job.reason == Reason.EXITED else "It ended before it was known here."
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def price(credential: Credential, remotes: Sequence[RemoteRun], now: dt.datetime) -> int:
    """Adds ended runs to the imported jobs that they are of, and to their cost; how many jobs got their first. Call in a
    transaction."""
    by_job: dict[str, list[RemoteRun]] = defaultdict(list)
    for remote in remotes:
        if is_terminal(remote.status):
            by_job[remote.job_uuid].append(remote)
    jobs = Job.objects.filter(
        credential=credential, origin=Origin.IMPORTED, status__in=states.ENDED, remote_uuid__in=list(by_job)
    )
    return sum(_price(job, by_job[job.remote_uuid or ""], now) for job in jobs)


def _price(job: Job, remotes: Sequence[RemoteRun], now: dt.datetime) -> bool:
    known = list(JobRun.objects.filter(job=job))
    have = {run.remote_uuid for run in known}
    fresh = [_run(job, remote, now) for remote in remotes if remote.uuid not in have]
    if not fresh:
        return False
    JobRun.objects.bulk_create(fresh)
    meter = runs.meter([*known, *fresh])
    started = [run.started_at for run in (*known, *fresh) if run.started_at]
    Job.objects.filter(pk=job.pk).update(
        spent_usd=meter.spent_usd,
        hourly_rate_usd=meter.hourly_rate_usd,
        running_at=job.running_at or min((*started, job.ended_at or now)),
        assigned_at=min(started, default=job.assigned_at),
    )
    return not known


def _run(job: Job, remote: RemoteRun, now: dt.datetime) -> JobRun:
    """Without its addresses and tokens, which lead nowhere any more."""
    values = runs.values_of(remote, now) | {"node_urls": []}
    if remote.ended_at is None and remote.duration_ms is not None and values["started_at"]:
        values["ended_at"] = min(values["started_at"] + dt.timedelta(milliseconds=remote.duration_ms), now)
    elif remote.ended_at is None:
        values["ended_at"] = job.ended_at
    return JobRun(job=job, remote_uuid=remote.uuid, first_seen_at=now, **values)
