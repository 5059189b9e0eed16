"""Pages of jobs as they are stored: they say what the pages of jobs say, and cost no query for a job."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from dispersed_web.jobs import figures, queries, stored
from dispersed_web.jobs.list_orders import SORTS
from dispersed_web.jobs.models import ENDED, Job, JobTag
from dispersed_web.jobs.queries import Cursor, JobFilter
from dispersed_web.jobs.states import Status
from dispersed_web.web import banners
from dispersed_web.web.around import HELD_STATES
from dispersed_web.web.jobs import rows
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=123456)
AGO, SOON = NOW - dt.timedelta(minutes=9), NOW + dt.timedelta(minutes=9)
MOMENTS = [
    {"warned_at": AGO, "warned_for": SOON, "stop_at": SOON},
    {"warned_at": AGO, "stop_at": SOON, "verdict_rule": "checkin", "verdict_state": "warned"},
    {"quiet_since": AGO, "idle_limit_now_s": 3600, "verdict_state": "quiet", "verdict_rule": "idle"},
    {"stop_at": SOON, "verdict_rule": "idle", "verdict_state": "active", "confidence": "high"},
    {"blind_since": AGO, "verdict_state": "due", "confidence": "high"},
    {"protected_until": SOON, "protected_reason": "a <long> run"},
    {"stop_requested_at": AGO, "stop_sent_at": AGO},
    {"stop_requested_at": NOW},
    {"missing_since": AGO, "missing_alarmed_at": AGO},
    {"rate_exceeded_at": AGO, "rate_cap_usd": Decimal("0.25"), "quoted_usd": Decimal("0.2")},
    {"reachable_at": AGO, "owner": None, "title": "<b>Bold</b> & “quoted”"},
    {"lifetime_s": None, "ceiling_s": None, "stop_at": None},
]


@pytest.fixture
def team():
    """A job in each status and one in each situation that a row speaks of."""
    team = factories.make_team()
    for place, status in enumerate(Status):
        at = NOW - dt.timedelta(hours=1, minutes=place)
        factories.make_job(team, status, now=NOW, created_at=at, title=f"in {status}")
    for place, fields in enumerate(MOMENTS):
        at = NOW - dt.timedelta(hours=2, minutes=place)
        job = factories.make_job(team, now=NOW, **{"created_at": at, "title": f"moment {place}"} | fields)
        JobTag.objects.create(job=job, team=team, name=f"t{place}")
        JobTag.objects.create(job=job, team=team, name="all")
    return team


def test_rows_say_the_same_of_a_stored_job_and_cost_no_query(team, django_assert_num_queries):
    jobs = queries.page(team.pk, JobFilter(show="all"), NOW).jobs
    page = stored.page(team.pk, JobFilter(show="all"), NOW)

    with django_assert_num_queries(0):
        said = [rows.row(one.job(), NOW, dt.UTC) for one in page.jobs]

    assert said == [rows.row(job, NOW, dt.UTC) for job in jobs]
    assert [one.id for one in page.jobs] == [job.pk for job in jobs]
    assert len(jobs) == len(Status) + len(MOMENTS)


@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_cut_alike_forth_and_back(team, sort):
    wanted = JobFilter(show="all", sort=sort)
    for _ in range(3):
        jobs, page = queries.page(team.pk, wanted, NOW, 5), stored.page(team.pk, wanted, NOW, 5)
        assert [one.id for one in page.jobs] == [job.pk for job in jobs.jobs]
        assert (page.newer, page.older) == (jobs.newer, jobs.older)
        wanted = JobFilter(show="all", sort=sort, cursor=Cursor.read(page.older))
    back = JobFilter(show="all", sort=sort, cursor=Cursor.read(page.newer))
    jobs, page = queries.page(team.pk, back, NOW, 5), stored.page(team.pk, back, NOW, 5)
    assert [one.id for one in page.jobs] == [job.pk for job in jobs.jobs]
    assert (page.newer, page.older) == (jobs.newer, jobs.older)


@pytest.mark.parametrize("minutes", [0, 5, 60])
def test_what_needs_attention_is_asked_for_each_moment(team, minutes):
    """The query of most lists is written once; this one speaks of the moment."""
    factories.make_job(team, now=NOW, title="stopping", stop_requested_at=NOW + dt.timedelta(minutes=1))
    now, wanted = NOW + dt.timedelta(minutes=minutes), JobFilter(show="attention", text="stopping")

    found = stored.page(team.pk, wanted, now).jobs

    assert [one.id for one in found] == [job.pk for job in queries.page(team.pk, wanted, now).jobs]
    assert bool(found) == (minutes >= 5)


def test_a_page_takes_two_queries(team, django_assert_num_queries):
    with django_assert_num_queries(2):
        stored.page(team.pk, JobFilter(show="all"), NOW)


def test_a_page_without_jobs_is_empty():
    page = stored.page(factories.make_team().pk, JobFilter(), NOW)

    assert (page.jobs, page.newer, page.older) == ([], "", "")


def test_figures_in_plain_sql_mean_what_the_lists_mean(team):
    """``moment`` by moment: what counts as soon and as in need of a person stands twice."""
    active = Job.objects.filter(team=team).exclude(status__in=ENDED)
    soon = active.filter(figures.stops_within(figures.SOON, NOW))

    found = figures.figures(team.pk, NOW)

    assert found.attention == active.filter(queries.needs_attention(NOW)).count() > 3
    assert found.stops_soon == soon.count() > 1
    assert found.idle_soon == soon.filter(verdict_rule="idle").count()
    assert found.unfinished == active.count()
    assert found.billing == active.exclude(spending_since=None).count()
    assert found.burning_usd == sum(job.hourly_rate_usd for job in active.exclude(spending_since=None))


def test_counts_for_banners_mean_what_they_say(team):
    factories.make_job(
        team, credential=factories.make_credential(team, refused_at=AGO), now=NOW, task="BATCH"
    )
    active = Job.objects.filter(team=team).exclude(status__in=ENDED)
    stuck = [job for job in active if job.stop_requested_at == AGO]

    found = banners.count(team, NOW)

    assert (found.active, found.keyless, found.missing, found.stuck) == (active.count(), 1, 1, 1)
    assert found.watched == active.filter(task="PERSISTENT", stop_requested_at=None).count()
    assert found.warned == active.filter(warned_at__isnull=False, stop_requested_at=None).count() > 0
    assert found.holdable == sum(
        job.verdict_state in HELD_STATES or job.blind_since is not None for job in active
    )
    assert found.stuck_usd == sum(job.hourly_rate_usd for job in stuck)
