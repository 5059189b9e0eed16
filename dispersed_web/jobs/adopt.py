"""Joining a job of ours with the cloud's: when the launch is answered, and when a lost one is found by its marker."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.db.models import F

from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, LAUNCHER, record
from dispersed_web.jobs import states
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.jobs.states import Reason, Status

WITHOUT_REMOTE = [Status.LAUNCHING, Status.UNCONFIRMED, Status.FAILED]


def adopt(job: Job, remote: RemoteJob, now: dt.datetime, *, late: bool) -> bool:
    """Makes ``remote`` this job's counterpart. False when it already has one (then nothing changes).

    Success is always true: an answer or a find also ends the doubt of an UNCONFIRMED job and revives one that we gave
    up on (FAILED). If a stop was asked for meanwhile, or a newer launch took its place, it is stopped at once.
    ``late`` says that it was found by its marker instead of answered.
    """
    seen = states.from_cloud(remote.status, None, Status.PENDING)
    was_given_up = job.status == Status.FAILED
    try:
        with transaction.atomic():
            changed = Job.objects.filter(
                pk=job.pk, remote_uuid=None, maybe_sent=1, status__in=WITHOUT_REMOTE
            ).update(
                remote_uuid=remote.uuid,
                remote_status=remote.status[:32],
                status=seen if seen in states.IN_CLOUD else Status.PENDING,
                reason="",
                reason_text="",
                launched_at=_plausible(remote.created_at, job.created_at, now),
                ended_at=None,
                watch_until=None,
                unknown_since=None,
                lease_until=None,
                evaluate_at=now,
                limits_version=F("limits_version") + 1,
            )
            if not changed:
                return False
            UnmanagedJob.objects.filter(credential=job.credential_id, remote_uuid=remote.uuid).delete()
            record(
                job.team_id,
                CLOUD,
                "job.found" if late else "job.launched",
                ("job", job.pk),
                _sentence(late, was_given_up),
                now=now,
                data={"remote_uuid": remote.uuid},
                audience=Audience.ADMINS if was_given_up else Audience.NOBODY,
            )
            _stop_if_unwanted(job.pk, now)
    except IntegrityError:
        return False
    return True


def _sentence(late: bool, was_given_up: bool) -> str:
    if was_given_up:
        return "The job turned up in the cloud although it was given up. It may have cost money meanwhile."
    return "The job was found in the cloud." if late else "Dispersed accepted the job."


def _plausible(created_at: dt.datetime | None, earliest: dt.datetime, now: dt.datetime) -> dt.datetime:
    """The cloud's creation time, unless it lies before our wish or in the future."""
    if created_at is None:
        return now
    return min(max(created_at, earliest), now)


def _stop_if_unwanted(job_id: object, now: dt.datetime) -> None:
    """A newer launch took its place: unless that one came to nothing, this one is not wanted any more."""
    # Every launch comes by here, hardly any was superseded.
    job = Job.objects.only("team", "superseded_by", "stop_requested_at").get(pk=job_id)
    newer = job.superseded_by
    if newer and (newer.is_active or newer.remote_uuid) and job.stop_requested_at is None:
        unasked = Job.objects.filter(pk=job.pk, stop_requested_at=None)
        values = {"stop_reason": Reason.SUPERSEDED, "stop_token": uuid.uuid4(), "stop_next_at": now}
        if unasked.update(stop_requested_at=now, **values):
            sentence = f"“{newer.title}” was launched in its place, so this one is stopped."
            data = {"reason": Reason.SUPERSEDED.value, "by": str(newer.pk)}
            subject = ("job", job.pk)
            record(job.team_id, LAUNCHER, "job.stop_requested", subject, sentence, now=now, data=data)
    elif job.stop_requested_at:
        Job.objects.filter(pk=job.pk).update(stop_next_at=now)
