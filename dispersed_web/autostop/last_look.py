"""The last look before a stop for idleness is sent: the facts are fetched afresh and the decision is made again."""

from __future__ import annotations

import datetime as dt
import logging

from dispersed_web.autostop import facts, notices, policy
from dispersed_web.autostop.deadlines import IDLE
from dispersed_web.clock import Clock
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from dispersed_web.signals import logs
from dispersed_web.signals.models import Source

log = logging.getLogger(__name__)


def last_look(job: Job, clock: Clock) -> bool:
    """Whether the stop for idleness of ``job`` may be sent. When not, it is called off, and its idle time begins anew:
    a job that is used or cannot be seen is not stopped. When somebody else wants the stop meanwhile, it goes on."""
    log_is_known = not job.uses_logs or logs.read_now(job, clock)
    now = clock()
    try:
        why = _objection(Job.objects.get(pk=job.pk), log_is_known, now)
    except Exception:
        # The stop would neither be sent nor leave the job to its hard limits, which the engine keeps.
        log.exception("The last look at the job %s failed.", job.pk)
        why = "the last look at it failed"
    return why is None or not stop.call_off(job, why, now)


def _objection(job: Job, log_is_known: bool, now: dt.datetime) -> str | None:
    """Why the job is not to be stopped after all, to follow "because"."""
    terms = facts.of(job, now)
    verdict = policy.decide(*terms, now)
    if verdict.stop:
        is_known = log_is_known or verdict.rule != IDLE or not _rests_on_its_log(terms, now)
        return None if is_known else "its log could not be read"
    if verdict.rule != IDLE and verdict.stop_at is not None and verdict.stop_at <= now:
        return None
    if verdict.waits_for:
        return f"the last look found no {verdict.waits_for.removeprefix('a ')}"
    return notices.why_called_off(job, verdict)


def _rests_on_its_log(terms: facts.Terms, now: dt.datetime) -> bool:
    """Not once a log that cannot be read was given up: then the other signals decide."""
    return any(one.source == Source.LOG for one in policy.activity_of(*terms, now).usable)
