"""A launch in place of one that was lost: only of the same team, only of a lost one, once, and in one transaction."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import launch
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db


def ask(team, supersedes, form_token="form:1"):
    user = factories.owner_of(team)
    return launch.request(
        launch.Order("T", factories.make_spec(), frozenset(), 3600),
        team=team,
        credential=team.credentials.get(),
        user=user,
        actor=Actor.person(user),
        form_token=form_token,
        now=timezone.now(),
        supersedes=supersedes,
    )


@pytest.fixture
def team():
    team = factories.make_team()
    factories.make_credential(team)
    return team


def test_the_lost_job_names_its_successor(team):
    lost = factories.make_job(team, "UNCONFIRMED")
    job = ask(team, lost.pk)
    lost.refresh_from_db()
    assert lost.superseded_by == job
    assert set(Event.objects.values_list("kind", "subject_id")) == {
        ("job.requested", str(job.pk)),
        ("job.superseded", str(lost.pk)),
    }


def test_a_refused_successor_leaves_no_trace(team):
    foreign = factories.make_job(factories.make_team(), "UNCONFIRMED")
    running = factories.make_job(team, "RUNNING")
    for old in (foreign, running):
        with pytest.raises(LaunchRefused, match="found or replaced"):
            ask(team, old.pk)
    assert not Job.objects.filter(form_token="form:1").exists()
    assert not Job.objects.exclude(superseded_by=None).exists()
    assert not Event.objects.exists()


def test_the_same_form_again_does_not_replace_a_second_time(team):
    lost = factories.make_job(team, "UNCONFIRMED")
    assert ask(team, lost.pk) == ask(team, lost.pk)
    with pytest.raises(LaunchRefused, match="found or replaced"):
        ask(team, lost.pk, form_token="form:2")
