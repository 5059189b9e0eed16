"""Jobs that are watched by a heartbeat, for tests of the engine on real rows."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from django.utils import timezone

from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.signals import receiver
from dispersed_web.signals.beat import Beat
from dispersed_web.teams.models import AutostopPolicy, Team
from tests import factories

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
NOW = timezone.now().replace(second=0, microsecond=0)


def make_team(**policy: Any) -> Team:
    """A team that enforces stops for idleness: after an hour, warned a quarter of an hour before."""
    team = factories.make_team()
    values: dict[str, Any] = {"mode": "enforce", "observe_until": None, "boot_grace_s": 60}
    AutostopPolicy.objects.create(team=team, **values | policy)
    return team


def make_job(team: Team | None = None, *, running_at: dt.datetime = NOW, **fields: Any) -> Job:
    """RUNNING since ``running_at``, with its run and an address for heartbeats."""
    team = team or make_team()
    token = secrets.token_urlsafe(32)
    job = factories.make_job(
        team,
        now=running_at,
        launched_at=running_at - MINUTE,
        running_at=running_at,
        evaluate_at=running_at,
        heartbeat_digest=specs.heartbeat_digest(token),
        **fields,
    )
    run = factories.make_run(job, running_at=running_at)
    Job.objects.filter(pk=job.pk).update(current_run=run, run_running_at=running_at)
    job.refresh_from_db()
    job.token = token
    see(job, running_at, since=running_at - HOUR)
    return job


def see(job: Job, at: dt.datetime, since: dt.datetime | None = None) -> None:
    """The job's credential listed its jobs at ``at``."""
    values = {"listed_at": at} | ({"seen_since": since} if since else {})
    Credential.objects.filter(pk=job.credential_id).update(**values)


def beat(job: Job, at: dt.datetime, **said: Any) -> None:
    said = {"gpu": 0, "cpu": 0.01, "ssh_open": 0} | said
    assert receiver.accept(job.token, Beat(**said), at).outcome == receiver.Outcome.TAKEN


def beats(job: Job, begin: dt.datetime, end: dt.datetime, **said: Any) -> None:
    """One heartbeat a minute, the first at ``begin``, none after ``end``."""
    while begin <= end:
        beat(job, begin, **said)
        begin += MINUTE


def kinds(job: Job, *wanted: str) -> list[str]:
    """The kinds of the job's events in their order; only the wanted ones, if any are named."""
    rows = Event.objects.filter(subject_id=str(job.pk)).order_by("id")
    return [kind for kind in rows.values_list("kind", flat=True) if not wanted or kind in wanted]
