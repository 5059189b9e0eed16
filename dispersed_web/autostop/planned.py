"""What a calendar shows of jobs: when each stops and why, its hard end, the end of its protection, and stops that were.

``of_job`` is pure. Moments are rounded down to the minute, so that the same plan reads the same a second later.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Max

from dispersed_web.autostop import deadlines, facts, policy
from dispersed_web.autostop.facts import Terms
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import REASON_WORDS, Reason

STOP, LIFETIME, PROTECTION, BATCH = "stop", "lifetime", "protection", "batch"
MINUTE = dt.timedelta(minutes=1)
# Rule → what happens then, and what keeps it from happening
STOPS = {
    deadlines.IDLE: (
        "Stops unless used",
        "It stops because it is idle. Use it or extend it, and it goes on.",
    ),
    deadlines.CHECKIN: ("Stops unless answered", "Somebody says that it is still in use, or it stops."),
    deadlines.LIFETIME: ("Stops: end of its lifetime", "Extend it to let it run longer."),
    deadlines.SCHEDULE: ("Stops: the team's schedule", "The team's weekly schedule stops it."),
    deadlines.BUDGET: ("Stops: budget used up", "A budget is used up. An admin can raise it."),
    deadlines.RATE: ("Stops: costs more than stated", "Accept the price on its page to let it go on."),
    deadlines.STUCK: ("Stops unless it starts", "It takes too long to start."),
}
SOFT = frozenset({deadlines.IDLE, deadlines.CHECKIN, deadlines.STUCK})


@dataclass(frozen=True)
class Planned:
    """One moment of one job. ``what`` is said before its title, ``why`` below it. ``is_sure``: nothing that the job does
    by itself moves it; ``is_over``: it lies behind. ``changed_at`` is when the plan last changed."""

    job: Job
    kind: str
    at: dt.datetime
    what: str
    why: str
    changed_at: dt.datetime
    is_sure: bool = True
    is_over: bool = False


def plan(active: Sequence[Job], ended: Sequence[Job], now: dt.datetime) -> list[Planned]:
    """Everything that is planned for the active jobs, and the ends of the others; with a handful of queries. The jobs'
    ``current_run`` must be loaded."""
    changed = _changes([*active, *ended])
    terms = facts.gather(active, now) if active else {}
    found = [one for job in active for one in of_job(job, terms[job.pk], changed.get(job.pk), now)]
    return found + [_ended(job, changed.get(job.pk)) for job in ended]


def of_job(job: Job, terms: Terms, told_at: dt.datetime | None, now: dt.datetime) -> Iterator[Planned]:
    """What is planned for one unfinished job; ``told_at`` is when something was last said or done about it."""
    verdict = policy.decide(*terms, now)
    worked_at = verdict.last_active.observed_at if verdict.last_active else None
    changes = [told_at, verdict.quiet_since, worked_at]
    changed_at = max([job.created_at, *(at for at in changes if at is not None and at <= now)])
    stop = _stop(job, verdict, changed_at)
    if stop is not None:
        yield stop
    if job.stop_requested_at is not None:
        return
    for kind, at, what, why in _others(job, terms):
        at = _minute(at)
        if at > now and (stop is None or abs(at - stop.at) > MINUTE):
            yield Planned(job, kind, at, what, why, changed_at)


def _stop(job: Job, verdict: policy.Verdict, changed_at: dt.datetime) -> Planned | None:
    if job.stop_requested_at is not None:
        why = _reason(job.stop_reason)
        at = _minute(job.stop_requested_at)
        return Planned(job, STOP, at, "Being stopped", why, changed_at, is_over=True)
    if verdict.stop_at is None:
        return None
    what, why = STOPS.get(verdict.rule, ("Stops", ""))
    return Planned(
        job, STOP, _minute(verdict.stop_at), what, why, changed_at, is_sure=verdict.rule not in SOFT
    )


def _others(job: Job, terms: Terms) -> Iterator[tuple[str, dt.datetime, str, str]]:
    lifetime = deadlines.lifetime(*terms)
    if lifetime is not None:
        yield (
            LIFETIME,
            lifetime.at,
            "End of its lifetime",
            "It stops then even if it is in use. Extend it before.",
        )
    if job.protected_until is not None:
        why = f"From then on it stops when it is idle. Protected because: {job.protected_reason}"
        yield PROTECTION, job.protected_until, "Protection ends", why
    run_ms = job.spec_value("max_timeout_run_ms")
    if job.task == "BATCH" and isinstance(run_ms, int) and (began := facts.running_at_of(job)) is not None:
        why = "The cloud ends the run at the time limit that was set at launch."
        yield BATCH, began + dt.timedelta(milliseconds=run_ms), "Time limit of the run", why


def _ended(job: Job, told_at: dt.datetime | None) -> Planned:
    at = job.ended_at or job.created_at
    what = "Ended by itself" if job.reason == Reason.EXITED else "Stopped" if job.reason else "Ended"
    return Planned(job, STOP, _minute(at), what, _reason(job.reason), max(told_at or at, at), is_over=True)


def _reason(reason: str) -> str:
    words = REASON_WORDS.get(Reason(reason), "") if reason else ""
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)


def _changes(jobs: Sequence[Job]) -> dict[uuid.UUID, dt.datetime]:
    """When something was last said or done about each job."""
    ids = [str(job.pk) for job in jobs]
    rows = Event.objects.filter(subject_type="job", subject_id__in=ids).values_list("subject_id")
    return {uuid.UUID(job_id): at for job_id, at in rows.annotate(Max("at"))}
