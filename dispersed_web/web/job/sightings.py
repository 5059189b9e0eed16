"""What the job page needs of auto-stop's rows: the verdict once, what was seen of the run, what was done to it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F

from dispersed_web.autostop import buckets, facts, policy
from dispersed_web.autostop.activity import LOG_WINDOW, Lane, Samples
from dispersed_web.autostop.models import Hold, VerdictChange
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.signals.models import BUCKET, Bucket
from dispersed_web.signals.models import Source as SourceName
from dispersed_web.signals.thresholds import HEARTBEAT_STALE
from dispersed_web.web.job.evidence import Source, Span
from dispersed_web.web.job.verdict_words import Outlook
from dispersed_web.web.jobs.marks import KINDS, Mark, marks

MOST_EVENTS = 300
MOST_CHANGES = 500
COLUMNS = {
    Lane.GPU: "gpu_top",
    Lane.CPU: "cpu_top",
    Lane.NET: "net_top",
    Lane.SSH: "ssh_open",
    Lane.BUSY: "busy_at",
}


@dataclass(frozen=True)
class Heartbeat:
    """The machine's own word: since when it speaks, when it spoke last and what it said then."""

    since: dt.datetime
    last_at: dt.datetime
    is_fresh: bool
    gpu: int | None
    phase: str
    note: str


def outlook(job: Job, now: dt.datetime, zone: dt.tzinfo, reader_id: int | None) -> Outlook | None:
    """The verdict on an unfinished job whose end nobody asked for; ``None`` for others."""
    if not job.is_active or job.stop_requested_at is not None:
        return None
    terms = facts.of(job, now)
    hold = _hold(job)
    return Outlook(
        *terms,
        policy.decide(*terms, now),
        now,
        zone,
        protected_reason=job.protected_reason,
        held=hold.sentence if hold else "",
        hold_id=hold.pk if hold else None,
        asked="you are" if job.owner_id == reader_id else "its owner is",
    )


def _hold(job: Job) -> Hold | None:
    """The decision that this job waits for, if any."""
    hold = Hold.objects.filter(team=job.team_id, decided_at=None).first()
    return hold if hold and str(job.pk) in hold.job_ids else None


def began(job: Job) -> dt.datetime:
    """Where the picture of the present run begins."""
    return facts.running_at_of(job) or job.running_at or job.launched_at or job.created_at


def sources(job: Job, start: dt.datetime) -> list[Source]:
    """What the run's sources said since ``start``, and of which lanes they ever spoke."""
    if job.current_run_id is None:
        return []
    rows = Bucket.objects.filter(run=job.current_run_id)
    spoken = {
        one["source"]: frozenset(lane for lane, column in COLUMNS.items() if one[f"of_{column}"])
        for one in rows.values("source").annotate(**{f"of_{name}": Count(name) for name in COLUMNS.values()})
    }
    said: dict[str, dict[dt.datetime, list[Samples]]] = defaultdict(lambda: defaultdict(list))
    recent = rows.filter(start__gte=start - LOG_WINDOW - BUCKET).order_by("source", "start")
    for source, at, *values in recent.values_list("source", "start", *buckets.SAMPLE_FIELDS):
        said[source][at].append(buckets.samples_from(values))
    return [
        Source(
            name,
            tuple(buckets.together(some) for some in said[name].values()),
            frozenset([Lane.LOG]) if name == SourceName.LOG else lanes,
            counts=name != SourceName.LOG or job.uses_logs,
        )
        for name, lanes in spoken.items()
    ]


def heartbeat(job: Job, now: dt.datetime) -> Heartbeat | None:
    """``None`` where the present run never sent one."""
    if job.current_run_id is None:
        return None
    rows = Bucket.objects.filter(run=job.current_run_id, source=SourceName.HEARTBEAT)
    last = rows.order_by("-start", F("gpu_top").desc(nulls_last=True)).first()
    if last is None:
        return None
    first_at = rows.order_by("start").values_list("first_at", flat=True)[0]
    is_fresh = now - last.last_at <= HEARTBEAT_STALE
    return Heartbeat(first_at, last.last_at, is_fresh, last.gpu_top, last.phase, last.note)


def marks_of(job: Job, start: dt.datetime) -> list[Mark]:
    """What was done since ``start``, oldest first."""
    found = Event.objects.filter(
        subject_type="job", subject_id=str(job.pk), team=job.team_id, kind__in=KINDS, at__gte=start
    )
    return marks(found.order_by("-id")[:MOST_EVENTS])


def changes(job: Job, start: dt.datetime) -> list[VerdictChange]:
    """The changes of the verdict since ``start`` and the one that held then, oldest first."""
    rows = VerdictChange.objects.filter(job=job).order_by("-at", "-id")
    found = list(rows.filter(at__gte=start)[:MOST_CHANGES])
    before = rows.filter(at__lt=start).first()
    return [*([before] if before else []), *reversed(found)]


def verdict_spans(found: Sequence[VerdictChange], start: dt.datetime, until: dt.datetime) -> list[Span]:
    """The times of each state, neighbours of the same state as one."""
    spans: list[Span] = []
    for place, change in enumerate(found):
        end = found[place + 1].at if place + 1 < len(found) else until
        begin, end = max(change.at, start), min(end, until)
        if end <= begin:
            continue
        if spans and spans[-1].state == change.state:
            spans[-1] = Span(spans[-1].start, end, change.state)
        else:
            spans.append(Span(begin, end, change.state))
    return spans
