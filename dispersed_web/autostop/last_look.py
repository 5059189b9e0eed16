"""The last look before a stop for idleness is sent: the facts are fetched afresh and the decision is made again."""

from __future__ import annotations

import datetime as dt

from dispersed_web.autostop import facts, notices, policy
from dispersed_web.autostop.deadlines import IDLE
from dispersed_web.clock import Clock
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs


def last_look(job: Job, clock: Clock) -> bool:
    """Whether the stop for idleness of ``job`` may be sent. When not, it is called off, and its idle time begins anew:
    a job that is used or cannot be seen is not stopped. When somebody else wants the stop meanwhile, it goes on."""
    log_is_known = not job.uses_logs or logs.read_now(job, clock)
    now = clock()
    why = _objection(Job.objects.get(pk=job.pk), log_is_known, now)
    return why is None or not stop.call_off(job, why, now)


def _objection(job: Job, log_is_known: bool, now: dt.datetime) -> str | None:
    """Why the job is not to be stopped after all, to follow "because"."""
    verdict = policy.decide(*facts.of(job, now), now)
    if verdict.stop:
        return None if log_is_known or verdict.rule != IDLE else "its log could not be read"
    if verdict.rule != IDLE and verdict.stop_at is not None and verdict.stop_at <= now:
        return None
    if verdict.waits_for:
        return f"the last look found no {verdict.waits_for.removeprefix('a ')}"
    return notices.why_called_off(job, verdict)
