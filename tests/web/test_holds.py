"""Stops that are held until a person decides: everybody sees them, admins decide, once."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop.models import Hold
from dispersed_web.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SENTENCE = "3 of 4 watched jobs would be stopped for idleness at once."


@pytest.fixture
def team(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    return team


def make_hold(team, count: int = 3, **fields: Any) -> Hold:
    """Quiet jobs of the team, held for six minutes."""
    now = timezone.now()
    quiet = {
        "verdict_state": "due",
        "verdict_rule": "idle",
        "confidence": "high",
        "quiet_since": now - dt.timedelta(minutes=64),
        "idle_limit_now_s": 3600,
        "stop_at": now - dt.timedelta(minutes=6),
        "warned_at": now - dt.timedelta(minutes=20),
    }
    jobs = [factories.make_job(team, title=f"job {n}", **quiet) for n in range(count)]
    opened = now - dt.timedelta(minutes=6)
    values = {"kind": "many_due", "opened_at": opened, "proven_since": opened, "sentence": SENTENCE}
    return Hold.objects.create(team=team, job_ids=[str(job.pk) for job in jobs], **values | fields)


def address(hold: Hold, name: str = "hold", *more: str) -> str:
    return reverse(f"web:{name}", args=[hold.team.slug, hold.pk, *more])


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\u00a0", " ")
    return " ".join(text.split())


def test_the_page_names_the_jobs_what_they_cost_how_long_they_are_quiet_and_what_follows(client, team):
    hold = make_hold(team)
    html = client.get(address(hold))
    text = text_of(html)
    assert SENTENCE in text
    assert "Held for 6 min" in text
    assert "Waiting costs $2.07 /h" in text
    for title in ("job 0", "job 1", "job 2"):
        assert title in text
    assert text.count("1 h 04 min") == 3
    assert "stopped one by one from" in text
    assert address(hold, "hold-ask", "stop") in html.content.decode()
    assert address(hold, "hold-ask", "keep") in html.content.decode()


def test_a_decision_lists_what_it_hits_before_it_is_made(client, team):
    hold = make_hold(team)
    Job.objects.filter(title="job 0").update(status="COMPLETED")
    page = client.get(address(hold, "hold-ask", "stop"))
    assert "<!doctype html>" in page.content.decode()
    part = client.get(address(hold, "hold-ask", "stop"), headers=HTMX)
    assert "<!doctype" not in part.content.decode()
    text = text_of(part)
    assert "Stop 2 jobs?" in text
    assert "$1.38/h" in text
    assert "job 0" not in text
    assert "a stopped job cannot be resumed" in text
    assert client.get(address(hold, "hold-ask", "burn")).status_code == 404


def test_keeping_them_counts_them_as_used(client, team):
    hold = make_hold(team)
    answer = client.post(address(hold, "hold-decide"), {"decision": "keep"}, follow=True)
    assert "their idle time counts anew" in text_of(answer)
    hold.refresh_from_db()
    assert (hold.decision, hold.decided_by) == ("keep", factories.owner_of(team))
    assert Job.objects.filter(confirmed_at__isnull=False).count() == 3


def test_stopping_them_lets_the_engine_go_on(client, team):
    hold = make_hold(team)
    client.post(address(hold, "hold-decide"), {"decision": "stop"})
    hold.refresh_from_db()
    assert hold.decision == "stop"
    assert not Job.objects.filter(confirmed_at__isnull=False).exists()


def test_the_second_to_decide_is_told_who_was_first(client, team):
    hold = make_hold(team)
    client.post(address(hold, "hold-decide"), {"decision": "keep"})
    factories.sign_in(client, factories.make_member(team, "admin"))
    answer = client.post(address(hold, "hold-decide"), {"decision": "stop"}, follow=True)
    assert "decided before" in text_of(answer)
    assert str(factories.owner_of(team)) in text_of(answer)
    hold.refresh_from_db()
    assert hold.decision == "keep"
    text = text_of(client.get(address(hold)))
    assert "Nothing waits here any more" in text
    assert "“Keep these”" in text
    assert "It was decided before" in text_of(client.get(address(hold, "hold-ask", "stop")))


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_members_see_it_and_are_told_whom_to_ask(client, team, role):
    hold = make_hold(team)
    factories.sign_in(client, factories.make_member(team, role))
    answer = client.get(address(hold))
    assert f"An admin of the team decides: {factories.owner_of(team)}" in text_of(answer)
    assert address(hold, "hold-ask", "stop") not in answer.content.decode()
    assert client.get(address(hold, "hold-ask", "stop")).status_code == 403
    assert client.post(address(hold, "hold-decide"), {"decision": "stop"}).status_code == 403
    hold.refresh_from_db()
    assert hold.decided_at is None


def test_strangers_and_other_teams_find_nothing(client, team):
    hold = make_hold(team)
    mine = reverse("web:hold", args=[factories.make_team(owner=factories.owner_of(team)).slug, hold.pk])
    assert client.get(mine).status_code == 404
    factories.sign_in(client, factories.make_user())
    assert client.get(address(hold)).status_code == 404
    assert client.post(address(hold, "hold-decide"), {"decision": "stop"}).status_code == 404
    client.logout()
    assert "login" in client.get(address(hold))["Location"]


def test_an_unknown_decision_or_a_get_decides_nothing(client, team):
    hold = make_hold(team)
    assert client.post(address(hold, "hold-decide"), {"decision": "passed"}).status_code == 404
    assert client.get(address(hold, "hold-decide")).status_code == 405
    hold.refresh_from_db()
    assert hold.decided_at is None


def test_silence_is_asked_about_in_its_own_words(client, team):
    now = timezone.now()
    hold = make_hold(team, kind="all_silent")
    Job.objects.update(quiet_since=None, blind_since=now - dt.timedelta(minutes=7), verdict_state="blind")
    text = text_of(client.get(address(hold)))
    assert "Count the silence" in text
    assert "Silent for" in text
    assert "7 min" in text
    answer = client.post(address(hold, "hold-decide"), {"decision": "stop"}, follow=True)
    assert "goes on without the silent heartbeats" in text_of(answer)


def test_a_hold_that_passed_says_so(client, team):
    hold = make_hold(team, decided_at=timezone.now(), decision="passed")
    assert "It passed by itself" in text_of(client.get(address(hold)))


# On every page -------------------------------------------------------------------------------------------------------


def test_every_page_leads_to_the_decision(client, team):
    hold = make_hold(team)
    for path in (reverse("web:me"), reverse("web:team", args=[team.slug])):
        html = client.get(path).content.decode()
        assert "Many jobs became idle at once; 3 jobs have been held for" in html
        assert f'href="{address(hold)}"' in html
    Hold.objects.update(decided_at=timezone.now(), decision="keep")
    team.bump(team.pk)
    assert "Many jobs became idle at once" not in client.get(reverse("web:me")).content.decode()


def test_the_rows_of_held_jobs_lead_there_on_table_and_home(client, team):
    hold = make_hold(team)
    factories.make_job(team, title="free")
    for path in (reverse("web:jobs", args=[team.slug]), reverse("web:team-home", args=[team.slug])):
        html = client.get(path).content.decode()
        assert "waits for a decision" in html
        assert html.count(f'href="{address(hold)}"') >= 2


def test_home_lists_the_held_jobs_apart_from_what_is_about_to_stop(client, team):
    make_hold(team)
    html = client.get(reverse("web:team-home", args=[team.slug])).content.decode()
    held = re.search(r'aria-labelledby="held-title".*?</section>', html, re.DOTALL)
    assert held
    assert held[0].count('class="row-title"') == 3
    assert 'aria-labelledby="soon-title"' not in html


def test_while_machines_cannot_be_heard_no_time_is_promised(client, team):
    text = text_of(client.get(address(make_hold(team, proven_since=None))))
    assert "these jobs run on until another limit ends them" in text
    assert "stopped one by one" not in text
