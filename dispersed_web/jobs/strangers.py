"""Live jobs of the cloud that no live row of ours claims: lost launches, jobs that came back, and jobs of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs import finding, found, ignoring, making, sources, watching
from dispersed_web.jobs.adopt import adopt
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.models import ENDED, Job, UnmanagedJob
from dispersed_web.jobs.runs import MAX_RATE_USD, believable
from dispersed_web.jobs.sources import Marked, Ours, Sighting, Source
from dispersed_web.teams.models import Installation

RemoteRuns = Mapping[str, Sequence[RemoteRun]]
Strangers = list[tuple[RemoteJob, Source]]
LISTED_LATELY = dt.timedelta(minutes=2)
HIDDEN_TITLES = {
    Source.OTHER_TEAM: "A job of another team",
    Source.UNCLEAR: "A job that was launched here",
}


def sort(
    credential: Credential, unclaimed: Sequence[RemoteJob], remote_runs: RemoteRuns, now: dt.datetime
) -> bool:
    """Live jobs that no live row of ours claims: lost launches are adopted, those without a record become jobs again, the
    rest is shown as unmanaged. True when something visible changed."""
    changed = False
    strangers: Strangers = []
    for remote, source, marked in _told_apart(credential, unclaimed):
        if source == Ours.CLAIMED:
            continue
        with alone(remote, "taken in"):
            if source == Ours.LATE and adopt(marked, remote, now, late=True):
                changed = True
            elif source == Ours.RECORDLESS:
                changed |= found.recover(credential, remote, finding.marker_of(remote) or "", now)
            else:
                if source == Source.DUPLICATE:
                    finding.alarm_of_twin(marked, remote, now)
                strangers.append((remote, Source.DUPLICATE if source == Ours.LATE else source))
    return _keep(credential, strangers, remote_runs, now) or changed


def ended_but_shown(credential: Credential, unclaimed: Sequence[RemoteJob]) -> list[Job]:
    """Jobs that our rows call ended although the cloud lists them as live."""
    uuids = [remote.uuid for remote in unclaimed]
    rows = Job.objects.filter(team=credential.team_id, cloud=cloud_name(credential.api_url))
    return list(rows.filter(remote_uuid__in=uuids, status__in=ENDED))


def _told_apart(
    credential: Credential, unclaimed: Sequence[RemoteJob]
) -> Iterator[tuple[RemoteJob, Source | Ours, Any]]:
    """Each with whose it is and the row that carries its marker, the oldest first: of two with one marker the oldest is
    the launch."""
    cloud = cloud_name(credential.api_url)
    marks = {remote.uuid: finding.marker_of(remote) for remote in unclaimed}
    claimed = dict(
        Job.objects.filter(cloud=cloud, remote_uuid__in=list(marks)).values_list("remote_uuid", "team")
    )
    marked = Job.objects.filter(marker__in=[mark for mark in marks.values() if mark])
    rows = {job.marker: job for job in marked.defer("spec", "spec_secrets_sealed")}
    code = Installation.get().code if any(marks.values()) else ""
    is_shared = bool(code) and found.is_shared(credential)
    for remote in sorted(unclaimed, key=lambda one: (one.created_at is None, one.created_at or 0, one.uuid)):
        row = rows.get(marks[remote.uuid] or "")
        seen = Sighting(
            team_id=credential.team_id,
            installation=code,
            mark=marks[remote.uuid],
            marked=Marked(row.team_id, row.remote_uuid) if row and row.cloud == cloud else None,
            claimed_by=claimed.get(remote.uuid),
            is_shared=is_shared or (row is not None and row.cloud != cloud),
        )
        yield remote, sources.source_of(seen), row
        if row is not None and row.remote_uuid is None:
            row.refresh_from_db(fields=["remote_uuid", "status"])


def _keep(credential: Credential, strangers: Strangers, remote_runs: RemoteRuns, now: dt.datetime) -> bool:
    """Brings the rows of unmanaged jobs in line with the list. What is not in it any more is ``departed.py``'s."""
    known = _known(credential, [remote.uuid for remote, _ in strangers])
    changed = False
    for remote, source in strangers:
        with alone(remote, "shown as unmanaged"):
            values = _values(remote, source, remote_runs.get(remote.uuid, ()))
            changed |= _keep_one(credential, known.get(remote.uuid), remote.uuid, values, now)
    return _drop_claimed(credential) or changed


def _keep_one(
    credential: Credential, row: UnmanagedJob | None, uid: str, values: dict[str, Any], now: dt.datetime
) -> bool:
    if row is None:
        _note(credential, uid, values, now)
        return True
    if _is_shown_by_a_sibling(row, credential, now):
        return False
    same = row.credential_id == credential.pk
    if same and all(getattr(row, name) == value for name, value in values.items()):
        return False
    _update(row, credential, values, now)
    return True


def _update(row: UnmanagedJob, credential: Credential, values: dict[str, Any], now: dt.datetime) -> None:
    """Another team may have made it its own since: then whoever watched it here hears no more of it."""
    ignored = ignoring.changes(row, values["hourly_rate_usd"])
    with transaction.atomic():
        UnmanagedJob.objects.filter(pk=row.pk).update(credential=credential, seen_at=now, **values | ignored)
        if values["source"] in HIDDEN_TITLES and not row.is_hidden:
            row.watched_by.clear()
        if ignored == ignoring.BACK and row.ignored_by_id is not None:
            watching.tell_dearer(row, values["hourly_rate_usd"], now)


def _known(credential: Credential, uuids: list[str]) -> dict[str, UnmanagedJob]:
    """The team's rows of these jobs by uuid, whichever of its keys showed them: two keys may be of one account. Of two
    rows of one job the older stays, the other goes."""
    ours = Q(credential=credential) | Q(
        credential__team=credential.team_id, credential__api_url=credential.api_url
    )
    known: dict[str, UnmanagedJob] = {}
    for row in (
        UnmanagedJob.objects.filter(ours, remote_uuid__in=uuids).select_related("credential").order_by("pk")
    ):
        if row.remote_uuid in known:
            UnmanagedJob.objects.filter(pk=row.pk).delete()
        else:
            known[row.remote_uuid] = row
    return known


def _is_shown_by_a_sibling(row: UnmanagedJob, credential: Credential, now: dt.datetime) -> bool:
    """What is shown by a key that retires is shown by the others from now on, so that its secret can go."""
    listed_at = row.credential.listed_at
    if row.credential.state == CredentialState.RETIRED and credential.state != CredentialState.RETIRED:
        return False
    return row.credential_id != credential.pk and listed_at is not None and now - listed_at < LISTED_LATELY


def _values(remote: RemoteJob, source: Source, runs: Sequence[RemoteRun]) -> dict[str, Any]:
    priced = [believable(run.hourly_rate_usd) for run in runs]
    rates = [rate for rate in priced if rate is not None]
    title = HIDDEN_TITLES.get(source)
    return {
        "title": (remote.title if title is None else title)[:200],
        "task": remote.task[:16],
        "status": remote.status[:32],
        "gpu_label": remote.gpu_name[:80],
        "hourly_rate_usd": min(sum(rates), MAX_RATE_USD) if rates else None,
        "created_at": remote.created_at,
        "source": source.value,
        "echo": making.echo_of(remote) if title is None else {},
        "missing_since": None,
    }


def _note(credential: Credential, remote_uuid: str, values: dict[str, Any], now: dt.datetime) -> None:
    UnmanagedJob.objects.create(
        credential=credential, remote_uuid=remote_uuid, first_seen_at=now, seen_at=now, **values
    )
    if values["source"] == Source.UNCLEAR:
        sentence = (
            "Dispersed runs a job that was launched here, but no record says by which team, and several teams have keys "
            f"of its account. Nothing here stops it: look for {remote_uuid} in the console of Dispersed."
        )
        subject = ("unmanaged", remote_uuid[:36])
        record(
            credential.team_id,
            CLOUD,
            "unmanaged.unclear",
            subject,
            sentence,
            now=now,
            audience=Audience.ADMINS,
        )


def _drop_claimed(credential: Credential) -> bool:
    """Last, so that a row noted while somebody adopted the job does not stay beside it."""
    uuids = list(UnmanagedJob.objects.filter(credential=credential).values_list("remote_uuid", flat=True))
    claimed = Job.objects.filter(
        cloud=cloud_name(credential.api_url), team=credential.team_id, remote_uuid__in=uuids
    ).values_list("remote_uuid", flat=True)
    rows = UnmanagedJob.objects.filter(credential=credential, remote_uuid__in=list(claimed))
    return bool(rows.delete()[0]) if claimed else False
