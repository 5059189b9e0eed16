"""Stored buckets of samples as the signals that auto-stop reads: for many runs with a handful of queries."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Max, Min, Q

from dispersed_web.autostop.activity import Samples, Signal
from dispersed_web.jobs.models import Job
from dispersed_web.signals.models import Bucket, Source
from dispersed_web.teams.models import AutostopPolicy

# How far before the idle limit samples are looked at: enough to see the sign of work that ended it.
LOOK_BACK = dt.timedelta(minutes=45)
# So far back a page can say since when a job is quiet that is not stopped for it.
SHOWN_S = 8 * 3600
SAMPLE_FIELDS = (
    "first_at",
    "last_at",
    "count",
    "gap",
    "period_s",
    "gpu_top",
    "gpu_busy",
    "gpu_at",
    "cpu_top",
    "cpu_at",
    "net_top",
    "net_at",
    "ssh_open",
    "key_at",
    "busy_at",
    "lines",
    "lines_at",
)
# All but what is not the highest of what several say.
HIGHEST = ("last_at", "gap", "period", *SAMPLE_FIELDS[5:-2], "lines_at")


def signals_of(
    jobs: Sequence[Job], policies: dict[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID | None, tuple[Signal, ...]]:
    """What was observed of the jobs' present runs, by run: the latest samples, and for a source that has none of them
    when it spoke last."""
    uses_logs = {job.current_run_id: job.uses_logs for job in jobs if job.current_run_id}
    samples: dict[tuple[uuid.UUID, str, str], list[Samples]] = defaultdict(list)
    for span, runs in _by_span(jobs, policies).items():
        rows = Bucket.objects.filter(run__in=runs, start__gte=now - span).order_by("run", "source", "start")
        for run_id, source, node, *values in rows.values_list("run", "source", "node", *SAMPLE_FIELDS):
            if source != Source.LOG or uses_logs[run_id]:
                samples[run_id, source, node].append(samples_from(values))
    found: dict[uuid.UUID | None, list[Signal]] = defaultdict(list)
    for (run_id, source, node), some in samples.items():
        found[run_id].append(Signal(source, some[0].first_at, some[-1].last_at, tuple(some), node))
    for run_id, signal in _long_silent(uses_logs, {(run_id, source) for run_id, source, _ in samples}):
        found[run_id].append(signal)
    return {run_id: tuple(some) for run_id, some in found.items()}


def together(some: Iterable[Samples]) -> Samples:
    """What several machines said in the same five minutes, for a picture: the busiest of each."""
    every = list(some)
    if len(every) == 1:
        return every[0]
    highest: dict[str, Any] = {
        name: max(filter(_is_said, (getattr(one, name) for one in every)), default=None) for name in HIGHEST
    }
    return Samples(
        first_at=min(one.first_at for one in every),
        count=min(one.count for one in every),
        lines=sum(one.lines for one in every),
        **highest,
    )


def _is_said(value: Any) -> bool:
    return value is not None


def samples_from(values: Sequence[Any]) -> Samples:
    """A bucket's ``SAMPLE_FIELDS`` as plain values."""
    first_at, last_at, count, gap, period_s, *rest = values
    return Samples(first_at, last_at, count, gap, dt.timedelta(seconds=period_s), *rest)


def _long_silent(
    uses_logs: dict[uuid.UUID, bool], known: Iterable[tuple[uuid.UUID, str]]
) -> Iterator[tuple[uuid.UUID, Signal]]:
    """Sources that spoke once, but not lately: capable, and silent."""
    recent = set(known)
    silent = Q(
        source=Source.HEARTBEAT, run__in=[run for run in uses_logs if (run, "heartbeat") not in recent]
    )
    silent |= Q(
        source=Source.LOG,
        run__in=[run for run, logs in uses_logs.items() if logs and (run, "log") not in recent],
    )
    rows = Bucket.objects.filter(silent).values_list("run", "source")
    for run_id, source, first_at, last_at in rows.annotate(Min("first_at"), Max("last_at")):
        yield run_id, Signal(source, first_at, last_at)


def _by_span(
    jobs: Sequence[Job], policies: dict[uuid.UUID, AutostopPolicy]
) -> dict[dt.timedelta, list[uuid.UUID]]:
    """The jobs' present runs by how far back their samples are looked at: long idle limits cost nobody else."""
    found: dict[dt.timedelta, list[uuid.UUID]] = defaultdict(list)
    for job in jobs:
        if job.current_run_id:
            found[LOOK_BACK + _longest(job, policies[job.team_id])].append(job.current_run_id)
    return found


def _longest(job: Job, team: AutostopPolicy) -> dt.timedelta:
    """The longest idle limit that may hold for the job, or what its team allows as far as it is quickly looked at."""
    both = ((team.high_idle_s, team.high_idle_max_s), (team.medium_idle_s, team.medium_idle_max_s))
    own_s = [min(job.idle_limit_s or usual_s, most_s) for usual_s, most_s in both]
    return dt.timedelta(seconds=max(*own_s, min(max(most_s for _, most_s in both), SHOWN_S)))
