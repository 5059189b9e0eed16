"""A team that wants a second factor of its members: who may say so, and who is let in then."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts import second_factor
from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.notifications import inbox, outbox
from dispersed_web.notifications.notice import compose
from dispersed_web.notifications.readers import readers
from dispersed_web.teams import factor_rule, keeping
from dispersed_web.teams.models import Team
from tests import factories as make

pytestmark = pytest.mark.django_db


def set_rule(team, actor, on=True):
    return factor_rule.set_rule(team, on, Actor.person(actor), timezone.now())


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


@pytest.fixture
def ada():
    """An admin with a second factor, in a team with Bob, who has none, and a program, which is asked for none."""
    team = make.make_team("Strict lab", owner=make.make_user("olga@example.org", "Olga"))
    make.give_second_factor(make.owner_of(team))
    admin = make.make_member(team, "admin", user=make.make_user("ada@example.org", "Ada"))
    make.give_second_factor(admin)
    make.make_member(team, "viewer", user=make.make_user("bob@example.org", "Bob"))
    make.make_member(team, "member", user=make.make_user("ci@service.invalid", is_service=True))
    return admin


def told(kind):
    """Each event of the kind: its team, its sentence, whom it was told to."""
    emails = dict(User.objects.values_list("pk", "email"))
    events = Event.objects.filter(kind=kind).order_by("pk")
    return [(one.team, one.sentence, {emails[pk] for pk in readers(one)}) for one in events]


def test_who_has_none_is_told_when_the_rule_begins(ada):
    team = Team.objects.get()
    set_rule(team, ada)
    [(of, sentence, people)] = told("account.factor_needed")
    assert (of, people) == (None, {"bob@example.org"}), "the team's own events are closed to them"
    assert sentence.startswith(
        "Ada decided that the team Strict lab needs a second factor, and you have none."
    )
    assert "your own API tokens for it are refused" in sentence
    outbox.fan_out(timezone.now())
    assert inbox.unread(User.objects.get(email="bob@example.org")) == 1
    assert compose(Event.objects.get(kind="account.factor_needed")).page.endswith(reverse("mfa_index"))


def test_the_end_of_the_rule_is_told_to_the_owners(ada):
    team = Team.objects.get()
    set_rule(team, ada)
    set_rule(Team.objects.get(), ada, on=False)
    [(of, _, people)] = told("team.mfa_optional")
    assert (of, people) == (team, {"olga@example.org"})


def test_the_rule_is_announced_before_it_begins_once_a_day(ada):
    team, actor, now = Team.objects.get(), Actor.person(ada), timezone.now()
    assert factor_rule.announce(team, actor, now) == 1
    [(_, sentence, people)] = told("account.factor_announced")
    assert people == {"bob@example.org"}
    assert sentence.startswith(
        "The team Strict lab is going to need a second factor of its members, Ada says"
    )
    assert not Team.objects.get().require_mfa
    with pytest.raises(keeping.TeamRefused, match="They were told lately"):
        factor_rule.announce(team, actor, now)
    assert factor_rule.announce(team, actor, now + dt.timedelta(days=1)) == 1
    set_rule(team, ada)
    with pytest.raises(keeping.TeamRefused, match="already"):
        factor_rule.announce(Team.objects.get(), actor, now + dt.timedelta(days=3))


def test_who_does_not_manage_the_team_announces_nothing(ada):
    team = Team.objects.get()
    bob = User.objects.get(email="bob@example.org")
    with pytest.raises(keeping.TeamRefused):
        factor_rule.announce(team, Actor.person(bob), timezone.now())
    assert told("account.factor_announced") == []


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
