"""Rows as the plain values that auto-stop decides on: for one job, or for many with a handful of queries."""

from __future__ import annotations

import copy
import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Max, Min, Q

from dispersed_web.autostop import breaker, budgets, schedule
from dispersed_web.autostop.activity import LOST_AFTER, Samples, Signal
from dispersed_web.autostop.models import Engine
from dispersed_web.autostop.terms import CheckIn, Facts, IdleRule, Policy
from dispersed_web.credentials.health import SIGHT_LOST_AFTER
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job, Origin
from dispersed_web.signals.models import Bucket, Source
from dispersed_web.teams.models import AutostopPolicy

log = logging.getLogger(__name__)
CHUNK = 500
ASSIGN_MS = START_MS = 300_000
USUAL_WARN_LEAD_S = 15 * 60  # for teams of which no warning at all was once accepted
START_MARGIN = dt.timedelta(minutes=15)
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

Terms = tuple[Policy, Facts]


def of(job: Job, now: dt.datetime) -> Terms:
    """The policy and the facts of one job at ``now``."""
    return gather([job], now)[job.pk]


def gather(jobs: Sequence[Job], now: dt.datetime) -> dict[uuid.UUID, Terms]:
    """The policy and the facts of each job. Where rows contradict themselves, what can be read of the limits holds: a
    mistake is never "no limit", and one job's or one budget's fault does not hide the others. A job of which nothing can
    be read is left out."""
    policies = policies_of({job.team_id for job in jobs})
    keys = Credential.objects.defer("secret_sealed").in_bulk({job.credential_id for job in jobs})
    engine = Engine.objects.filter(pk=1).first() or Engine()
    excused = breaker.silence_is_excused(policies)
    used_up = _used_up(jobs, policies, now)
    found: dict[uuid.UUID, Terms] = {}
    for start in range(0, len(jobs), CHUNK):
        chunk = jobs[start : start + CHUNK]
        signals = signals_of(chunk, policies, now)
        for job in chunk:
            try:
                policy = readable_policy_of(job, policies[job.team_id])
                signals_here = signals.get(job.current_run_id, ())
                known = facts_of(job, keys[job.credential_id], engine, signals_here, now)
            except Exception:
                log.exception("The facts of the job %s cannot be read; the other jobs are judged.", job.pk)
                continue
            if job.team_id in excused:
                known = replace(known, receiver_is_down=True)
            if job.pk in used_up:
                at, name = used_up[job.pk]
                known = replace(known, budget_reached_at=at, budget_name=name)
            found[job.pk] = (policy, known)
    return found


def _used_up(
    jobs: Sequence[Job], policies: dict[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID, budgets.Reached]:
    try:
        return budgets.reached(jobs, policies, now)
    except Exception:
        log.exception("Budgets could not be looked at; the other limits hold.")
        return {}


def policies_of(team_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, AutostopPolicy]:
    """Each team's policy; one that a team lacks is made."""
    wanted = set(team_ids)
    found = AutostopPolicy.objects.in_bulk(wanted)
    return found | {team_id: AutostopPolicy.of(team_id) for team_id in wanted - found.keys()}


def policy_of(job: Job, team: AutostopPolicy) -> Policy:
    """The limits as copied at launch, the team's policy, and the job's own choices inside the team's bounds.

    Raises :class:`ValueError` for a limit that is nothing, or a schedule that cannot be read: a mistake, never "no
    limit".
    """
    return Policy(
        lifetime=_seconds(job.lifetime_s),
        ceiling=_seconds(job.ceiling_s),
        warn_lead=dt.timedelta(seconds=job.warn_lead_s or USUAL_WARN_LEAD_S),
        task=job.task,
        high=_rule(job.idle_limit_s, team.high_idle_s, team.high_idle_max_s, team.high_lead_s),
        medium=_rule(job.idle_limit_s, team.medium_idle_s, team.medium_idle_max_s, team.medium_lead_s),
        checkin=_checkin(job, team),
        boot_grace=dt.timedelta(seconds=team.boot_grace_s),
        start_limit=_start_limit(job),
        schedule=schedule.from_json(team.schedule) if team.schedule else None,
        schedule_since=_schedule_since(job, team),
        observes=team.mode == AutostopPolicy.Mode.OBSERVE,
        observe_until=team.observe_until,
        changed_at=max((at for at in (team.changed_at, job.choices_changed_at) if at), default=None),
    )


def _schedule_since(job: Job, team: AutostopPolicy) -> dt.datetime | None:
    """Stops of the schedule that passed before a job was adopted or found are not made up for."""
    came_at = None if job.origin == Origin.LAUNCHED else job.known_since
    return max((at for at in (team.schedule_changed_at, came_at) if at is not None), default=None)


def readable_policy_of(job: Job, team: AutostopPolicy) -> Policy:
    """The same, without what cannot be read: the schedule, whose time zone may be gone; then all but the lifetime."""
    try:
        return policy_of(job, team)
    except (ValueError, OverflowError) as error:
        log.error("A limit of the job %s cannot be read: %s The others hold.", job.pk, error)
    unscheduled = copy.copy(team)
    unscheduled.schedule = None
    try:
        return policy_of(job, unscheduled)
    except (ValueError, OverflowError):
        shortest = _seconds(min((limit for limit in (job.lifetime_s, job.ceiling_s) if limit), default=None))
        return Policy(lifetime=shortest, ceiling=shortest, task=job.task, observes=True)


def _rule(chosen_s: int | None, usual_s: int, most_s: int, lead_s: int) -> IdleRule:
    limit_s = min(usual_s if chosen_s is None else chosen_s, most_s)
    return IdleRule(dt.timedelta(seconds=limit_s), dt.timedelta(seconds=lead_s))


def _checkin(job: Job, team: AutostopPolicy) -> CheckIn:
    every_s = team.checkin_every_s if job.checkin_every_s is None else job.checkin_every_s
    return CheckIn(
        first=dt.timedelta(
            seconds=min(team.checkin_first_s, every_s) if job.checkin_every_s else team.checkin_first_s
        ),
        every=dt.timedelta(seconds=min(every_s, team.checkin_every_max_s)),
        answer=dt.timedelta(seconds=team.checkin_answer_s),
    )


def _start_limit(job: Job) -> dt.timedelta:
    """The cloud's own limits for finding a node and starting the container, and a margin in which it may say so."""
    whole_ms = _timeout_ms(job, "assign", ASSIGN_MS) + _timeout_ms(job, "start", START_MS)
    return dt.timedelta(milliseconds=whole_ms) + START_MARGIN


def _timeout_ms(job: Job, which: str, default: int) -> int:
    """From the annotation of a list (see ``jobs/queries.py``), or from the specification."""
    name = f"{which}_ms"
    value = getattr(job, name) if hasattr(job, name) else job.spec_value(f"max_timeout_{name}")
    return int(value) if str(value).isdecimal() else default


def facts_of(
    job: Job, key: Credential, engine: Engine, signals: tuple[Signal, ...], now: dt.datetime
) -> Facts:
    """Lifetime counts from the moment the cloud took the job, because billing is assumed from there; before that from
    the wish."""
    launched_at = job.launched_at or job.created_at
    seen_at = key.listed_at or key.created_at
    trusted = [at for at in (engine.trusted_since, key.seen_since) if at is not None]
    told = job.warned_at is not None and job.warning_delivered_at is not None
    return Facts(
        launched_at=launched_at,
        running_at=running_at_of(job),
        starting_since=_starting_since(job, launched_at),
        extend_until=job.extend_until,
        protected_until=job.protected_until,
        confirmed_at=job.confirmed_at,
        connected_at=job.connected_at,
        kept_until=job.kept_until,
        signals=signals,
        trusted_since=max(trusted, default=None),
        resumed_at=_resumed_at(job, engine, now),
        cloud_lost_since=seen_at if now - seen_at > SIGHT_LOST_AFTER else None,
        receiver_is_down=_is_down(engine, now),
        rate_exceeded_at=job.rate_exceeded_at if job.rate_accepted_at is None else None,
        rate_words=_rate_words(job),
        warned_for=job.warned_for,
        warned_at=job.warned_at,
        warning_arrived=told and job.warning_delivered_at >= job.warned_at,
        reminded_for=job.reminded_for,
        soft_hold="the clocks of this server and of Dispersed differ" if key.clock_is_off() else "",
    )


def running_at_of(job: Job) -> dt.datetime | None:
    """When the present run was first seen RUNNING; a row from before runs were tied to it has only the job's own."""
    return job.run_running_at if job.current_run_id else job.running_at


def _starting_since(job: Job, launched_at: dt.datetime) -> dt.datetime:
    run = job.current_run if job.current_run_id and job.running_at else None
    return (run.started_at or run.first_seen_at) if run else launched_at


def _resumed_at(job: Job, engine: Engine, now: dt.datetime) -> dt.datetime | None:
    """When the engine came back from the outage in which the deadline passed that people were told of."""
    away_since, resumed_at = engine.away_since, engine.resumed_at
    if away_since is None or resumed_at is None or job.warned_for is None:
        return None
    return resumed_at if away_since <= job.warned_for <= resumed_at <= now else None


def _is_down(engine: Engine, now: dt.datetime) -> bool:
    """Whether heartbeats cannot arrive, or could not until a moment ago: they are given the time to be heard again."""
    failed, worked = engine.receiver_failed_at, engine.receiver_ok_at
    return failed is not None and (worked is None or worked < failed or now - failed < LOST_AFTER)


def _rate_words(job: Job) -> str:
    if job.hourly_rate_usd is None or job.rate_cap_usd is None:
        return ""
    return f"${job.hourly_rate_usd:.2f} per hour instead of at most ${job.rate_cap_usd:.2f}"


def _seconds(value: int | None) -> dt.timedelta | None:
    return None if value is None else dt.timedelta(seconds=value)


# Signals -------------------------------------------------------------------------------------------------------------


def signals_of(
    jobs: Sequence[Job], policies: dict[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID | None, tuple[Signal, ...]]:
    """What was observed of the jobs' present runs, by run: the latest samples, and for a source that has none of them
    when it spoke last."""
    uses_logs = {job.current_run_id: job.uses_logs for job in jobs if job.current_run_id}
    samples: dict[tuple[uuid.UUID, str], list[Samples]] = defaultdict(list)
    for span, runs in _by_span(jobs, policies).items():
        rows = Bucket.objects.filter(run__in=runs, start__gte=now - span).order_by("run", "source", "start")
        for run_id, source, *values in rows.values_list("run", "source", *SAMPLE_FIELDS):
            if source != Source.LOG or uses_logs[run_id]:
                samples[run_id, source].append(samples_from(values))
    found: dict[uuid.UUID | None, list[Signal]] = defaultdict(list)
    for (run_id, source), some in samples.items():
        found[run_id].append(Signal(source, some[0].first_at, some[-1].last_at, tuple(some)))
    for run_id, signal in _long_silent(uses_logs, samples.keys()):
        found[run_id].append(signal)
    return {run_id: tuple(some) for run_id, some in found.items()}


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
