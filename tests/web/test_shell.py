"""The frame around every page: what it says of the whole team, and where it stays silent."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from tests import factories

pytestmark = pytest.mark.django_db
OLD = "What is shown of the jobs is a while old. Dispersed cannot be reached."


@pytest.fixture
def job(client):
    team = factories.make_team()
    factories.make_credential(
        team,
        listed_at=timezone.now() - dt.timedelta(minutes=20),
        failures=3,
        failure="Dispersed cannot be reached.",
    )
    factories.sign_in(client, factories.owner_of(team))
    return factories.make_job(team)


@pytest.mark.parametrize("name", ["team-home", "team", "launch"])
def test_a_page_that_does_not_say_how_old_the_jobs_are_has_a_banner(client, job, name):
    assert OLD in client.get(reverse(f"web:{name}", args=[job.team.slug])).content.decode()


def test_pages_that_say_it_themselves_have_none(client, job):
    for address in (
        reverse("web:jobs", args=[job.team.slug]),
        reverse("web:job", args=[job.team.slug, job.pk]),
        reverse("web:job-spec", args=[job.team.slug, job.pk]),
    ):
        text = client.get(address).content.decode()
        assert "What is shown of the jobs" not in text
        assert text.count("Dispersed cannot be reached.") == 1


@pytest.mark.parametrize(
    ("count", "said"), [(1, "show 1 running job any more"), (2, "show 2 running jobs any more")]
)
def test_jobs_that_were_lost_sight_of_are_said_everywhere(client, count, said):
    team = factories.make_team()
    factories.sign_in(client, factories.owner_of(team))
    now = timezone.now()
    for _ in range(count):
        factories.make_job(team, missing_since=now, missing_alarmed_at=now)
    assert said in client.get(reverse("web:me")).content.decode()
