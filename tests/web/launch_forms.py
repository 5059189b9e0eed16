"""The launch form as a browser sends it, for the tests of its pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Job, Market
from dispersed_web.teams.models import Team
from tests import factories

RTX_5090 = "0198ac1c-7063-4be8-bb94-57a5bd83548e"
H100 = "7d0c1c7e-52a4-5a10-a3a9-0cb9bd83aaaa"
PRIVATE_KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----"
)


class Fields(HTMLParser):
    """What a browser would send of the page's launch form if somebody pressed Launch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.types: dict[str, str] = {}
        self._inside, self._template = False, False
        self._area = self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = given.get("id") == "launch-form" if tag == "form" else self._inside
        self._template = tag == "template" or self._template
        name = given.get("name", "")
        if tag == "select":
            self._select = ""  # a disabled one is not sent
        if not self._inside or self._template or "disabled" in given:
            return
        if tag == "textarea":
            self._area = name
            self.values[name] = [""]
        elif tag == "select":
            self._select = name
            self.values.setdefault(name, [])
        elif tag == "option" and self._select and ("selected" in given or not self.values[self._select]):
            self.values[self._select] = [given.get("value", "")]
        elif tag == "input" and name:
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str]) -> None:
        kind = self.types[name] = given.get("type", "text")
        if kind not in ("radio", "checkbox"):
            self.values[name] = [given.get("value", "")]
        elif "checked" in given:
            self.values.setdefault(name, []).append(given.get("value", "on"))

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area][0] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "template":
            self._template = False
        if tag == "form":
            self._inside = False


def address(team: Team, name: str = "launch") -> str:
    return reverse(f"web:{name}", args=[team.slug])


def opened(client: Client, team: Team, query: str = "", **extra: Any) -> dict[str, Any]:
    """The fields of a fresh form, as a browser would send them back."""
    answer = client.get(address(team) + query, **extra)
    assert answer.status_code == 200
    return Fields(answer.content.decode()).values


def send(client: Client, team: Team, fields: dict[str, Any], **changes: Any) -> Any:
    return client.post(address(team), {**fields, **changes})


def faults(answer: Any) -> dict[str, str]:
    """The sentences of a refused form, by field."""
    form = answer.context["form"]
    rows = {
        f"env-{number}-{name}": " ".join(texts)
        for number, errors in enumerate(form.env.errors)
        for name, texts in errors.items()
    }
    return {name: " ".join(texts) for name, texts in form.errors.items()} | rows


def env(*rows: Sequence[str], **more: str) -> dict[str, str]:
    """Posted rows of the environment: (name, value) or (name, value, kind)."""
    posted = {"env-TOTAL_FORMS": str(len(rows)), "env-INITIAL_FORMS": "0"}
    for number, (name, value, *kind) in enumerate(rows):
        posted |= {f"env-{number}-name": name, f"env-{number}-value": value}
        posted |= {f"env-{number}-kind": "".join(kind)}
    return posted | more


def member(client: Client, role: str = "member", **fields: Any) -> tuple[Team, User]:
    """A signed-in member of a team that has one healthy credential."""
    team = factories.make_team()
    user = factories.make_member(team, role, factories.make_user(**fields))
    factories.make_credential(team)
    factories.sign_in(client, user)
    return team, user


def only_job() -> Job:
    return Job.objects.get()


def with_market(team: Team, **fields: Any) -> Market:
    """Prices of two GPUs: the RTX 5090 in two regions, the H100 registered but not offered."""
    offer = {"gpu_registry_uuid": RTX_5090, "gpu_label": "RTX 5090", "gpu_count": 1}
    values: dict[str, Any] = {
        "gpus": [
            {"uuid": RTX_5090, "name": "NVIDIA RTX 5090", "vram_gb": 32},
            {"uuid": H100, "name": "NVIDIA H100 80GB", "vram_gb": 80},
        ],
        "offers": [
            {**offer, "region_code": "us-east-1", "hourly_rate_usd": "0.69"},
            {**offer, "region_code": "eu-central-1", "hourly_rate_usd": "0.75"},
            {**offer, "gpu_count": 2, "region_code": "us-east-1", "hourly_rate_usd": "1.38"},
        ],
    }
    return Market.objects.create(credential=team.credentials.get(), **values | fields)


def text_of(answer: Any) -> str:
    """The answer as somebody reads it: without tags, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())
