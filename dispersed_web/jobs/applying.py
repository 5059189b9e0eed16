"""Applying what the cloud shows to our rows. Every update names the status it saw, so a newer fact is never overwritten."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.dispersed import is_terminal
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.jobs import logs, making, missing, rate, ready, runs, states
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import REASON_WORDS, Reason, Status
from dispersed_web.teams.models import Team

log = logging.getLogger(__name__)
BATCH = 50
MISSING_AFTER = dt.timedelta(seconds=60)
SURE_AFTER = dt.timedelta(seconds=20)

RunsByJob = Mapping[uuid.UUID, Sequence[JobRun]]
RemoteRuns = Mapping[str, Sequence[RemoteRun]]


def apply_live(
    shown: Sequence[tuple[Job, RemoteJob]], known: RunsByJob, remote_runs: RemoteRuns, now: dt.datetime
) -> bool:
    """Applies the list of live jobs, in short transactions; True when something visible changed."""
    changed = False
    for start in range(0, len(shown), BATCH):
        batch = shown[start : start + BATCH]
        try:
            changed |= _apply_batch(batch, known, remote_runs, now)
        except Exception:
            log.exception("A batch of jobs could not be applied; they are applied one by one.")
            for job, remote in batch:
                changed |= apply_alone(job, remote, remote_runs.get(remote.uuid, ()), now)
    return changed


def _apply_batch(
    batch: Sequence[tuple[Job, RemoteJob]], known: RunsByJob, remote_runs: RemoteRuns, now: dt.datetime
) -> bool:
    changed = False
    with transaction.atomic():
        for job, remote in batch:
            changed |= apply_seen(job, remote, known.get(job.pk, ()), remote_runs.get(remote.uuid, ()), now)
        if changed:
            Team.bump(batch[0][0].team_id)
    return changed


def apply_alone(job: Job, remote: RemoteJob, remote_runs: Sequence[RemoteRun], now: dt.datetime) -> bool:
    """Applies one job by itself: what is odd about it is logged and concerns no other job and no stop."""
    try:
        with transaction.atomic():
            changed = apply_seen(job, remote, list(JobRun.objects.filter(job=job)), remote_runs, now)
            if changed:
                Team.bump(job.team_id)
            return changed
    except Exception:
        log.exception("What the cloud says of the job %s could not be applied.", job.pk)
        return False


def apply_seen(
    job: Job, remote: RemoteJob, known: Sequence[JobRun], remote_runs: Sequence[RemoteRun], now: dt.datetime
) -> bool:
    """Applies one job as the cloud shows it, with the runs that are known now. The caller moves the team's version."""
    all_runs = runs.take_over(job, known, remote_runs, now, remote.access_tokens)
    live = runs.live(all_runs)
    if is_terminal(remote.status) and not live:
        return end(job, remote, all_runs, now)
    newest = runs.newest(live)
    status = states.from_cloud(remote.status, newest.status if newest else None, job.state)
    if status in states.ENDED:
        # The job ended but one of its machines still runs, and bills.
        status = Status.CANCELLING if status == Status.CANCELLED else Status.FAILING
    values = _values(job, remote, status, all_runs, now)
    surprise = rate.changes(job, live, now)
    if not surprise and all(getattr(job, name) == value for name, value in values.items()):
        return False
    rows = Job.objects.filter(pk=job.pk, status=job.status, remote_uuid=remote.uuid)
    is_ready = values["reachable_at"] not in (None, job.reachable_at)
    rows = rows.filter(reachable_at=job.reachable_at) if is_ready else rows
    with transaction.atomic():
        if not (rate.unchanged(rows, job) if surprise else rows).update(**values | surprise):
            return False
        if status != job.status:
            _tell_of_status(job, status, now)
        if surprise.get("rate_exceeded_at"):
            rate.tell(job, live, now)
        if is_ready and ready.is_news(job, all_runs, now):
            ready.tell(job, all_runs, now)
    return True


def _values(
    job: Job, remote: RemoteJob, status: Status, all_runs: Sequence[JobRun], now: dt.datetime
) -> dict[str, Any]:
    meter = runs.meter(all_runs)
    values: dict[str, Any] = {
        "status": status,
        "remote_status": remote.status[:32],
        "hourly_rate_usd": meter.hourly_rate_usd,
        "spent_usd": meter.spent_usd,
        "spending_since": meter.since,
        "missing_since": None,
        "missing_alarmed_at": None,
        "reachable_at": runs.reachable_at(runs.live(all_runs)),
    }
    values |= _run_values(all_runs)
    if job.assigned_at is None and (all_runs or status == Status.ASSIGNED):
        values["assigned_at"] = min((run.started_at or run.first_seen_at for run in all_runs), default=now)
    if status == Status.RUNNING and job.running_at is None:
        values["running_at"] = now
    if any(getattr(job, name) != values.get(name, getattr(job, name)) for name in RUN_COLUMNS):
        values["evaluate_at"] = now
    if job.state in states.ENDED:
        # We believed it ended and the cloud shows it alive: it bills, so it is watched and stopped again.
        values |= {"ended_at": None, "end_seen_at": None, "reason": "", "reason_text": "", "evaluate_at": now}
        if job.stop_requested_at:
            values["stop_next_at"] = now
        if job.lifetime_s is None:  # imported as history: nobody chose how long it may bill
            making.limits_from_now(job, job.team.default_lifetime_s, now)
            values |= {name: getattr(job, name) for name in ("lifetime_s", "ceiling_s", "warn_lead_s")}
            values["send_by"] = now  # see Job.known_since
    return values


RUN_COLUMNS = ("current_run_id", "run_running_at")


def _run_values(all_runs: Sequence[JobRun]) -> dict[str, Any]:
    """The run that auto-stop's verdict is bound to: the newest live one. Another one starts afresh."""
    newest = runs.newest(runs.live(all_runs))
    if newest is None:
        return {}
    started_at = newest.started_at or newest.first_seen_at
    return {"current_run_id": newest.pk, "run_running_at": newest.running_at, "run_started_at": started_at}


_WORDS = {
    Status.PENDING: "Waiting for a node.",
    Status.ASSIGNED: "A node was assigned.",
    Status.PREPARING: "The node is pulling the image.",
    Status.RUNNING: "The container is running.",
    Status.FAILING: "The job is failing.",
    Status.CANCELLING: "The cloud is stopping the job.",
}


def _tell_of_status(job: Job, status: Status, now: dt.datetime) -> None:
    back = job.state in states.ENDED
    record(
        job.team_id,
        CLOUD,
        "job.back" if back else "job.status",
        ("job", job.pk),
        "The cloud shows the job alive again, although its end was seen." if back else _WORDS[status],
        now=now,
        data={"from": job.status, "to": status.value},
        audience=Audience.ADMINS if back else Audience.NOBODY,
        bump=False,
    )


def end(job: Job, remote: RemoteJob, all_runs: Sequence[JobRun], now: dt.datetime) -> bool:
    """Applies the end of a job. After a stop of ours a second sight of the end, 20 s later, makes it sure."""
    status = states.from_cloud(remote.status, None, job.state)
    if job.state in states.ENDED:
        return False
    meter = runs.meter(all_runs)
    reason = states.end_reason(status, job.stop_reason)
    text = _end_sentence(job, status, reason, remote)
    with transaction.atomic():
        # A stop that was asked for since the row was read is not overlooked: the next sight of the end applies it.
        rows = Job.objects.filter(pk=job.pk, status=job.status, stop_requested_at=job.stop_requested_at)
        changed = rows.update(
            status=status,
            remote_status=remote.status[:32],
            reason=reason,
            reason_text=text,
            ended_at=_end_time(job, remote, all_runs, now),
            hourly_rate_usd=meter.hourly_rate_usd,
            spent_usd=meter.read(now) or 0,
            spending_since=None,
            missing_since=None,
            missing_alarmed_at=None,
            end_seen_at=now,
            stop_next_at=now + SURE_AFTER if job.stop_requested_at else None,
        )
        if changed:
            record(
                job.team_id,
                CLOUD,
                "job.ended",
                ("job", job.pk),
                text,
                now=now,
                data={"status": status.value, "reason": reason.value},
                audience=_whom_to_tell(reason),
                bump=False,
            )
    return bool(changed)


def _end_sentence(job: Job, status: Status, reason: Reason, remote: RemoteJob) -> str:
    if reason == Reason.EXITED:
        return "The job ended by itself."
    if job.stop_reason:
        because = job.stop_evidence.get("sentence", "")
        return f"Stopped: {REASON_WORDS[reason]}. {because}".strip()
    words = "The cloud cancelled the job" if status == Status.CANCELLED else "The job failed"
    said = logs.quoted(job, remote.status_reason)
    return f"{words}: {said}" if said else f"{words} and gave no reason."


def _whom_to_tell(reason: Reason) -> str:
    """A person who stopped it knows, and an ordinary end is no news."""
    return Audience.NOBODY if reason in (Reason.USER, Reason.ADMIN, Reason.EXITED) else Audience.JOB_OWNER


def _end_time(job: Job, remote: RemoteJob, all_runs: Sequence[JobRun], now: dt.datetime) -> dt.datetime:
    ends = [run.ended_at for run in all_runs if run.ended_at]
    at = remote.completed_at or max(ends, default=now)
    return min(max(at, job.created_at), now)


def note_missing(job: Job, now: dt.datetime) -> bool:
    """The list does not show it and "not found" was the answer. That is no end: it may still bill."""
    if job.missing_since is None:
        return bool(Job.objects.filter(pk=job.pk, status=job.status).update(missing_since=now))
    if job.missing_alarmed_at or now - job.missing_since < MISSING_AFTER:
        return False
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, missing_alarmed_at=None, status=job.status).update(
            missing_alarmed_at=now
        )
        if changed:
            record(
                job.team_id,
                CLOUD,
                "job.missing",
                ("job", job.pk),
                missing.sentence(job, now),
                now=now,
                data=missing.data(job, now),
                audience=Audience.ADMINS,
            )
    return bool(changed)
