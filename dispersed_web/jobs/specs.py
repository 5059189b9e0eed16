"""A job's specification as it is stored: what may be read as plain JSON, what is secret sealed beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import vault
from dispersed_web.dispersed import JobSpec, Secret, Volume
from dispersed_web.dispersed.payload import SECRET_NAME
from dispersed_web.jobs import marker
from dispersed_web.jobs.models import Job, Origin

HEARTBEAT_ENV = "DW_HEARTBEAT_URL"
SECRET_PARTS = ("env", "registry_secret", "volumes")
PLAIN_FIELDS = [f.name for f in fields(JobSpec) if f.name not in ("title", "task", *SECRET_PARTS)]
# Left out of what is stored where they are empty, as in what was stored before they were known.
RARE_FIELDS = frozenset({"image_source"})


def looks_secret(env_name: str) -> bool:
    """Whether a variable of this name is treated as a secret unless its author says otherwise."""
    return bool(SECRET_NAME.search(env_name))


def plain_part(spec: JobSpec, secret_env: frozenset[str]) -> dict[str, Any]:
    """The specification without secrets, as stored and shown. A secret variable keeps its name and loses its value; a
    volume says in ``has_secret`` whether it has one."""
    values = {
        name: _json_value(value)
        for name in PLAIN_FIELDS
        if (value := getattr(spec, name)) or name not in RARE_FIELDS
    }
    if spec.volumes:
        values["volumes"] = [_plain_volume(volume) for volume in spec.volumes]
    values["env"] = [
        {"name": name, "value": None if name in secret_env else value, "secret": name in secret_env}
        for name, value in sorted(spec.env.items())
    ]
    values["has_registry_secret"] = bool(spec.registry_secret)
    return values


@sensitive_variables()
def sealed_part(
    spec: JobSpec, secret_env: frozenset[str], place: vault.Place, heartbeat_token: str = ""
) -> str:
    """The secrets, sealed for ``place``; empty when there are none."""
    secrets: dict[str, Any] = {}
    if env := {name: spec.env[name] for name in sorted(secret_env & set(spec.env))}:
        secrets["env"] = env
    if spec.registry_secret:
        secrets["registry_secret"] = spec.registry_secret.reveal()
    if volumes := {volume.mount: volume.secret.reveal() for volume in spec.volumes if volume.secret}:
        secrets["volumes"] = volumes
    if heartbeat_token:
        secrets["heartbeat_token"] = heartbeat_token
    return vault.seal(json.dumps(secrets), place) if secrets else ""


def heartbeat_digest(token: str) -> str:
    """What is stored of a heartbeat's token for looking it up. It is random, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


@sensitive_variables()
def heartbeat_url(job: Job) -> str:
    """The address at which the job's container says that it is alive and how busy; it grants nothing else. Empty for a
    job that was launched without one. Raises :class:`vault.CannotOpen`."""
    token = _secrets(job).get("heartbeat_token")
    return f"{settings.PUBLIC_URL}/hb/{token}" if token else ""


def place_of(job: Job) -> vault.Place:
    """What the sealed secrets of a job's specification are bound to."""
    return vault.Place("job", job.pk, job.team_id, "spec_secrets")


@sensitive_variables()
def fingerprint(spec: JobSpec, secret_refs: Mapping[str, str] | None = None) -> str:
    """Equal for equal specifications, whatever their titles. Of the secrets of the team in ``secret_refs`` it says which
    they are and nothing of their values, for which ``spec`` has placeholders."""
    body = {**spec.to_body(), "title": "", "description": ""}
    if secret_refs:
        body["secret_refs"] = dict(secret_refs)
    return vault.fingerprint(json.dumps(body, sort_keys=True))


@sensitive_variables()
def restore(job: Job) -> JobSpec:
    """The whole specification, secrets included. Raises :class:`vault.CannotOpen`. Of a job that was not launched here
    the secrets were never known, and are left out."""
    secrets = _secrets(job)
    hidden: Mapping[str, str] = secrets.get("env", {})
    rows = [row for row in job.spec["env"] if job.origin == Origin.LAUNCHED or not row["secret"]]
    env = {row["name"]: hidden[row["name"]] if row["secret"] else row["value"] for row in rows}
    plain = {name: _tuple_if_list(job.spec[name]) for name in PLAIN_FIELDS if name in job.spec}
    registry_secret = Secret(secrets["registry_secret"]) if "registry_secret" in secrets else None
    return JobSpec(
        title=marker.ascii_title(job.title),
        task=job.task,
        env=env,
        registry_secret=registry_secret,
        volumes=tuple(_volume(row, secrets.get("volumes", {})) for row in job.spec.get("volumes") or ()),
        **plain,
    )


@sensitive_variables()
def body_to_send(job: Job) -> dict[str, Any]:
    """The body of the create call: the specification with the marker in title, description and environment."""
    spec = restore(job)
    body = spec.to_body()
    body["title"] = f"{marker.ascii_title(job.title)} {job.marker}"
    body["description"] = f"{spec.description} {job.marker}".strip()
    docker = body["parameters"]["parameters"]
    docker["env"] = {**docker.get("env", {}), marker.ENV_NAME: job.marker}
    if url := heartbeat_url(job):
        docker["env"].setdefault(HEARTBEAT_ENV, url)
    return body


@sensitive_variables()
def _secrets(job: Job) -> dict[str, Any]:
    if not job.spec_secrets_sealed:
        return {}
    secrets: dict[str, Any] = json.loads(vault.unseal(job.spec_secrets_sealed, place_of(job)))
    return secrets


def _plain_volume(volume: Volume) -> dict[str, Any]:
    return {**volume.to_plain(), "has_secret": bool(volume.secret)}


@sensitive_variables()
def _volume(row: Mapping[str, Any], secrets: Mapping[str, str]) -> Volume:
    secret = Secret(secrets[row["mount"]]) if row.get("has_secret") else None
    return Volume.from_plain(row, secret)


def _json_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tuple_if_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
