"""The page of a log: its end or a part of it, lines for its script, search, a file; who may not see it."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.jobs import log_keeping, log_store
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import Job, JobRun, RunLog
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def team():
    return factories.make_team()


@pytest.fixture
def signed_in(client: Client, team) -> Client:
    factories.sign_in(client, factories.owner_of(team))
    return client


def at(job: Job, more: str = "") -> str:
    return reverse("web:job-logs", args=[job.team.slug, job.pk]) + more


def kept(team, text: str, **fields) -> Job:
    """A job that ended, with a kept log."""
    job = factories.make_job(team, "COMPLETED")
    keep(factories.make_run(job, status="COMPLETED", ended_at=timezone.now()), text, **fields)
    return job


def keep(run: JobRun, text: str, **fields) -> None:
    lines = Lines.of(text)
    values = {"is_final": True, "fetched_at": timezone.now()} | fields
    RunLog.objects.create(run=run, content=lines.pack(), **values)


def numbered(count: int) -> str:
    return "\n".join(f"line {number}" for number in range(1, count + 1))


def shown(response) -> list[int]:
    assert response.status_code == 200
    return [int(number) for number in re.findall(r'id="L(\d+)"', response.content.decode())]


def data(client: Client, job: Job, **query):
    response = client.get(at(job), {"data": "", **query})
    assert response.status_code == 200
    return json.loads(response.content)


# Without scripts -------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_end_and_leads_to_what_is_before_it(signed_in, team):
    job = kept(team, numbered(1200))
    page = signed_in.get(at(job))
    assert shown(page) == list(range(701, 1201))
    assert "Lines 701 to 1200 of 1200" in page.content.decode()
    assert 'href="?from=201">Earlier lines' in page.content.decode()
    page = signed_in.get(at(job, "?from=201"))
    assert shown(page) == list(range(201, 701))
    assert 'href="?from=1">Earlier' in page.content.decode()
    assert 'href="?from=701">Later' in page.content.decode()
    assert shown(signed_in.get(at(job, "?from=99999"))) == list(range(701, 1201))


def test_an_address_of_a_line_opens_there_and_marks_it(signed_in, team):
    page = signed_in.get(at(kept(team, numbered(2000)), "?line=1000"))
    assert shown(page) == list(range(900, 1400))
    assert 'class="log-line is-target" id="L1000"' in page.content.decode()


@pytest.mark.parametrize(
    "more", ["?line=0", "?line=x", "?from=-1", "?line=999999999", "?q=%00", "?run=x", "?from=٣"]
)
def test_an_odd_address_shows_a_page(signed_in, team, more):
    assert shown(signed_in.get(at(kept(team, numbered(5)), more))) == [1, 2, 3, 4, 5]


def test_a_search_works_beyond_what_is_shown_and_steps_both_ways(signed_in, team):
    lines = [f"line {number}" for number in range(1, 3001)]
    for number in (10, 1500, 2990):
        lines[number - 1] += " \x1b[31mERR\x1b[0mor"
    job = kept(team, "\n".join(lines))
    page = signed_in.get(at(job, "?q=error")).content.decode()
    assert "1 of 3" in page
    assert 'class="log-line is-hit is-target" id="L10"' in page
    assert "line=1500#L1500" in page
    assert "line=2990#L2990" in page
    assert "2 of 3" in signed_in.get(at(job, "?q=error&line=1500")).content.decode()
    assert "No match" in signed_in.get(at(job, "?q=nothing")).content.decode()


def test_what_a_container_writes_stays_text(signed_in, team):
    hostile = '<script>alert(1)</script> \x1b[31;"onclick=x m \x1b[31m<b>\x1b[0m</span></div>&amp;'
    html = signed_in.get(at(kept(team, hostile))).content.decode()
    line = re.search(r'<span class="log-text">(.*?)</span></div><?/?', html, re.S)[1]
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in line
    assert '<span class="a-red">&lt;b&gt;</span>&lt;/span&gt;&lt;/div&gt;&amp;amp;' in html
    assert "style=" not in html.split('id="log"')[1]


def test_a_time_tells_the_readers_own(signed_in, team):
    html = signed_in.get(
        at(kept(team, "2026-08-25T12:00:00Z begin\n2026-13-45T99:00:00Z odd"))
    ).content.decode()
    assert re.search(
        r'<span class="log-time" title="[^"]*2026, \d\d:\d\d:\d\d[^"]*">2026-08-25T12:00:00Z</span> begin',
        html,
    )
    assert ">2026-13-45T99:00:00Z odd" in html


def test_the_file_is_the_whole_text_without_colours(signed_in, team):
    file = signed_in.get(at(kept(team, numbered(3000) + "\n\x1b[32mdone\x1b[0m"), "?download"))
    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert "attachment" in file["Content-Disposition"]
    assert file.content.decode() == numbered(3000) + "\ndone"


def test_each_run_has_its_log(signed_in, team):
    job = kept(team, "the second")
    older = factories.make_run(
        job, status="FAILED", ended_at=timezone.now(), started_at=job.created_at - log_keeping.LEASE
    )
    keep(older, "the first")
    assert "the second" in signed_in.get(at(job)).content.decode()
    html = signed_in.get(at(job, f"?run={older.pk}")).content.decode()
    assert "the first" in html
    assert f'href="?run={older.pk}&amp;line=1#L1"' in html
    assert data(signed_in, job, run=older.pk, limit=5)["lines"] == ["the first"]


# For the script --------------------------------------------------------------------------------------------------------


def test_lines_come_in_ranges(signed_in, team):
    job = kept(team, numbered(1000))
    body = data(signed_in, job, **{"from": 11, "limit": 3})
    assert (body["from"], body["lines"]) == (11, ["line 11", "line 12", "line 13"])
    assert (body["first"], body["end"], body["live"], body["trouble"]) == (1, 1001, False, "")
    assert len(data(signed_in, job, limit=99999)["lines"]) == 1000
    assert data(signed_in, job, limit=2)["lines"] == ["line 999", "line 1000"]
    assert data(signed_in, job, **{"from": 5000, "limit": 3})["lines"] == []


def test_a_refresh_without_news_is_empty_and_one_with_news_is_small(client, sandbox):
    world = World(sandbox)
    job = world.launched(env={"SANDBOX_LOG_LINES": "5000", "SANDBOX_BEHAVIOUR": "reset"}, image="acme/worker")
    world.pass_time(120)
    factories.sign_in(client, world.user)
    first = data(client, job, limit=600)
    assert first["live"]
    assert first["end"] > 5000
    again = {"v": first["version"], "from": first["end"] - 1, "limit": 600}
    world.pass_time(20)
    more = data(client, job, **again)
    assert more["epoch"] == first["epoch"]
    assert more["from"] == first["end"] - 1
    assert 2 <= len(more["lines"]) == more["end"] - more["from"] < 20
    world.sandbox.control.add_fault("GET /v1/job-runs/{uuid}", "status", status=503)
    failed = data(client, job, v=more["version"], limit=0)
    assert failed["trouble"]
    # Without a cache that is what was stored within the last five minutes.
    assert (failed["epoch"], failed["end"], failed["seen_at"]) == (
        first["epoch"],
        first["end"],
        first["seen_at"],
    )
    assert client.get(at(job), {"data": "", "v": failed["version"]}).status_code == 204


def test_the_script_searches_the_whole_text_and_only_what_is_new(signed_in, team):
    job = kept(team, numbered(5000))
    body = data(signed_in, job, q="LINE 49", limit=0)
    assert body["lines"] == []
    assert body["hits"] == [49, *range(490, 500), *range(4900, 5000)]
    assert body["count"] == 111
    assert data(signed_in, job, q="line 49", search_from=4990, limit=0)["hits"] == list(range(4990, 5000))


def test_the_frame_brings_no_lines(signed_in, team):
    job = kept(team, numbered(1000))
    part = signed_in.get(at(job), headers=HTMX).content.decode()
    assert "<!doctype" not in part
    assert 'id="log-view"' in part
    assert 'id="L' not in part


# What cannot be had ----------------------------------------------------------------------------------------------------


def test_a_live_log_that_cannot_be_had_is_shown_as_it_was_seen_last(signed_in, team):
    job = factories.make_job(team)
    run = factories.make_run(job)
    assert "The log cannot be shown now" in signed_in.get(at(job)).content.decode()
    log_store.note(run, log_store.Sight(Lines.of("seen before").pack()), timezone.now())
    html = signed_in.get(at(job)).content.decode()
    assert "seen before" in html
    assert re.search(r'data-log="late">Shown as of <time[^>]*datetime="2', html)


def test_a_log_that_was_given_up_says_why(signed_in, team):
    job = kept(team, "", is_final=False, given_up=log_keeping.GONE, fetched_at=None)
    html = signed_in.get(at(job)).content.decode()
    assert log_keeping.GONE in html
    assert re.search(r'data-log="empty" hidden', html)


# Who may not ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "?data", "?download", "?data&q=x"])
def test_a_viewer_sees_it_a_stranger_finds_nothing_and_nobody_signs_in(client, team, more):
    job = kept(team, "the text")
    assert "login" in client.get(at(job, more))["Location"]
    factories.sign_in(client, factories.make_user())
    assert client.get(at(job, more)).status_code == 404
    factories.sign_in(client, factories.make_member(team, "viewer"))
    assert client.get(at(job, more)).status_code == 200
