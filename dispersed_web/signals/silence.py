"""A BATCH job that says nothing for hours: its owner is told once. It is never stopped for that, it has a limit of its
own."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max, Min

from dispersed_web.events.models import Audience
from dispersed_web.events.record import ENGINE, record
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.signals.models import Bucket, Source

SILENT_FOR = dt.timedelta(hours=6)
TEXT = (
    "It runs, and for {hours} h nothing new has been in its log and no heartbeat told of work. It is not stopped for "
    "that. Look whether it still makes progress; if not, stop it."
)


def tell(job: Job, now: dt.datetime) -> bool:
    """Tells the owner of a BATCH job, whose log was read at ``now``, that it is silent, if it is and they do not know.
    True when they were told."""
    since = _silent_since(job)
    if since is None or now - since < SILENT_FOR:
        return False
    with transaction.atomic():
        rows = Job.objects.filter(
            pk=job.pk, task="BATCH", status=Status.RUNNING, stop_requested_at=None, silence_told_at=None
        )
        changed = rows.filter(current_run=job.current_run_id).update(silence_told_at=now)
        if changed:
            text = TEXT.format(hours=(now - since) // dt.timedelta(hours=1))
            record(
                job.team_id,
                ENGINE,
                "job.batch_silent",
                ("job", job.pk),
                text,
                now=now,
                data={"silent_since": since.isoformat()},
                audience=Audience.JOB_OWNER,
            )
    return bool(changed)


def _silent_since(job: Job) -> dt.datetime | None:
    """The latest sign of work; where there was none, the first look at the log, because what stood there already may have
    been written just before it."""
    rows = Bucket.objects.filter(run=job.current_run_id)
    written = rows.filter(source=Source.LOG).aggregate(first=Min("first_at"), last=Max("lines_at"))
    signs = ("gpu_at", "cpu_at", "net_at", "key_at", "busy_at")
    told = rows.filter(source=Source.HEARTBEAT).aggregate(*map(Max, signs))
    if written["first"] is None:
        return None
    return max(at for at in (*written.values(), *told.values()) if at is not None)
