"""Rows as the plain values that the serializers render. No queries and no clock of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.urls import reverse

from dispersed_web.accounts.models import User
from dispersed_web.autostop import facts, policy
from dispersed_web.autostop.policy import Verdict
from dispersed_web.dispersed import JobSpec
from dispersed_web.jobs import specs, stop
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import ENDED
from dispersed_web.teams.models import Team

# An adopted job's specification may lack what a launch of ours always stores.
LIMITS = (
    "protected_until",
    "protected_reason",
    "confirmed_at",
    "idle_limit_s",
    "checkin_every_s",
    "uses_logs",
    "budget_usd",
    "rate_cap_usd",
)
EMPTY_SPEC = specs.plain_part(JobSpec(task="", title="", image=""), frozenset()) | {
    "image_source": "",
    "volumes": [],
    "registry_team_secret": None,
}


def person(user: User | None) -> dict[str, str] | None:
    """A service account has a name and an address that reaches nobody."""
    return None if user is None else {"name": str(user), "email": user.email}


def brief(job: Job, team: Team, now: dt.datetime) -> dict[str, Any]:
    """What a list tells of a job; needs its owner loaded."""
    runtime = job.runtime(now)
    return {
        "id": job.pk,
        "title": job.title,
        "task": job.task,
        "status": job.status,
        "reason": job.reason,
        "reason_text": job.reason_text,
        "owner": person(job.owner),
        "origin": job.origin,
        "tags": [tag.name for tag in getattr(job, "shown_tags", ())],
        "credential_id": job.credential_id,
        "gpu": job.gpu_label,
        "remote_uuid": job.remote_uuid,
        "created_at": job.created_at,
        "launched_at": job.launched_at,
        "running_at": job.running_at,
        "ended_at": job.ended_at,
        "runtime_s": None if runtime is None else int(runtime.total_seconds()),
        "cost": {
            "quoted_hourly_usd": job.quoted_usd,
            "hourly_rate_usd": job.hourly_rate_usd,
            "estimate_usd": job.meter.read(now),
        },
        "stop_at": job.stop_at if job.is_active else None,
        "stop_requested_at": job.stop_requested_at,
        "page_url": settings.PUBLIC_URL + reverse("web:job", args=[team.slug, job.pk]),
    }


def full(job: Job, team: Team, runs: Iterable[JobRun], now: dt.datetime) -> dict[str, Any]:
    """All that is told of one job."""
    terms = facts.of(job, now)
    verdict = None if job.state in ENDED or job.stop_requested_at else policy.decide(*terms, now)
    return brief(job, team, now) | {
        "stop_at": verdict.stop_at if verdict else None,
        "remote_status": job.remote_status,
        "cook_uuid": job.cook_uuid,
        "assigned_at": job.assigned_at,
        "limits": {
            "version": job.limits_version,
            "lifetime_s": job.lifetime_s,
            "extended_until": job.extend_until,
            "latest_stop_at": policy.latest_end(*terms),
            **{name: getattr(job, name) for name in LIMITS},
        },
        "verdict": shown(verdict) if verdict else None,
        "stop": _stop(job, now),
        "runs": [_run(run) for run in runs],
        "spec": _spec(job),
    }


def shown(verdict: Verdict) -> dict[str, Any]:
    """A verdict with its evidence."""
    limit = verdict.idle_limit
    return asdict(verdict) | {"idle_limit_s": int(limit.total_seconds()) if limit else None}


def _stop(job: Job, now: dt.datetime) -> dict[str, Any] | None:
    if job.stop_requested_at is None:
        return None
    return {
        "requested_at": job.stop_requested_at,
        "requested_by": person(job.stop_requested_by),
        "reason": job.stop_reason,
        "note": job.stop_note,
        "attempts": job.stop_attempts,
        "sent_at": job.stop_sent_at,
        "next_try_at": job.stop_next_at,
        "error": job.stop_error,
        "is_stuck": stop.is_stuck(job, now),
        "because": job.stop_evidence.get("sentence", ""),
        "evidence": job.stop_evidence.get("evidence", []),
    }


def _run(run: JobRun) -> dict[str, Any]:
    return {
        "remote_uuid": run.remote_uuid,
        "status": run.status,
        "started_at": run.started_at,
        "running_at": run.running_at,
        "ended_at": run.ended_at,
        "hourly_rate_usd": run.hourly_rate_usd,
        "addresses": run.node_urls,
    }


def _spec(job: Job) -> dict[str, Any]:
    """Of a secret of the team its name is told, of other secrets only that there is one."""
    spec = EMPTY_SPEC | job.spec
    named = {part: [{"team_secret": None} | row for row in spec[part]] for part in ("env", "volumes")}
    return spec | named
