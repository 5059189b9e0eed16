"""Saying that one job is in use, and accepting its price: asked before, done once, and too late when it is too late."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def team(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    return team


def address(job: Job, name: str, *more: str) -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk, *more])


def asked(team) -> Job:
    """A job with an open check-in."""
    now = timezone.now()
    return factories.make_job(
        team,
        created_at=now - dt.timedelta(hours=3),
        verdict_state="warned",
        verdict_rule="checkin_unanswered",
        confidence="low",
        warned_at=now - dt.timedelta(minutes=8),
        warned_for=now + dt.timedelta(minutes=22),
        stop_at=now + dt.timedelta(minutes=22),
    )


def dear(team) -> Job:
    """A job that costs more than the cap stated at its launch."""
    now = timezone.now()
    return factories.make_job(
        team,
        verdict_rule="rate",
        rate_exceeded_at=now,
        rate_cap_usd=Decimal("0.50"),
        warned_at=now,
        stop_at=now + dt.timedelta(minutes=4),
    )


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\u00a0", " ")
    return " ".join(text.split())


def toast(answer: Any) -> str:
    return json.loads(answer["HX-Trigger"])["toast"]["text"]


def test_one_press_answers_the_check_in_and_says_when_the_next_comes(client, team):
    job = asked(team)
    answer = client.post(address(job, "job-in-use"), headers=HTMX)
    assert answer.status_code == 204
    assert "goes on. You are asked again" in toast(answer)
    job.refresh_from_db()
    assert job.confirmed_at is not None
    assert (job.warned_at, job.warned_for) == (None, None)
    assert team.events.get(kind="job.in_use").actor_label == str(factories.owner_of(team))


def test_without_scripts_the_same_is_asked_first(client, team):
    job = asked(team)
    page = client.get(address(job, "job-ask", "in-use"))
    assert "<!doctype html>" in page.content.decode()
    assert "still in use?" in text_of(page)
    assert "You are asked again" in text_of(page)
    assert "$0.69/h" in text_of(page)
    answer = client.post(address(job, "job-in-use"))
    assert answer["Location"] == address(job, "job")


def test_a_hard_limit_is_not_hidden_by_the_answer(client, team):
    job = asked(team)
    Job.objects.filter(pk=job.pk).update(lifetime_s=4 * 3600)
    text = text_of(client.get(address(job, "job-ask", "in-use"), headers=HTMX))
    assert "It still stops" in text
    assert "maximum lifetime" in text


def test_a_price_is_accepted_after_it_was_named(client, team):
    job = dear(team)
    text = text_of(client.get(address(job, "job-ask", "price"), headers=HTMX))
    assert "Accept $0.69/h" in text
    assert "$0.50/h" in text
    answer = client.post(address(job, "job-price"), headers=HTMX)
    assert "goes on at $0.69/h" in toast(answer)
    job.refresh_from_db()
    assert job.rate_accepted_at is not None
    again = client.post(address(job, "job-price"), headers=HTMX)
    assert "no price to accept" in toast(again)
    assert "Nothing to decide" in text_of(client.get(address(job, "job-ask", "price"), headers=HTMX))


@pytest.mark.parametrize("name", ["job-in-use", "job-price"])
def test_too_late_is_said_and_changes_nothing(client, team, name):
    job = factories.make_job(
        team, stop_requested_at=timezone.now(), rate_exceeded_at=timezone.now(), rate_cap_usd=Decimal("0.50")
    )
    assert "Too late" in toast(client.post(address(job, name), headers=HTMX))
    job.refresh_from_db()
    assert (job.confirmed_at, job.rate_accepted_at) == (None, None)


@pytest.mark.parametrize("act", ["in-use", "price"])
def test_the_question_about_a_job_that_is_over_says_so(client, team, act):
    ended, stopping = (
        factories.make_job(team, "COMPLETED"),
        factories.make_job(team, stop_requested_at=timezone.now()),
    )
    assert "has ended" in text_of(client.get(address(ended, "job-ask", act), headers=HTMX))
    assert "being stopped" in text_of(client.get(address(stopping, "job-ask", act), headers=HTMX))


@pytest.mark.parametrize(("act", "name"), [("in-use", "job-in-use"), ("price", "job-price")])
def test_viewers_may_not_and_strangers_find_nothing(client, team, act, name):
    job = dear(team)
    assert client.get(address(job, name)).status_code == 405
    factories.sign_in(client, factories.make_member(team, "viewer"))
    assert client.get(address(job, "job-ask", act)).status_code == 403
    assert client.post(address(job, name)).status_code == 403
    factories.sign_in(client, factories.make_user())
    assert client.post(address(job, name)).status_code == 404
    job.refresh_from_db()
    assert (job.confirmed_at, job.rate_accepted_at) == (None, None)


# Settling what the cloud does not tell ---------------------------------------------------------------------------------


def missing(team, hours: int = 3) -> Job:
    since = timezone.now() - dt.timedelta(hours=hours)
    return factories.make_job(team, missing_since=since, missing_alarmed_at=since)


def test_who_looked_in_the_console_settles_a_job_that_was_lost_sight_of(client, team):
    job = missing(team)
    page = client.get(address(job, "job")).content.decode()
    assert f'href="{address(job, "job-settle")}"' in page
    question = client.get(address(job, "job-settle"))
    assert job.remote_uuid in question.content.decode()
    unticked = client.post(address(job, "job-settle"))
    assert unticked.status_code == 422
    assert "Tick this once you have looked." in unticked.content.decode()
    answer = client.post(address(job, "job-settle"), {"looked": "on"}, follow=True)
    assert "counts as ended" in answer.content.decode()
    assert "It was lost sight of" in answer.content.decode()
    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "lost")


def test_nobody_below_an_admin_settles_a_job_or_is_offered_to(client, team):
    job = missing(team)
    factories.sign_in(client, factories.make_member(team))
    assert address(job, "job-settle") not in client.get(address(job, "job")).content.decode()
    assert client.post(address(job, "job-settle"), {"looked": "on"}).status_code == 403


@pytest.mark.parametrize("make", [lambda team: missing(team, hours=0), factories.make_job])
def test_what_may_still_become_known_is_not_offered_and_not_settled(client, team, make):
    job = make(team)
    assert address(job, "job-settle") not in client.get(address(job, "job")).content.decode()
    assert "Nothing to decide" in client.get(address(job, "job-settle")).content.decode()
    answer = client.post(address(job, "job-settle"), {"looked": "on"}, headers=HTMX)
    assert "still being looked for" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    job.refresh_from_db()
    assert job.is_active
