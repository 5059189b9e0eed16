"""Logs of ended runs are fetched once more and kept, and read from there.

A pass finds the runs that ended without a final log, asks for some of each credential's, waits longer after each failure,
and gives up after about a day or when the cloud knows the run no more, which it writes down. Several may do it at once:
who moves ``next_at`` first has the turn.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections import Counter

from django.db.models import F

from dispersed_web.clock import Clock
from dispersed_web.jobs import log_store, logs
from dispersed_web.jobs.logs import Log
from dispersed_web.jobs.models import Job, JobRun, RunLog

log = logging.getLogger(__name__)
CALLS_A_PASS = 5
LEASE = dt.timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY = dt.timedelta(seconds=30), dt.timedelta(hours=2)
# 30 s, 1 min, 2 min … 2 h between them: a day and some hours in all.
MOST_FAILURES = 19
# Runs that were seen to end earlier, such as imported ones, are asked for when somebody looks.
BEGIN_WITHIN = dt.timedelta(days=3)
AT_ONCE = 500
GONE = "Dispersed does not know this run any more, so its log can no longer be had."


def begin(now: dt.datetime) -> None:
    """Puts the runs that ended lately and have no final log in line, after a moment for their last words."""
    ended = JobRun.objects.filter(ended_at__gt=now - BEGIN_WITHIN, ended_at__lte=now)
    fresh = ended.filter(kept_log=None).values_list("pk", flat=True)[:AT_ONCE]
    due_at = now + log_store.SETTLED_AFTER
    RunLog.objects.bulk_create(
        [RunLog(run_id=run_id, content=b"", next_at=due_at) for run_id in fresh], ignore_conflicts=True
    )
    seen_live = RunLog.objects.filter(is_final=False, given_up="", next_at=None, run__ended_at__lte=now)
    seen_live.update(next_at=due_at)


def due(now: dt.datetime) -> list[uuid.UUID]:
    """The runs whose logs are to be fetched now, longest waiting first, so many of each credential at most."""
    rows = RunLog.objects.filter(is_final=False, given_up="", next_at__lte=now).order_by("next_at")
    calls: Counter[uuid.UUID] = Counter()
    chosen = []
    for run_id, credential_id in rows.values_list("run_id", "run__job__credential_id")[:AT_ONCE]:
        calls[credential_id] += 1
        if calls[credential_id] <= CALLS_A_PASS:
            chosen.append(run_id)
    return chosen


def keep(run_id: uuid.UUID, clock: Clock) -> bool:
    """Fetches and keeps the log of one ended run, if it is its turn. Never raises; False when nothing was kept."""
    now = clock()
    row = RunLog.objects.filter(pk=run_id, is_final=False, given_up="", next_at__lte=now)
    turn = row.values_list("next_at", flat=True).first()
    if turn is None or not row.filter(next_at=turn).update(next_at=now + LEASE):
        return False
    try:
        run = JobRun.objects.select_related("job__credential").get(pk=run_id)
        found = logs.fetch(run.job, run, clock())
    except Exception:
        log.exception("The log of the run %s could not be kept; it is tried again.", run_id)
        found = Log(trouble="Something is broken on our side; it was logged.")
    if not found.trouble and found.is_given:
        return True  # what was fetched is stored there
    _note_failure(run_id, found, clock())
    return False


def _note_failure(run_id: uuid.UUID, found: Log, now: dt.datetime) -> None:
    """When it is tried again, or that it is not."""
    rows = RunLog.objects.filter(pk=run_id, is_final=False)
    failures = rows.values_list("failures", flat=True).first() or 0
    given_up = GONE if found.is_gone else ""
    if failures + 1 >= MOST_FAILURES:
        given_up = f"For a day its log could not be had. {found.trouble or 'Dispersed gave none.'}"[:300]
    delay = min(FIRST_DELAY * 2 ** min(failures, 12), LONGEST_DELAY)
    wait = max(delay, min(dt.timedelta(seconds=found.retry_after_s or 0), LONGEST_DELAY))
    next_at = None if given_up else now + wait
    rows.update(failures=F("failures") + 1, next_at=next_at, given_up=given_up)


def show(job: Job, run: JobRun, now: dt.datetime, unless: str = "") -> Log:
    """The log as somebody may see it: of a live run as the cloud shows it now, of one that ended as it was kept.

    ``unless`` is the version that the caller has: then the lines may be missing. Never raises for a fault of the cloud.
    """
    kept = log_store.look(run) if run.ended_at else None
    return logs.of_kept(run, kept) if kept and kept.is_settled else logs.read(job, run, now, unless)
