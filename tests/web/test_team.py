import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.models import Event
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import ApiToken, Membership
from dispersed_web.teams.roles import Role
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def url(name, team, *more):
    return reverse(f"web:{name}", args=[team.slug, *more])


def html(answer):
    return answer.content.decode()


def seat_of(team, user):
    return Membership.objects.get(team=team, user=user)


def test_the_page_shows_people_limits_and_what_happened(client, team):
    make.make_member(team, "viewer", make.make_user("dai@example.org", "Dai"))
    make.make_event(team, sentence="Something of note.")
    page = html(client.get(url("team", team)))
    for words in (
        "Dai",
        "dai@example.org",
        "24\u00a0h",
        "7\u00a0days",
        "Something of note.",
    ):
        assert words in page


def test_another_teams_people_and_keys_are_not_shown(client, team):
    other = make.make_team("Other")
    make.make_member(other, "member", make.make_user("other@example.org"))
    make.make_credential(other, name="Their key")
    make.make_event(other, sentence="Their secret event.")
    for name in ("team", "team-events"):
        page = html(client.get(url(name, team)))
        for words in ("other@example.org", "Their key", "Their secret event."):
            assert words not in page


def test_who_may_change_nothing_is_offered_nothing(client, team):
    member = make.make_member(team, "member")
    seat = seat_of(team, member)
    offers = [url("team-limits", team), url("team-freeze", team), url("team-invite", team)]
    offers += [url(name, team, seat.pk) for name in ("team-member", "team-member-remove")]
    page = html(client.get(url("team", team)))
    assert all(offer in page for offer in offers)
    make.sign_in(client, member)
    page = html(client.get(url("team", team)))
    assert not any(offer in page for offer in offers)


@pytest.mark.parametrize("actor", list(Role))
@pytest.mark.parametrize("target", list(Role))
@pytest.mark.parametrize("new", list(Role))
def test_roles_change_as_the_table_says(client, team, actor, target, new):
    user = make.make_member(team, target)
    seat = seat_of(team, user)
    make.sign_in(client, make.make_member(team, actor))
    client.post(url("team-member", team, seat.pk), {"role": new.value})
    seat.refresh_from_db()
    admin_may = actor == Role.ADMIN and Role.OWNER not in (target, new)
    assert seat.role == (new if actor == Role.OWNER or admin_may else target)


def test_an_admin_is_not_offered_to_make_an_owner(client, team):
    seat = seat_of(team, make.make_member(team, "member"))
    make.sign_in(client, make.make_member(team, "admin"))
    page = client.get(url("team-member", team, seat.pk))
    offered = re.findall(r'type="radio"[^>]*value="(\w+)"', html(page))
    assert offered == ["viewer", "member", "admin"]
    assert client.post(url("team-member", team, seat.pk), {"role": "owner"}).status_code == 422


def test_the_last_owner_neither_steps_down_nor_leaves(client, team):
    seat = seat_of(team, make.owner_of(team))
    page = html(client.get(url("team-member", team, seat.pk)))
    assert "You are the only owner" in page
    assert "Save the role" not in page
    refused = client.post(url("team-member", team, seat.pk), {"role": "member"})
    assert refused.status_code == 422
    assert "A team needs an owner" in html(refused)
    assert "A team needs an owner" in html(client.post(url("team-leave", team), follow=True))
    seat.refresh_from_db()
    assert seat.role == "owner"


def test_leaving(client, team):
    user = make.sign_in(client, make.make_member(team, "member"))
    answer = client.post(url("team-leave", team), follow=True)
    assert "You left Vision Lab" in html(answer)
    assert not Membership.objects.filter(team=team, user=user).exists()
    assert client.get(url("team", team)).status_code == 404


def test_removing_ends_tokens_and_hints_at_keys(client, team):
    user = make.make_member(team, "admin")
    make.make_credential(team, name="Lab account", created_by=user)
    token, text = api_tokens.create(
        team,
        user,
        name="t",
        scope="read",
        lifetime=dt.timedelta(days=1),
        actor=make.LAUNCHER,
        now=timezone.now(),
    )
    answer = client.post(url("team-member-remove", team, seat_of(team, user).pk), follow=True)
    assert "may know the keys" in html(answer)
    assert "Lab account" in html(answer)
    assert not Membership.objects.filter(team=team, user=user).exists()
    assert api_tokens.find(text, timezone.now()) is None
    assert ApiToken.objects.get(pk=token.pk).revoked_at


LIMITS = {
    "default_lifetime_s": "2h",
    "max_lifetime_s": "3 days",
    "warn_lead_s": "10 min",
    "max_active_jobs": "4",
    "max_hourly_usd": "12.5",
}


def test_limits_are_written_as_people_say_them(client, team):
    assert client.post(url("team-limits", team), LIMITS).status_code == 302
    team.refresh_from_db()
    assert (team.default_lifetime_s, team.max_lifetime_s, team.warn_lead_s) == (7200, 3 * 86400, 600)
    assert (team.max_active_jobs, team.max_hourly_usd) == (4, Decimal("12.50"))
    assert Event.objects.get(team=team).kind == "team.limits_changed"
    page = html(client.get(url("team-limits", team)))
    assert 'value="2h"' in page
    assert 'value="3d"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("default_lifetime_s", "soon"),
        ("default_lifetime_s", "10s"),
        ("default_lifetime_s", ""),
        ("max_lifetime_s", "1h"),
        ("max_active_jobs", "-1"),
        ("max_hourly_usd", "lots"),
        ("max_hourly_usd", "NaN"),
    ],
)
def test_a_limit_that_makes_no_sense_is_marked(client, team, field, value):
    answer = client.post(url("team-limits", team), LIMITS | {field: value})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Event.objects.exists()


def test_an_admin_does_not_raise_the_spending(client, team):
    team.max_hourly_usd = 10
    team.save()
    make.sign_in(client, make.make_member(team, "admin"))
    answer = client.post(url("team-limits", team), LIMITS)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["max_hourly_usd"]
    assert client.post(url("team-limits", team), LIMITS | {"max_hourly_usd": "9"}).status_code == 302


def test_the_freeze_needs_no_password_and_is_told(client, team):
    client.logout()
    client.force_login(make.owner_of(team))
    for frozen in (True, False):
        client.post(url("team-freeze", team), {"frozen": "1" if frozen else "0"})
        team.refresh_from_db()
        assert team.launches_frozen is frozen
        assert ("Launches are frozen" in html(client.get(url("team", team)))) is frozen
    kinds = list(Event.objects.filter(team=team).order_by("id").values_list("kind", flat=True))
    assert kinds == ["team.frozen", "team.unfrozen"]


def test_the_log_is_filtered_and_paged(client, team):
    job = make.make_job(team, title="Fine job")
    for number in range(60):
        make.make_event(team, "job.status", job, f"Event {number}.")
    make.make_event(team, "member.added", sentence="Somebody came.")
    page = html(client.get(url("team-events", team)))
    assert "Somebody came." in page
    assert "Fine job" in page
    assert "Event 59." in page
    assert "Event 5." not in page
    older = re.search(r'href="(\?[^"]*before=\d+)"', page)[1].replace("&amp;", "&")
    assert "Event 5." in html(client.get(url("team-events", team) + older))
    members = html(client.get(url("team-events", team) + "?kind=member"))
    assert "Somebody came." in members
    assert "Event 59." not in members


@pytest.mark.parametrize("query", ["?kind=x", "?before=x", "?before=-1", "?before=" + "9" * 30, "?before=²"])
def test_the_log_takes_any_address(client, team, query):
    make.make_event(team, sentence="Somebody came.")
    answer = client.get(url("team-events", team) + query)
    assert "Somebody came." in html(answer)


class TestThePasswordIsAskedForAgain:
    """Who finds a browser signed in changes no roles with it."""

    @pytest.fixture
    def seat(self, client, team):
        client.logout()
        client.force_login(make.owner_of(team))
        return seat_of(team, make.make_member(team, "member"))

    def test_without_it_nothing_changes(self, client, team, seat):
        for name, fields in (("team-member", {"role": "admin"}), ("team-member-remove", {})):
            for password in ({}, {"password": "wrong", "removal-password": "wrong"}):
                answer = client.post(url(name, team, seat.pk), fields | password)
                assert answer.status_code == 422
        seat.refresh_from_db()
        assert seat.role == "member"

    def test_what_was_chosen_is_not_lost(self, client, team, seat):
        answer = client.post(url("team-member", team, seat.pk), {"role": "admin", "password": "wrong"})
        assert re.search(r'value="admin"[^>]* checked', html(answer))
        assert "This is not your password" in html(answer)
        assert "wrong" not in html(answer)

    def test_with_it_once_it_is_not_asked_for_again(self, client, team, seat):
        assert "Your password" in html(client.get(url("team-member", team, seat.pk)))
        answer = client.post(url("team-member", team, seat.pk), {"role": "admin", "password": make.PASSWORD})
        assert answer.status_code == 302
        assert "Your password" not in html(client.get(url("team-member", team, seat.pk)))
        assert client.post(url("team-member-remove", team, seat.pk)).status_code == 302

    def test_after_half_an_hour_it_is(self, client, team, seat):
        make.sign_in(client, make.owner_of(team))
        session = client.session
        session["account_authentication_methods"][0]["at"] -= 30 * 60
        session.save()
        assert "Your password" in html(client.get(url("team-member", team, seat.pk)))

    def test_signing_in_counts(self, client, team, seat):
        client.logout()
        client.post("/account/login/", {"login": make.owner_of(team).email, "password": make.PASSWORD})
        assert "Your password" not in html(client.get(url("team-member", team, seat.pk)))
