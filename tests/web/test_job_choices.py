"""Changing the choices of a running job on its page."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.autostop import choices
from dispersed_web.events.models import Event
from dispersed_web.jobs.launch import StopChoices
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import AutostopPolicy
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.make_member(team))
    return make.make_job(team, title="Notebook", rate_cap_usd=Decimal("1.38"))


def url(job):
    return reverse("web:job-choices", args=[job.team.slug, job.pk])


def html(answer):
    return answer.content.decode().replace("\u00a0", " ")


def fields(job, **changes):
    row = Job.objects.get(pk=job.pk)
    return {"limits_version": row.limits_version, "rate_cap_usd": "1.38"} | changes


def chosen(job):
    return choices.of(Job.objects.get(pk=job.pk))


@pytest.mark.parametrize("method", ["get", "post"])
def test_members_change_it_viewers_and_strangers_do_not(client, job, method):
    assert getattr(client, method)(url(job)).status_code in (200, 422)
    make.sign_in(client, make.make_member(job.team, "viewer"))
    assert getattr(client, method)(url(job), fields(job, idle_limit="5m")).status_code == 403
    make.sign_in(client, make.make_user())
    assert getattr(client, method)(url(job), fields(job, idle_limit="5m")).status_code == 404
    other = make.make_job(make.make_team())
    make.sign_in(client, make.owner_of(job.team))
    mixed = reverse("web:job-choices", args=[job.team.slug, other.pk])
    assert getattr(client, method)(mixed, fields(job, idle_limit="5m")).status_code == 404
    assert chosen(job).idle_limit_s is None


def test_what_is_typed_holds_and_is_told(client, job):
    answer = client.post(
        url(job),
        fields(
            job,
            idle_limit="45 min",
            checkin_every="2h",
            uses_logs="on",
            log_noise="GET /health\n\nping\n",
            budget_usd="20",
        ),
    )
    assert (answer.status_code, answer.url) == (
        302,
        reverse("web:job-activity", args=[job.team.slug, job.pk]),
    )
    expected = StopChoices(2700, 7200, True, ("GET /health", "ping"), Decimal(20), Decimal("1.38"))
    assert chosen(job) == expected
    assert Event.objects.filter(kind="job.choices_changed", subject_id=str(job.pk)).count() == 1
    page = html(client.get(url(job)))
    assert 'value="45m"' in page
    assert "GET /health\nping" in page


def test_empty_follows_the_team(client, job):
    client.post(url(job), fields(job, idle_limit="45m", budget_usd="5"))
    client.post(url(job), fields(job))
    assert chosen(job) == StopChoices(rate_cap_usd=Decimal("1.38"))
    assert "Empty: the team’s 1 h by heartbeat" in html(client.get(url(job)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"idle_limit": "9h"}, "idle_limit"),
        ({"idle_limit": "soon"}, "idle_limit"),
        ({"checkin_every": "13h"}, "checkin_every"),
        ({"budget_usd": "0"}, "budget_usd"),
        ({"budget_usd": "NaN"}, "budget_usd"),
        ({"rate_cap_usd": "-1"}, "rate_cap_usd"),
        ({"log_noise": "x" * 201}, "log_noise"),
        ({"log_noise": "\n".join(map(str, range(21)))}, "log_noise"),
    ],
)
def test_a_fault_stands_beside_its_field(client, job, changes, field):
    answer = client.post(url(job), fields(job, **changes))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Event.objects.filter(kind="job.choices_changed").exists()


def test_the_bounds_are_those_of_the_team(client, job):
    AutostopPolicy.objects.update_or_create(team=job.team, defaults={"high_idle_max_s": 24 * 3600})
    assert client.post(url(job), fields(job, idle_limit="9h")).status_code == 302


def test_an_outdated_page_is_told_and_can_be_saved_then(client, job):
    mine = fields(job, idle_limit="45m")
    client.post(url(job), fields(job, budget_usd="9"))
    refused = client.post(url(job), mine)
    assert refused.status_code == 422
    assert "a moment ago" in html(refused)
    version = re.search(r'name="limits_version" value="(\d+)"', html(refused))[1]
    assert client.post(url(job), mine | {"limits_version": version}).status_code == 302
    assert chosen(job).idle_limit_s == 2700


def test_of_a_batch_job_only_money_is_asked(client, job):
    batch = make.make_job(job.team, task="BATCH", idle_limit_s=600)
    page = html(client.get(url(batch)))
    assert 'name="budget_usd"' in page
    assert 'name="idle_limit"' not in page
    client.post(url(batch), {"limits_version": batch.limits_version, "budget_usd": "3", "idle_limit": "5m"})
    assert chosen(batch) == StopChoices(idle_limit_s=600, budget_usd=Decimal(3))


def test_what_is_stopping_or_has_ended_is_told_so(client, job):
    stopping = make.make_job(job.team, stop_requested_at=timezone.now())
    ended = make.make_job(job.team, "COMPLETED")
    for one, words in ((stopping, "It is being stopped"), (ended, "It has ended")):
        page = html(client.get(url(one)))
        assert words in page
        assert ">Save</button>" not in page
        refused = client.post(url(one), fields(one, idle_limit="45m"))
        assert refused.status_code == 422
        assert "Too late" in html(refused)
