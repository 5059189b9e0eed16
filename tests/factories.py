"""Rows for tests, as plain functions: every argument has a default, and what comes out satisfies every constraint."""

from __future__ import annotations

import datetime as dt
import itertools
import time
import uuid
from decimal import Decimal
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.test import Client
from django.utils import timezone

from dispersed_web.accounts import addresses, second_factor
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.accounts.ssh_keys import parse_public_key
from dispersed_web.credentials import team_secrets, vault
from dispersed_web.credentials.clients import secret_place
from dispersed_web.credentials.models import Credential, TeamSecret
from dispersed_web.dispersed import JobSpec
from dispersed_web.events.models import Event
from dispersed_web.events.record import LAUNCHER, Actor, record
from dispersed_web.jobs import marker, specs, states
from dispersed_web.jobs.models import Job, JobRun
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.notifications.models import Channel
from dispersed_web.notifications.webhook import place_of
from dispersed_web.teams.models import Installation, Membership, Team

PASSWORD = "a-long-password-for-tests"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f somebody@laptop"
# What a probe of the simulated cloud learns.
PROBE = {
    "stale_time": [401, "timestamp_out_of_range"],
    "reused_nonce": [401, "nonce_reused"],
    "window_enforced": True,
}
RATE_USD = Decimal("0.6900")

_number = itertools.count(1)


def make_user(
    email: str | None = None, name: str = "", password: str = PASSWORD, ssh_key: str = "", **fields: Any
) -> User:
    """A person who can sign in with ``PASSWORD``; ``ssh_key`` is the public key that their jobs get."""
    user = User.objects.create_user(
        email or f"person{next(_number)}@example.org", password, name=name, **fields
    )
    if not user.is_service:
        addresses.vouch(user)
    if ssh_key:
        give_ssh_key(user, ssh_key)
    return user


def give_ssh_key(user: User, line: str, name: str = "My key", is_default: bool = True) -> SshKey:
    key = parse_public_key(line)
    return SshKey.objects.create(
        user=user, name=name, line=key.line, fingerprint=key.fingerprint, is_default=is_default
    )


def make_team(name: str = "Lab", owner: User | None = None, **fields: Any) -> Team:
    """A team with its owner: ``owner``, or a new person."""
    fields.setdefault("slug", f"lab-{next(_number)}")
    team = Team.objects.create(name=name, **fields)
    make_member(team, "owner", owner)
    return team


def make_member(team: Team, role: str = "member", user: User | None = None) -> User:
    """The person, now in the team with this role."""
    user = user or make_user()
    Membership.objects.create(team=team, user=user, role=role)
    return user


def owner_of(team: Team) -> User:
    return User.objects.filter(memberships__team=team, memberships__role="owner").earliest("pk")


def make_credential(
    team: Team,
    sandbox: Any = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    **fields: Any,
) -> Credential:
    """A healthy credential of the team, its secret sealed. With a ``sandbox`` it has that one's address and a pair
    that it knows: its first that no credential has yet."""
    number = next(_number)
    if sandbox is not None:
        fields.setdefault("api_url", sandbox.url)
        if public_key is None:
            public_key, secret_key = _free_pair(sandbox)
    values: dict[str, Any] = {
        "name": f"Key {number}",
        "api_url": settings.DISPERSED_URL,
        "public_key": public_key or f"pk_sim_test{number:012}",
        "listed_at": timezone.now(),
        "clock_offset_ms": 0,
        "probed_at": timezone.now(),
        "probe": PROBE,
    }
    credential = Credential(team=team, **values | fields)
    if not credential.secret_sealed:
        secret = secret_key or f"sk_sim_test{number:012}"
        credential.secret_sealed = vault.seal(secret, secret_place(credential))
    credential.save(force_insert=True)
    return credential


def _free_pair(sandbox: Any) -> tuple[str, str]:
    taken = set(Credential.objects.filter(api_url=sandbox.url).values_list("public_key", flat=True))
    return next((public, secret) for public, secret, _ in sandbox.keys if public not in taken)


def make_spec(task: str = "PERSISTENT", **fields: Any) -> JobSpec:
    """A specification without problems: a development environment with SSH, or a BATCH job of an hour at most."""
    values: dict[str, Any] = {
        "title": "Development Environment",
        "image": "dispersednetwork/base",
        "tag": "latest",
    }
    values |= {"gpu_count": 1, "gpu_name": "RTX 5090"}
    if task == "PERSISTENT":
        values |= {"ssh_key": SSH_KEY, "ports": (22, 8888)}
    else:
        values |= {"max_timeout_run_ms": 3_600_000}
    return JobSpec(task=task, **values | fields)


def make_job(
    team: Team,
    status: str = "RUNNING",
    *,
    spec: JobSpec | None = None,
    secret_env: frozenset[str] = frozenset(),
    now: dt.datetime | None = None,
    **fields: Any,
) -> Job:
    """A job of the team in ``status``, asked for an hour before ``now``, with what such a job has by then.

    Without a ``credential`` it gets the team's first, or a new one. ``spec`` is stored as a launch stores it, the values
    of ``secret_env`` sealed beside it. ``fields`` overrule everything.
    """
    now = now or timezone.now()
    task = fields.pop("task", spec.task if spec else "PERSISTENT")
    spec = spec or make_spec(task)
    owner = fields.pop("created_by") if "created_by" in fields else owner_of(team)
    credential = fields.pop("credential", None) or team.credentials.first() or make_credential(team)
    created_at = fields.get("created_at", now - dt.timedelta(hours=1))
    values: dict[str, Any] = {
        "title": spec.title,
        "task": task,
        "created_by": owner,
        "owner": owner,
        "created_at": created_at,
        "spec": specs.plain_part(spec, secret_env),
        "spec_fingerprint": specs.fingerprint(spec),
        "form_token": f"form:{uuid.uuid4().hex}",
        "marker": marker.new(Installation.get().code),
        "gpu_label": spec.gpu_name,
        "quoted_usd": RATE_USD,
        "send_by": created_at + dt.timedelta(minutes=10),
        "lifetime_s": team.default_lifetime_s,
        "ceiling_s": team.max_lifetime_s,
        "warn_lead_s": team.warn_lead_s,
    }
    values |= _progress(Status(status), created_at, now)
    if fields.get("stop_requested_at"):
        values |= {"stop_reason": Reason.USER, "stop_token": uuid.uuid4(), "stop_next_at": now}
    job = Job(team=team, credential=credential, status=status, **values | fields)
    if job.spec_secrets_sealed == "":
        job.spec_secrets_sealed = specs.sealed_part(spec, secret_env, specs.place_of(job))
    if job.stop_at is None and job.lifetime_s and job.state in states.IN_CLOUD:
        job.stop_at = (job.launched_at or created_at) + dt.timedelta(seconds=job.lifetime_s)
    job.save(force_insert=True)
    return job


def _progress(status: Status, created_at: dt.datetime, now: dt.datetime) -> dict[str, Any]:
    """What a job that came as far as ``status`` has gathered on its way."""
    values: dict[str, Any] = {}
    if status in states.UNSENT:
        return values | {"send_by": now + dt.timedelta(minutes=10)}
    values |= _sent(created_at)
    if status == Status.LAUNCHING:
        return values | {"lease_until": now + dt.timedelta(minutes=2)}
    if status == Status.UNCONFIRMED:
        return values | {"unknown_since": created_at + dt.timedelta(seconds=20)}
    launched_at = created_at + dt.timedelta(seconds=2)
    values |= {"remote_uuid": str(uuid.uuid4()), "remote_status": status.value, "launched_at": launched_at}
    if status == Status.PENDING:
        return values
    values |= {"assigned_at": launched_at + dt.timedelta(seconds=30)}
    if status not in (Status.ASSIGNED, Status.PREPARING):
        running_at = launched_at + dt.timedelta(seconds=60)
        values |= {"running_at": running_at, "spending_since": running_at, "hourly_rate_usd": RATE_USD}
    if status in states.ENDED:
        values |= {"ended_at": now, "end_seen_at": now, "spending_since": None, "spent_usd": RATE_USD}
        values["reason"] = Reason.EXITED if status == Status.COMPLETED else Reason.CLOUD
        values["reason_text"] = "The job ended by itself." if status == Status.COMPLETED else "It ended."
    return values


def _sent(created_at: dt.datetime) -> dict[str, Any]:
    return {
        "claims": 1,
        "maybe_sent": 1,
        "claim_token": uuid.uuid4(),
        "x_time_ms": int(created_at.timestamp() * 1000),
        "nonce": uuid.uuid4().hex,
        "fence_at": created_at + dt.timedelta(minutes=7),
    }


def make_run(job: Job, **fields: Any) -> JobRun:
    """A run of the job that is as far as the job itself."""
    started_at = job.assigned_at or job.launched_at or job.created_at
    values: dict[str, Any] = {
        "remote_uuid": str(uuid.uuid4()),
        "status": job.remote_status or "PENDING",
        "started_at": started_at,
        "running_at": job.running_at,
        "ended_at": job.ended_at,
        "hourly_rate_usd": job.hourly_rate_usd,
        "first_seen_at": started_at,
    }
    return JobRun.objects.create(job=job, **values | fields)


def make_event(
    team: Team,
    kind: str = "job.requested",
    subject: Any = None,
    sentence: str = "Somebody asked for it.",
    *,
    actor: Actor = LAUNCHER,
    now: dt.datetime | None = None,
    **fields: Any,
) -> Event:
    """An event about ``subject`` (a job, a credential, a team …; without one, about the team)."""
    subject = subject or team
    about = (type(subject).__name__.lower(), subject.pk)
    return record(team.pk, actor, kind, about, sentence, now=now or timezone.now(), **fields)


def make_secret(
    team: Team, name: str = "hf-token", value: str = "hf_canaryTeamSecret7e1b", **fields: Any
) -> TeamSecret:
    """A named secret of the team, added by its owner."""
    user = owner_of(team)
    values = {"user": user, "actor": Actor.person(user), "now": timezone.now()}
    return team_secrets.add(team, name, value, **values | fields)


def make_channel(
    team: Team, url: str = "https://hooks.slack.com/services/T000/B000/canary-9f3a", **fields: Any
) -> Channel:
    """The team's webhook, its address sealed."""
    values: dict[str, Any] = {"kind": "slack", "host": "hooks.slack.com", "tail": url[-4:]}
    channel = Channel(team=team, created_by=owner_of(team), **values | fields)
    channel.url_sealed = vault.seal(url, place_of(channel))
    channel.save(force_insert=True)
    return channel


def sign_in(client: Client, user: User) -> User:
    """Signs the person in without the form, as freshly as the form would, with a second factor where there is one: acts
    that ask who one is do not."""
    client.force_login(user)
    session = client.session
    proofs = ["password", "mfa"] if second_factor.has_one(user.pk) else ["password"]
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": one, "at": time.time()} for one in proofs]
    session.save()
    return user


def give_second_factor(user: User, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> str:
    """An authenticator app for the person; its secret, of which ``totp_code`` makes the codes."""
    TOTP.activate(user, secret)
    return secret


def totp_code(secret: str, steps: int = 0) -> str:
    """The code that the app shows now, or so many half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))
