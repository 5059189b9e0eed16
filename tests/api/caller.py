"""A program that calls the API, and the tokens it calls with."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.credentials.models import Credential
from dispersed_web.events.record import Actor
from dispersed_web.teams import api_tokens
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Membership, Team
from tests import factories


def make_token(team: Team, user: User | None = None, scope: str = "operate", name: str = "ci") -> str:
    """The text of a token of the team for its owner, or for ``user``."""
    user = user or factories.owner_of(team)
    year = dt.timedelta(days=365)
    return api_tokens.create(
        team, user, name=name, scope=scope, lifetime=year, actor=Actor.person(user), now=timezone.now()
    )[1]


def make_service_token(team: Team, scope: str = "operate", name: str = "robot") -> str:
    """The text of a token of the team itself."""
    year = dt.timedelta(days=365)
    return api_tokens.create_service(
        team, name=name, scope=scope, lifetime=year, actor=OPERATOR, now=timezone.now()
    )[1]


def token_of_role(team: Team, role: str, scope: str = "operate") -> str:
    """A token made while its person was an owner, whose role was changed since."""
    user = factories.make_member(team, "owner")
    text = make_token(team, user, scope)
    Membership.objects.filter(team=team, user=user).update(role=role)
    return text


class Api:
    """HTTP with a token; bodies and answers are JSON."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(path, query or None, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.client.post(
            path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers=self.headers | headers,
        )

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.client.patch(
            path, json.dumps(body), content_type="application/json", headers=self.headers
        )

    def launch(self, body: Any, key: str | None = None) -> HttpResponse:
        return self.post("/api/v1/jobs", body, **{"Idempotency-Key": key or uuid.uuid4().hex})


def launch_body(credential: Credential, **changes: Any) -> dict[str, Any]:
    """The smallest BATCH job with one secret; ``None`` takes a field out."""
    body: dict[str, Any] = {
        "credential_id": str(credential.pk),
        "task": "BATCH",
        "title": "Process Dataset",
        "image": "ubuntu",
        "tag": "24.04",
        "gpu_count": 1,
        "gpu_name": "RTX 5090",
        "max_timeout_run_ms": 3_600_000,
        "env": [{"name": "HF_TOKEN", "value": "canary-env-value", "secret": True}],
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def every_field_body(credential: Credential) -> dict[str, Any]:
    """A PERSISTENT job that names every field, with three secrets."""
    return launch_body(
        credential,
        task="PERSISTENT",
        title="Entwicklung für Jürgen",
        description="For the paper",
        registry_host="registry.example.org",
        registry_user="puller",
        registry_secret="canary-registry-secret",
        image_source="registry",
        volumes=[
            {"image": "team/data", "tag": "v3", "mount": "/data", "user": "r", "secret": "canary-volume"},
            {"image": "team/models", "mount": "/models"},
        ],
        cpu_count=8,
        gpu_count=2,
        min_vram_gb=24,
        min_ram_gb=64,
        min_storage_gb=200,
        allowed_region_codes=["us-east-1"],
        max_node_count=2,
        max_retry_count=1,
        max_timeout_assign_ms=600_000,
        max_timeout_start_ms=240_000,
        max_timeout_run_ms=None,
        ports=[22, 8888],
        allowed_ips=["203.0.113.7"],
        ssh_key=factories.SSH_KEY,
        env=[
            {"name": "HF_TOKEN", "value": "canary-env-value"},
            {"name": "MODE", "value": "plain value"},
            {"name": "ODD", "value": " canary-odd ", "secret": True},
        ],
        lifetime_s=7200,
    )
