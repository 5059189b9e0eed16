"""The pages of whoever runs the installation: teams from outside, two acts for emergencies, nothing else."""

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience, Event
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason
from dispersed_web.notifications.readers import readers
from dispersed_web.teams.models import Membership
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    return make.sign_in(client, make.make_user("root@example.org", "Root", is_site_admin=True))


@pytest.fixture
def team():
    return make.make_team("Vision Lab", owner=make.make_user("ana@example.org", "Ana"))


def url(name: str, *more: Any) -> str:
    return reverse(f"web:{name}", args=more)


def html(answer):
    return " ".join(answer.content.decode().split())


def pages(team):
    seat = Membership.objects.get(team=team, user=make.owner_of(team))
    return [
        url("site"),
        url("site-team", team.pk),
        url("site-stop", team.pk, make.make_job(team).pk),
        url("site-remove", team.pk, seat.pk),
    ]


@pytest.mark.parametrize("role", ["viewer", "owner", "stranger"])
def test_for_everybody_else_there_are_no_such_pages(client, team, role):
    make.sign_in(client, make.make_user() if role == "stranger" else make.make_member(team, role))
    for page in pages(team):
        assert (client.get(page).status_code, client.post(page).status_code) == (404, 404)
    client.logout()
    for page in pages(team):
        assert client.get(page)["Location"].startswith("/account/login/")


def test_they_reach_no_page_of_the_team(client, root, team):
    job = make.make_job(team)
    for page in (
        url("team-home", team.slug),
        url("team", team.slug),
        url("jobs", team.slug),
        url("job", team.slug, job.pk),
        url("job-stop", team.slug, job.pk),
    ):
        assert client.get(page).status_code in (404, 405)
        assert client.post(page).status_code in (404, 405)
    assert Job.objects.get().stop_requested_at is None
    assert not Membership.objects.filter(user=root).exists()


def test_the_list_counts_and_sums(client, root, team):
    make.make_job(team)
    make.make_job(team, "PREPARING")
    make.make_job(team, "COMPLETED")
    make.make_member(team, user=make.make_user(is_service=True))
    make.make_team("Gone", deleted_at=timezone.now(), slug="deleted-1")
    page = html(client.get(url("site")))
    assert "$0.69/h burns in all" in page
    row = page[page.index("Vision Lab") :]
    assert 'data-label="Members">1<' in row
    assert 'data-label="Active jobs">2<' in row
    assert "Gone" not in page


def test_jobs_that_cannot_be_stopped_are_counted_and_summed_for_all_and_for_each_team(client, root, team):
    assert "cannot be stopped" not in html(client.get(url("site")))
    broken = make.make_credential(team, state="broken", refused_at=timezone.now())
    for rate in ("1.25", "2.25"):
        make.make_job(team, title="Secret plan", credential=broken, hourly_rate_usd=rate)
    other = make.make_team("Audio Lab")
    make.make_job(
        other,
        credential=make.make_credential(other, state="broken", refused_at=timezone.now()),
        hourly_rate_usd="0.50",
    )
    make.make_job(other, credential=make.make_credential(other), hourly_rate_usd="9.00")
    page = html(client.get(url("site")))
    assert "3 jobs of 2 teams cannot be stopped from here: $4.00/h in all" in page
    assert "its key does not work" in page
    assert "2 cannot be stopped, $3.50/h" in page
    assert "1 cannot be stopped, $0.50/h" in page
    assert "Secret plan" not in page


def test_a_team_s_page_marks_what_cannot_be_stopped_and_says_where_else(client, root, team):
    broken = make.make_credential(team, state="broken", refused_at=timezone.now(), name="Dead key")
    stuck = make.make_job(team, credential=broken, title="Secret project")
    fine = make.make_job(team, credential=make.make_credential(team, name="Good key"))
    page = html(client.get(url("site-team", team.pk)))
    assert page.count('tone-red">cannot be stopped') == 1
    assert "cannot be stopped from here, because its key does not work." in page
    assert stuck.remote_uuid in page
    assert fine.remote_uuid not in page
    assert "Secret project" not in page


def test_a_team_shows_ids_and_costs_but_nothing_of_what_jobs_do(client, root, team):
    secret = "Canary of a title"
    job = make.make_job(
        team, spec=make.make_spec(title=secret, image="canary/image"), title=secret, notes=secret
    )
    for page in (url("site-team", team.pk), url("site-stop", team.pk, job.pk)):
        text = html(client.get(page))
        assert str(job.pk) in text
        assert "RTX 5090" in text
        assert secret not in text
        assert "canary/image" not in text


def test_a_removal_names_jobs_by_their_ids(client, root, team):
    bob = make.make_member(team)
    job = make.make_job(team, title="Canary of a title", created_by=bob, owner=bob)
    page = html(client.get(url("site-remove", team.pk, Membership.objects.get(user=bob).pk)))
    assert str(job.pk) in page
    assert "Canary" not in page


def test_an_emergency_stop_needs_a_reason_and_is_told_to_the_teams_admins(client, root, team):
    admin = make.make_member(team, "admin")
    bystander = make.make_member(team)
    job = make.make_job(team)
    page = url("site-stop", team.pk, job.pk)
    for why in ("", "   "):
        assert client.post(page, {"why": why}).status_code == 422
    assert client.post(page, {"why": "It mines coins."})["Location"] == url("site-team", team.pk)
    job.refresh_from_db()
    assert (job.stop_reason, job.stop_requested_by) == (Reason.TEAM_EMERGENCY, root)
    event = Event.objects.get(kind="job.stop_requested")
    assert event.audience == Audience.ADMINS
    assert "Root, who runs this installation" in event.sentence
    assert "It mines coins." in event.sentence
    assert {make.owner_of(team).pk, admin.pk} <= readers(event)
    assert bystander.pk not in readers(event)


def test_the_password_is_asked_for_after_a_while(client, root, team):
    client.logout()
    client.force_login(root)
    job = make.make_job(team)
    assert client.post(url("site-stop", team.pk, job.pk), {"why": "x"}).status_code == 422
    assert Job.objects.get().stop_requested_at is None
    data = {"why": "x", "password": make.PASSWORD}
    assert client.post(url("site-stop", team.pk, job.pk), data).status_code == 302


def test_a_member_is_removed_and_their_jobs_go_to_an_owner(client, root, team):
    bob, cem = make.make_member(team), make.make_member(team)
    job = make.make_job(team, created_by=bob, owner=bob)
    page = url("site-remove", team.pk, Membership.objects.get(user=bob).pk)
    for heir in (cem.pk, "stop", root.pk):
        assert client.post(page, {"all": heir, f"job-{job.pk}": ""}).status_code == 422
    ana = make.owner_of(team)
    assert client.post(page, {"all": ana.pk, f"job-{job.pk}": ""}).status_code == 302
    job.refresh_from_db()
    assert job.owner == ana
    assert not Membership.objects.filter(user=bob).exists()


def test_the_last_owner_stays(client, root, team):
    seat = Membership.objects.get(team=team, role="owner")
    answer = client.post(url("site-remove", team.pk, seat.pk))
    assert answer.status_code == 422
    assert "A team needs an owner" in html(answer)


def test_what_is_in_another_team_is_not_there(client, root, team):
    other = make.make_team()
    job = make.make_job(other)
    seat = Membership.objects.get(team=other)
    for page in (
        url("site-team", uuid.uuid4()),
        url("site-stop", team.pk, job.pk),
        url("site-remove", team.pk, seat.pk),
    ):
        assert client.get(page).status_code == 404


def test_the_list_takes_as_many_queries_for_many_teams_as_for_few(
    client, root, django_assert_max_num_queries
):
    client.get(url("site"))
    for _ in range(12):
        make.make_job(make.make_team())
    with django_assert_max_num_queries(14):
        client.get(url("site"))


def test_the_menu_leads_there_for_those_alone(client, root, team):
    assert url("site") in html(client.get(url("site")))
    make.sign_in(client, make.owner_of(team))
    assert url("site") not in html(client.get(url("team", team.slug)))


class TestTheCommand:
    def test_it_gives_the_right_and_takes_it(self, capsys):
        user = make.make_user("ana@example.org")
        call_command("site_admin", "ANA@example.org")
        assert User.objects.get(pk=user.pk).is_site_admin
        event = Event.objects.get(kind="account.site_admin")
        assert readers(event) == {user.pk}
        call_command("site_admin", "ana@example.org")
        assert "as before" in capsys.readouterr().out
        call_command("site_admin", "ana@example.org", "--remove")
        assert not User.objects.get(pk=user.pk).is_site_admin

    @pytest.mark.parametrize("email", ["nobody@example.org", "program@service.invalid"])
    def test_not_to_strangers_and_programs(self, email):
        make.make_user("program@service.invalid", is_service=True)
        with pytest.raises(CommandError):
            call_command("site_admin", email)
        assert not User.objects.filter(is_site_admin=True).exists()
