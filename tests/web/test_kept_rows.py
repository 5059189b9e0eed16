"""Rows of the jobs table that are kept: each is made anew at once when what it shows is another."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.utils import timezone

from dispersed_web.autostop.models import Hold
from dispersed_web.jobs import stored
from dispersed_web.jobs.models import Job, JobTag
from dispersed_web.jobs.queries import JobFilter
from dispersed_web.web import around
from dispersed_web.web.job.lease_words import ALONE, Around
from dispersed_web.web.jobs import kept_rows, rows
from tests import factories

pytestmark = pytest.mark.django_db
# In the middle of the time for which rows are kept
NOW = timezone.now().replace(second=5, microsecond=0)


@pytest.fixture
def team():
    return factories.make_team()


@pytest.fixture
def job(team):
    return factories.make_job(team, now=NOW, title="Train")


@pytest.fixture
def made(monkeypatch):
    """The titles of the rows that were made anew."""
    titles, make = [], rows.row

    def counted(job, *args):
        titles.append(job.title)
        return make(job, *args)

    monkeypatch.setattr(kept_rows.rows, "row", counted)
    return titles


def shown(team, now=NOW, zone: dt.tzinfo = dt.UTC, scene: Around = ALONE, hold: Hold | None = None) -> str:
    jobs = stored.page(team.pk, JobFilter(show="all"), now).jobs
    return kept_rows.table_rows(jobs, now, zone, scene, around.places_of(team, hold))


def test_of_two_rows_only_the_changed_one_is_made_anew(team, job, made):
    factories.make_job(team, now=NOW, title="Serve")
    shown(team)
    made.clear()

    assert "Train" in shown(team)
    assert made == []

    Job.objects.filter(pk=job.pk).update(title="Train again")
    assert "Train again" in shown(team)
    assert made == ["Train again"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "FAILING"}, "Failing"),
        ({"hourly_rate_usd": "7.25"}, "$7.25/h"),
        ({"warned_at": NOW}, "row-warned"),
        ({"protected_until": NOW + dt.timedelta(hours=1), "protected_reason": "Paper"}, "protected until"),
        ({"missing_since": NOW}, "Lost sight of"),
    ],
)
def test_a_change_of_the_job_is_shown_at_once(team, job, fields, words):
    Job.objects.filter(pk=job.pk).update(reachable_at=NOW)
    assert words not in shown(team)
    Job.objects.filter(pk=job.pk).update(**fields)
    assert words in shown(team)


def test_a_change_of_owner_or_tags_is_shown_at_once(team, job):
    assert "Ada" not in shown(team)
    factories.owner_of(team).__class__.objects.filter(pk=job.owner_id).update(name="Ada")
    assert "Ada" in shown(team)
    JobTag.objects.create(job=job, team=team, name="nightly")
    assert "nightly" in shown(team)
    Job.objects.filter(pk=job.pk).update(owner=None)
    assert "left the team" in shown(team)


def test_each_zone_has_its_own_times(team, job):
    Job.objects.filter(pk=job.pk).update(stop_at=NOW + dt.timedelta(days=20))
    kolkata = zoneinfo.ZoneInfo("Asia/Kolkata")
    pages = [shown(team, zone=zone) for zone in (dt.UTC, kolkata, dt.UTC, kolkata)]
    assert pages[0] == pages[2] != pages[1] == pages[3]


def test_a_decision_that_is_open_is_shown_at_once(team, job):
    hold = Hold.objects.create(team=team, kind=Hold.Kind.ALL_SILENT, job_ids=[str(job.pk)], opened_at=NOW)
    assert "Decide" not in shown(team)
    scene = Around(held=frozenset({str(job.pk)}))
    assert f"/holds/{hold.pk}/" in shown(team, scene=scene, hold=hold)
    assert "Decide" not in shown(team)


def test_words_that_change_by_themselves_are_late_by_seconds_only(team, job):
    Job.objects.filter(pk=job.pk).update(reachable_at=NOW, stop_requested_at=NOW, stop_reason="user")
    assert "Stopping" in shown(team)
    assert "Stop not confirmed" in shown(team, now=NOW + dt.timedelta(minutes=4))


def test_rows_of_two_teams_lead_to_their_own(team, job):
    other = factories.make_team("Other")
    factories.make_job(other, now=NOW, title="Theirs")
    for _ in range(2):
        assert f"/t/{team.slug}/jobs/{job.pk}/" in shown(team)
        assert team.slug not in shown(other)
        assert "Theirs" not in shown(team)


def test_only_so_many_are_kept(team, monkeypatch):
    monkeypatch.setattr(kept_rows, "MOST_KEPT", 2)
    kept_rows._kept.clear()
    for place in range(5):
        factories.make_job(team, now=NOW, title=f"job {place}")

    assert all(f"job {place}" in shown(team) for place in range(5))
    assert len(kept_rows._kept) <= 2
