"""Rows from before jobs named their cloud, where two teams might hold one job."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from dispersed_web.events import append_only
from dispersed_web.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [
    ("jobs", "0005_reachable"),
    ("credentials", "0002_credential_seen_since"),
    ("teams", "0004_teamsshkey"),
]


def test_a_job_that_two_teams_hold_stays_with_the_first() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        _two_teams_of_one_cloud()
    finally:
        MigrationExecutor(connection).migrate(newest)
        append_only.remove(connection)  # the migrations put it up again, and other tests delete events
    clouds = {(job.team.slug, job.remote_uuid): job.cloud for job in Job.objects.select_related("team")}
    assert clouds["first", "same"] == clouds["first", None] == clouds["second", "own"] == "dispersed"
    assert clouds["second", "same"].startswith("dispersed#")


def _two_teams_of_one_cloud() -> None:
    models = MigrationExecutor(connection).loader.project_state(BEFORE).apps
    now = timezone.now()
    addresses = {"first": "https://api.dispersed.com", "second": "https://api.compute.x.io"}
    for number, (name, address) in enumerate(addresses.items()):
        team = models.get_model("teams", "Team").objects.create(name=name, slug=name)
        key = models.get_model("credentials", "Credential").objects.create(
            team=team, name="Key", api_url=address, public_key=f"pk_{name}", secret_sealed="x"
        )
        for remote_uuid in ("same", "own" if number else None):
            models.get_model("jobs", "Job").objects.create(
                team=team,
                credential=key,
                title="Old",
                task="BATCH",
                status="COMPLETED" if remote_uuid else "QUEUED",
                spec={},
                spec_fingerprint="x",
                form_token=uuid.uuid4().hex,
                marker=uuid.uuid4().hex[:20],
                send_by=now,
                remote_uuid=remote_uuid,
                created_at=now + dt.timedelta(seconds=number),
            )
