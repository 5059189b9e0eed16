"""What stands above every page of the reader's own jobs that were announced to stop."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from dispersed_web.autostop.models import Hold
from dispersed_web.web import own_stops
from tests import factories

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def team(client):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    return team


def warned(team, title="Dev Box", rule="idle", *, minutes=13.5, **fields):
    now = timezone.now()
    told = {
        "status": "RUNNING",
        "lifetime_s": 86400,
        "warned_at": now,
        "warned_for": now,
        "stop_at": now + minutes * MINUTE,
        "verdict_rule": rule,
    }
    return factories.make_job(team, title=title, **told | fields)


def said(client, name="me", *args):
    html = client.get(reverse(f"web:{name}", args=args)).content.decode()
    found = re.search(r'<section class="banners" aria-label="Your jobs">(.+?)</section>', html, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).replace("\u00a0", " ").split("\n") if found else []


def sentence(client, *page):
    return next((line.strip() for line in said(client, *page) if line.strip()), "")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("idle", "“Dev Box” stops in 13 min, unless it is used or extended."),
        ("checkin_unanswered", "Still using “Dev Box”? Without an answer it stops in 13 min."),
        ("max_lifetime", "“Dev Box” stops in 13 min (24 h lifetime)."),
        ("schedule", "“Dev Box” stops in 13 min (schedule)."),
    ],
)
def test_a_job_of_the_reader_that_stops_soon_is_told_on_every_page(client, team, rule, words):
    job = warned(team, rule=rule)
    assert sentence(client) == words
    assert sentence(client, "launch", team.slug) == words
    html = client.get(reverse("web:me")).content.decode()
    assert f'<a href="{reverse("web:job", args=[team.slug, job.pk])}">Open it</a>' in html


def test_pages_that_show_it_anyway_do_not_say_it_twice(client, team):
    job = warned(team)
    for page in (("team-home", team.slug), ("jobs", team.slug), ("inbox",), ("job", team.slug, job.pk)):
        assert sentence(client, *page) == "", page
    other = warned(team, "Second")
    assert sentence(client, "job", team.slug, other.pk).startswith("“Dev Box” stops")


def test_several_are_told_in_one_sentence(client, team):
    for place, title in enumerate("DACB"):
        warned(team, title, minutes=20.5 - place)
    assert sentence(client) == "4 of your jobs stop soon, the first in 17 min: “B”, “C”, “A” and 1 more."
    page = f"{reverse('web:jobs', args=[team.slug])}?show=attention&whose=mine"
    html = client.get(reverse("web:me")).content.decode()
    assert f'<a href="{escape(page)}">Look</a>' in html


def test_what_does_not_concern_the_reader_is_not_told(client, team):
    warned(team, owner=factories.make_member(team))
    warned(team, "Called off", warned_at=None)
    warned(team, "Being stopped", stop_requested_at=timezone.now())
    warned(team, "Over", status="CANCELLED")
    assert sentence(client) == ""


def test_what_is_held_does_not_stop_soon(client, team):
    held = [warned(team), warned(team, "At its lifetime", rule="max_lifetime")]
    ids = [str(job.pk) for job in held]
    Hold.objects.create(team=team, kind="many_due", opened_at=timezone.now(), sentence="Held.", job_ids=ids)
    assert sentence(client).startswith("“At its lifetime” stops")


def test_where_nothing_is_announced_nothing_is_asked_for(client, team, monkeypatch):
    factories.make_job(team)
    monkeypatch.setattr(own_stops, "banner", lambda *_, **__: pytest.fail("asked for"))
    assert sentence(client) == ""


def test_a_title_is_only_text(client, team):
    warned(team, "<b>{x}</b>")
    assert "“&lt;b&gt;{x}&lt;/b&gt;” stops" in client.get(reverse("web:me")).content.decode()
