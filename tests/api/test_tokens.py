"""Tokens at the door: which address they came from, guessing, and the tokens of the team itself."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import Throttle, User
from dispersed_web.events.models import Event
from dispersed_web.jobs import guard, launch_facts
from dispersed_web.jobs.models import Job
from dispersed_web.teams import api_tokens
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import ApiToken
from tests import factories
from tests.api.caller import Api, launch_body, make_service_token, make_token

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def ask(text: str, address: str = "203.0.113.7", **more):
    return Client().get(ME, headers={"Authorization": f"Bearer {text}"}, REMOTE_ADDR=address, **more)


def test_last_use_names_the_address(team):
    assert ask(make_token(team)).status_code == 200
    assert ApiToken.objects.get().last_used_ip == "203.0.113.7"


def test_a_forwarded_address_is_not_believed_without_a_proxy(team):
    ask(make_token(team), HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert ApiToken.objects.get().last_used_ip == "203.0.113.7"


def test_guessing_is_slowed_by_address_and_right_tokens_still_pass(team, monkeypatch):
    monkeypatch.setitem(throttles.RULES, "api_token", throttles.Rule(3, throttles.MINUTE))
    guess, right = "dwp_" + "a" * 36, make_token(team)
    assert [ask(guess).status_code for _ in range(4)] == [401, 401, 401, 429]
    held = ask(guess)
    assert held.json()["error"]["code"] == "throttled"
    assert 1 <= int(held.headers["Retry-After"]) <= 60
    assert ask(guess, "203.0.113.8").status_code == 401
    assert ask(right).status_code == 200
    assert "203.0.113" not in str(list(Throttle.objects.values()))


def test_a_dead_token_is_no_guess(team, monkeypatch):
    monkeypatch.setitem(throttles.RULES, "api_token", throttles.Rule(1, throttles.MINUTE))
    text = make_token(team)
    ApiToken.objects.update(revoked_at=timezone.now())
    assert {ask(text).status_code for _ in range(4)} == {401}


def test_a_token_of_the_team_says_what_it_is(team, document):
    body = Api(make_service_token(team, scope="admin")).get(ME).json()
    assert body["person"] is None
    assert (body["role"], body["token"]["kind"], body["token"]["name"]) == ("admin", "service", "robot")
    assert body["may"] == ["see", "launch", "stop", "extend", "manage_limits"]


def test_it_launches_and_stops_under_its_own_name(team, credential, nudges):
    api = Api(make_service_token(team))
    assert api.launch(launch_body(credential)).status_code == 201
    job = Job.objects.get()
    assert (job.owner.is_service, str(job.owner)) == (True, "robot")
    assert api.post(f"/api/v1/jobs/{job.pk}/stop", {}).status_code == 200
    labels = set(Event.objects.filter(actor_kind="token").values_list("actor_label", flat=True))
    assert labels == {"The API token “robot”"}


def test_its_reading_scope_launches_nothing(team, credential):
    answer = Api(make_service_token(team, scope="read")).launch(launch_body(credential))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_too_small")


def test_what_it_asked_for_and_was_not_sent_dies_with_it(team, credential, nudges):
    text = make_service_token(team)
    Api(text).launch(launch_body(credential))
    token = api_tokens.find(text, timezone.now())
    api_tokens.revoke(token, actor=OPERATOR, now=timezone.now())
    assert Api(text).get(ME).status_code == 401
    launcher = launch_facts.Launcher(Job.objects.get().created_by_id)
    outline = launch_facts.Outline(timezone.now(), quoted_usd=None)
    facts = launch_facts.gather(team, credential, launcher, outline, timezone.now())
    assert guard.refusal(facts).code == "not_allowed"


def test_no_job_is_handed_to_a_service_account(team):
    make_service_token(team)
    address = User.objects.get(is_service=True).email
    job = factories.make_job(team)
    answer = Api(make_token(team)).post(f"/api/v1/jobs/{job.pk}/hand-over", {"to": address})
    assert answer.json()["error"]["code"] == "no_member"


def test_somebody_elses_job_is_handed_over_with_a_token_to_administer(team):
    job, member = factories.make_job(team), factories.make_member(team)
    Job.objects.update(owner=member)
    admin = factories.make_member(team, "admin")
    for scope, status in (("operate", 403), ("admin", 200)):
        api = Api(make_token(team, admin, scope))
        answer = api.post(f"/api/v1/jobs/{job.pk}/hand-over", {"to": factories.owner_of(team).email})
        assert answer.status_code == status
