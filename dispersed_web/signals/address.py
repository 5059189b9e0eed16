"""The secret address at which a job's machine reports: looking it up is an act that is remembered."""

from __future__ import annotations

import datetime as dt

from django.views.decorators.debug import sensitive_variables

from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import specs
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import Job


@sensitive_variables()
def show(job: Job, *, actor: Actor, now: dt.datetime) -> str:
    """The job's heartbeat address. Raises :class:`TooLate` for a job that has ended, :class:`JobError` for one that was
    launched without an address, and :class:`vault.CannotOpen`."""
    if not job.is_active:
        raise TooLate("too_late", "The job has ended: there is nothing left that could report.")
    url = specs.heartbeat_url(job)
    if not url:
        raise JobError(
            "no_address", "The job was launched without a heartbeat address. Launch it again with one."
        )
    sentence = f"{actor.label} looked up the address for heartbeats."
    record(job.team_id, actor, "job.heartbeat_shown", ("job", job.pk), sentence, now=now)
    return url
