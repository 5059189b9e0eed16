"""A database from the first state of the product is brought to that of today: nothing in it is lost, and it ends up with
the same tables as a new one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from dispersed_web.accounts.models import SshKey
from dispersed_web.events import append_only
from dispersed_web.jobs.models import Job
from tests.factories import SSH_KEY

pytestmark = pytest.mark.django_db(transaction=True)
FIRST_APPS = ("accounts", "teams", "credentials", "events", "jobs", "notifications")
BEFORE = [
    *((app, "0001_initial") for app in FIRST_APPS),
    ("account", "0009_emailaddress_unique_primary_email"),
    *((app, None) for app in ("recipes", "signals", "autostop")),
]


def test_an_old_database_keeps_what_it_holds_and_becomes_like_a_new_one() -> None:
    new = _tables()
    back = MigrationExecutor(connection)
    back.loader = _StepByStep(connection)
    try:
        back.migrate(BEFORE)
        _people(models := back.loader.project_state([node for node in BEFORE if node[1]]).apps)
        _two_teams_of_one_cloud(models)
    finally:
        upgrade = MigrationExecutor(connection)
        upgrade.migrate(upgrade.loader.graph.leaf_nodes())
        append_only.remove(connection)  # the migrations put it up again, and other tests delete events
    assert _tables() == new
    _everybody_who_could_sign_in_still_can()
    _their_keys_are_kept()
    _a_job_that_two_teams_hold_stays_with_the_first()
    _jobs_belong_to_who_launched_them_and_machines_with_an_address_are_no_news()


class _StepByStep(MigrationLoader):
    """Knows the way through the old states only, not the short one of new databases."""

    def load_disk(self) -> None:
        super().load_disk()
        self.disk_migrations = {key: one for key, one in self.disk_migrations.items() if not one.replaces}


def _tables() -> dict[str, Any]:
    """Columns, keys, indexes and checks of every table of ours, without the names that only the database knows."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model.__module__.startswith("dispersed_web."):
                table = model._meta.db_table
                found[table] = _columns(cursor, table), _rules(cursor, table)
    return found


def _columns(cursor: Any, table: str) -> set[tuple[Any, ...]]:
    described = connection.introspection.get_table_description(cursor, table)
    return {(column.name, column.type_code, column.null_ok, column.default) for column in described}


def _rules(cursor: Any, table: str) -> set[tuple[Any, ...]]:
    rules = connection.introspection.get_constraints(cursor, table)
    sides = ("unique", "primary_key", "check", "index", "foreign_key")
    return {
        (
            name if one["check"] and "unnamed" not in name else "",
            tuple(one["columns"] or ()),
            *map(one.get, sides),
        )
        for name, one in rules.items()
    }


def _people(models: Any) -> None:
    people, addresses = models.get_model("accounts", "User"), models.get_model("account", "EmailAddress")
    new, half, moved = (
        people.objects.create(email=f"{name}@example.org", ssh_public_key=key)
        for name, key in (("New", SSH_KEY), ("half", "not a key"), ("moved", ""))
    )
    assert new.pk
    addresses.objects.create(user_id=half.pk, email="half@example.org", verified=False, primary=False)
    addresses.objects.create(user_id=moved.pk, email="old@example.org", verified=True, primary=True)


def _everybody_who_could_sign_in_still_can() -> None:
    main = EmailAddress.objects.filter(primary=True).order_by("user__id")
    assert [address.email for address in main] == ["new@example.org", "half@example.org", "moved@example.org"]
    assert all(address.verified for address in main)


def _their_keys_are_kept() -> None:
    key = SshKey.objects.get()
    assert (key.user.email.lower(), key.is_default) == ("new@example.org", True)
    assert key.line.split()[:2] == SSH_KEY.split()[:2]


def _two_teams_of_one_cloud(models: Any) -> None:
    now = timezone.now()
    person = models.get_model("accounts", "User").objects.get(email="half@example.org")
    addresses = {"first": "https://api.dispersed.com", "second": "https://api.compute.x.io"}
    for number, (name, address) in enumerate(addresses.items()):
        team = models.get_model("teams", "Team").objects.create(name=name, slug=name)
        key = models.get_model("credentials", "Credential").objects.create(
            team=team, name="Key", api_url=address, public_key=f"pk_{name}", secret_sealed="x"
        )
        for remote_uuid in ("same", "own" if number else None):
            job = models.get_model("jobs", "Job").objects.create(
                team=team,
                credential=key,
                title="Old",
                task="BATCH",
                status="RUNNING" if remote_uuid else "QUEUED",
                spec={},
                spec_fingerprint="x",
                form_token=uuid.uuid4().hex,
                marker=uuid.uuid4().hex[:20],
                send_by=now,
                remote_uuid=remote_uuid,
                created_by=person,
                created_at=now + dt.timedelta(seconds=number),
            )
            if remote_uuid:
                job.current_run = models.get_model("jobs", "JobRun").objects.create(
                    job=job, remote_uuid=f"{name}-{remote_uuid}", status="RUNNING", started_at=now,
                    running_at=now, first_seen_at=now, node_urls=["ssh://198.51.100.7:22"],
                )  # fmt: skip
                job.save()


def _a_job_that_two_teams_hold_stays_with_the_first() -> None:
    clouds = {(job.team.slug, job.remote_uuid): job.cloud for job in Job.objects.select_related("team")}
    assert clouds["first", "same"] == clouds["first", None] == clouds["second", "own"] == "dispersed"
    assert clouds["second", "same"].startswith("dispersed#")


def _jobs_belong_to_who_launched_them_and_machines_with_an_address_are_no_news() -> None:
    assert all(job.owner_id == job.created_by_id is not None for job in Job.objects.all())
    for job in Job.objects.exclude(current_run=None).select_related("current_run"):
        assert job.reachable_at == job.current_run.reachable_at == job.current_run.running_at
        assert job.run_started_at == job.current_run.started_at
