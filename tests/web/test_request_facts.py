"""What the audit log and the process logs know of a request."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from dispersed_web.events import context
from dispersed_web.events.models import Event
from tests import factories
from tests.api.caller import Api, make_token

pytestmark = pytest.mark.django_db
AGENT = "Firefox/142\r\nForged: line\x1b[31m " + "x" * 300


def freeze(client: Client, team, **headers: str):
    address = reverse("web:team-freeze", args=[team.slug])
    return client.post(address, {"frozen": "1"}, headers=headers, REMOTE_ADDR="198.51.100.7")


@pytest.fixture
def team(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    return team


def test_an_act_in_the_browser_is_recorded_with_where_it_came_from(client, team) -> None:
    answer = freeze(client, team, user_agent=AGENT)
    event = Event.objects.get(kind="team.frozen")
    assert event.ip_address == "198.51.100.7"
    assert event.user_agent.startswith("Firefox/142  Forged: line [31m")
    assert len(event.user_agent) == 200
    assert event.request_id == answer["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", event.request_id)


def test_so_is_an_act_of_a_program() -> None:
    team = factories.make_team()
    job = factories.make_job(team)
    api = Api(make_token(team))
    answer = api.post(f"/api/v1/jobs/{job.pk}/stop", {"note": ""}, **{"User-Agent": "curl/8"})
    event = Event.objects.get(kind="job.stop_requested")
    assert (event.ip_address, event.user_agent) == ("127.0.0.1", "curl/8")
    assert event.request_id == answer["X-Request-Id"]


def test_outside_of_a_request_there_is_none(client, team) -> None:
    freeze(client, team)
    event = factories.make_event(team)
    assert (event.ip_address, event.user_agent, event.request_id) == (None, "", "")
    assert context.current() == context.NONE


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 37, "two words here", "line\nbreak-1234", "ünïcode-1234"]
)
def test_an_id_that_is_not_well_formed_is_replaced(client, team, settings, given: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answer = freeze(client, team, x_request_id=given, x_forwarded_for="203.0.113.9")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-Id"])


def test_only_a_proxy_names_the_request_and_the_client(client, team, settings) -> None:
    told = {"x_request_id": "edge-0001.abc", "x_forwarded_for": "203.0.113.9"}
    assert freeze(client, team, **told)["X-Request-Id"] != "edge-0001.abc"
    assert Event.objects.get(kind="team.frozen").ip_address == "198.51.100.7"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answer = client.post(reverse("web:team-freeze", args=[team.slug]), {"frozen": "0"}, headers=told)
    event = Event.objects.get(kind="team.unfrozen")
    assert answer["X-Request-Id"] == event.request_id == "edge-0001.abc"
    assert event.ip_address == "203.0.113.9"


def test_an_address_that_is_none_is_left_out(client, team, settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert freeze(client, team, x_forwarded_for="not an address").status_code == 302
    assert Event.objects.get(kind="team.frozen").ip_address is None
