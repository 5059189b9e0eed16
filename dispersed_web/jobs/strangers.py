"""Live jobs of the cloud that no live row of ours claims: lost launches, jobs that came back, and jobs of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.jobs import finding, marker
from dispersed_web.jobs.adopt import adopt
from dispersed_web.jobs.models import ENDED, Job, UnmanagedJob
from dispersed_web.teams.models import Installation

RemoteRuns = Mapping[str, Sequence[RemoteRun]]


def sort(
    credential: Credential, unclaimed: Sequence[RemoteJob], remote_runs: RemoteRuns, now: dt.datetime
) -> bool:
    """Live jobs that no live row of ours claims: lost launches are adopted, the rest is shown as unmanaged."""
    uuids = [remote.uuid for remote in unclaimed]
    # Another key of the team may be of the same account, and then shows the same jobs.
    siblings = Job.objects.filter(team=credential.team_id, credential__api_url=credential.api_url)
    ours = set(siblings.filter(remote_uuid__in=uuids).values_list("remote_uuid", flat=True))
    changed = False
    unmanaged = []
    for remote in unclaimed:
        if remote.uuid in ours:
            continue
        if _adopt_by_marker(credential, remote, now):
            changed = True
        else:
            unmanaged.append(remote)
    return _keep_unmanaged(credential, unmanaged, remote_runs, now) or changed


def ended_but_shown(credential: Credential, unclaimed: Sequence[RemoteJob]) -> list[Job]:
    """Jobs that our rows call ended although the cloud lists them as live."""
    uuids = [remote.uuid for remote in unclaimed]
    return list(Job.objects.filter(credential=credential, remote_uuid__in=uuids, status__in=ENDED))


def _adopt_by_marker(credential: Credential, remote: RemoteJob, now: dt.datetime) -> bool:
    mark = finding.marker_of(remote)
    if mark is None or not marker.is_of(mark, Installation.get().code):
        return False
    job = Job.objects.filter(marker=mark, team=credential.team_id, credential=credential).first()
    if job is None:
        return False
    if job.remote_uuid is not None:
        finding.alarm_of_twin(job, remote, now)
        return False
    return adopt(job, remote, now, late=True)


def _keep_unmanaged(
    credential: Credential, remotes: Sequence[RemoteJob], remote_runs: RemoteRuns, now: dt.datetime
) -> bool:
    known = {row.remote_uuid: row for row in UnmanagedJob.objects.filter(credential=credential)}
    changed = False
    for remote in remotes:
        rates = [
            run.hourly_rate_usd for run in remote_runs.get(remote.uuid, ()) if run.hourly_rate_usd is not None
        ]
        values = {
            "title": _title(credential, remote)[:200],
            "task": remote.task[:16],
            "status": remote.status[:32],
            "gpu_label": remote.gpu_name[:80],
            "hourly_rate_usd": sum(rates) if rates else None,
            "created_at": remote.created_at,
        }
        row = known.pop(remote.uuid, None)
        if row is None:
            UnmanagedJob.objects.create(
                credential=credential, remote_uuid=remote.uuid, first_seen_at=now, seen_at=now, **values
            )
            changed = True
        elif any(getattr(row, name) != value for name, value in values.items()):
            UnmanagedJob.objects.filter(pk=row.pk).update(seen_at=now, **values)
            changed = True
    if known:
        UnmanagedJob.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    return changed or bool(known)


def _title(credential: Credential, remote: RemoteJob) -> str:
    """Its title, except of what another team launched here with a key of the same account: that is not for this team."""
    mark = finding.marker_of(remote)
    if mark and Job.objects.filter(marker=mark).exclude(team=credential.team_id).exists():
        return "A job of another team"
    return remote.title
