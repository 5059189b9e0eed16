"""The audit log for programs: admins' tokens only, with the pages' filters."""

from __future__ import annotations

import datetime as dt

import pytest

from dispersed_web.events import chain, context
from dispersed_web.events.context import RequestFacts
from dispersed_web.events.record import ENGINE
from dispersed_web.events.security import note_account
from dispersed_web.teams.models import Team
from tests import factories
from tests.api.caller import Api, make_token, token_of_role

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def team() -> Team:
    return factories.make_team()


@pytest.fixture
def admin(team) -> Api:
    return Api(make_token(team, scope="admin"))


def log(team) -> None:
    job = factories.make_job(team)
    with context.within(RequestFacts("203.0.113.9", "curl/8", "r-12345678")):
        factories.make_event(team, "team.frozen", sentence="Frozen.", now=NOW, data={"after": {"a": 1}})
    factories.make_event(team, "job.status", job, "It runs.", actor=ENGINE, now=NOW + dt.timedelta(hours=1))
    factories.make_event(factories.make_team(), sentence="Elsewhere.")
    note_account(factories.owner_of(team), "account.x", "Of an account.", NOW)


def sentences(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["sentence"] for one in answer.json()["events"] if one["kind"] != "token.created"]


def test_it_tells_everything_of_the_teams_events(team, admin) -> None:
    log(team)
    chain.seal_waiting()
    answer = admin.get("/api/v1/events", group="team")
    (event,) = answer.json()["events"]
    assert {
        name: event[name] for name in ("at", "kind", "data", "ip_address", "user_agent", "request_id")
    } == {
        "at": "2026-11-25T12:00:00Z",
        "kind": "team.frozen",
        "data": {"after": {"a": 1}},
        "ip_address": "203.0.113.9",
        "user_agent": "curl/8",
        "request_id": "r-12345678",
    }
    assert event["chain_number"] == 2
    assert len(event["chain_hash"]) == 64
    assert sentences(admin.get("/api/v1/events")) == ["It runs.", "Frozen."]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "job.status"}, ["It runs."]),
        ({"actor": "engine", "group": "job"}, ["It runs."]),
        ({"q": "froz"}, ["Frozen."]),
        ({"ip_address": "203.0.113.9"}, ["Frozen."]),
        ({"since": "2026-11-25T12:30:00Z", "until": "2026-11-25T15:00:00+01:00"}, ["It runs."]),
        ({"until": "2026-11-25T12:30:00Z"}, ["Frozen."]),
        ({"person": 999999}, []),
        ({"subject": "job:00000000-0000-0000-0000-000000000000"}, []),
    ],
)
def test_filters(team, admin, query, expected) -> None:
    log(team)
    assert sentences(admin.get("/api/v1/events", **query)) == expected


def test_pages_follow_each_other(team, admin) -> None:
    for number in range(5):
        factories.make_event(team, "team.frozen", sentence=f"Event {number}.")
    found, cursor = [], {}
    while True:
        answer = admin.get("/api/v1/events", group="team", limit=2, **cursor)
        found.append(sentences(answer))
        if answer.json()["next_cursor"] is None:
            break
        cursor = {"cursor": answer.json()["next_cursor"]}
    assert found == [["Event 4.", "Event 3."], ["Event 2.", "Event 1."], ["Event 0."]]


@pytest.mark.parametrize(
    "query",
    [
        {"group": "x"},
        {"cursor": "x"},
        {"subject": "job"},
        {"ip_address": "x"},
        {"since": "x"},
        {"limit": 0},
        {"y": 1},
    ],
)
def test_what_it_does_not_understand_it_refuses(admin, query) -> None:
    answer = admin.get("/api/v1/events", **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("role", "scope"), [("member", "operate"), ("admin", "operate"), ("member", "admin")]
)
def test_it_takes_an_admin_and_a_token_that_may(team, role: str, scope: str) -> None:
    token = token_of_role(team, role, "operate")
    if scope == "admin":
        team.api_tokens.update(scope="admin")
    assert Api(token).get("/api/v1/events").status_code == 403
