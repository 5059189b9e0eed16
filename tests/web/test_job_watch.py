"""What people do about auto-stop on a job's page, what the page says before and after, and who may not."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop import facts
from dispersed_web.autostop.extend import confirm_use
from dispersed_web.autostop.models import Hold
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import specs
from dispersed_web.jobs.models import Job
from dispersed_web.signals.models import Bucket
from dispersed_web.teams import installation
from tests import factories
from tests.web import scenes
from tests.web.scenes import BUSY, HOUR, IDLE, MINUTE

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SSH = "ssh -p 41822 duser@ml3-us-east-1.proxy.example.net"


@pytest.fixture
def team(client):
    team = factories.make_team(max_lifetime_s=86400)
    factories.make_credential(team)
    scenes.enforced(team)
    factories.sign_in(client, factories.owner_of(team))
    return team


@pytest.fixture
def member(client, team):
    return factories.sign_in(client, factories.make_member(team, "member"))


def at(job: Job, name: str = "job") -> str:
    return reverse(f"web:{name}", args=[job.team.slug, job.pk])


def page(client, job: Job, name: str = "job", more: str = "", **options) -> str:
    response = client.get(at(job, name) + more, **options)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode().replace("\u00a0", " "))


def post(client, job: Job, name: str, **data: str):
    job.refresh_from_db()
    return client.post(at(job, name), {"limits_version": str(job.limits_version), **data}, headers=HTMX)


def toast(response) -> dict[str, str]:
    assert response.status_code == 204
    return json.loads(response["HX-Trigger"])["toast"]


def worked_until(minutes: float):
    return lambda ago: BUSY if ago > minutes else IDLE


def asked(team, now):
    """Nothing tells whether it is used, and a person was asked ten minutes ago."""
    return scenes.play(scenes.running(team, 2 + 10 / 60, now), None, now)


# The page -------------------------------------------------------------------------------------------------------------


def test_a_quiet_job_says_for_how_long_by_what_and_when_it_stops(client, team):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 3, now), worked_until(45), now)
    html = page(client, job, "job-activity")
    for words in (
        "unless used",
        "of 60 min: GPU ≤ 1 %",
        "SSH open, no key pressed for",
        "high confidence",
        "What comes next",
        "you are reminded",
        "The same in words",
        "Warned</strong>",
        "In use</strong>",
    ):
        assert words in html, words
    assert re.search(r'<svg class="strip-plot"[^>]* role="img" aria-label="What was seen', html)
    assert re.search(r'scope="row">GPU</th><td>active [^<]*quiet since', html)
    assert html.count('class="ev-active"') >= 3


def test_the_verdict_is_decided_once_for_a_page(client, team, monkeypatch):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 2, now), worked_until(30), now)
    installation.claim()  # as at every start
    gathered = []
    monkeypatch.setattr(
        facts, "gather", lambda *args, real=facts.gather: gathered.append(args) or real(*args)
    )
    for name in ("job", "job-activity"):
        gathered.clear()
        with CaptureQueriesContext(connection) as queries:
            page(client, job, name)
        assert (name, len(gathered)) == (name, 1)
        assert len(queries) <= 36  # two of them for the frame, which is kept for three seconds


def test_each_range_is_a_page_and_stays_while_the_page_asks_again(client, team):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 30, now), worked_until(30), now, looks=False)
    for show in ("3h", "24h", "run", "x"):
        html = page(client, job, "job-activity", f"?show={show}")
        assert f"show={show}" in re.search(r'id="job-live" hx-get="([^"]+)"', html)[1]
        assert html.count('aria-current="true"') == 1
    assert 'data-poll-ms="30000"' in page(client, job, "job-activity", "?show=run")


def test_somebody_asks_why_it_was_not_stopped(client, team):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 3, now), worked_until(50), now)
    moment = now - 100 * MINUTE
    html = page(client, job, "job-activity", f"?at={moment:%Y-%m-%dT%H:%M}")
    # Shortly after midnight it was yesterday, which the page says.
    assert re.search(rf"<strong>(?:[^<]+ )?{moment:%H:%M}</strong>: It was in use\.", html)
    assert "GPU</dt><dd>active since" in html
    early = page(client, job, "job-activity", f"?show=3h&at={now - 30 * HOUR:%Y-%m-%dT%H:%M}")
    assert "Nothing is remembered of that time" in early
    later = page(client, job, "job-activity", f"?at={now + 3 * HOUR:%Y-%m-%dT%H:%M}")
    assert "That moment has not come." in later
    for nonsense in ("", "x", "9999-12-31T23:59-12:00"):
        assert "why-answer" not in page(client, job, "job-activity", f"?at={nonsense}")


def test_the_history_is_in_pages(client, team, monkeypatch):
    monkeypatch.setattr("dispersed_web.web.job.activity_page.PAGE", 2)
    now = timezone.now()
    job = scenes.play(scenes.running(team, 4, now), lambda ago: BUSY if ago % 80 > 45 else IDLE, now)
    first = page(client, job, "job-activity")
    before = re.search(r'href="\?before=(\d+)#history"', first)[1]
    second = page(client, job, "job-activity", f"?before={before}")
    assert f"before={before}" in re.search(r'id="job-live" hx-get="([^"]+)"', second)[1]
    assert (
        re.findall(r'event-time" datetime="([^"]+)"', first)[:2]
        != re.findall(r'event-time" datetime="([^"]+)"', second)[:2]
    )
    assert page(client, job, "job-activity", "?before=x")


def test_a_stopped_job_says_why_what_it_cost_and_offers_the_same_again(client, team):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 5, now), worked_until(130), now - HOUR)
    assert job.stop_reason == "idle"
    assert "It is being stopped" in page(client, job)
    Job.objects.filter(pk=job.pk).update(
        status="CANCELLED",
        reason="idle",
        ended_at=now,
        end_seen_at=now,
        stop_next_at=None,
        spending_since=None,
        spent_usd="2.76",
    )
    for name in ("job", "job-activity"):
        html = page(client, job, name)
        assert "Stopped: idle" in html
        assert "GPU ≤ 1 % since" in html
    assert "cost about $2.76" in html
    assert f"?again={job.pk}" in html
    assert "ended " in html


def test_limits_that_contradict_each_other_hide_nothing(client, team):
    job = scenes.running(team, 0.5)
    Job.objects.filter(pk=job.pk).update(lifetime_s=86400, ceiling_s=3600 * 9)
    for name in ("job", "job-activity", "job-logs", "job-events"):
        assert job.title in page(client, job, name)
    assert re.search("You are asked (at|tomorrow)", page(client, job))
    assert f"/jobs/{job.pk}/ask/stop/" in page(client, job)


def test_a_held_job_leads_to_the_decision(client, team):
    now = timezone.now()
    job = scenes.play(scenes.running(team, 3, now), worked_until(50), now)
    hold = Hold.objects.create(
        team=team, kind="many_due", opened_at=now, sentence="5 of 9 are held.", job_ids=[str(job.pk)]
    )
    html = page(client, job)
    assert "Held back: a person decides" in html
    assert reverse("web:hold", args=[team.slug, hold.pk]) in html


# A check-in -----------------------------------------------------------------------------------------------------------


def test_a_check_in_is_the_first_thing_on_every_tab_and_one_click_answers_it(client, team, member):
    now = timezone.now()
    job = asked(team, now)
    for name in ("job", "job-logs", "job-activity", "job-events", "job-spec"):
        html = page(client, job, name)
        assert html.index("Still using it?") < html.index('<nav class="tabs"')
        assert "It costs $0.69/h" in html
    assert toast(post(client, job, "job-in-use"))["level"] == "success"
    assert "checkin-title" not in page(client, job)
    job.refresh_from_db()
    assert job.confirmed_at >= now


def test_a_viewer_sees_the_question_and_has_no_answer(client, team):
    job = asked(team, timezone.now())
    factories.sign_in(client, factories.make_member(team, "viewer"))
    html = page(client, job)
    assert "Still using it?" in html
    assert at(job, "job-in-use") not in html


# Protection -----------------------------------------------------------------------------------------------------------


def tomorrow(hours: float = 20) -> str:
    return f"{timezone.now() + hours * HOUR:%Y-%m-%dT%H:%M}"


def test_a_job_is_protected_and_the_protection_lifted(client, team, member):
    job = scenes.running(team, 1)
    assert "Protect “" in page(client, job, "job-protect", headers=HTMX)
    done = toast(post(client, job, "job-protect", when="other", until=tomorrow(), reason=" the  demo "))
    assert "is protected until" in done["text"]
    job.refresh_from_db()
    assert job.protected_reason == "the demo"
    assert Event.objects.get(kind="job.protected").data["reason"] == "the demo"
    html = page(client, job)
    assert "Protected until" in html
    assert "Because “the demo”" in html
    assert "because “the demo”" in page(client, job, "job-unprotect")
    assert toast(post(client, job, "job-unprotect"))["level"] == "success"
    job.refresh_from_db()
    assert job.protected_until is None
    assert "not protected" in toast(post(client, job, "job-unprotect"))["text"]


def test_what_was_typed_stays_when_the_reason_is_missing(client, team, member):
    job, until = scenes.running(team, 1), tomorrow()
    response = post(client, job, "job-protect", when="other", until=until, reason=" ")
    html = response.content.decode()
    assert response.status_code == 422
    assert "<!doctype" not in html
    assert f'value="{until}"' in html
    assert 'value="other" ' in html
    assert "Say why the job must not be stopped." in html
    whole = client.post(at(job, "job-protect"), {"when": "other", "until": until, "reason": ""})
    assert (whole.status_code, "<!doctype html>" in whole.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("role", "hours", "status"),
    [("member", 71, 204), ("member", 80, 422), ("admin", 80, 204), ("admin", 400, 422)],
)
def test_a_member_protects_for_72_hours_and_an_admin_for_14_days(client, team, role, hours, status):
    job = scenes.running(team, 1)
    factories.sign_in(client, factories.make_member(team, role))
    response = post(client, job, "job-protect", when="other", until=tomorrow(hours), reason="why")
    assert response.status_code == status
    if status == 422:
        assert "from now" in response.content.decode()


def test_a_form_that_shows_old_limits_is_refused_with_what_was_typed_and_then_taken(client, team, member):
    job = scenes.running(team, 1)
    old = str(job.limits_version)
    confirm_use(job, actor=Actor.person(factories.owner_of(team)), now=timezone.now())
    data = {"when": "other", "until": tomorrow(), "reason": "the demo"}
    response = client.post(at(job, "job-protect"), data | {"limits_version": old}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert "changed this job&#x27;s limits" in html
    assert 'value="the demo"' in html
    new = re.search(r'name="limits_version" value="(\d+)"', html)[1]
    assert (
        client.post(at(job, "job-protect"), data | {"limits_version": new}, headers=HTMX).status_code == 204
    )


def test_after_the_stop_it_is_too_late(client, team, member):
    job = factories.make_job(team, stop_requested_at=timezone.now())
    done = toast(post(client, job, "job-protect", when="other", until=tomorrow(), reason="why"))
    assert (done["level"], "Too late" in done["text"]) == ("error", True)
    assert "It is being stopped" in page(client, job, "job-protect")
    assert "It is being stopped" in page(client, job, "job-unprotect")


# Connecting -----------------------------------------------------------------------------------------------------------


def test_looking_at_the_page_is_no_use_and_showing_how_to_connect_is(client, team, member):
    job = scenes.running(team, 1)
    for _ in range(2):
        assert SSH not in page(client, job)
    job.refresh_from_db()
    assert job.connected_at is None
    html = post(client, job, "job-connect").content.decode()
    assert SSH in html
    assert "<!doctype" not in html
    job.refresh_from_db()
    assert job.connected_at is not None
    assert Event.objects.filter(kind="job.connected", subject_id=str(job.pk)).count() == 1
    again = re.search(r'id="job-live" hx-get="([^"]+)"', html)[1].replace("&amp;", "&")
    assert "connect=open" in again
    stays = client.get(again.replace("?v=", "?v=old"), headers=HTMX)
    assert SSH in stays.content.decode()


def test_without_scripts_it_is_a_page_that_shows_it(client, team, member):
    job = scenes.running(team, 1)
    response = client.post(at(job, "job-connect"), follow=True)
    assert SSH in response.content.decode()
    job.refresh_from_db()
    assert job.connected_at is not None


# Heartbeat ------------------------------------------------------------------------------------------------------------


def test_the_line_that_turns_on_the_heartbeat_is_shown_on_demand_and_remembered(client, team, member):
    job = scenes.running(team, 1)
    url = specs.heartbeat_url(job)
    token = url.rsplit("/", 1)[1]
    for name in ("job", "job-activity", "job-events", "job-spec"):
        assert token not in page(client, job, name)
    response = post(client, job, "job-heartbeat")
    assert f"DW_HEARTBEAT_URL={url} sh -s -- --background" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    event = Event.objects.get(kind="job.heartbeat_shown")
    assert token not in f"{event.sentence}{event.data}"
    whole = client.post(at(job, "job-heartbeat"))
    assert "<!doctype html>" in whole.content.decode()
    assert client.get(at(job, "job-heartbeat")).status_code == 405


def test_a_job_without_an_address_or_that_has_ended_says_so(client, team, member):
    bare = factories.make_job(team)
    assert "launched without a heartbeat address" in post(client, bare, "job-heartbeat").content.decode()
    assert "launched without an address" in page(client, bare)
    over = factories.make_job(team, "COMPLETED")
    assert "has ended" in post(client, over, "job-heartbeat").content.decode()


def test_what_the_machine_says_stands_beside_it(client, team):
    now = timezone.now()
    job = scenes.play(
        scenes.running(team, 1, now), lambda ago: BUSY | {"phase": "train", "note": "epoch 3"}, now
    )
    html = page(client, job)
    for words in ("speaking", "Last beat", "GPU</dt><dd>87 %", "Phase</dt><dd>train", "epoch 3"):
        assert words in html
    Bucket.objects.update(last_at=now - HOUR)
    html = page(client, job)
    assert "silent</span>" in html
    assert "Start it again" in html


# Who may not ----------------------------------------------------------------------------------------------------------

ACTS = ("job-protect", "job-unprotect", "job-connect", "job-heartbeat")


@pytest.mark.parametrize("name", ACTS)
def test_a_viewer_may_not_and_a_stranger_finds_nothing(client, team, name):
    job = scenes.running(team, 1, protected_until=timezone.now() + HOUR, protected_reason="demo")
    methods = (client.get, client.post) if name in ("job-protect", "job-unprotect") else (client.post,)
    factories.sign_in(client, factories.make_member(team, "viewer"))
    html = page(client, job)
    assert at(job, name) not in html
    assert [method(at(job, name)).status_code for method in methods] == [403] * len(methods)
    factories.sign_in(client, factories.make_user())
    assert [method(at(job, name)).status_code for method in methods] == [404] * len(methods)
    client.logout()
    assert all("login" in method(at(job, name))["Location"] for method in methods)
    before = (job.connected_at, job.protected_until, job.limits_version)
    job.refresh_from_db()
    assert (job.connected_at, job.protected_until, job.limits_version) == before
    assert not Event.objects.filter(kind__in=["job.heartbeat_shown", "job.connected"]).exists()
