"""Logs as a signal: the tails of the runs whose jobs use them are read now and then, and what is new is counted.

One request for each look, and at most so many a minute with one credential. A look that failed is no sample, and a log
that never had a line tells nothing. Of the text only hashes are kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.models import Count, F, Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.clock import Clock
from dispersed_web.credentials import vault
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import logs
from dispersed_web.jobs.logs import Log
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Status
from dispersed_web.signals import silence, tail
from dispersed_web.signals.models import Bucket, LogWatch, Source, bucket_start
from dispersed_web.signals.tail import Change, Tail
from dispersed_web.signals.thresholds import LOG_PERIOD_S

log = logging.getLogger(__name__)
CALLS_A_MINUTE = 20
# A lease is not given back, so it also keeps two looks at one run apart, and those that hold are the calls of the minute.
LEASE = dt.timedelta(seconds=60)
PERIOD = dt.timedelta(seconds=LOG_PERIOD_S)
NEAR = dt.timedelta(minutes=20)
# Not seen for so long, a log is soon taken for silent, so it goes before all others.
NEARLY_STALE = dt.timedelta(minutes=8)
PERIOD_OF_BATCH = BATCH_FROM = dt.timedelta(minutes=30)
FIRST_DELAY, LONGEST_DELAY = dt.timedelta(minutes=1), dt.timedelta(minutes=5)
MOST_ASKED = dt.timedelta(minutes=15)
READER_S = 20
FAR = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that could be looked at now, and what of its job says how urgent that is."""

    run_id: uuid.UUID
    credential_id: uuid.UUID
    is_batch: bool
    due_at: dt.datetime
    read_at: dt.datetime | None
    failures: int
    stop_at: dt.datetime | None
    quiet_since: dt.datetime | None
    idle_limit_s: int | None

    def deadline(self, now: dt.datetime) -> dt.datetime:
        """The earliest stop in sight: the job's, or the end of its idle limit where that will only be observed."""
        stop_at = self.stop_at or FAR
        if self.quiet_since is None or self.idle_limit_s is None:
            return stop_at
        idle_at = self.quiet_since + dt.timedelta(seconds=self.idle_limit_s)
        return min(stop_at, idle_at) if idle_at > now else stop_at

    def is_due(self, now: dt.datetime) -> bool:
        return self.due_at <= now or (self.may_hurry and self.deadline(now) <= now + NEAR)

    @property
    def may_hurry(self) -> bool:
        """Whether it may be looked at before its time; not while the cloud fails."""
        return not self.is_batch and not self.failures

    def urgency(self, now: dt.datetime) -> tuple[bool, bool, dt.datetime, dt.datetime]:
        is_seen = self.read_at is not None and now - self.read_at < NEARLY_STALE
        return self.is_batch, is_seen, self.deadline(now), self.due_at


CANDIDATE_FIELDS = (
    "run_id",
    "run__job__credential_id",
    "run__job__task",
    "due_at",
    "read_at",
    "failures",
    "run__job__stop_at",
    "run__job__quiet_since",
    "run__job__idle_limit_now_s",
)


# Which logs are looked at, and when -----------------------------------------------------------------------------------


def begin(now: dt.datetime) -> None:
    """Begins to watch the present runs that are to be watched and are not yet."""
    rows = Job.objects.filter(_is_watched("", now), current_run__isnull=False, current_run__log_watch=None)
    runs = rows.values_list("current_run", flat=True)[:1000]
    fresh = [LogWatch(run_id=run_id, due_at=now) for run_id in runs]
    LogWatch.objects.bulk_create(fresh, ignore_conflicts=True)


def due(now: dt.datetime) -> list[uuid.UUID]:
    """The runs whose logs are to be read now, the most urgent first, as far as each credential's calls allow."""
    calls = _calls(now)
    chosen = []
    for one in sorted(_ready(now), key=lambda one: one.urgency(now)):
        if calls[one.credential_id] < CALLS_A_MINUTE:
            calls[one.credential_id] += 1
            chosen.append(one.run_id)
    return chosen


def note_reader(run_id: uuid.UUID) -> None:
    """Somebody looks at the run's log, which is fetched for them anyway. Only a hint, so it may be lost."""
    cache.set(_reader_key(run_id), True, READER_S)


def _ready(now: dt.datetime) -> list[Candidate]:
    rows = LogWatch.objects.filter(_is_free(now), _is_wanted(now)).values_list(*CANDIDATE_FIELDS)
    found = [Candidate(run, key, task == "BATCH", *rest) for run, key, task, *rest in rows]
    ready = [one for one in found if one.is_due(now)]
    others = {_reader_key(one.run_id): one for one in found if one.may_hurry and not one.is_due(now)}
    return ready + [others[key] for key in cache.get_many(others)] if others else ready


def _reader_key(run_id: uuid.UUID) -> str:
    return f"log-read:{run_id}"


def _calls(now: dt.datetime) -> Counter[uuid.UUID]:
    """How many logs were asked for within the last minute, by credential. Told from the few leases, not from all jobs."""
    held = LogWatch.objects.filter(lease_until__gt=now).values("pk")
    rows = JobRun.objects.filter(pk__in=held).values_list("job__credential")
    return Counter(dict(rows.annotate(Count("pk"))))


def _is_free(now: dt.datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def _is_wanted(now: dt.datetime) -> Q:
    """Of watches: those of present runs of watched jobs, unless the cloud refuses the key."""
    is_refused = Q(run__job__credential__state=CredentialState.BROKEN)
    return _is_watched("run__job__", now) & Q(run__job__current_run=F("run")) & ~is_refused


def _is_watched(path: str, now: dt.datetime) -> Q:
    """Of jobs that run: PERSISTENT ones that use their logs, and BATCH ones for as long as their silence may be news."""
    runs = Q(**{f"{path}status": Status.RUNNING, f"{path}stop_requested_at": None})
    uses_logs = Q(**{f"{path}task": "PERSISTENT", f"{path}uses_logs": True})
    is_long = {f"{path}run_running_at__lte": now - BATCH_FROM, f"{path}silence_told_at": None}
    return runs & (uses_logs | Q(**{f"{path}task": "BATCH"}, **is_long))


# One look --------------------------------------------------------------------------------------------------------------


def watch(run_id: uuid.UUID, clock: Clock) -> bool:
    """Reads the log of one run, if it is its turn, and stores what is new as a sample. Never raises; False when nothing
    was learned. A log that a page has just fetched is not asked for again."""
    try:
        run = _lease(run_id, clock())
        return run is not None and _take(run, logs.read(run.job, run, clock()), clock())
    except Exception:
        log.exception("The log of the run %s could not be looked at; it is tried again.", run_id)
        with contextlib.suppress(DatabaseError):
            rows = LogWatch.objects.filter(pk=run_id)
            rows.update(failures=F("failures") + 1, due_at=clock() + LONGEST_DELAY)
        return False


def read_now(job: Job, clock: Clock) -> bool:
    """Reads the log of the job's present run at once, before a stop for idleness is sent. Never raises; False when it
    could not be read, so that nobody knows whether something new stands in it."""
    if job.current_run_id is None:
        return True
    try:
        LogWatch.objects.get_or_create(run_id=job.current_run_id)
        LogWatch.objects.filter(pk=job.current_run_id).update(lease_until=clock() + LEASE)
        run = _load(job.current_run_id)
        return _take(run, logs.fetch(run.job, run, clock()), clock())
    except Exception:
        log.exception("The log of the job %s could not be read before its stop.", job.pk)
        return False


def _lease(run_id: uuid.UUID, now: dt.datetime) -> JobRun | None:
    """The run, if nobody looks at it or did within the last minute, and its credential has a call left."""
    rows = LogWatch.objects.filter(_is_free(now), _is_wanted(now), pk=run_id)
    credential_id = rows.values_list("run__job__credential", flat=True).first()
    if credential_id is None:
        return None
    with transaction.atomic():
        # Two that count the calls at the same moment would both find one left.
        list(Credential.objects.select_for_update(no_key=True).filter(pk=credential_id).values_list("pk"))
        if _calls(now)[credential_id] >= CALLS_A_MINUTE:
            return None
        if not LogWatch.objects.filter(_is_free(now), pk=run_id).update(lease_until=now + LEASE):
            return None
    return _load(run_id)


def _load(run_id: uuid.UUID) -> JobRun:
    return JobRun.objects.select_related("job__credential", "log_watch").get(pk=run_id)


@sensitive_variables()
def _take(run: JobRun, found: Log, now: dt.datetime) -> bool:
    """Stores what was found at ``now``; False when nothing could be learned from it.

    A log without a line tells nothing: before the first one it cannot fall silent, and after it the lines are gone. Only
    of a BATCH job is that silence, which no more than a notice hangs on.
    """
    job, known = run.job, run.log_watch
    is_empty = not found.text.strip()
    if found.trouble or not found.is_given or (is_empty and known.tail):
        _note_failure(known, found.retry_after_s or 0, now)
        return False
    if is_empty and known.read_at is None and job.task != "BATCH":
        LogWatch.objects.filter(pk=known.pk).update(due_at=now + PERIOD, failures=0)
        return True
    seen = tail.read(found.text, job.log_noise, _key(run))
    _store(run, seen, tail.compare(known.tail if known.read_at else None, seen), now)
    if job.task == "BATCH":
        silence.tell(job, now)
    return True


def _key(run: JobRun) -> bytes:
    """Another one for each run, and not to be had from the database alone."""
    return bytes.fromhex(vault.fingerprint(f"log of {run.pk}"))


def _store(run: JobRun, seen: Tail, change: Change, now: dt.datetime) -> None:
    """Adds the look to the run's bucket, once: of two that compared with the same look before, the first counts."""
    known = run.log_watch
    period = PERIOD_OF_BATCH if run.job.task == "BATCH" else PERIOD
    with transaction.atomic():
        rows = LogWatch.objects.filter(pk=known.pk, read_at=known.read_at)
        if not rows.update(tail=list(seen.hashes), read_at=now, due_at=now + period, failures=0):
            return
        _add_to_bucket(run.pk, change.new_lines, int(period.total_seconds()), now)
    if change.new_lines:
        _hasten(run.job, now)


def _add_to_bucket(run_id: uuid.UUID, new_lines: int, period_s: int, now: dt.datetime) -> None:
    """Whoever comes here holds the watch of the run, so nobody else writes the bucket."""
    said: dict[str, Any] = {"lines_at": now} if new_lines else {}
    rows = Bucket.objects.filter(run=run_id, source=Source.LOG, start=bucket_start(now))
    before = rows.values("last_at", "gap").first()
    if before is None:
        Bucket.objects.create(
            run_id=run_id,
            source=Source.LOG,
            start=bucket_start(now),
            first_at=now,
            last_at=now,
            period_s=period_s,
            lines=new_lines,
            **said,
        )
        return
    said |= {"last_at": max(before["last_at"], now), "gap": max(before["gap"], now - before["last_at"])}
    rows.update(count=F("count") + 1, lines=F("lines") + new_lines, **said)


def _hasten(job: Job, now: dt.datetime) -> None:
    """Whoever was warned hears at once that the stop is called off."""
    Job.objects.filter(pk=job.pk, warned_for__isnull=False, stop_requested_at=None).update(evaluate_at=now)


def _note_failure(known: LogWatch, asked_s: float, now: dt.datetime) -> None:
    """1, 2, 4, then every 5 minutes, or when the cloud asked for it, within reason."""
    wait = min(FIRST_DELAY * 2 ** min(known.failures, 8), LONGEST_DELAY)
    wait = max(wait, min(dt.timedelta(seconds=asked_s), MOST_ASKED))
    LogWatch.objects.filter(pk=known.pk).update(failures=F("failures") + 1, due_at=now + wait)
