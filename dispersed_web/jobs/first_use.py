"""The owners hear of it when somebody launches with a credential for the first time."""

from __future__ import annotations

import datetime as dt

from dispersed_web.events import security
from dispersed_web.events.record import LAUNCHER
from dispersed_web.jobs import cap_facts
from dispersed_web.jobs.models import Job


def tell(job: Job, now: dt.datetime) -> None:
    """To be called in the transaction that claims ``job``, before the team's row is moved. Says nothing where the person
    launched with the credential before, or with the keys that it replaced."""
    person = job.created_by
    if person is None or job.claims:
        return
    keys = cap_facts.lineage(job.credential)
    if Job.objects.filter(credential__in=keys, created_by=person, claims__gt=0).exclude(pk=job.pk).exists():
        return
    security.tell_owners(
        job.team_id,
        LAUNCHER,
        "credential.first_used",
        ("credential", job.credential_id),
        f"{person} launched with the credential “{job.credential.name}” for the first time: “{job.title}”.",
        now,
        {"job": str(job.pk), "user": person.pk},
        bump=False,
    )
