"""Several jobs of one form: asked about with their price, all or none, the same ones however often it is sent."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from dispersed_web.jobs import copies
from dispersed_web.jobs.models import Job
from dispersed_web.teams.models import Team
from tests import factories
from tests.web.launch_forms import (
    RTX_5090,
    Fields,
    address,
    faults,
    member,
    opened,
    send,
    text_of,
    with_market,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client):
    team = member(client)[0]
    with_market(team, fetched_at=timezone.now())
    return team


@pytest.fixture
def fields(client, team):
    return opened(client, team) | {"title": "Sweep", "image": "org/i", "gpu": RTX_5090, "copies": "3"}


def titles() -> list[str]:
    return sorted(Job.objects.values_list("title", flat=True))


def test_they_are_asked_about_with_what_they_cost_together(client, team, fields):
    answer = send(client, team, fields)
    assert answer.status_code == 200
    assert not Job.objects.exists()
    assert "Launch 3 jobs?" in text_of(answer)
    assert "$2.07 to $2.25/h" in text_of(answer)
    assert re.search(r"at most \$3.3[78] in all", text_of(answer))
    html = answer.content.decode()
    assert (html.count('href="#confirm-copies-title"'), html.count('id="confirm-copies-title"')) == (1, 1)
    again = Fields(answer.content.decode()).values
    assert (again["title"], again["copies"], again["form_token"]) == (
        ["Sweep"],
        ["3"],
        [fields["form_token"][0]],
    )
    assert send(client, team, again, confirm_copies="3").url == f"/t/{team.slug}/jobs/"
    assert titles() == ["Sweep #1", "Sweep #2", "Sweep #3"]


@pytest.mark.parametrize("confirmed", ["", "2", "yes"])
def test_only_the_confirmed_number_is_launched(client, team, fields, confirmed):
    assert send(client, team, fields, confirm_copies=confirmed).status_code == 200
    assert not Job.objects.exists()


def test_sent_again_it_gives_the_same_jobs(client, team, fields):
    for _ in range(2):
        assert send(client, team, fields, confirm_copies="3").status_code == 302
    assert titles() == ["Sweep #1", "Sweep #2", "Sweep #3"]


@pytest.mark.parametrize("number", ["1", "2", "4"])
def test_another_number_of_the_same_form_is_refused(client, team, fields, number):
    send(client, team, fields, confirm_copies="3")
    answer = send(client, team, fields, copies=number, confirm_copies=number)
    assert answer.status_code == 409
    assert "already launched" in text_of(answer)
    assert Job.objects.count() == 3


@pytest.mark.parametrize("number", ["0", "21", "-1", "x"])
def test_the_number_is_bounded(client, team, fields, number):
    answer = send(client, team, fields, copies=number, confirm_copies=number)
    assert answer.status_code == 422
    assert faults(answer)["copies"]
    assert not Job.objects.exists()


def test_a_cap_refuses_all_of_them_in_words(client, team, fields):
    Team.objects.filter(pk=team.pk).update(max_active_jobs=2)
    answer = send(client, team, fields, confirm_copies="3")
    assert answer.status_code == 422
    assert "may run 2 jobs at once" in text_of(answer)
    assert not Job.objects.exists()


def test_the_price_limit_counts_them_together(client, team, fields):
    Team.objects.filter(pk=team.pk).update(max_hourly_usd="2.00")
    assert "its limit is $2.00/h" in text_of(send(client, team, fields, confirm_copies="3"))
    assert not Job.objects.exists()


def test_several_take_no_jobs_place(client, team, fields):
    lost = factories.make_job(team, "UNCONFIRMED")
    answer = send(client, team, fields, supersedes=str(lost.pk), supersedes_sure="on", confirm_copies="3")
    assert "take the place of one" in faults(answer)["copies"]
    assert Job.objects.count() == 1


def test_titles_are_numbered_and_cut():
    assert copies.titles("T", 1) == ["T"]
    assert copies.titles("T", 2) == ["T #1", "T #2"]
    assert all(len(title) == 120 for title in copies.titles("x" * 120, 20))
    assert len(set(copies.titles("x" * 120, 20))) == 20


def test_one_job_is_not_asked_about(client, team, fields):
    assert send(client, team, fields, copies="1").status_code == 302
    assert (
        send(client, team, opened(client, team) | {"title": "U", "image": "i", "copies": ""}).status_code
        == 302
    )
    assert client.get(address(team)).status_code == 200
