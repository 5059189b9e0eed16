"""A team that wants a second factor of its members: who may say so, and who is let in then."""

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts import second_factor
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications import inbox, outbox
from dispersed_web.teams import keeping
from tests import factories as make

pytestmark = pytest.mark.django_db


def set_rule(team, actor, on=True):
    return keeping.set_require_mfa(team, on, Actor.person(actor), timezone.now())


def test_recovery_codes_alone_are_no_second_factor():
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    with_codes, with_app = make.make_user(), make.make_user()
    RecoveryCodes.activate(with_codes)
    make.give_second_factor(with_app)
    assert not second_factor.has_one(with_codes.pk)
    assert not second_factor.has_one(None)
    assert second_factor.who_has_one([with_codes.pk, with_app.pk]) == {with_app.pk}


def test_an_admin_with_a_second_factor_asks_it_of_all():
    team = make.make_team()
    admin = make.make_member(team, "admin")
    make.give_second_factor(admin)
    assert set_rule(team, admin)
    assert not set_rule(team, admin), "it is so already"
    team.refresh_from_db()
    assert team.require_mfa
    assert set_rule(team, admin, on=False)
    kinds = Event.objects.filter(team=team, kind__startswith="team.mfa").order_by("id")
    assert list(kinds.values_list("kind", flat=True)) == ["team.mfa_required", "team.mfa_optional"]


@pytest.mark.parametrize(("role", "code"), [("member", "not_allowed"), ("owner", "no_factor")])
def test_who_may_not_and_who_would_be_locked_out(role, code):
    team = make.make_team()
    person = make.make_member(team, role)
    if role == "member":
        make.give_second_factor(person)
    with pytest.raises(keeping.TeamRefused) as refused:
        set_rule(team, person)
    team.refresh_from_db()
    assert (refused.value.code, team.require_mfa) == (code, False)


@pytest.mark.parametrize("name", ["team-home", "jobs", "jobs-csv", "banners", "launch", "team"])
@pytest.mark.parametrize("htmx", [False, True])
def test_every_page_of_the_team_waits_for_the_second_factor(client, name, htmx):
    team = make.make_team("Strict lab", require_mfa=True)
    person = make.sign_in(client, make.owner_of(team))
    url = reverse(f"web:{name}", args=[team.slug])
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.get(url, headers=headers)
    assert answer.status_code == 403
    assert b"This team needs a second factor" in answer.content
    make.give_second_factor(person)
    assert client.get(url, headers=headers).status_code in (200, 204)


def test_a_stranger_does_not_learn_of_the_rule(client):
    team = make.make_team(require_mfa=True)
    make.sign_in(client, make.make_user())
    assert client.get(reverse("web:team-home", args=[team.slug])).status_code == 404


def test_pages_of_ones_own_show_nothing_of_that_team(client):
    team = make.make_team("Strict lab", require_mfa=True)
    person = make.sign_in(client, make.owner_of(team))
    assert client.get(reverse("web:me")).context["shell"].team is None
    make.give_second_factor(person)
    assert client.get(reverse("web:me")).context["shell"].team == team


def test_the_inbox_keeps_back_what_that_team_told(client):
    team = make.make_team("Strict lab", require_mfa=True)
    person = make.sign_in(client, make.owner_of(team))
    job = make.make_job(team, title="Secret project")
    make.make_event(team, "job.ended", job, "“Secret project” ended.", audience="job_owner")
    outbox.fan_out(timezone.now())
    assert inbox.unread(person) == 0
    assert b"Secret project" not in client.get(reverse("web:inbox")).content
    make.give_second_factor(person)
    assert inbox.unread(person) == 1


def test_the_rule_costs_other_teams_no_query(client, django_assert_num_queries, rf):
    from dispersed_web.web import access

    team = make.make_team()
    request = rf.get("/")
    request.user = make.owner_of(team)
    with django_assert_num_queries(1):
        access.seat(request, team.slug)
    team.require_mfa = True
    team.save()
    make.give_second_factor(request.user)
    with django_assert_num_queries(2):
        access.seat(request, team.slug)
