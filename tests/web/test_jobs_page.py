from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import uuid

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop.models import Hold
from dispersed_web.jobs.models import Job, UnmanagedJob
from dispersed_web.teams.models import Team
from dispersed_web.web.cache import ForgivingRedisCache
from dispersed_web.web.jobs import csv_rows
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def team(client):
    team = factories.make_team(default_lifetime_s=7200)
    factories.sign_in(client, factories.owner_of(team))
    return team


@pytest.fixture
def live_cache(redis_server, monkeypatch):
    """A cache that answers, also when an earlier test found it dead a moment ago."""
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    cache.clear()


def jobs_url(team, query: str = "") -> str:
    return reverse("web:jobs", args=[team.slug]) + query


def version_in(html: str) -> str:
    return re.search(r"v=([\d-]+)", html)[1]


def shown(response) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]+)', response.content.decode())


def test_the_page_holds_the_figures_the_filter_and_the_rows(client, team):
    factories.make_job(team, title="Dev", hourly_rate_usd=2, quoted_usd=2)
    html = client.get(jobs_url(team)).content.decode()
    for words in (
        "Burning now",
        "$2.00",
        "Dev",
        "Running",
        "2\u00a0h lifetime",
        "Launch a job",
        "Export as CSV",
    ):
        assert words in html


def test_the_part_is_what_the_page_includes_but_for_the_filter_which_stays(client, team, one_half_minute):
    factories.make_job(team, title="Dev")
    answers = client.get(jobs_url(team)), client.get(jobs_url(team), headers=HTMX)
    page, part = (answer.content.decode() for answer in answers)
    assert "<!doctype html>" in page
    assert "<!doctype" not in part
    form = re.search(r'<form id="jobs-filter".*?</form>\n', page, re.S)[0]
    assert 'name="q"' in form
    assert part.strip() in page.replace(form, '<form id="jobs-filter" data-keep></form>')
    restored = client.get(jobs_url(team), headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert "<!doctype html>" in restored.content.decode()


def test_an_unchanged_poll_is_204_in_three_queries_and_a_change_is_shown(client, team, one_half_minute):
    job = factories.make_job(team, title="Dev")
    version = version_in(client.get(jobs_url(team)).content.decode())
    with CaptureQueriesContext(connection) as queries:
        response = client.get(jobs_url(team, f"?v={version}"), headers=HTMX)
    assert (response.status_code, response.content, len(queries)) == (204, b"", 3)
    Job.objects.filter(pk=job.pk).update(title="Renamed")
    assert client.get(jobs_url(team, f"?v={version}"), headers=HTMX).status_code == 204
    Team.bump(team.pk)
    changed = client.get(jobs_url(team, f"?v={version}"), headers=HTMX)
    assert shown(changed) == ["Renamed"]
    assert version_in(changed.content.decode()) != version
    assert "HX-Push-Url" not in changed
    assert json.loads(changed["HX-Trigger"])["shell"]["active_jobs"] == 1


def test_words_that_time_changes_are_fetched_again_within_half_a_minute(client, team, time_machine):
    factories.make_job(team)
    version = version_in(client.get(jobs_url(team)).content.decode())
    time_machine.move_to(timezone.now() + dt.timedelta(seconds=31))
    assert client.get(jobs_url(team, f"?v={version}"), headers=HTMX).status_code == 200


def test_a_part_that_a_reader_asks_for_sets_the_address(client, team):
    response = client.get(jobs_url(team, "?q=&status=RUNNING&whose=&show=&sort=title"), headers=HTMX)
    assert response["HX-Push-Url"] == jobs_url(team, "?status=RUNNING&sort=title")


def test_all_watchers_share_one_rendering(client, team, live_cache):
    factories.make_job(team, title="Dev")
    with CaptureQueriesContext(connection) as first:
        owners = client.get(jobs_url(team), headers=HTMX)
    factories.sign_in(client, factories.make_member(team, "viewer"))
    with CaptureQueriesContext(connection) as second:
        viewers = client.get(jobs_url(team), headers=HTMX)
    assert len(second) == 4 < len(first)  # who it is, the team, and the reader's own stars
    assert shown(owners) == shown(viewers) == ["Dev"]
    assert "only-looking" in viewers.content.decode()
    assert "only-looking" not in owners.content.decode()
    Job.objects.update(title="New")
    Team.bump(team.pk)
    assert shown(client.get(jobs_url(team), headers=HTMX)) == ["New"]


def test_a_reader_in_another_zone_gets_other_words(client, team, live_cache):
    ended = dt.datetime.combine(timezone.now().date(), dt.time(3, 17), tzinfo=dt.UTC)
    factories.make_job(team, "COMPLETED", ended_at=ended)
    assert "03:17" in client.get(jobs_url(team, "?show=all")).content.decode()
    tokyo = factories.make_user(time_zone="Asia/Tokyo")
    factories.sign_in(client, factories.make_member(team, "member", tokyo))
    assert "12:17" in client.get(jobs_url(team, "?show=all")).content.decode()


def test_ten_rows_more_cost_no_query_more(client, team):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(jobs_url(team))
        return len(queries)

    client.get(jobs_url(team))
    for _ in range(10):
        factories.make_job(team)
    ten = count()
    for _ in range(10):
        factories.make_job(team, created_by=factories.make_member(team))
    assert count() == ten


@pytest.mark.parametrize(
    ("statuses", "query", "words"),
    [
        ([], "", "No jobs yet"),
        (["COMPLETED"], "", "Nothing runs, nothing costs"),
        (["RUNNING"], "?q=zzz", "No job matches"),
        (["RUNNING"], "?show=attention", "Nothing needs attention"),
        (["RUNNING"], "?status=PENDING", "No job matches"),
    ],
)
def test_an_empty_table_says_why(client, team, statuses, query, words):
    for status in statuses:
        factories.make_job(team, status)
    assert words in client.get(jobs_url(team, query)).content.decode()


@pytest.mark.parametrize(
    ("fields", "ms"),
    [
        (None, 30000),
        ({"status": "COMPLETED"}, 30000),
        ({"status": "RUNNING"}, 5000),
        ({"status": "PENDING"}, 2000),
    ],
)
def test_the_page_asks_as_often_as_something_moves(client, team, fields, ms):
    if fields:
        factories.make_job(team, **fields)
    assert f'data-poll-ms="{ms}"' in client.get(jobs_url(team)).content.decode()


def test_jobs_that_were_not_launched_here_are_shown_apart(client, team):
    credential = factories.make_credential(team, name="main")
    now = timezone.now()
    UnmanagedJob.objects.create(
        credential=credential, remote_uuid="0193-x", title="theirs", task="BATCH", status="RUNNING", first_seen_at=now,
        seen_at=now, hourly_rate_usd=3, created_at=now - dt.timedelta(hours=1),
    )  # fmt: skip
    html = client.get(jobs_url(team)).content.decode()
    assert "Not launched here" in html
    assert "theirs" in html
    assert "$3.00/h not from here" in html


def test_old_data_is_shown_with_its_age_and_cause(client, team):
    credential = factories.make_credential(team, name="main")
    factories.make_job(team)
    assert "shown as of" not in client.get(jobs_url(team)).content.decode()
    credential.listed_at, credential.failures = timezone.now() - dt.timedelta(minutes=9), 3
    credential.failure = "Dispersed cannot be reached."
    credential.save()
    html = client.get(jobs_url(team)).content.decode()
    assert "Jobs on “main” are shown as of" in html
    assert "Dispersed cannot be reached." in html
    assert "Stops are still sent." in html


def test_a_credential_that_does_not_work_promises_no_stops(client, team):
    job = factories.make_job(team)
    credential = job.credential
    credential.listed_at, credential.failures = timezone.now() - dt.timedelta(minutes=9), 3
    credential.failure, credential.state = "Dispersed refuses the key.", "broken"
    credential.save()
    for address in (jobs_url(team), reverse("web:job", args=[team.slug, job.pk])):
        html = client.get(address).content.decode()
        assert "Dispersed refuses the key. Stops are tried, but may not get through." in html
        assert "Stops are still sent." not in html


def test_nothing_of_another_team_is_seen(client, team):
    other = factories.make_team()
    factories.make_job(other, title="theirs alone")
    assert client.get(jobs_url(other)).status_code == 404
    assert "theirs alone" not in client.get(jobs_url(team, "?show=all")).content.decode()


@pytest.mark.parametrize("name", ["jobs", "jobs-csv"])
def test_a_stranger_is_asked_to_sign_in(client, name):
    team = factories.make_team()
    response = client.get(reverse(f"web:{name}", args=[team.slug]))
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_the_order_by_stop_time_is_the_order_of_what_the_rows_say(client, team):
    now = timezone.now()

    def job(title: str, **fields) -> None:
        factories.make_job(team, title=title, **fields)

    job("never", lifetime_s=None, ceiling_s=None)
    job("tomorrow", stop_at=now + dt.timedelta(hours=20), verdict_rule="idle")
    job("soon", stop_at=now + dt.timedelta(minutes=9), verdict_rule="checkin_unanswered")
    job(
        "being stopped", stop_at=now + dt.timedelta(hours=30), stop_requested_at=now - dt.timedelta(seconds=5)
    )
    job("due", stop_at=now - dt.timedelta(seconds=2), verdict_rule="idle")
    job("stuck", stop_at=now + dt.timedelta(hours=30), stop_requested_at=now - dt.timedelta(minutes=9))
    response = client.get(jobs_url(team, "?sort=stops"))
    assert shown(response) == ["stuck", "being stopped", "due", "soon", "tomorrow", "never"]
    cells = re.findall(
        r'class="cell-stops col-stops"><span class="line-1">(.*?)</span>', response.content.decode()
    )
    said = [re.sub(r"<[^>]+>", "", cell).replace("\u00a0", " ") for cell in cells]
    assert said[:3] == ["trying again", "now", "now"]
    assert said[3] in ("in 8 min", "in 9 min")
    assert said[5] == "never by itself"


def test_the_figures_tell_idleness_from_limits_and_what_quiet_jobs_cost(client, team):
    now = timezone.now()
    quiet = {"quiet_since": now - dt.timedelta(minutes=9), "idle_limit_now_s": 3600, "verdict_rule": "idle"}
    factories.make_job(team, stop_at=now + dt.timedelta(minutes=51), **quiet)
    factories.make_job(team, stop_at=now + dt.timedelta(minutes=20), verdict_rule="max_lifetime")
    factories.make_job(
        team, stop_at=now + dt.timedelta(minutes=59), verdict_rule="idle", verdict_state="active"
    )
    html = client.get(jobs_url(team)).content.decode()
    assert "3 jobs, $0.69/h quiet" in html
    assert "1 for idleness, 1 by its limits" in html


def test_a_decision_that_waits_costs_one_query_for_all_rows(client, team):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(jobs_url(team), headers=HTMX)
        return len(queries)

    jobs = [factories.make_job(team) for _ in range(4)]
    client.get(jobs_url(team), headers=HTMX)
    before = count()
    Hold.objects.create(
        team=team,
        kind="many_due",
        opened_at=timezone.now(),
        sentence="x",
        job_ids=[str(job.pk) for job in jobs],
    )
    # What the banner says of the held jobs is one more.
    assert count() <= before + 1


# CSV -----------------------------------------------------------------------------------------------------------------


def test_the_csv_has_every_job_of_the_filter_and_no_formula(client, team):
    factories.make_job(team, title='=HYPERLINK("http://x","y"), and\na line')
    factories.make_job(team, "COMPLETED", title="plain")
    response = client.get(reverse("web:jobs-csv", args=[team.slug]) + "?show=all")
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sorted(row["title"] for row in table) == ['\'=HYPERLINK("http://x","y"), and\na line', "plain"]
    assert {row["status"] for row in table} == {"RUNNING", "COMPLETED"}
    active = client.get(reverse("web:jobs-csv", args=[team.slug]))
    assert b"plain" not in b"".join(active.streaming_content)


def test_the_csv_says_what_auto_stop_thinks(client, team):
    now = timezone.now()
    since = now - dt.timedelta(minutes=12)
    factories.make_job(
        team,
        title="a",
        verdict_state="quiet",
        verdict_rule="idle",
        quiet_since=since,
        stop_at=now + dt.timedelta(minutes=48),
    )
    factories.make_job(team, title="b", verdict_rule="idle", stop_requested_at=now, stop_reason="schedule")
    factories.make_job(
        team, "COMPLETED", title="c", verdict_state="quiet", verdict_rule="idle", quiet_since=since
    )
    response = client.get(reverse("web:jobs-csv", args=[team.slug]) + "?show=all")
    table = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode(), newline=""))
    rows = {row["title"]: row for row in table}
    names = ("autostop_state", "autostop_reason", "quiet_since")
    assert [rows["a"][name] for name in names] == ["quiet", "idle", since.isoformat(timespec="seconds")]
    assert rows["a"]["stops_at"]
    assert [rows["b"][name] for name in names] == ["stopping", "schedule", ""]
    assert [rows["c"][name] for name in (*names, "stops_at")] == [""] * 4


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=x", "\0x", "  =1", "\uff1d1", "\uff20x"]
)
def test_no_cell_begins_like_a_formula(text):
    assert csv_rows.safe(text) == f"'{text}"


def test_other_cells_stay_as_they_are():
    assert csv_rows.safe("a=b") == "a=b"
    assert csv_rows.safe(None) == ""
    assert csv_rows.safe(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)) == "2026-01-02T03:04:05+00:00"


# Several at once -----------------------------------------------------------------------------------------------------


def ask(team, act: str, *jobs: Job) -> str:
    query = "&".join(f"job={job.pk}" for job in jobs)
    return reverse("web:jobs-ask", args=[team.slug, act]) + f"?{query}"


def test_what_is_about_to_be_stopped_is_listed_with_its_cost(client, team):
    one = factories.make_job(team, title="one", hourly_rate_usd="1.25")
    two = factories.make_job(team, "PENDING", title="two", quoted_usd="0.75")
    over = factories.make_job(team, "COMPLETED", title="over")
    html = client.get(ask(team, "stop", one, two, over), headers=HTMX).content.decode()
    assert "Stop 2 jobs" in html
    assert "$2.00/h" in html
    assert "over" not in re.findall(r'asked-title">([^<]+)', html)
    assert "1 chosen job is left out" in html
    assert "<!doctype html>" in client.get(ask(team, "stop", one)).content.decode()
    assert "none of the chosen jobs" in client.get(ask(team, "extend", over)).content.decode()


def test_several_are_stopped_and_another_teams_is_not(client, team):
    mine = [factories.make_job(team) for _ in range(2)]
    theirs = factories.make_job(factories.make_team())
    data = {
        "act": "stop",
        "note": "end of day",
        "job": [mine[0].pk, mine[1].pk, theirs.pk, "nonsense", uuid.uuid4()],
    }
    response = client.post(reverse("web:jobs-bulk", args=[team.slug]), data)
    assert response["Location"] == jobs_url(team)
    assert Job.objects.filter(stop_requested_at__isnull=False, stop_note="end of day").count() == 2
    theirs.refresh_from_db()
    assert theirs.stop_requested_at is None


def test_several_are_extended_each_from_its_own_stop(client, team):
    jobs = [factories.make_job(team) for _ in range(2)]
    over = factories.make_job(team, "COMPLETED")
    data = {"act": "extend", "by": "60", "job": [job.pk for job in [*jobs, over]]}
    response = client.post(reverse("web:jobs-bulk", args=[team.slug]), data, headers=HTMX)
    assert response.status_code == 204
    assert "2 jobs extended. 1 job left" in json.loads(response["HX-Trigger"])["toast"]["text"]
    for job in jobs:
        before = job.stop_at
        job.refresh_from_db()
        assert job.extend_until == before + dt.timedelta(hours=1)


def test_several_are_said_to_be_in_use(client, team):
    used = [factories.make_job(team, title="used", warned_at=timezone.now()) for _ in range(2)]
    others = [
        factories.make_job(team, task="BATCH", title="batch"),
        factories.make_job(team, "PENDING", title="pending"),
        factories.make_job(team, "COMPLETED", title="over"),
    ]
    html = client.get(ask(team, "in-use", *used, *others), headers=HTMX).content.decode()
    assert "Still in use: 2 jobs?" in html
    assert re.findall(r'asked-title">([^<]+)', html) == ["used", "used"]
    assert "3 chosen jobs are left out" in html
    assert "$1.38/h" in html
    data = {"act": "in-use", "job": [job.pk for job in [*used, *others]]}
    response = client.post(reverse("web:jobs-bulk", args=[team.slug]), data, headers=HTMX)
    assert "2 jobs said to be in use" in json.loads(response["HX-Trigger"])["toast"]["text"]
    assert set(Job.objects.filter(confirmed_at__isnull=False)) == set(used)
    assert not Job.objects.filter(warned_at__isnull=False).exists()


def test_what_is_about_to_be_extended_says_when_it_stops_now_and_why(client, team):
    job = factories.make_job(
        team,
        title="one",
        verdict_rule="idle",
        quiet_since=timezone.now(),
        stop_at=timezone.now() + dt.timedelta(hours=1),
    )
    html = client.get(ask(team, "extend", job), headers=HTMX).content.decode()
    text = re.sub(r"<[^>]+>", "", html).replace("\u00a0", " ")
    assert re.search(r"Running, stops in (59 min|1 h 00 min) \(idle, unless used\)", text)
    assert 'value="240"' in html


def test_twenty_jobs_more_to_extend_cost_few_queries_more(client, team):
    def count(jobs: list[Job]) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(ask(team, "extend", *jobs), headers=HTMX)
        return len(queries)

    jobs = [factories.make_job(team) for _ in range(22)]
    for job in jobs:
        job.current_run = factories.make_run(job)
        job.save()
    count(jobs[:2])
    assert count(jobs) <= count(jobs[:2]) + 2


@pytest.mark.parametrize("act", ["stop", "extend", "in-use"])
def test_a_viewer_may_not_and_an_unknown_act_is_nothing(client, team, act):
    job = factories.make_job(team)
    assert client.get(ask(team, "delete", job)).status_code == 404
    bulk = reverse("web:jobs-bulk", args=[team.slug])
    assert client.post(bulk, {"act": "delete", "job": job.pk}).status_code == 404
    assert client.get(bulk).status_code == 405
    factories.sign_in(client, factories.make_member(team, "viewer"))
    assert client.get(ask(team, act, job)).status_code == 403
    assert client.post(bulk, {"act": act, "job": job.pk}).status_code == 403
    factories.sign_in(client, factories.make_user())
    assert client.get(ask(team, act, job)).status_code == 404
    assert client.post(bulk, {"act": act, "job": job.pk}).status_code == 404
    job.refresh_from_db()
    assert (job.stop_requested_at, job.extend_until, job.confirmed_at) == (None, None, None)
