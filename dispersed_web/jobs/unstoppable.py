"""Which jobs cannot be stopped from here, because no key of their team that shows them can be opened."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.credentials import vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import Status


@dataclass(frozen=True)
class Unstoppable:
    """A job that may run on; ``rate_usd`` is what it costs per hour, None where that is not known."""

    job_id: uuid.UUID
    title: str
    remote_uuid: str
    team_id: uuid.UUID
    team_name: str
    rate_usd: Decimal | None


def find(team_id: uuid.UUID | None = None) -> list[Unstoppable]:
    """Of one team, or of all. Opens each credential once and forgets it, so ask only when a key is in trouble."""
    credentials = Credential.objects.exclude(state=CredentialState.GONE)
    if team_id is not None:
        credentials = credentials.filter(team=team_id)
    able: dict[tuple[uuid.UUID, str], bool] = defaultdict(bool)
    for one in credentials:
        able[one.team_id, one.api_url] |= vault.opens(one.secret_sealed, secret_place(one))
    lost = {place for place, can in able.items() if not can}
    teams = {team for team, _ in lost}
    jobs = Job.objects.filter(team__in=teams).exclude(status__in=[*ENDED, Status.QUEUED])
    rows = jobs.select_related("team", "credential").order_by("team__name", "title", "pk")
    return [_told(job) for job in rows if (job.team_id, job.credential.api_url) in lost]


def _told(job: Job) -> Unstoppable:
    rate = job.hourly_rate_usd or job.quoted_usd
    return Unstoppable(job.pk, job.title, job.remote_uuid or "", job.team_id, job.team.name, rate)


def rate_usd(jobs: list[Unstoppable]) -> Decimal:
    """What they cost together per hour, as far as it is known."""
    return sum((job.rate_usd for job in jobs if job.rate_usd), Decimal(0))
