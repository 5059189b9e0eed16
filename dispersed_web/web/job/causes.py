"""Why a job ended as it did, as far as that can be told, and what to do next. Pure.

The cloud gives a sentence in words nobody documented, so its words, the phase that was reached, the specification and
the end of the log are read together. What is not certain is called likely.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.web.job import cause_of_cloud, cause_of_container
from dispersed_web.web.job.cause_facts import Cause, Facts
from dispersed_web.web.jobs import rows


def cause(job: Job, runs: Sequence[JobRun], log: str = "") -> Cause | None:
    """The likely cause of the end of ``job``; ``None`` while it lives, and where its end needs no explaining: work that
    was done, a stop by a person or by auto-stop."""
    if job.is_active or job.is_stopping or _is_ordinary(job):
        return None
    facts = Facts(job, runs, job.reason_text.lower(), log, _ran(job, runs))
    return next(found for look in LOOKS if (found := look(facts)) is not None)


def _is_ordinary(job: Job) -> bool:
    if job.state == Status.COMPLETED:
        return job.task == "BATCH"
    by_cloud = (Reason.CLOUD, Reason.EXITED, Reason.LOST, "")
    if job.reason == Reason.STUCK_STARTING:
        return False
    return job.stop_reason != "" or job.reason not in (*by_cloud, *rows.NOT_LAUNCHED)


def _ran(job: Job, runs: Sequence[JobRun]) -> dt.timedelta | None:
    """How long the last run ran."""
    spans = [run.ended_at - run.running_at for run in runs if run.running_at and run.ended_at]
    if spans:
        return max(spans[-1], dt.timedelta(0))
    return job.runtime(job.ended_at) if job.ended_at and job.running_at else None


LOOKS: tuple[Callable[[Facts], Cause | None], ...] = (
    cause_of_cloud.refused,
    cause_of_cloud.unsent,
    cause_of_cloud.never_arrived,
    cause_of_cloud.lost,
    cause_of_cloud.elsewhere,
    cause_of_cloud.registry,
    cause_of_cloud.no_image,
    cause_of_cloud.disk,
    cause_of_cloud.no_credit,
    cause_of_cloud.no_node,
    cause_of_cloud.node_lost,
    cause_of_cloud.run_timeout,
    cause_of_cloud.start_timeout,
    cause_of_container.memory,
    cause_of_container.no_key,
    cause_of_container.exited,
    cause_of_container.unknown,
)
