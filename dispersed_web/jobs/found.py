"""Live jobs with this installation's marker of which no row knows: a backup was restored, and they go on billing."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from dispersed_web.credentials.cloud import cloud_name
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs import making
from dispersed_web.jobs.models import Origin, UnmanagedJob
from dispersed_web.teams.models import Team


def is_shared(credential: Credential) -> bool:
    """Whether another team may have a key of the same account, so that its listing shows that team's jobs too. Where the
    cloud does not say whose a key is, it may be. A team that was deleted launches nothing any more."""
    here = cloud_name(credential.api_url)
    others = Credential.objects.filter(team__deleted_at=None).exclude(team=credential.team_id)
    return any(
        cloud_name(api_url) == here
        and (not account or not credential.account or account == credential.account)
        for api_url, account in others.values_list("api_url", "account")
    )


def recover(credential: Credential, remote: RemoteJob, mark: str, now: dt.datetime) -> bool:
    """Makes it a job again at once, with the team's default lifetime from now, so that it is warned about and stopped as
    any other. False when another process was quicker."""
    team: Team = credential.team
    job = making.build(credential, making.of_remote(remote), Origin.FOUND, "found", now, marker=mark)
    making.limits_from_now(job, team.default_lifetime_s, now)
    hours = team.default_lifetime_s / 3600
    sentence = (
        f"Dispersed runs “{job.title}”, which was launched here and of which no record is left, as after a restored "
        f"backup. It is a job of the team again: unless somebody extends it, it is stopped within {hours:g} h."
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            UnmanagedJob.objects.filter(credential=credential, remote_uuid=remote.uuid).delete()
            data = {"remote_uuid": remote.uuid, "marker": mark}
            record(
                team.pk,
                CLOUD,
                "job.recordless",
                ("job", job.pk),
                sentence,
                now=now,
                data=data,
                audience=Audience.ADMINS,
            )
    except IntegrityError:
        return False
    return True
