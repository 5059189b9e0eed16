"""Jobs whose machines report."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

from dispersed_web.jobs.models import Job
from dispersed_web.jobs.specs import heartbeat_digest
from dispersed_web.signals.models import Bucket
from dispersed_web.teams.models import Team
from tests import factories

# In the middle of a bucket, so that the next minute is in it too
NOW = dt.datetime(2026, 11, 25, 14, 2, tzinfo=dt.UTC)


def make_beating_job(team: Team | None = None, status: str = "RUNNING", **fields: Any) -> tuple[Job, str]:
    """A job with one run, and the token of its heartbeat address."""
    token = secrets.token_urlsafe(32)
    fields = {"heartbeat_digest": heartbeat_digest(token)} | fields
    job = factories.make_job(team or factories.make_team(), status, **fields)
    job.current_run = factories.make_run(job)
    job.run_running_at = job.running_at
    job.save()
    return job, token


def beat_body(**said: Any) -> str:
    """What the script sends, with ``said`` changed."""
    usual = {"v": 1, "seq": 1, "period_s": 60, "gpus": [{"use": 87, "mem": 40}], "cpu": 1.37, "net": 1234567}
    usual |= {"ssh": [{"key_age_s": 12}], "busy": False, "phase": "train", "note": "epoch 3"}
    return json.dumps(usual | said)


def buckets(job: Job) -> list[Bucket]:
    return list(Bucket.objects.filter(run__job=job).order_by("start"))
