"""Past and present runs of a team as plain values, and a draft of its policy tried on them."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from dispersed_web.autostop.activity import Samples, Signal
from dispersed_web.autostop.buckets import SAMPLE_FIELDS, samples_from
from dispersed_web.autostop.job_policy import readable_policy_of
from dispersed_web.autostop.replay import Act, Outcome, RunHistory, Totals, replay, sum_up, with_limit
from dispersed_web.autostop.terms import Policy
from dispersed_web.events.models import Event
from dispersed_web.jobs.models import JobRun
from dispersed_web.signals.models import KEPT, Bucket, Source
from dispersed_web.teams.models import AutostopPolicy

LOOKS_BACK = dt.timedelta(days=30)
MOST_RUNS = 200
MOST_SAMPLES = 100_000
# So long somebody waits for the page at most; what was not replayed by then is left out.
LONGEST_S = 8.0
LIMITS = tuple(dt.timedelta(minutes=minutes) for minutes in (30, 60, 90, 120))
# Kinds of events that say that a job is used, or keep it from being stopped for idleness
ACTS = (
    "job.extended",
    "job.in_use",
    "job.protected",
    "job.unprotected",
    "job.connected",
    "job.kept",
)


@dataclass(frozen=True)
class Past:
    """One run with what is needed to speak of it, and the draft as it would have held for it."""

    job_id: uuid.UUID
    title: str
    owner: str
    still_runs: bool
    policy: Policy
    history: RunHistory


@dataclass(frozen=True)
class Tried:
    """A draft on the runs of a team's last days. ``stops`` are the runs that it would have stopped, newest stop first;
    ``by_limit`` what other idle limits would have done. ``watched`` runs had a signal; ``left_out`` older ones are not
    in it, because there were too many."""

    days: int
    totals: Totals
    stops: tuple[tuple[Past, Outcome], ...]
    by_limit: tuple[tuple[dt.timedelta, Totals], ...]
    watched: int
    samples: int
    left_out: int
    took_s: float


def try_out(draft: AutostopPolicy, now: dt.datetime, back: dt.timedelta = LOOKS_BACK) -> Tried:
    """Replays the team's runs of the time ``back`` under ``draft``, which need not be saved.

    Bounded to the newest ``MOST_RUNS`` runs with ``MOST_SAMPLES`` samples, and to ``LONGEST_S``. ``ValueError`` for a draft
    that contradicts itself.
    """
    began = time.perf_counter()
    rows, left_out = _rows(draft.team_id, now - min(back, KEPT))
    outcomes: list[tuple[Past, Outcome]] = []
    by_limit: dict[dt.timedelta, list[Outcome]] = {limit: [] for limit in LIMITS}
    watched = samples = 0
    for past in _past(rows, draft, now):
        if time.perf_counter() - began > LONGEST_S:
            break
        outcomes.append((past, replay(past.policy, past.history)))
        watched += bool(past.history.signals)
        samples += sum(len(signal.samples) for signal in past.history.signals)
        for limit, some in by_limit.items():
            some.append(replay(with_limit(past.policy, limit), past.history))
    stops = [(past, outcome) for past, outcome in outcomes if outcome.stop_at is not None]
    return Tried(
        days=back.days,
        totals=sum_up(outcome for _, outcome in outcomes),
        stops=tuple(sorted(stops, key=lambda pair: pair[1].stop_at or now, reverse=True)),
        by_limit=tuple((limit, sum_up(some)) for limit, some in by_limit.items()),
        watched=watched,
        samples=samples,
        left_out=left_out + len(rows) - len(outcomes),
        took_s=time.perf_counter() - began,
    )


def _rows(team_id: uuid.UUID, since: dt.datetime) -> tuple[list[JobRun], int]:
    """The newest runs of PERSISTENT jobs that ran since then, and how many older ones are left out."""
    ran = (
        Q(ended_at=None, job__ended_at=None)
        | Q(ended_at__gt=since)
        | Q(ended_at=None, job__ended_at__gt=since)
    )
    found = JobRun.objects.filter(ran, job__team=team_id, job__task="PERSISTENT", running_at__isnull=False)
    newest = list(found.select_related("job", "job__owner").order_by("-running_at")[:MOST_RUNS])
    counts = dict(
        Bucket.objects.filter(run__in=newest)
        .values_list("run")
        .annotate(Count("pk"))
        .values_list("run", "pk__count")
    )
    kept: list[JobRun] = []
    samples = 0
    for run in newest:
        samples += counts.get(run.pk, 0)
        if samples > MOST_SAMPLES and kept:
            break
        kept.append(run)
    total = found.count() if len(newest) == MOST_RUNS else len(newest)
    return kept, total - len(kept)


def _past(rows: Sequence[JobRun], draft: AutostopPolicy, now: dt.datetime) -> Iterator[Past]:
    """One after the other, so that the samples of one run at a time are in memory."""
    acts = _acts({run.job_id for run in rows})
    for run in rows:
        job = run.job
        ended_at = run.ended_at or job.ended_at
        history = RunHistory(
            launched_at=job.launched_at or job.created_at,
            running_at=run.running_at,
            until=ended_at or now,
            hourly_rate_usd=run.hourly_rate_usd if run.hourly_rate_usd is not None else job.hourly_rate_usd,
            signals=_signals(run.pk, job.uses_logs),
            acts=tuple(act for act in acts[str(job.pk)] if act.at >= run.running_at),
        )
        owner = str(job.owner) if job.owner else "left the team"
        yield Past(job.pk, job.title, owner, ended_at is None, readable_policy_of(job, draft), history)


def _signals(run_id: uuid.UUID, uses_logs: bool) -> tuple[Signal, ...]:
    samples: dict[tuple[str, str], list[Samples]] = defaultdict(list)
    rows = Bucket.objects.filter(run=run_id).order_by("source", "start")
    if not uses_logs:
        rows = rows.exclude(source=Source.LOG)
    for source, node, *values in rows.values_list("source", "node", *SAMPLE_FIELDS):
        samples[source, node].append(samples_from(values))
    return tuple(
        Signal(source, some[0].first_at, some[-1].last_at, tuple(some), node)
        for (source, node), some in samples.items()
    )


def _acts(job_ids: set[uuid.UUID]) -> dict[str, list[Act]]:
    rows = Event.objects.filter(
        subject_type="job", subject_id__in=[str(one) for one in job_ids], kind__in=ACTS
    )
    found: dict[str, list[Act]] = defaultdict(list)
    for job_id, kind, at, label, data in rows.order_by("at", "id").values_list(
        "subject_id", "kind", "at", "actor_label", "data"
    ):
        found[job_id].append(_act(kind, at, label, data.get("until")))
    return found


def _act(kind: str, at: dt.datetime, label: str, until_text: str | None) -> Act:
    until = dt.datetime.fromisoformat(until_text) if until_text else None
    match kind:
        case "job.extended":
            return Act(at, f"{label} extended it", extends=until)
        case "job.protected":
            return Act(at, f"{label} protected it", protects=until)
        case "job.unprotected":
            return Act(at, lifts=True)
        case "job.connected":
            return Act(at, f"{label} opened its connection", connects=True)
        case "job.kept":
            return Act(at, keeps=until)
    return Act(at, f"{label} said that it is in use")
