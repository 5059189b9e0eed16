"""A job's row as the plain values that auto-stop decides on."""

from __future__ import annotations

import datetime as dt

from dispersed_web.autostop.policy import Facts, Policy
from dispersed_web.jobs.models import Job


def policy_of(job: Job) -> Policy:
    """The limits as copied at launch; a changed team setting never moves a running job's deadline."""
    return Policy(
        lifetime=_seconds(job.lifetime_s),
        ceiling=_seconds(job.ceiling_s),
        warn_lead=dt.timedelta(seconds=job.warn_lead_s),
    )


def facts_of(job: Job) -> Facts:
    """Lifetime counts from the moment the cloud took the job, because billing is assumed from there; before that from
    the wish."""
    return Facts(
        launched_at=job.launched_at or job.created_at,
        running_at=job.running_at,
        extend_until=job.extend_until,
        warned_for=job.warned_for,
        warned_at=job.warned_at,
    )


def _seconds(value: int | None) -> dt.timedelta | None:
    return None if value is None else dt.timedelta(seconds=value)
