"""A new launch in the place of one that did not arrive or has no clear answer."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db.models import Q

from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.teams.models import Team


def hold(job_id: uuid.UUID | None, team: Team) -> None:
    """Locks the job that is to be replaced, before the team: always in this order, so that nobody waits in a circle."""
    if job_id is not None:
        Job.objects.select_for_update(no_key=True).filter(pk=job_id, team=team).first()


def _may_be_superseded() -> Q:
    """Jobs of which nobody knows whether they exist, or which never arrived, and which nothing replaces yet."""
    lost = Q(status=Status.UNCONFIRMED) | Q(status=Status.FAILED, reason=Reason.NEVER_ARRIVED)
    return lost & Q(superseded_by=None)


def supersede(old_id: uuid.UUID, job: Job, actor: Actor, now: dt.datetime) -> None:
    """``job`` takes the place of a job of its team. Raises :class:`LaunchRefused` where that is not possible any more."""
    old = Job.objects.filter(_may_be_superseded(), pk=old_id, team=job.team_id)
    if not old.update(superseded_by=job):
        raise LaunchRefused(
            "cannot_supersede",
            "The first launch has been found or replaced meanwhile, so nothing was launched. Look at it first.",
            field="supersedes",
        )
    sentence = f"{actor.label} launched “{job.title}” instead; if this job turns up, it is stopped."
    record(job.team_id, actor, "job.superseded", ("job", old_id), sentence, now=now, data={"by": str(job.pk)})
