"""Auto-stop at work: finds the jobs that are due for a look, decides, warns, asks for the stop."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from dispersed_web.autostop import policy
from dispersed_web.autostop.limits import facts_of, policy_of
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import IN_CLOUD, Job
from dispersed_web.jobs.states import Reason

BATCH = 500
# Deadlines are pure time here, so a look at the next one is enough; the longest wait bounds what a lost wake-up costs.
LONGEST_WAIT = dt.timedelta(minutes=5)


def evaluate_due(now: dt.datetime) -> int:
    """Looks at every watched job whose moment has come; returns how many. One job's fault never stops the rest."""
    rows = Job.objects.filter(stop_requested_at=None, status__in=IN_CLOUD, evaluate_at__lte=now)
    looked = 0
    for job in rows.order_by("evaluate_at").defer("spec", "spec_secrets_sealed")[:BATCH]:
        evaluate(job, now)
        looked += 1
    return looked


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
