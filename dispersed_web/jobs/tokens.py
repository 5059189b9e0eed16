"""The access token that the cloud made for a machine: looking it up is an act that is remembered."""

from __future__ import annotations

import datetime as dt

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import use_log, vault
from dispersed_web.dispersed import is_terminal
from dispersed_web.events.record import Actor
from dispersed_web.events.security import tell_owners
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.runs import token_place


@sensitive_variables()
def show(job: Job, run: JobRun, *, actor: Actor, now: dt.datetime) -> list[str]:
    """The access tokens of one of the job's runs. Raises :class:`TooLate` where it has ended, :class:`JobError` where the
    cloud made none, and :class:`vault.CannotOpen`."""
    if not job.is_active or is_terminal(run.status):
        raise TooLate("too_late", "This machine is gone, and its token with it.")
    if not run.access_tokens_sealed:
        raise JobError("no_token", "Dispersed made no access token for this machine.")
    tokens = vault.unseal(run.access_tokens_sealed, token_place(job, run.remote_uuid)).split("\n")
    use_log.note(job.team_id, "job", job.pk, "token shown", user_id=actor.user_id, now=now)
    sentence = f"{actor.label} looked up the access token."
    tell_owners(job.team_id, actor, "job.token_shown", ("job", job.pk), sentence, now, {"run": str(run.pk)})
    return tokens
