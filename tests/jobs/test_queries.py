from __future__ import annotations

import datetime as dt
import itertools
import re
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dispersed_web.jobs import figures, queries
from dispersed_web.jobs.list_orders import FAR
from dispersed_web.jobs.models import ENDED, Job, JobStar, JobTag
from dispersed_web.jobs.queries import Cursor, JobFilter, read_filter
from tests import factories

NOW = timezone.now()


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


@pytest.fixture
def team(db):
    return factories.make_team()


def titles(team, **wanted) -> list[str]:
    return [job.title for job in queries.page(team.pk, JobFilter(**wanted), NOW).jobs]


@pytest.fixture
def jobs(team):
    """A handful that differs in everything one can look for or sort by."""
    mei = factories.make_member(team, "member", factories.make_user("mei@example.org", "Mei Chen"))
    made = [
        factories.make_job(
            team, "RUNNING", title="beta", created_at=ago(40), running_at=ago(39), spending_since=ago(39)
        ),
        factories.make_job(team, "PENDING", title="Alpha", created_at=ago(30), task="BATCH"),
        factories.make_job(
            team, "COMPLETED", title="gamma", created_at=ago(20), ended_at=ago(5), running_at=ago(19)
        ),
        factories.make_job(team, "UNCONFIRMED", title="delta", created_at=ago(10), created_by=mei),
    ]
    factories.make_job(factories.make_team(), title="of another team")
    return made


def test_the_default_is_what_is_active_newest_first(team, jobs):
    assert titles(team) == ["delta", "Alpha", "beta"]
    assert titles(team, show="all") == ["delta", "gamma", "Alpha", "beta"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "ALPHA"}, ["Alpha"]),
        ({"text": "mei chen"}, ["delta"]),
        ({"text": "mei@"}, ["delta"]),
        ({"text": "%"}, []),
        ({"status": "COMPLETED"}, ["gamma"]),
        ({"status": "RUNNING"}, ["beta"]),
        ({"task": "BATCH"}, ["Alpha"]),
        ({"show": "attention"}, ["delta"]),
        ({"show": "all", "sort": "title"}, ["Alpha", "beta", "delta", "gamma"]),
        ({"show": "all", "sort": "status"}, ["delta", "beta", "Alpha", "gamma"]),
        ({"show": "all", "sort": "runtime"}, ["beta", "gamma"]),
        ({"show": "all", "sort": "cost"}, ["gamma", "beta"]),
        ({"sort": "stops"}, ["beta", "Alpha", "delta"]),
    ],
)
def test_filters_and_orders(team, jobs, wanted, found):
    assert titles(team, **wanted)[: len(found)] == found or found == []
    if "sort" not in wanted:
        assert titles(team, **wanted) == found


def test_marker_and_the_clouds_uuid_find_a_job(team, jobs):
    assert titles(team, text=jobs[0].marker) == ["beta"]
    assert titles(team, text=jobs[0].remote_uuid[:13].upper()) == ["beta"]
    assert titles(team, owner_id=jobs[3].owner_id) == ["delta"]


@pytest.mark.parametrize("sort", queries.SORTS)
@pytest.mark.parametrize("show", ["active", "all"])
def test_pages_forth_and_back_show_each_job_once(team, sort, show):
    for number in range(9):
        status = ("RUNNING", "PENDING", "COMPLETED")[number % 3]
        factories.make_job(team, status, title=f"same {number % 2}", created_at=ago(number // 2), now=NOW)
    whole = [job.pk for job in queries.page(team.pk, JobFilter(show=show, sort=sort), NOW).jobs]
    seen, pages, cursor, now = [], [], None, NOW
    while True:
        page = queries.page(team.pk, JobFilter(show=show, sort=sort, cursor=cursor), now, size=2)
        seen += [job.pk for job in page.jobs]
        pages.append(page)
        if not page.older:
            break
        cursor = Cursor.read(page.older)
        now += dt.timedelta(minutes=7)  # what costs and runs goes on meanwhile
    assert seen == whole
    assert pages[0].newer == ""
    for before, after in itertools.pairwise(pages):
        back = queries.page(
            team.pk, JobFilter(show=show, sort=sort, cursor=Cursor.read(after.newer)), now, size=2
        )
        assert [job.pk for job in back.jobs] == [job.pk for job in before.jobs]


@given(st.text(max_size=60))
def test_a_cursor_that_is_not_ours_is_none(text):
    cursor = Cursor.read(text)
    assert cursor is None or str(cursor)


def test_a_cursor_comes_back_as_it_was_and_needs_no_quoting_in_an_address():
    job_id = uuid.uuid4()
    for sort, key in (
        ("newest", ago(7)),
        ("title", "a~b & ü%+"),
        ("status", 3),
        ("cost", 0.1),
        ("stops", FAR),
    ):
        for back in (True, False):
            cursor = Cursor(sort, NOW, key, job_id, back)
            assert Cursor.read(str(cursor)) == cursor
            assert re.fullmatch(r"[\w~.:%-]+", str(cursor), re.ASCII)


MOMENT, ID = "2025-01-01T00:00:00Z", "84e39907-b675-45ae-b8b0-f8ce15cfd57c"


@pytest.mark.parametrize(
    "parts",
    [
        ("nothing", MOMENT, ID, MOMENT),
        ("newest", "x", ID, MOMENT),
        ("newest", MOMENT[:-1], ID, MOMENT),
        ("newest", MOMENT, "id", MOMENT),
        ("newest", MOMENT, ID, MOMENT[:-1]),
        ("cost", MOMENT, ID, MOMENT),
        ("title", MOMENT, ID, "a%00b"),
        ("title", MOMENT, ID),
    ],
)
def test_a_forged_cursor_is_none(parts):
    sort, *rest = parts
    assert Cursor.read("~".join((sort, "older", *rest))) is None


def test_an_address_is_read_forgivingly():
    wanted = read_filter(
        {"q": " a\0  b ", "status": "running", "task": "?", "sort": "bogus", "whose": "mine"}, 7
    )
    assert wanted == JobFilter(text="a b", status="RUNNING", owner_id=7)
    assert read_filter({"show": "everything", "cursor": "%%%"}, 7) == JobFilter()


def test_a_page_costs_two_queries_however_many_rows(team):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            for job in queries.page(team.pk, JobFilter(show="all"), NOW).jobs:
                assert (str(job.owner) + str(job.shown_tags)) != ""
        return len(captured)

    for _ in range(3):
        factories.make_job(team)
    few = count()
    for _ in range(7):
        factories.make_job(team)
    assert count() == few == 2


def test_a_list_is_narrowed_to_a_tag_a_persons_stars_or_an_owner(team):
    ana, bob = factories.owner_of(team), factories.make_member(team)
    mine, his = (
        factories.make_job(team, title=name, created_by=who) for name, who in (("A", ana), ("B", bob))
    )
    factories.make_job(team, title="C", created_by=ana)
    JobTag.objects.create(job=mine, team=team, name="night run")
    JobTag.objects.create(job=his, team=team, name="night")
    JobStar.objects.create(job=his, user=ana)
    JobStar.objects.create(job=mine, user=bob)
    assert titles(team, tag="night run") == ["A"]
    assert titles(team, starred_by=ana.pk) == ["B"]
    assert titles(team, of_id=bob.pk) == ["B"]
    assert titles(team, of_id=bob.pk, tag="night run") == []


def test_text_is_found_in_tags_and_notes_once_for_each_job(team):
    job = factories.make_job(team, title="A", notes="Why: the NEW loader")
    factories.make_job(team, title="B")
    for name in ("loader one", "loader two"):
        JobTag.objects.create(job=job, team=team, name=name)
    for text in ("new load", "LOADER", "loader t"):
        assert titles(team, text=text) == ["A"]


def test_an_address_names_tag_stars_and_owner():
    assert read_filter({"tag": " Night  RUN\0 ", "whose": "starred"}, 7) == JobFilter(
        tag="night run", starred_by=7
    )
    assert read_filter({"owner": "9", "whose": "mine"}, 7) == JobFilter(of_id=9)
    for odd in ("x", "-1", "9" * 12, "\u0663"):
        assert read_filter({"owner": odd}, 7) == JobFilter()


def test_a_page_carries_no_notes(team):
    factories.make_job(team, title="A", notes="x" * 1000)
    with CaptureQueriesContext(connection) as captured:
        queries.page(team.pk, JobFilter(), NOW)
    assert '"notes"' not in captured[0]["sql"]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="asks for SQLite's own query plans")
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (
            lambda team: (
                Job.objects.filter(team=team).exclude(status__in=ENDED).order_by("-created_at", "-id")[:50]
            ),
            "job_active_of_team",
        ),
        (
            lambda team: Job.objects.filter(team=team, status__in=ENDED, ended_at__gte=NOW),
            "job_ended_of_team",
        ),
        (
            lambda team: Job.objects.filter(team=team).order_by("-created_at", "-id")[:50],
            "job_newest_of_team",
        ),
    ],
)
def test_lists_follow_their_index(team, rows, index):
    assert index in rows(team).explain()


def test_figures_count_what_is_unfinished(team):
    factories.make_job(
        team, "RUNNING", hourly_rate_usd=Decimal("1.5"), stop_at=NOW + dt.timedelta(minutes=30)
    )
    factories.make_job(team, "PENDING")
    factories.make_job(team, "RUNNING", stop_requested_at=ago(5), hourly_rate_usd=Decimal("0.5"))
    factories.make_job(team, "COMPLETED")
    found = figures.figures(team.pk, NOW, Decimal(2))
    assert (found.unfinished, found.billing, found.stops_soon, found.attention) == (3, 2, 1, 1)
    assert found.under_way == 2
    assert found.burning_usd == Decimal("4.0")


def test_the_cost_of_today_begins_at_midnight(team):
    midnight = ago(120)
    rate = Decimal("0.6")
    crossing = factories.make_job(team, "RUNNING")
    factories.make_run(crossing, started_at=ago(240), hourly_rate_usd=rate)
    ended = factories.make_job(team, "COMPLETED", ended_at=ago(60))
    factories.make_run(ended, started_at=ago(90), ended_at=ago(60), hourly_rate_usd=rate)
    yesterday = factories.make_job(team, "COMPLETED", ended_at=ago(200))
    factories.make_run(yesterday, started_at=ago(300), ended_at=ago(200), hourly_rate_usd=rate)
    factories.make_run(factories.make_job(factories.make_team()), started_at=ago(60), hourly_rate_usd=rate)
    assert float(figures.spent_since(team.pk, midnight, NOW)) == pytest.approx(1.2 + 0.3, abs=0.001)


def test_a_listing_that_failed_or_is_old_makes_its_credential_stale(team):
    factories.make_credential(team, name="well", listed_at=ago(0.5))
    factories.make_credential(team, name="old", listed_at=ago(3))
    factories.make_credential(team, name="failing", listed_at=ago(1), failures=1, failure="No answer.")
    sight = figures.sight(team.pk, NOW)
    assert [(one.name, one.failure) for one in sight.stale] == [("failing", "No answer."), ("old", "")]
    assert not any(one.broken for one in sight.stale)
    assert sight.synced_at == ago(3)


def test_a_credential_that_does_not_work_is_stale_and_broken(team):
    factories.make_credential(team, listed_at=ago(0.5), failures=1, failure="Refused.", state="broken")
    (stale,) = figures.sight(team.pk, NOW).stale
    assert stale.broken
