"""What auto-stop tells people of a job: warnings, reminders, stops called off, signals that fell silent, stops that were
only observed. Each is an event, written with the change that it tells of, so that it is told once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q

from dispersed_web.autostop.activity import Confidence
from dispersed_web.autostop.deadlines import BUDGET, CHECKIN, RATE
from dispersed_web.autostop.models import ObservedStop
from dispersed_web.autostop.policy import State, Verdict
from dispersed_web.autostop.record import as_json
from dispersed_web.autostop.sentences import LANE_WORDS, words
from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs.models import Job

LOOK_AGAIN = dt.timedelta(seconds=15)
# A signal that comes and goes is told of once in this time.
LOST_AGAIN = dt.timedelta(hours=6)
WHY_NO_LONGER = {BUDGET: "the budget has room again", RATE: "its price is no longer too high"}


def warn(job: Job, verdict: Verdict, now: dt.datetime) -> bool:
    """Writes the warning once for this deadline; a moved deadline warns again. An unanswered check-in is asked."""
    if verdict.deadline_at is None or verdict.stop_at is None:
        return False
    fresh = Q(warned_for=None) | Q(warned_at=None) | ~Q(warned_for=verdict.deadline_at)
    values = {
        "warned_for": verdict.deadline_at,
        "warned_at": now,
        "warning_delivered_at": None,
        "warning_failed_at": None,
        "stop_at": verdict.stop_at,
        "verdict_state": State.WARNED.value,
        "verdict_rule": verdict.rule,
        "confidence": verdict.confidence.value,
        "quiet_since": verdict.quiet_since,
        "evaluate_at": min(verdict.stop_at, now + LOOK_AGAIN),
    }
    kind = "job.checkin" if verdict.rule == CHECKIN else "job.warned"
    with transaction.atomic():
        changed = _rows(job).filter(fresh).update(**values)
        if changed:
            text = f"Stops in {words(verdict.stop_at - now)}. {verdict.sentence}"
            if kind == "job.checkin":
                text = f"Still using it? {_cost(job)}{verdict.sentence}"
            _tell(job, kind, text, now, verdict, stop_at=verdict.stop_at.isoformat())
    return bool(changed)


def remind(job: Job, verdict: Verdict, now: dt.datetime) -> None:
    """Once for each deadline, shortly before it."""
    if verdict.deadline_at is None or verdict.stop_at is None:
        return
    with transaction.atomic():
        fresh = Q(reminded_for=None) | ~Q(reminded_for=verdict.deadline_at)
        if _rows(job).filter(fresh).update(reminded_for=verdict.deadline_at):
            text = f"Stops in {words(verdict.stop_at - now)}. {verdict.sentence}"
            _tell(job, "job.reminded", text, now, verdict, stop_at=verdict.stop_at.isoformat())


def call_off(job: Job, verdict: Verdict, now: dt.datetime) -> None:
    """The stop that people were warned of does not come; where the warning went, the reason goes too."""
    why = why_called_off(job, verdict)
    with transaction.atomic():
        changed = _rows(job).filter(warned_for=job.warned_for).update(warned_for=None, warned_at=None)
        if changed:
            _tell(job, "job.called_off", f"The stop is called off, because {why}.", now, verdict, why=why)
    job.warned_for = job.warned_at = None


def why_called_off(job: Job, verdict: Verdict) -> str:
    """Why a stop that was warned of does not come, to follow "because"."""
    if job.verdict_rule in WHY_NO_LONGER:
        return WHY_NO_LONGER[job.verdict_rule]
    last = verdict.last_active
    if last is not None and job.warned_at is not None and last.observed_at > job.warned_at - LOOK_AGAIN:
        if last.signal == "person":
            return last.value
        if last.signal == "ssh":
            return "somebody pressed a key in an SSH session"
        return f"it is used: {LANE_WORDS[last.signal]} {last.value}"
    was_asked = job.verdict_rule == CHECKIN and job.confidence == Confidence.LOW
    if was_asked and verdict.confidence != Confidence.LOW:
        source = "a heartbeat" if verdict.confidence == Confidence.HIGH else "its log"
        return f"{source} tells now whether it is used"
    if verdict.state == State.BLIND:
        is_silent = any(one.state == "blind" for one in verdict.evidence)
        what = "its signals fell silent" if is_silent else "Dispersed cannot be seen"
        return f"{what}, and unknown is not idle"
    if verdict.state == State.PROTECTED:
        return "it is protected"
    if verdict.state == State.OBSERVED or verdict.would_stop_at is not None:
        return "stops for idleness are only noted now"
    if verdict.quiet_since and job.quiet_since and verdict.quiet_since > job.quiet_since:
        return "for a while nobody could watch it, so its quiet time begins anew"
    return "its limits changed"


def tell_of_lost_signal(job: Job, verdict: Verdict, now: dt.datetime) -> None:
    """Tells the owner once that a signal has been silent for so long that it is given up."""
    if verdict.lost_at is None:
        return
    new_from = verdict.lost_at - LOST_AGAIN
    if job.blind_told_at is not None and job.blind_told_at >= new_from:
        return
    told_before = Q(blind_told_at=None) | Q(blind_told_at__lt=new_from)
    with transaction.atomic():
        if _rows(job).filter(told_before).update(blind_told_at=now):
            text = (
                "What told whether it is used has been silent for 15 minutes. What else is known decides; where nothing "
                "is, people are asked."
            )
            _tell(job, "job.blind", text, now, verdict)


def observe(job: Job, verdict: Verdict, now: dt.datetime) -> None:
    """Notes a stop that is only observed, and later whether the job was used again."""
    if verdict.state == State.OBSERVED and verdict.quiet_since and verdict.would_stop_at:
        _note_observed(job, verdict, verdict.quiet_since, verdict.would_stop_at, now)
    elif job.verdict_state != verdict.state and verdict.last_active is not None:
        last = verdict.last_active
        open_ones = ObservedStop.objects.filter(job=job, used_again_at=None, at__lt=last.observed_at)
        what = last.value if last.signal == "person" else f"{LANE_WORDS[last.signal]} {last.value}"
        open_ones.update(used_again_at=last.observed_at, used_again=what[:120])


def _note_observed(
    job: Job, verdict: Verdict, quiet_since: dt.datetime, at: dt.datetime, now: dt.datetime
) -> None:
    last = verdict.last_active
    open_ones = ObservedStop.objects.filter(job=job, run=job.current_run_id, used_again_at=None)
    if last is not None:
        open_ones = open_ones.filter(at__gte=last.observed_at)
    if open_ones.exists():
        return  # where its quiet time begins may be out of sight meanwhile, or behind a silent while
    with transaction.atomic():
        _, is_new = ObservedStop.objects.get_or_create(
            job=job,
            quiet_since=quiet_since,
            defaults={
                "team_id": job.team_id,
                "run_id": job.current_run_id,
                "at": at,
                "sentence": verdict.sentence,
                "hourly_rate_usd": job.hourly_rate_usd,
            },
        )
        if is_new:
            limit = words(verdict.idle_limit or dt.timedelta(0))
            text = f"Would have been stopped: not used for {limit}. Stops for idleness are only noted."
            _tell(job, "job.would_stop", text, now, verdict, would_stop_at=at.isoformat())


def _rows(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, stop_requested_at=None, limits_version=job.limits_version)


def _cost(job: Job) -> str:
    return f"It costs ${job.hourly_rate_usd:.2f} per hour. " if job.hourly_rate_usd is not None else ""


def _tell(job: Job, kind: str, text: str, now: dt.datetime, verdict: Verdict, **data: Any) -> None:
    record(
        job.team_id,
        ENGINE,
        kind,
        ("job", job.pk),
        text,
        now=now,
        data=as_json(verdict) | data,
        audience=Audience.JOB_OWNER,
    )
