"""Rows for the measures, made in a process with the product's own settings: ``python -m bench.seed ACT <arguments.json``."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import random
import secrets
import sys
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.db.models import OuterRef, Subquery  # noqa: E402
from django.utils import timezone  # noqa: E402

from dispersed_web.accounts.models import User  # noqa: E402
from dispersed_web.credentials import vault  # noqa: E402
from dispersed_web.credentials.clients import secret_place  # noqa: E402
from dispersed_web.credentials.models import Credential  # noqa: E402
from dispersed_web.dispersed import JobSpec  # noqa: E402
from dispersed_web.events.record import Actor  # noqa: E402
from dispersed_web.jobs import launch, marker, specs  # noqa: E402
from dispersed_web.jobs.models import Job, JobRun  # noqa: E402
from dispersed_web.signals.models import BUCKET, Bucket, bucket_start  # noqa: E402
from dispersed_web.teams import api_tokens, keeping  # noqa: E402
from dispersed_web.teams.models import AutostopPolicy, Installation, Membership, Team  # noqa: E402
from dispersed_web.teams.roles import Role  # noqa: E402

BATCH = 1000
FAR = dt.timedelta(days=1)
# What is due later than these is taken for planned by a clock that was wrong, and done at once.
LATEST_SYNC, LATEST_LOOK = dt.timedelta(minutes=9), dt.timedelta(minutes=25)
RATE_USD = Decimal("0.6900")
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f bench"
ENDS = [("COMPLETED", "exited"), ("CANCELLED", "user"), ("FAILED", "cloud")]


def people(team: str, count: int) -> list[str]:
    """Members who are signed in; gives their session keys."""
    found = Team.objects.get(slug=team)
    users = [
        User(email=f"{uuid.uuid4().hex}@bench.example", name=f"Person {i}", password="!")
        for i in range(count)
    ]
    User.objects.bulk_create(users, batch_size=BATCH)
    Membership.objects.bulk_create(
        [Membership(team=found, user=user, role=Role.MEMBER) for user in users], batch_size=BATCH
    )
    store = SessionStore()
    sessions = []
    for user in users:
        data = {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": settings.AUTHENTICATION_BACKENDS[0],
            "_auth_user_hash": user.get_session_auth_hash(),
            "team": team,
        }
        sessions.append(
            Session(
                session_key=uuid.uuid4().hex,
                session_data=store.encode(data),
                expire_date=timezone.now() + FAR,
            )
        )
    Session.objects.bulk_create(sessions, batch_size=BATCH)
    return [session.session_key for session in sessions]


def token(team: str) -> str:
    """An API token of the team's owner."""
    found = Team.objects.get(slug=team)
    user = User.objects.get(memberships__team=found, memberships__role=Role.OWNER)
    actor, now = Actor.person(user), timezone.now()
    return api_tokens.create(found, user, name="bench", scope="operate", lifetime=FAR, actor=actor, now=now)[
        1
    ]


def tokens(team: str, count: int) -> list[str]:
    """Tokens of so many members, one each."""
    found, now = Team.objects.get(slug=team), timezone.now()
    made = []
    for number in range(count):
        user = User.objects.create(
            email=f"{uuid.uuid4().hex}@bench.example", name=f"Launcher {number}", password="!"
        )
        Membership.objects.create(team=found, user=user, role=Role.MEMBER)
        actor = Actor.person(user)
        text = api_tokens.create(
            found, user, name="bench", scope="operate", lifetime=FAR, actor=actor, now=now
        )[1]
        made.append(text)
    return made


def credential_id(team: str) -> str:
    return str(Credential.objects.filter(team__slug=team).earliest("created_at").pk)


def history(team: str, jobs: int, active: int) -> None:
    """A new team with so many jobs, the newest ``active`` of them running, on a credential that the sync leaves alone for
    some minutes (see ``rest``)."""
    now = timezone.now()
    owner = User.objects.create(email=f"owner@{team}.example", name="Ada Owner", password="!")
    made = keeping.create_team(team, owner, actor=keeping.OPERATOR, now=now)
    assert made.slug == team
    key = _credential(
        made, f"pk_sim_{team}", "sk_sim_asleep", sync_due_at=now + LATEST_SYNC, listed_at=now + FAR / 24
    )
    code = Installation.get().code
    for start in range(0, jobs, BATCH):
        rows = [
            _job(made, key, owner, code, now - dt.timedelta(minutes=5 * i + 5), i, is_active=i < active)
            for i in range(start, min(start + BATCH, jobs))
        ]
        Job.objects.bulk_create(rows)
        JobRun.objects.bulk_create([_run(job) for job in rows])


def rest(team: str) -> None:
    """The sync leaves the team's credentials alone for some minutes more: the cloud does not know them."""
    Credential.objects.filter(team__slug=team).update(sync_due_at=timezone.now() + LATEST_SYNC)


def credentials(team: str, pairs: list[tuple[str, str]]) -> list[str]:
    """Working credentials of key pairs that the cloud knows; gives their ids."""
    found = Team.objects.get(slug=team)
    return [str(_credential(found, public, secret, sync_due_at=None).pk) for public, secret in pairs]


def launched(
    team: str, credential: str, remote_uuids: list[str], deadlines: list[float] | None = None
) -> dict[str, str]:
    """Running jobs whose counterparts the cloud has already; gives the ids by the cloud's uuids.

    ``deadlines`` (epoch seconds) are when their lifetimes end; the owner was warned in time.
    """
    found, key = Team.objects.get(slug=team), Credential.objects.get(pk=credential)
    owner = User.objects.get(memberships__team=found, memberships__role=Role.OWNER)
    code, now = Installation.get().code, timezone.now()
    rows = []
    for index, remote_uuid in enumerate(remote_uuids):
        at = now - dt.timedelta(hours=1, milliseconds=index)
        job = _job(found, key, owner, code, at, index, is_active=True)
        job.remote_uuid = remote_uuid
        if deadlines:
            _limit(job, dt.datetime.fromtimestamp(deadlines[index], dt.UTC))
        rows.append(job)
    Job.objects.bulk_create(rows, batch_size=BATCH)
    Team.bump(found.pk)
    return {job.remote_uuid or "": str(job.pk) for job in rows}


def watched(team: str, jobs: int) -> None:
    """A new team that enforces, with so many running jobs whose heartbeats have been quiet for twenty minutes."""
    history(team, jobs, jobs)
    found = Team.objects.get(slug=team)
    AutostopPolicy.objects.update_or_create(team=found, defaults={"mode": "enforce", "observe_until": None})
    begin = timezone.now() - dt.timedelta(hours=2)
    Job.objects.filter(team=found).update(running_at=begin, launched_at=begin, run_running_at=begin)
    JobRun.objects.filter(job__team=found).update(running_at=begin)
    latest = JobRun.objects.filter(job=OuterRef("pk")).values("pk")[:1]
    Job.objects.filter(team=found).update(current_run=Subquery(latest), evaluate_at=timezone.now())
    ids = list(JobRun.objects.filter(job__team=found).values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        Bucket.objects.bulk_create([b for run in ids[start : start + BATCH] for b in _buckets(run)])


def beating(team: str, jobs: int) -> list[str]:
    """Running jobs with an address for heartbeats; gives the tokens."""
    found = Team.objects.get(slug=team)
    owner = User.objects.get(memberships__team=found, memberships__role=Role.OWNER)
    # A key that the sync leaves alone, as the cloud knows nothing of these jobs.
    code, now = Installation.get().code, timezone.now()
    asleep = {"sync_due_at": now + LATEST_SYNC, "listed_at": now + FAR / 24}
    key = _credential(found, "pk_sim_beating", "sk_sim_asleep", **asleep)
    tokens = [secrets.token_urlsafe(32) for _ in range(jobs)]
    rows = [_job(found, key, owner, code, now, i, is_active=True) for i in range(jobs)]
    runs = [_run(job) for job in rows]
    for job, token_of_it in zip(rows, tokens, strict=True):
        job.heartbeat_digest = specs.heartbeat_digest(token_of_it)
    Job.objects.bulk_create(rows, batch_size=BATCH)
    JobRun.objects.bulk_create(runs, batch_size=BATCH)
    for job, run in zip(rows, runs, strict=True):
        job.current_run, job.run_running_at = run, run.running_at
    Job.objects.bulk_update(rows, ["current_run", "run_running_at"], batch_size=BATCH // 5)
    return tokens


def long_log(team: str, credential: str, lines: int) -> str:
    """A job that waits to be sent, whose container's log begins with so many lines; gives its id."""
    found, key = Team.objects.get(slug=team), Credential.objects.get(pk=credential)
    owner = User.objects.get(memberships__team=found, memberships__role=Role.OWNER)
    env = {"SANDBOX_LOG_LINES": str(lines), "SANDBOX_BEHAVIOUR": "reset"}
    spec = JobSpec(
        task="PERSISTENT", title="Long log", image="acme/worker", gpu_count=1, gpu_name="RTX 5090", env=env
    )
    order = launch.Order(spec.title, spec, frozenset(), 24 * 3600, "RTX 5090", RATE_USD)
    ask = launch.Ask(found, key, owner, Actor.person(owner), uuid.uuid4().hex, timezone.now())
    return str(launch.request(order, ask).pk)


def _buckets(run_id: uuid.UUID) -> list[Bucket]:
    """Four of them, a quiet sample a minute."""
    first = bucket_start(timezone.now()) - 3 * BUCKET
    found = []
    for place in range(4):
        start = first + place * BUCKET
        last = min(start + BUCKET - dt.timedelta(seconds=30), timezone.now())
        found.append(
            Bucket(
                run_id=run_id,
                source="heartbeat",
                start=start,
                count=5,
                first_at=start + dt.timedelta(seconds=30)
                if last > start + dt.timedelta(seconds=30)
                else last,
                last_at=last,
                gap=dt.timedelta(minutes=1),
                gpu_top=0,
                cpu_top=0.01,
                ssh_open=0,
            )
        )
    return found


def _limit(job: Job, deadline: dt.datetime) -> None:
    job.lifetime_s = 3600
    job.launched_at = deadline - dt.timedelta(seconds=3600)
    job.warned_for = job.stop_at = job.evaluate_at = deadline
    job.warned_at = deadline - dt.timedelta(minutes=12)


def _credential(team: Team, public: str, secret: str, **fields: Any) -> Credential:
    made = Credential(
        team=team, name=public[-40:], api_url=settings.DISPERSED_URL, public_key=public, **fields
    )
    made.secret_sealed = vault.seal(secret, secret_place(made))
    made.save(force_insert=True)
    return made


@functools.cache
def _spec() -> tuple[dict[str, Any], str]:
    spec = JobSpec(
        task="PERSISTENT",
        title="Fine-tune model",
        image="dispersednetwork/base",
        tag="latest",
        gpu_count=1,
        gpu_name="RTX 5090",
        ssh_key=SSH_KEY,
        ports=(22, 8888),
    )
    return specs.plain_part(spec, frozenset()), specs.fingerprint(spec)


def _job(
    team: Team, key: Credential, owner: User, code: str, at: dt.datetime, index: int, *, is_active: bool
) -> Job:
    title = f"Fine-tune model {index}"
    spec, fingerprint = _spec()
    job = Job(
        team=team,
        credential=key,
        created_by=owner,
        owner=owner,
        created_at=at,
        title=title,
        task="PERSISTENT",
        spec=spec,
        spec_fingerprint=fingerprint,
        form_token=f"form:{uuid.uuid4().hex}",
        marker=marker.new(code),
        gpu_label="RTX 5090",
        quoted_usd=RATE_USD,
        send_by=at + dt.timedelta(minutes=10),
        claims=1,
        maybe_sent=1,
        remote_uuid=str(uuid.uuid4()),
        launched_at=at,
        assigned_at=at + dt.timedelta(seconds=20),
        running_at=at + dt.timedelta(seconds=60),
        evaluate_at=timezone.now() + LATEST_LOOK,
        lifetime_s=30 * 24 * 3600,
        ceiling_s=60 * 24 * 3600,
    )
    _progress(job, at, index, is_active=is_active)
    return job


def _progress(job: Job, at: dt.datetime, index: int, *, is_active: bool) -> None:
    if is_active:
        job.status = job.remote_status = "RUNNING"
        job.hourly_rate_usd, job.spending_since = RATE_USD, job.running_at
        job.stop_at = at + dt.timedelta(seconds=job.lifetime_s or 0)
        return
    job.status, job.reason = ENDS[index % len(ENDS)]
    job.remote_status = job.status
    job.reason_text = "It ended."
    end = at + dt.timedelta(minutes=random.randint(3, 400))
    job.ended_at = job.end_seen_at = min(end, timezone.now())
    job.spent_usd = Decimal(random.randint(100, 90_000)) / 10_000


def _run(job: Job) -> JobRun:
    return JobRun(
        job=job,
        remote_uuid=str(uuid.uuid4()),
        status=job.remote_status,
        started_at=job.assigned_at,
        running_at=job.running_at,
        ended_at=job.ended_at,
        hourly_rate_usd=RATE_USD,
        first_seen_at=job.launched_at,
    )


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (people, token, tokens, credential_id, history, rest, credentials, launched, beating, long_log)
}

if __name__ == "__main__":
    print(json.dumps(ACTS[sys.argv[1]](**json.load(sys.stdin))))
