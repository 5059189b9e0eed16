"""Who may call what: every endpoint for every kind of token."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from dispersed_web.api import throttling
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import ApiToken, Membership
from tests import factories
from tests.api.caller import Api, launch_body, make_token, token_of_role

pytestmark = pytest.mark.django_db

READS = ["list", "get", "credentials", "me"]
ACTS = ["launch", "stop", "extend", "in-use", "protect", "unprotect", "accept-rate"]
ACTS += ["change", "hand-over", "star"]
BODIES = {"extend": {"by_s": 600}}
GOOD = {"launch": 201}


class Team:
    def __init__(self) -> None:
        self.team = factories.make_team()
        self.credential = factories.make_credential(self.team)
        self.job = factories.make_job(
            self.team,
            protected_until=timezone.now() + dt.timedelta(hours=1),
            protected_reason="A demo",
        )

    def call(self, act: str, token: str, job_id: object = None):
        api, job = Api(token), f"/api/v1/jobs/{job_id or self.job.pk}"
        if act == "launch":
            return api.launch(launch_body(self.credential))
        if act == "protect":
            until = timezone.now() + dt.timedelta(hours=2)
            return api.post(f"{job}/{act}", {"until": until.isoformat(), "reason": "A demo"})
        if act == "accept-rate":
            Job.objects.update(rate_exceeded_at=timezone.now())
        if act == "change":
            return api.patch(job, {"title": "Renamed", "tags": ["a"]})
        if act == "hand-over":
            return api.post(f"{job}/{act}", {"to": factories.owner_of(self.team).email})
        if act in ACTS:
            return api.post(f"{job}/{act}", BODIES.get(act, {}))
        path = {"list": "/api/v1/jobs", "get": job, "credentials": "/api/v1/credentials", "me": "/api/v1/me"}
        return api.get(path[act])

    def state(self) -> object:
        return list(
            Job.objects.order_by("pk").values_list(
                "pk", "status", "stop_requested_at", "limits_version", "title", "owner", "stars"
            )
        )


@pytest.fixture
def world() -> Team:
    return Team()


@pytest.mark.parametrize("act", READS + ACTS)
def test_an_operating_member_may_do_everything(world, act):
    token = make_token(world.team, factories.make_member(world.team))
    assert world.call(act, token).status_code == GOOD.get(act, 200)


def _revoked(world):
    text = make_token(world.team)
    ApiToken.objects.update(revoked_at=timezone.now())
    return text


def _expired(world):
    text = make_token(world.team)
    ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    return text


def _of_a_removed_member(world):
    user = factories.make_member(world.team, "admin")
    text = make_token(world.team, user)
    Membership.objects.filter(user=user).delete()
    return text


def _of_somebody_inactive(world):
    user = factories.make_member(world.team)
    text = make_token(world.team, user)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    return text


def _forgotten(text):
    ApiToken.objects.all().delete()
    return text


DEAD = {
    "none": lambda world: "",
    "nonsense": lambda world: "dwp_nonsense",
    "not ascii": lambda world: "dwp_\xfc",
    "unknown": lambda world: _forgotten(make_token(world.team)),
    "revoked": _revoked,
    "expired": _expired,
    "of a removed member": _of_a_removed_member,
    "of somebody inactive": _of_somebody_inactive,
}


@pytest.mark.parametrize("kind", DEAD)
def test_a_dead_token_gets_401_and_changes_nothing(world, kind):
    token = DEAD[kind](world)
    before = world.state()
    for act in READS + ACTS:
        answer = world.call(act, token)
        assert answer.status_code == 401, act
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == ("invalid_token" if token else "not_authenticated")
    assert world.state() == before


def test_all_dead_tokens_get_the_same_bytes(world):
    answers = {world.call("get", DEAD[kind](world)).content for kind in list(DEAD)[1:]}
    assert len(answers) == 1


@pytest.mark.parametrize("role", ["viewer", "member"])
@pytest.mark.parametrize("scope", ["read", "operate"])
def test_everybody_in_the_team_may_look(world, role, scope):
    token = token_of_role(world.team, role, scope)
    assert [world.call(act, token).status_code for act in READS] == [200] * len(READS)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("role", "scope", "code"),
    [
        ("owner", "read", "scope_too_small"),
        ("viewer", "read", "scope_too_small"),
        ("viewer", "operate", "role_too_small"),
    ],
)
def test_scope_and_role_must_both_allow_an_act(world, act, role, scope, code):
    token = token_of_role(world.team, role, scope)
    before = world.state()
    answer = world.call(act, token)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == code
    assert world.state() == before


@pytest.mark.parametrize("act", ["get", "stop", "extend"])
def test_another_teams_job_answers_like_none(world, act):
    other = Team()
    token = make_token(world.team)
    before = world.state()
    foreign, absent = world.call(act, token, other.job.pk), world.call(act, token, uuid.uuid4())
    assert foreign.status_code == absent.status_code == 404
    assert foreign.content == absent.content
    assert world.state() == before


def test_another_teams_credential_answers_like_none(world):
    api = Api(make_token(world.team))
    foreign = api.launch(launch_body(Team().credential))
    absent = api.launch(launch_body(world.credential, credential_id=str(uuid.uuid4())))
    assert foreign.status_code == absent.status_code == 400
    assert foreign.content == absent.content
    assert "credential_id" in foreign.json()["error"]["fields"]


def test_lists_hold_the_tokens_team_alone_even_for_a_member_of_both(world):
    other = Team()
    user = factories.make_member(world.team)
    factories.make_member(other.team, "owner", user)
    api = Api(make_token(world.team, user))
    assert [job["id"] for job in api.get("/api/v1/jobs").json()["jobs"]] == [str(world.job.pk)]
    names = [one["id"] for one in api.get("/api/v1/credentials").json()["credentials"]]
    assert names == [str(world.credential.pk)]


def test_a_browser_session_is_no_token(world):
    client = Client()
    factories.sign_in(client, factories.owner_of(world.team))
    assert client.get("/api/v1/jobs").status_code == 401
    assert client.post(f"/api/v1/jobs/{world.job.pk}/stop").status_code == 401


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_only_the_bearer_scheme_is_read(world, scheme):
    header = f"{scheme} {make_token(world.team)}".strip()
    assert Client().get("/api/v1/me", headers={"Authorization": header}).status_code == 401


def test_the_pages_to_read_it_want_a_signed_in_person():
    answer = Client().get("/api/docs/")
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


def test_use_is_noted_on_the_token(world):
    world.call("me", make_token(world.team))
    assert ApiToken.objects.get().last_used_at is not None


def test_a_token_that_runs_wild_is_held_back_alone(world, monkeypatch):
    monkeypatch.setattr(throttling, "CALLS", 3)
    wild, calm = make_token(world.team), make_token(world.team, factories.make_member(world.team))
    assert [world.call("me", wild).status_code for _ in range(3)] == [200] * 3
    answer = world.call("stop", wild)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "throttled"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert not Job.objects.filter(stop_requested_at__isnull=False).exists()
    assert world.call("me", calm).status_code == 200


def test_the_window_slides():
    window, one = throttling.Window(), uuid.uuid4()
    assert not any(window.take(one, float(second)) for second in range(throttling.CALLS // 2))
    assert not any(window.take(one, 50.0) for _ in range(throttling.CALLS // 2))
    assert window.take(one, 59.0) == 1.0
    assert window.take(one, 60.0) == 0.0
    assert window.take(one, 60.5) == 0.5
