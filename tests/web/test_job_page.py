from __future__ import annotations

import datetime as dt
import json
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TABS = ("job", "job-logs", "job-activity", "job-events", "job-spec")
ACTS = ("stop", "extend", "again")
URL = {"description": "ssh", "hostname": "ml3.example.net", "port": 41822, "container_port": 22}


@pytest.fixture
def team(client):
    team = factories.make_team(default_lifetime_s=7200, max_lifetime_s=86400)
    factories.sign_in(client, factories.owner_of(team))
    return team


def at(job: Job, name: str = "job", *more: str) -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk, *more])


def text_of(client, job: Job, name: str = "job", *more: str, **options) -> str:
    response = client.get(at(job, name, *more), **options)
    assert response.status_code == 200
    return response.content.decode()


# Seeing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [status.value for status in Job(status="QUEUED").state.__class__])
def test_every_tab_and_question_answers_for_every_status(client, team, status):
    job = factories.make_job(team, status)
    factories.make_run(job)
    for name in TABS:
        assert job.title in text_of(client, job, name)
        assert "<!doctype" not in text_of(client, job, name, headers=HTMX)
    for act in ACTS:
        assert "<!doctype html>" in text_of(client, job, "job-ask", act)
        assert "<!doctype" not in text_of(client, job, "job-ask", act, headers=HTMX)


@pytest.mark.parametrize("name", TABS)
def test_an_unchanged_poll_is_204_and_a_change_is_shown(client, team, name, one_half_minute):
    job = factories.make_job(team)
    address = re.search(r'hx-get="([^"]+v=[^"]+)"', text_of(client, job, name))[1].replace("&amp;", "&")
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address, headers=HTMX)
    assert response.status_code == 204
    assert len(queries) <= 5
    Team.bump(team.pk)
    assert client.get(address, headers=HTMX).status_code == 200
    restored = client.get(address, headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert "<!doctype html>" in restored.content.decode()


def test_the_overview_says_how_to_connect_what_it_costs_and_when_it_stops(client, team):
    job = factories.make_job(team)
    factories.make_run(job, node_urls=[URL])
    factories.make_event(team, subject=job, sentence="Somebody launched it.")
    html = text_of(client, job)
    for words in ("Show how to connect", "$0.69/h", "Somebody launched it.", "2\u00a0h", "At the longest"):
        assert words in html


def test_a_launch_in_doubt_has_its_words_and_its_moment(client, team):
    fence = timezone.now().replace(second=10) + dt.timedelta(minutes=5)
    job = factories.make_job(team, "UNCONFIRMED", fence_at=fence)
    known = (fence + dt.timedelta(minutes=2)).strftime("%H:%M")
    html = text_of(client, job)
    assert "The cloud did not answer clearly" in html
    assert f"will know for certain by {known}" in html.replace("tomorrow ", "")
    assert "Stop it as soon as it is found" in html
    assert "Launch another anyway" in html
    form = text_of(client, job, "job-ask", "again", headers=HTMX)
    assert f'name="again" value="{job.pk}"' in form
    assert f'name="supersedes" value="{job.pk}"' in form
    assert re.search(r'type="checkbox"[^>]* required', form)


def test_a_failure_says_why_and_what_to_do(client, team):
    job = factories.make_job(team, "FAILED", running_at=None, reason_text="The job failed: no such image.")
    html = text_of(client, job)
    assert "no such image" in html
    assert "Check image and tag" in html
    assert f"?again={job.pk}" in html


def test_an_ended_job_is_launched_again_from_its_page(client, team):
    job = factories.make_job(team, "COMPLETED", task="BATCH")
    assert f'href="{reverse("web:launch", args=[team.slug])}?again={job.pk}"' in text_of(client, job)


def test_a_time_that_was_too_short_is_doubled_in_the_form_that_opens(client, team):
    said = "The run exceeded max_timeout_run_ms (3600000 ms)"
    job = factories.make_job(team, "FAILED", task="BATCH", reason_text=said)
    address = re.search(r'href="([^"]+)">Change it and launch again', text_of(client, job))[1].replace(
        "&amp;", "&"
    )
    assert address.endswith(f"?again={job.pk}&max_timeout_run=2h")
    form = client.get(address).context["form"]
    assert form["max_timeout_run"].value() == "2h"


def test_a_machine_that_is_being_stopped_is_not_called_ready(client, team):
    ready = {"reachable_at": timezone.now()}
    assert "<title>Ready: " in text_of(client, factories.make_job(team, **ready))
    stopping = factories.make_job(team, stop_requested_at=timezone.now(), **ready)
    assert "<title>Ready: " not in text_of(client, stopping)


def test_a_hanging_stop_says_what_it_cost_since(client, team):
    asked = timezone.now() - dt.timedelta(hours=1)
    job = factories.make_job(team, stop_requested_at=asked, stop_error="No answer.", stop_attempts=7)
    html = text_of(client, job)
    for words in ("Stop not confirmed", "cost about $0.69 since", "7 tries so far", "No answer."):
        assert words in html
    assert f"in Dispersed’s console it is {job.remote_uuid}" in html


def test_events_are_those_of_this_job(client, team):
    job, other = factories.make_job(team), factories.make_job(team)
    factories.make_event(team, subject=job, sentence="Mine.")
    factories.make_event(team, subject=other, sentence="Not mine.")
    html = text_of(client, job, "job-events")
    assert "Mine." in html
    assert "Not mine." not in html


def test_no_secret_is_on_any_page(client, team):
    spec = factories.make_spec(
        env={"HF_TOKEN": "hidden-value-1", "MODE": "shown-value"}, registry_user="robot-user"
    )
    job = factories.make_job(team, spec=spec, secret_env=frozenset({"HF_TOKEN"}))
    pages = [text_of(client, job, name) for name in TABS]
    assert "hidden-value-1" not in "".join(pages)
    assert "robot-user" not in "".join(pages)
    assert "shown-value" in pages[-1]
    assert "HF_TOKEN" in pages[-1]


def test_no_page_has_inline_script_or_style(client, team):
    job = factories.make_job(team, title='"><script>alert(1)</script>')
    factories.make_run(job, node_urls=[URL])
    table = client.get(reverse("web:jobs", args=[team.slug])).content.decode()
    for html in [table, *(text_of(client, job, name) for name in TABS)]:
        assert not re.search(r"<script(?![^>]* src=)[^>]*>|\sstyle=|\son\w+=", html)


# Who may see ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABS)
def test_a_stranger_gets_what_a_missing_job_gets(client, team, name):
    job = factories.make_job(team)
    missing = client.get(reverse(f"web:{name}", args=[team.slug, uuid.uuid4()]))
    others = client.get(
        reverse(f"web:{name}", args=[team.slug, factories.make_job(factories.make_team()).pk])
    )
    assert (missing.status_code, others.status_code) == (404, 404)
    factories.sign_in(client, factories.make_user())
    assert client.get(at(job, name)).status_code == 404
    client.logout()
    assert "login" in client.get(at(job, name))["Location"]


def test_a_viewer_looks_and_may_not_act(client, team):
    job = factories.make_job(team)
    factories.sign_in(client, factories.make_member(team, "viewer"))
    html = text_of(client, job)
    assert at(job, "job-stop") not in html
    assert at(job, "job-ask", "stop") not in html
    for act in ACTS:
        assert client.get(at(job, "job-ask", act)).status_code == 403
    for name in ("job-stop", "job-extend"):
        assert client.post(at(job, name), {"by": "60"}).status_code == 403
    job.refresh_from_db()
    assert (job.stop_requested_at, job.extend_until) == (None, None)


@pytest.mark.parametrize("name", ["job-stop", "job-extend"])
def test_an_act_is_posted_by_a_member_of_the_team(client, team, name):
    job = factories.make_job(team)
    assert client.get(at(job, name)).status_code == 405
    factories.sign_in(client, factories.make_user())
    assert client.post(at(job, name)).status_code == 404
    client.logout()
    assert "login" in client.post(at(job, name))["Location"]
    assert client.get(at(job, "job-ask", "stop")).status_code == 302
    job.refresh_from_db()
    assert job.stop_requested_at is None


# Acting --------------------------------------------------------------------------------------------------------------


def test_a_stop_is_asked_for_once_with_its_reason(client, team):
    factories.sign_in(client, factories.make_member(team, "member"))
    job = factories.make_job(team)
    response = client.post(at(job, "job-stop"), {"note": " not\n needed "}, follow=True)
    assert "is being stopped. It counts as stopped once" in response.content.decode()
    job.refresh_from_db()
    assert (job.stop_note, job.stop_reason) == ("not needed", "user")
    again = client.post(at(job, "job-stop"), follow=True)
    assert "is being stopped already" in again.content.decode()
    assert Event.objects.filter(kind="job.stop_requested", subject_id=str(job.pk)).count() == 1


def test_a_stop_with_htmx_closes_the_dialog_and_refreshes(client, team):
    job = factories.make_job(team)
    response = client.post(at(job, "job-stop"), headers=HTMX)
    news = json.loads(response["HX-Trigger"])
    assert response.status_code == 204
    assert news["close-dialog"]
    assert news["refresh"]
    assert news["toast"]["level"] == "success"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("QUEUED", "taken back before it was sent"),
        ("UNCONFIRMED", "as soon as it is found"),
        ("COMPLETED", "has ended already"),
    ],
)
def test_a_stop_says_what_it_means_now(client, team, status, words):
    job = factories.make_job(team, status)
    response = client.post(at(job, "job-stop"), headers=HTMX)
    assert words in json.loads(response["HX-Trigger"])["toast"]["text"]


def extended(client, job: Job, **data: str) -> dict[str, str]:
    form = {"limits_version": str(job.limits_version), **data}
    response = client.post(at(job, "job-extend"), form, headers=HTMX)
    job.refresh_from_db()
    return json.loads(response["HX-Trigger"])["toast"]


def test_an_extension_moves_the_stop(client, team):
    job = factories.make_job(team)
    before = job.stop_at
    assert extended(client, job, by="60")["level"] == "success"
    assert job.extend_until == before + dt.timedelta(hours=1)
    wanted = (timezone.now() + dt.timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
    extended(client, job, until=wanted)
    assert job.extend_until.strftime("%Y-%m-%dT%H:%M") == wanted


def test_an_extension_says_that_it_was_cut(client, team):
    job = factories.make_job(team)
    wanted = (timezone.now() + dt.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    assert "the longest that it may run" in extended(client, job, until=wanted)["text"]
    assert job.extend_until == job.launched_at + dt.timedelta(days=1)


@pytest.mark.parametrize("version", ["", "0", "x", "9" * 40])
def test_an_extension_from_an_old_page_is_refused(client, team, version):
    job = factories.make_job(team)
    toast = extended(client, job, by="60", limits_version=version)
    assert (toast["level"], job.extend_until) == ("error", None)
    assert "changed this job's limits" in toast["text"]


def test_an_extension_after_the_stop_is_too_late(client, team):
    job = factories.make_job(team, stop_requested_at=timezone.now())
    assert "Too late" in extended(client, job, by="60")["text"]
    page = client.post(at(job, "job-extend"), {"by": "60"}, follow=True)
    assert "Too late" in page.content.decode()


# Logs ----------------------------------------------------------------------------------------------------------------


def test_the_log_comes_from_the_cloud_is_followed_and_can_be_kept(client, sandbox):
    world = World(sandbox)
    job = world.launched()
    world.pass_time(120)
    factories.sign_in(client, world.user)
    html = text_of(client, job, "job-logs")
    assert re.search(r'class="log-text">[^<]+', html)
    assert 'data-follows="yes" data-live="yes" data-poll="3000"' in html
    assert 'data-follows="no"' in client.get(at(job, "job-logs") + "?follow=no").content.decode()
    assert 'class="log log-wrap"' in client.get(at(job, "job-logs") + "?wrap=yes").content.decode()
    file = client.get(at(job, "job-logs") + "?download")
    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="Dev.log"'
    assert file.content


def test_a_log_that_cannot_be_had_is_a_sentence_on_the_page(client, team):
    job = factories.make_job(team)
    factories.make_run(job)
    assert "The log cannot be shown now" in text_of(client, job, "job-logs")
