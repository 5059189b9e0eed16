"""Tags, stars, owners and columns in the jobs table: what is one reader's own never lands in what all of them share."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from dispersed_web.jobs import keeping
from dispersed_web.teams.models import Team
from dispersed_web.web.cache import ForgivingRedisCache
from tests import factories as make

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def team(client):
    team = make.make_team(owner=make.make_user("ana@example.org", "Ana"))
    make.sign_in(client, make.owner_of(team))
    return team


@pytest.fixture
def live_cache(redis_server, monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "_down_until", 0.0)
    cache.clear()


def page(client: Any, team: Team, query: str = "", **more: Any) -> str:
    return client.get(reverse("web:jobs", args=[team.slug]) + query, **more).content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]+)', html)


def tag(job: Any, *names: str) -> None:
    keeping.set_tags(job, names, actor=make.LAUNCHER, now=timezone.now())


def test_a_row_has_its_first_tags_and_says_how_many_more(client, team):
    tag(make.make_job(team, title="Dev"), "a/b", "c", "{d}", "e", "f")
    make.make_job(team, title="Bare")
    html = page(client, team)
    assert html.count('class="row-tags') == 1
    row = html[html.index('class="row-tags') :][:900]
    assert 'tag=a%2Fb"' in row
    assert row.index(">a/b<") < row.index(">c<")
    assert "+2" in row


def test_a_tag_is_escaped(client, team):
    tag(make.make_job(team), '"><script>alert(1)</script>')
    html = page(client, team)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_table_is_narrowed_by_tag_owner_and_stars(client, team):
    bob = make.make_member(team, user=make.make_user("bob@example.org", "Bob"))
    mine, his = make.make_job(team, title="Mine"), make.make_job(team, title="His", created_by=bob)
    tag(mine, "night run")
    keeping.star(his, make.owner_of(team).pk)
    assert shown(page(client, team, "?tag=Night+run")) == ["Mine"]
    assert shown(page(client, team, f"?owner={bob.pk}&whose=mine")) == ["His"]
    assert shown(page(client, team, "?whose=starred")) == ["His"]
    assert shown(page(client, team, "?q=night")) == ["Mine"]
    html = page(client, team, f"?tag=night+run&owner={bob.pk}")
    assert f'<option value="{bob.pk}" selected>Bob' in html
    assert '<option value="night run" selected>' in html
    assert "No job matches" in html


def test_a_filter_stays_in_the_addresses_of_the_page(client, team):
    tag(make.make_job(team), "x y")
    html = page(client, team, "?tag=x+y&whose=starred&owner=7")
    for address in re.findall(r'hx-get="(/t/[^"]+\?[^"]+)"', html):
        assert "tag=x+y" in address
        assert "whose=starred" in address
        assert "owner=7" in address


def test_stars_are_the_readers_own_and_never_in_what_is_shared(client, team, live_cache):
    job = make.make_job(team, title="Dev")
    keeping.star(job, make.owner_of(team).pk)
    hers = page(client, team)
    make.sign_in(client, make.make_member(team))
    his = page(client, team)
    assert f'data-starred="{job.pk} "' in hers
    assert 'data-starred=""' in his
    assert "is-starred" not in hers + his
    table = re.compile(r'<table class="data-table.*?</table>', re.S)
    assert table.search(hers)[0] == table.search(his)[0]
    assert shown(page(client, team, "?whose=starred")) == []


def test_columns_are_hidden_for_one_reader_and_the_rows_stay_whole(client, team, live_cache):
    make.make_job(team, title="Dev")
    everything = page(client, team)
    answer = client.post(
        reverse("web:jobs-columns", args=[team.slug]),
        {"column": ["owner", "cost", "nonsense"], "back": f"/t/{team.slug}/jobs/?show=all&tag=x"},
    )
    assert answer["Location"] == f"/t/{team.slug}/jobs/?tag=x&show=all"
    html = page(client, team)
    classes = re.search(r'id="jobs-live" class="([^"]*)"', html)[1].split()
    assert classes == ["hides-tags", "hides-gpu", "hides-runtime", "hides-stops"]
    assert re.search(r'value="cost" checked', html)
    assert not re.search(r'value="gpu" checked', html)
    rows = re.compile(r"<tbody.*?</tbody>", re.S)
    assert rows.search(html)[0] == rows.search(everything)[0]
    make.sign_in(client, make.make_member(team))
    assert "hides-" not in re.search(r'id="jobs-live" class="([^"]*)"', page(client, team))[1]


def test_all_columns_again_leaves_nothing_stored(client, team):
    address = reverse("web:jobs-columns", args=[team.slug])
    client.post(address, {"column": ["owner"]})
    assert client.session["jobs_columns_hidden"]
    client.post(
        address, {"column": ["owner", "tags", "gpu", "runtime", "cost", "stops"], "back": "//evil.example/?x"}
    )
    assert "jobs_columns_hidden" not in client.session


def test_choosing_columns_leads_nowhere_else(client, team):
    address = reverse("web:jobs-columns", args=[team.slug])
    answer = client.post(address, {"back": "https://evil.example/?q=a"})
    assert answer["Location"] == f"/t/{team.slug}/jobs/?q=a"
    assert client.get(address).status_code == 405
    make.sign_in(client, make.owner_of(make.make_team()))
    assert client.post(address).status_code == 404


def test_the_filter_offers_the_teams_people_and_tags(client, team):
    assert 'name="owner"' not in page(client, team)
    assert 'name="tag"' not in page(client, team)
    make.make_member(team, "viewer", make.make_user("bob@example.org", "Bob"))
    make.make_member(team, user=make.make_user("deploy@example.org", "", is_service=True))
    strangers = make.make_team(owner=make.make_user("eve@example.org", "Eve"))
    tag(make.make_job(strangers), "foreign")
    for names in (("ours", "ours too"), ("ours too",)):
        tag(make.make_job(team), *names)
    html = page(client, team)
    owners, tags = (re.search(rf'name="{name}".*?</select>', html, re.S)[0] for name in ("owner", "tag"))
    offered = re.compile(r'value="[^"]+">([^<]+)')
    assert offered.findall(owners) == ["Ana", "Bob", "deploy@example.org (API token)"]
    assert offered.findall(tags) == ["ours too", "ours"]


def test_the_csv_has_the_tags(client, team):
    tag(make.make_job(team, title="Dev"), "b", "=a")
    answer = client.get(reverse("web:jobs-csv", args=[team.slug]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0]["tags"] == "'=a, b"
