"""Alarms of stops whose end is not seen: the longer it takes, the more people hear of it, for as long as it takes."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import F

from dispersed_web.costs.estimate import cents, price
from dispersed_web.events.models import Audience
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.jobs.models import ENDED, Job
from dispersed_web.jobs.states import Status

ALARM_AFTER = [dt.timedelta(minutes=3), dt.timedelta(minutes=10), dt.timedelta(minutes=30)]


def alarm_if_stuck(job_id: uuid.UUID, now: dt.datetime) -> None:
    """Tells more people the longer a stop is not confirmed: after 3, 10 and 30 minutes, then every 30."""
    job = Job.objects.filter(pk=job_id, stop_next_at__isnull=False).exclude(status__in=ENDED).first()
    if job is None or job.stop_requested_at is None or job.status == Status.QUEUED:
        return
    waited = now - job.stop_requested_at
    if waited < _alarm_time(job.stop_alarmed):
        return
    rate = job.hourly_rate_usd
    cost = f" It has cost about ${cents(price(rate, waited))} since." if rate else ""
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, stop_alarmed=job.stop_alarmed).update(
            stop_alarmed=F("stop_alarmed") + 1
        ):
            return
        record(
            job.team_id,
            LAUNCHER,
            "job.stop_unconfirmed",
            ("job", job.pk),
            f"The stop was asked for {int(waited.total_seconds() // 60)} minutes ago and its end was not seen.{cost} "
            f"It is tried again and again{': ' + job.stop_error if job.stop_error else '.'}{by_hand(job, now)}",
            now=now,
            data={"attempts": job.stop_attempts, "remote_uuid": job.remote_uuid},
            audience=Audience.JOB_OWNER if job.stop_alarmed == 0 else Audience.ADMINS,
        )


def by_hand(job: Job, now: dt.datetime) -> str:
    """What people can do themselves about a stop that has not been confirmed for so long that all admins hear of it; empty
    before, or begins with a space."""
    asked_at = job.stop_requested_at
    if not job.remote_uuid or asked_at is None or now - asked_at < ALARM_AFTER[1]:
        return ""
    return f" If it cannot wait, end it by hand: in Dispersed’s console it is {job.remote_uuid}."


def _alarm_time(alarms: int) -> dt.timedelta:
    if alarms < len(ALARM_AFTER):
        return ALARM_AFTER[alarms]
    return ALARM_AFTER[-1] * (alarms - len(ALARM_AFTER) + 2)
