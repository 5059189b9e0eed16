"""The API asked for whatever its own document allows, and for what it forbids, by callers of three kinds: no answer breaks,
none differs from what the document says, and without a token nothing is answered."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dispersed_web.accounts.models import User
from dispersed_web.api import throttling
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Preset, UnmanagedJob
from dispersed_web.teams import invitations
from dispersed_web.teams.models import Invitation, Membership
from tests import factories
from tests.api.caller import make_token, token_of_role
from tests.api.test_schema import OPERATIONS
from tests.web.recipe_scenes import make_recipe

pytestmark = [pytest.mark.crawl, pytest.mark.django_db, pytest.mark.filterwarnings("ignore")]
EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The document promises that at most so many calls a minute are answered; here more are made.
QUICKLY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Installation:
    """A team with one of everything that an address can name."""

    def __init__(self, sandbox: Any) -> None:
        self.team = factories.make_team()
        owner = factories.owner_of(self.team)
        self.credential = factories.make_credential(self.team, sandbox)
        job = factories.make_job(self.team)
        recipe = make_recipe(self.team, owner)
        row = UnmanagedJob.objects.create(
            credential=self.credential,
            remote_uuid="5f3e8f0e-1111-4222-8333-444455556666",
            task="PERSISTENT",
            status="RUNNING",
            first_seen_at=job.created_at,
            seen_at=job.created_at,
        )
        self.ids = {
            "job_id": str(job.pk),
            "recipe_id": str(recipe.pk),
            "preset_id": str(Preset.objects.create(user=owner, team=self.team, name="Mine").pk),
            "row_id": row.pk,
            "number": 1,
            "secret_id": str(factories.make_secret(self.team).pk),
            "invitation_id": str(self._invitation(owner).pk),
        }
        member = factories.make_member(self.team)
        self.ids["membership_id"] = Membership.objects.get(team=self.team, user=member).pk
        self.tokens = {
            "viewer": token_of_role(self.team, "viewer", "read"),
            "member": make_token(self.team, member, "operate"),
            "owner": make_token(self.team, owner, "admin"),
        }

    def _invitation(self, owner: User) -> Invitation:
        return invitations.invite(
            self.team,
            "guest@example.net",
            "member",
            by_mail=True,
            actor=Actor.person(owner),
            now=timezone.now(),
        )[0]


@cache
def document() -> Any:
    """Made once: it is the same for everybody."""
    made = SchemaGenerator().get_schema(public=True)
    return schemathesis.openapi.from_dict(json.loads(json.dumps(made, default=str)))


@pytest.fixture
def installation(sandbox: Any) -> Installation:
    return Installation(sandbox)


def send(case: Case, headers: dict[str, str]) -> Response:
    """The case as a request of Django's test client, its answer as the checks want it. What it stores is taken back."""
    given = case.as_transport_kwargs(base_url="http://testserver")
    prepared = requests.Request(
        method=given["method"],
        url=given["url"],
        params=given.get("params"),
        headers={**(given.get("headers") or {}), **headers},
        data=given.get("data"),
        json=given.get("json"),
    ).prepare()
    throttling.window.forget()
    with transaction.atomic():
        answer = Client(raise_request_exception=False).generic(
            prepared.method,
            prepared.path_url,
            prepared.body or b"",
            content_type=prepared.headers.get("Content-Type", "application/json"),
            headers={
                name: value
                for name, value in prepared.headers.items()
                if name not in ("Content-Length", "Accept-Encoding")
            },
        )
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    named = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, named, content, prepared, 0.1, False)


def fits_a_header(case: Case) -> bool:
    """Whether a program could send it at all."""
    return all(str(value).isascii() and str(value).isprintable() for value in (case.headers or {}).values())


@pytest.mark.parametrize("operation", sorted(OPERATIONS), ids=lambda one: f"{one[0]} {one[1][8:]}")
def test_every_answer_is_as_the_document_says(installation: Installation, operation: tuple[str, str]) -> None:
    method, path = operation
    described = document()[path][method]
    strategy = described.as_strategy(GenerationMode.POSITIVE) | described.as_strategy(GenerationMode.NEGATIVE)
    answered = []

    @QUICKLY
    @given(case=strategy, caller=st.sampled_from(sorted(installation.tokens)))
    def every(case: Case, caller: str) -> None:
        if not fits_a_header(case):
            return
        known = {
            name: installation.ids[name] for name in case.path_parameters or {} if name in installation.ids
        }
        case.path_parameters = {**(case.path_parameters or {}), **known}
        answer = send(case, {"Authorization": f"Bearer {installation.tokens[caller]}"})
        answered.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)
        if len(answered) % 3 == 1:
            assert send(case, {"Authorization": ""}).status_code == 401

    every()
    assert answered
