"""Auto-stop at work: finds the jobs that are due for a look, decides, warns, asks for the stop."""

from __future__ import annotations

import datetime as dt
import logging
import uuid

from django.db import transaction
from django.db.models import Q

from dispersed_web.autostop import policy
from dispersed_web.autostop.limits import facts_of, policy_of
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import IN_CLOUD, Job
from dispersed_web.jobs.states import Reason

log = logging.getLogger(__name__)
BATCH = 2000
# Deadlines are pure time here, so a look at the next one is enough; the longest wait bounds what a lost wake-up costs.
LONGEST_WAIT = dt.timedelta(minutes=15)
AFTER_A_FAULT = dt.timedelta(minutes=1)


def evaluate_due(now: dt.datetime) -> list[uuid.UUID]:
    """Looks at every watched job whose moment has come; returns those whose stop was asked for.

    One job's fault never stops the rest: it is put off by a minute, and logged.
    """
    rows = Job.objects.filter(stop_requested_at=None, status__in=IN_CLOUD, evaluate_at__lte=now)
    to_stop = []
    for job in rows.order_by("evaluate_at").defer("spec", "spec_secrets_sealed")[:BATCH]:
        try:
            if evaluate(job, now).stop:
                to_stop.append(job.pk)
        except Exception:
            log.exception("The job %s could not be evaluated.", job.pk)
            Job.objects.filter(pk=job.pk).update(evaluate_at=now + AFTER_A_FAULT)
    return to_stop


def evaluate(job: Job, now: dt.datetime) -> policy.Verdict:
    """Decides on one job and acts on the verdict. Every change names the ``limits_version`` that was decided on."""
    verdict = policy.decide(policy_of(job), facts_of(job), now)
    if verdict.stop:
        stop.request_stop(
            job, actor=ENGINE, reason=Reason(verdict.rule), now=now, seen_version=job.limits_version
        )
    elif verdict.warn:
        _warn(job, verdict, now)
    else:
        _look_again(job, verdict, now)
    return verdict


def _look_again(job: Job, verdict: policy.Verdict, now: dt.datetime) -> None:
    at = min(verdict.look_again_at or now + LONGEST_WAIT, now + LONGEST_WAIT)
    Job.objects.filter(pk=job.pk, limits_version=job.limits_version).update(
        evaluate_at=max(at, now + dt.timedelta(seconds=1)), stop_at=verdict.stop_at
    )


def _warn(job: Job, verdict: policy.Verdict, now: dt.datetime) -> None:
    """Writes the warning once for this deadline; a moved deadline warns again."""
    deadline = policy.stop_deadline(policy_of(job), facts_of(job))
    if deadline is None or verdict.stop_at is None:
        return
    in_words = policy.words(verdict.stop_at - now)
    with transaction.atomic():
        fresh = Q(warned_for=None) | ~Q(warned_for=deadline.at)
        changed = Job.objects.filter(
            fresh, pk=job.pk, stop_requested_at=None, limits_version=job.limits_version
        ).update(
            warned_for=deadline.at,
            warned_at=now,
            stop_at=verdict.stop_at,
            evaluate_at=verdict.stop_at,
        )
        if changed:
            record(
                job.team_id,
                ENGINE,
                "job.warned",
                ("job", job.pk),
                f"Stops in {in_words}. {verdict.sentence}",
                now=now,
                data={"stop_at": verdict.stop_at.isoformat(), "rule": verdict.rule},
                audience=Audience.JOB_OWNER,
            )
