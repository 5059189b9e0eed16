"""A launch in place of one that was lost: only of the same team, only of a lost one, once, and in one transaction."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import launch
from dispersed_web.jobs.adopt import adopt
from dispersed_web.jobs.errors import LaunchRefused
from dispersed_web.jobs.models import Job, UnmanagedJob
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ask(team, supersedes, form_token="form:1"):
    user = factories.owner_of(team)
    return launch.request(
        launch.Order("T", factories.make_spec(), frozenset(), 3600),
        launch.Ask(
            team, team.credentials.get(), user, Actor.person(user), form_token=form_token, now=timezone.now()
        ),
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


def turn_up(job: Job, status: str = "RUNNING") -> Job:
    remote = RemoteJob(uuid="11111111-2222-4333-8444-555555555555", status=status)
    assert adopt(job, remote, NOW, late=True)
    job.refresh_from_db()
    return job


def test_the_lost_job_that_turns_up_is_stopped_and_nothing_else_is(team):
    newer, bystander = factories.make_job(team, "RUNNING"), factories.make_job(team, "RUNNING")
    lost = turn_up(factories.make_job(team, "UNCONFIRMED", superseded_by=newer))
    assert (lost.stop_reason, lost.stop_requested_at, lost.stop_next_at) == ("superseded", NOW, NOW)
    assert Event.objects.filter(kind="job.stop_requested").values_list("subject_id").get() == (str(lost.pk),)
    for other in (newer, bystander):
        other.refresh_from_db()
        assert (other.stop_requested_at, other.stop_next_at) == (None, None)


@pytest.mark.parametrize(("status", "remote", "is_stopped"), [("RUNNING", True, 1), ("FAILED", False, 0)])
def test_it_is_kept_where_its_successor_came_to_nothing(team, status, remote, is_stopped):
    newer = factories.make_job(team, status, **({} if remote else {"remote_uuid": None}))
    lost = turn_up(factories.make_job(team, "UNCONFIRMED", superseded_by=newer))
    assert bool(lost.stop_requested_at) == bool(is_stopped)


def test_a_stop_that_was_asked_for_before_goes_out_at_once_and_stays_whose_it_was(team):
    newer, before = factories.make_job(team, "RUNNING"), NOW - dt.timedelta(minutes=5)
    wish = {"stop_requested_at": before, "stop_reason": "user", "stop_next_at": NOW + dt.timedelta(minutes=1)}
    lost = turn_up(factories.make_job(team, "UNCONFIRMED", superseded_by=newer, **wish))
    assert (lost.stop_reason, lost.stop_requested_at, lost.stop_next_at) == ("user", before, NOW)


def test_what_had_ended_when_it_turned_up_waits_for_a_look_that_says_how(team):
    credential = team.credentials.get()
    lost = factories.make_job(team, "UNCONFIRMED", credential=credential)
    row = {"remote_uuid": "11111111-2222-4333-8444-555555555555", "first_seen_at": NOW, "seen_at": NOW}
    UnmanagedJob.objects.create(credential=credential, status="RUNNING", **row)
    assert turn_up(lost, "COMPLETED").status == "PENDING"
    assert not UnmanagedJob.objects.exists()
