"""One form, one job: double clicks, reloads, back buttons, tabs, and forms that are old or somebody else's."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from dispersed_web.jobs import form_tokens
from dispersed_web.jobs.models import Job
from tests import factories
from tests.web.launch_forms import Fields, address, env, faults, member, opened, send, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client):
    return member(client)[0]


@pytest.fixture
def fields(client, team):
    return opened(client, team) | {"title": "T", "image": "org/i"}


def test_the_same_form_twice_leads_to_the_same_job(client, team, fields):
    first, second = send(client, team, fields), send(client, team, fields)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"image": "org/other"},
        {"max_timeout_run": "2h"},
        {"task": "PERSISTENT"},
        env(("A", "1")),
        env(("HF_TOKEN", "x")),
        {"title": ""},
    ],
)
def test_a_used_form_launches_nothing_else_and_says_so(client, team, fields, change):
    send(client, team, fields)
    job = Job.objects.get()
    answer = send(client, team, fields | change)
    assert answer.status_code == 409
    assert f"/jobs/{job.pk}/" in answer.content.decode()
    assert "already launched “T”" in text_of(answer)
    assert Job.objects.count() == 1
    kept = Fields(answer.content.decode()).values
    assert kept["title"] == [change.get("title", "T")]
    assert kept["form_token"] != fields["form_token"]


def test_another_lifetime_or_credential_is_another_launch(client, team, fields):
    persistent = fields | {"task": "PERSISTENT", "lifetime": "24h", "reach": "anyone"}
    other = factories.make_credential(team, name="Other")
    send(client, team, persistent)
    assert send(client, team, persistent | {"lifetime": "1h"}).status_code == 409
    assert send(client, team, persistent | {"credential": str(other.pk)}).status_code == 409
    assert send(client, team, persistent).status_code == 302
    assert Job.objects.count() == 1


def test_a_secret_made_plain_is_another_launch(client, team, fields):
    secret = fields | env(("TOKEN", "x"))
    send(client, team, secret)
    assert send(client, team, secret | env(("TOKEN", "x", "plain"))).status_code == 409


def test_a_refused_form_can_be_mended_and_sent_again(client, team, fields):
    refused = send(client, team, fields, title="")
    assert refused.status_code == 422
    mended = Fields(refused.content.decode()).values
    assert mended["form_token"] == fields["form_token"]
    assert send(client, team, mended | {"title": "T"}).status_code == 302
    assert Job.objects.count() == 1


@pytest.mark.parametrize("token", ["", "rubbish", "a:b:c"])
def test_a_form_that_is_not_ours_launches_nothing_and_gets_a_new_token(client, team, fields, token):
    answer = send(client, team, fields, form_token=token)
    assert answer.status_code == 422
    assert "more than a day old" in text_of(answer)
    assert not Job.objects.exists()
    renewed = Fields(answer.content.decode()).values
    assert send(client, team, renewed).status_code == 302


def test_a_form_of_another_person_or_team_launches_nothing(client, team, fields):
    other = factories.make_member(team)
    for token in (
        form_tokens.issue(other.pk, team.pk),
        form_tokens.issue(factories.owner_of(team).pk, factories.make_team().pk),
    ):
        assert send(client, team, fields, form_token=token).status_code == 422
    assert not Job.objects.exists()


def test_a_form_of_yesterday_is_shown_again_with_what_was_typed(client, team):
    with time_machine.travel(timezone.now() - dt.timedelta(hours=25)):
        token = form_tokens.issue(_signed_in(client), team.pk)
    fields = opened(client, team) | {"title": "Typed", "image": "org/i", "form_token": token}
    answer = send(client, team, fields)
    assert answer.status_code == 422
    assert Fields(answer.content.decode()).values["title"] == ["Typed"]
    assert not Job.objects.exists()


def _signed_in(client):
    return int(client.session["_auth_user_id"])


def test_the_same_from_another_form_is_asked_about(client, team, fields):
    second = opened(client, team) | {"title": "T", "image": "org/i"}
    assert "same_again" not in Fields(client.get(address(team)).content.decode()).types
    send(client, team, fields)
    answer = send(client, team, second)
    assert answer.status_code == 422
    assert "less than a minute ago" in faults(answer)["same_again"]
    assert Job.objects.count() == 1
    again = Fields(answer.content.decode())
    assert again.types["same_again"] == "checkbox"
    assert send(client, team, again.values | {"same_again": "on"}).status_code == 302
    assert Job.objects.count() == 2


def test_a_minute_later_or_by_somebody_else_it_is_not(client, team, fields):
    send(client, team, fields)
    Job.objects.update(created_at=timezone.now() - dt.timedelta(seconds=61))
    assert send(client, team, opened(client, team) | {"title": "T", "image": "org/i"}).status_code == 302
    factories.sign_in(client, factories.make_member(team))
    assert send(client, team, opened(client, team) | {"title": "T", "image": "org/i"}).status_code == 302
    assert Job.objects.count() == 3
