"""Rows as the plain values that auto-stop decides on: for one job, or for many with a handful of queries."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace

from dispersed_web.autostop import breaker, buckets, budgets, job_policy
from dispersed_web.autostop.activity import LOST_AFTER, Signal
from dispersed_web.autostop.models import Engine
from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.credentials.health import SIGHT_LOST_AFTER
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy

log = logging.getLogger(__name__)
CHUNK = 500

Terms = tuple[Policy, Facts]


def of(job: Job, now: dt.datetime) -> Terms:
    """The policy and the facts of one job at ``now``."""
    return gather([job], now)[job.pk]


def gather(jobs: Sequence[Job], now: dt.datetime) -> dict[uuid.UUID, Terms]:
    """The policy and the facts of each job. Where rows contradict themselves, what can be read of the limits holds: a
    mistake is never "no limit", and one job's or one budget's fault does not hide the others. A job of which nothing can
    be read is left out."""
    policies = job_policy.policies_of({job.team_id for job in jobs})
    rows = Credential.objects.defer("secret_sealed").select_related("caps")
    keys = rows.in_bulk({job.credential_id for job in jobs})
    engine = Engine.objects.filter(pk=1).first() or Engine()
    excused = breaker.silence_is_excused(policies)
    used_up = _used_up(jobs, policies, now)
    found: dict[uuid.UUID, Terms] = {}
    for start in range(0, len(jobs), CHUNK):
        chunk = jobs[start : start + CHUNK]
        signals = buckets.signals_of(chunk, policies, now)
        for job in chunk:
            try:
                key = keys[job.credential_id]
                policy = job_policy.readable_policy_of(job, policies[job.team_id])
                policy = job_policy.held_to(policy, job, _longest_lifetime(key))
                signals_here = signals.get(job.current_run_id, ())
                known = facts_of(job, key, engine, signals_here, now)
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


def _longest_lifetime(key: Credential) -> int | None:
    """In seconds; ``None`` where the credential has no such cap."""
    return key.caps.max_lifetime_s if hasattr(key, "caps") else None


def _used_up(
    jobs: Sequence[Job], policies: dict[uuid.UUID, AutostopPolicy], now: dt.datetime
) -> dict[uuid.UUID, budgets.Reached]:
    try:
        return budgets.reached(jobs, policies, now)
    except Exception:
        log.exception("Budgets could not be looked at; the other limits hold.")
        return {}


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
