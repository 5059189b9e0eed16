"""The inventory's pages: what they show, who may act, and that a question stands before what costs or ends something."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import HistoryImport, Job, Origin, UnmanagedJob
from dispersed_web.web.inventory import inventory_urls
from tests import factories as make

pytestmark = pytest.mark.django_db
ONE = [pattern.name for pattern in inventory_urls.urlpatterns if pattern.name.startswith("inventory-")]
ASKED = ("inventory-adopt", "inventory-stop")


@pytest.fixture
def team():
    return make.make_team(max_lifetime_s=86400, default_lifetime_s=7200)


@pytest.fixture
def credential(team):
    return make.make_credential(team, name="Lab account")


def unmanaged(credential: Any, **fields: Any) -> UnmanagedJob:
    now = timezone.now()
    values = {
        "remote_uuid": f"01a209c6-588c-4feb-ae25-{UnmanagedJob.objects.count():012x}",
        "title": "Started in the console",
        "task": "PERSISTENT",
        "status": "RUNNING",
        "gpu_label": "RTX 4090",
        "hourly_rate_usd": Decimal("0.4400"),
        "created_at": now - dt.timedelta(hours=10),
        "first_seen_at": now - dt.timedelta(hours=2),
        "seen_at": now,
    }
    return UnmanagedJob.objects.create(credential=credential, **values | fields)


def address(name: str, row: UnmanagedJob) -> str:
    return reverse(f"web:{name}", args=[row.credential.team.slug, row.pk])


def home(team: Any) -> str:
    return reverse("web:inventory", args=[team.slug])


def sign_in(client: Any, team: Any, role: str = "member") -> Any:
    return make.sign_in(client, make.make_member(team, role))


def page(client: Any, team: Any, **query: str) -> str:
    answer = client.get(home(team), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_where_a_job_comes_from_what_it_cost_and_since_when(client, team, credential):
    unmanaged(credential)
    sign_in(client, team)
    html = page(client, team)
    for words in (
        "Started in the console",
        "Launched elsewhere",
        "Lab account",
        "RTX 4090",
        "$4.40",
        "$0.44/h",
        "1, $0.44/h",
    ):
        assert words in html
    assert 'datetime="' in html


def test_an_empty_one_says_that_nothing_is_out_of_sight(client, team):
    sign_in(client, team)
    assert "Nothing is out of sight" in page(client, team)


def test_the_filters_narrow_it(client, team, credential):
    unmanaged(credential)
    unmanaged(credential, title="From the other lab", source="installation")
    sign_in(client, team)
    html = page(client, team, source="installation")
    assert "From the other lab" in html
    assert "Started in the console" not in html
    assert "Started in the console" in page(client, team, q="CONSOLE")
    assert "No job matches" in page(client, team, q="nothing like it")


def test_another_teams_job_has_no_title_and_no_act(client, team, credential):
    row = unmanaged(credential, title="A job of another team", source="team")
    sign_in(client, team, "owner")
    html = page(client, team)
    assert "Another team here" in html
    assert not any(address(name, row) in html for name in ONE)


def test_missing_and_doubtful_jobs_stand_there_with_what_is_known(client, team, credential):
    now = timezone.now()
    gone = make.make_job(team, title="Lost run", missing_since=now - dt.timedelta(minutes=30))
    make.make_job(team, "UNCONFIRMED", title="Unclear run")
    make.make_job(team, title="Without a record", origin=Origin.FOUND, owner=None)
    sign_in(client, team)
    html = page(client, team)
    for words in (
        "Lost run",
        "At last sight it had cost $",
        "up to $",
        gone.remote_uuid,
        "Unclear run",
        "Without a record",
    ):
        assert words in html


def test_a_duplicate_leads_to_the_job_whose_mark_it_carries(client, team, credential):
    job = make.make_job(team, title="The first of two")
    row = unmanaged(credential, source="duplicate")
    make.make_event(team, "job.duplicate", job, "Another.", data={"remote_uuid": row.remote_uuid})
    sign_in(client, team)
    html = page(client, team)
    assert "Started twice" in html
    assert reverse("web:job", args=[team.slug, job.pk]) in html


def test_ignored_ones_are_folded_and_counted(client, team, credential):
    row = unmanaged(credential)
    sign_in(client, team)
    assert client.post(address("inventory-ignore", row)).status_code == 302
    html = page(client, team)
    assert "Ignored · 1" in html
    assert "1, $0.44/h" in html
    jobs = client.get(reverse("web:jobs", args=[team.slug])).content.decode()
    assert "Not launched here" not in jobs
    client.post(address("inventory-unignore", row))
    assert "Ignored · " not in page(client, team)


def test_the_jobs_page_shows_the_dearest_three_and_leads_to_the_rest(client, team, credential):
    for number in range(5):
        unmanaged(credential, title=f"Foreign {number}", hourly_rate_usd=Decimal(number + 1))
    sign_in(client, team)
    html = client.get(reverse("web:jobs", args=[team.slug])).content.decode()
    assert [number for number in range(5) if f"Foreign {number}" in html] == [2, 3, 4]
    assert home(team) in html
    assert "all 5" in html


def test_adopting_asks_first_and_then_makes_a_job(client, team, credential):
    row = unmanaged(credential)
    user = sign_in(client, team)
    question = client.get(address("inventory-adopt", row)).content.decode()
    assert "Adopt “Started in the console”?" in question
    assert "$4.40" in question
    answer = client.post(address("inventory-adopt", row), {"owner": user.pk, "lifetime": "3h"})
    job = Job.objects.get()
    assert answer["Location"] == reverse("web:job", args=[team.slug, job.pk])
    assert (job.owner, job.origin, job.created_by) == (user, Origin.ADOPTED, None)
    assert client.get(answer["Location"]).status_code == 200
    for tab in ("job-activity", "job-events", "job-spec", "job-logs"):
        assert client.get(reverse(f"web:{tab}", args=[team.slug, job.pk])).status_code == 200
    assert "Nothing is out of sight" in page(client, team)


def test_a_wrong_lifetime_keeps_what_was_typed(client, team, credential):
    row = unmanaged(credential)
    user = sign_in(client, team)
    answer = client.post(address("inventory-adopt", row), {"owner": user.pk, "lifetime": "99 days"})
    assert answer.status_code == 422
    assert "99 days" in answer.content.decode()
    assert not Job.objects.exists()


def test_a_viewer_is_no_owner(client, team, credential):
    viewer = make.make_member(team, "viewer")
    row = unmanaged(credential)
    sign_in(client, team)
    answer = client.post(address("inventory-adopt", row), {"owner": viewer.pk, "lifetime": "3h"})
    assert (answer.status_code, Job.objects.count()) == (422, 0)


def test_stopping_says_what_it_hits_and_asks_for_the_end(client, team, credential):
    row = unmanaged(credential)
    sign_in(client, team)
    question = client.get(address("inventory-stop", row)).content.decode()
    for words in ("Stop “Started in the console”?", "launched elsewhere", "$4.40", row.remote_uuid):
        assert words in question
    assert not Job.objects.exists()
    client.post(address("inventory-stop", row), {"note": "Forgotten"})
    job = Job.objects.get()
    assert (job.stop_reason, job.stop_note) == ("user", "Forgotten")


def test_another_installations_job_is_for_admins_and_typed(client, team, credential):
    row = unmanaged(credential, source="installation")
    sign_in(client, team)
    assert "Only an admin" in client.get(address("inventory-stop", row)).content.decode()
    client.post(address("inventory-stop", row), {"confirm": row.remote_uuid[-6:]})
    assert not Job.objects.exists()
    client.logout()
    sign_in(client, team, "admin")
    for typed in ("", "000001"):
        answer = client.post(address("inventory-stop", row), {"confirm": typed})
        assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert client.post(address("inventory-stop", row), {"confirm": row.remote_uuid[-6:]}).status_code == 302
    assert Job.objects.get().stop_reason == "user"


def test_with_htmx_an_act_closes_the_dialog_and_refreshes(client, team, credential):
    row = unmanaged(credential)
    sign_in(client, team)
    answer = client.post(address("inventory-watch", row), headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert '"refresh": true' in answer["HX-Trigger"]
    assert "Watched by you" in page(client, team)


def test_the_live_part_is_sent_only_when_something_changed(client, team, credential):
    unmanaged(credential)
    sign_in(client, team)
    part = client.get(home(team), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    poll = part.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert client.get(poll, headers={"HX-Request": "true"}).status_code == 204


@pytest.mark.parametrize("name", ONE)
def test_nobody_else_gets_near(client, team, credential, name):
    row = unmanaged(credential)
    method = "get" if name in ASKED else "post"
    assert getattr(client, method)(address(name, row))["Location"].startswith("/account/login/")
    sign_in(client, team, "viewer")
    assert getattr(client, method)(address(name, row)).status_code == 403
    assert client.post(address(name, row), {"owner": 1}).status_code == 403
    client.logout()
    stranger = make.make_team()
    make.sign_in(client, make.owner_of(stranger))
    assert client.get(home(team)).status_code == 404
    mixed = reverse(f"web:{name}", args=[stranger.slug, row.pk])
    nothing = reverse(f"web:{name}", args=[stranger.slug, 999999])
    for url in (address(name, row), mixed, nothing):
        assert client.post(url).status_code == 404
    row.refresh_from_db()
    assert (row.ignored_at, row.watched_by.count(), Job.objects.count()) == (None, 0, 0)


def test_viewers_see_without_acts(client, team, credential):
    row = unmanaged(credential)
    sign_in(client, team, "viewer")
    html = page(client, team)
    assert "Started in the console" in html
    assert address("inventory-adopt", row) not in html


def test_past_jobs_are_asked_for_on_the_credentials_page(client, team, credential):
    sign_in(client, team, "admin")
    url = reverse("web:credential-history", args=[team.slug, credential.pk])
    shown = reverse("web:credential", args=[team.slug, credential.pk])
    assert "Bring in past jobs" in client.get(shown).content.decode()
    assert client.post(url)["Location"] == shown
    client.post(url)
    row = HistoryImport.objects.get()
    assert Event.objects.filter(kind="credential.history_asked").count() == 1
    html = client.get(shown).content.decode()
    assert "Reading past jobs" in html
    assert "Bring in past jobs" not in html
    HistoryImport.objects.filter(pk=row.pk).update(state="done", brought_in=7, finished_at=timezone.now())
    assert "7 past jobs brought in" in client.get(url, headers={"HX-Request": "true"}).content.decode()


def test_what_was_lost_sight_of_long_ago_is_folded_away_and_out_of_the_figures(client, team, credential):
    long_ago = timezone.now() - dt.timedelta(days=8)
    unmanaged(credential, title="Old one", status="LOST", missing_since=long_ago)
    sign_in(client, team)
    html = page(client, team)
    assert "Lost sight of more than a week ago · 1" in html
    assert html.index("Nothing is out of sight") < html.index("Old one")
    assert "$0.44/h" not in html.split("long-lost")[0]


def test_who_manages_jobs_settles_what_was_lost_sight_of_from_the_list(client, team):
    since = timezone.now() - dt.timedelta(hours=3)
    old = make.make_job(team, missing_since=since, missing_alarmed_at=since)
    new = make.make_job(team, missing_since=timezone.now())
    sign_in(client, team, "admin")
    html = page(client, team)
    settles = [reverse("web:job-settle", args=[team.slug, job.pk]) in html for job in (old, new)]
    assert settles == [True, False]
    sign_in(client, team)
    assert reverse("web:job-settle", args=[team.slug, old.pk]) not in page(client, team)
