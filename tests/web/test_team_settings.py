"""A team's settings: its name, the rule for second factors, which opens first, its end."""

import pytest
from django.urls import reverse

from dispersed_web.events.models import Event
from dispersed_web.teams.models import Membership, Team
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab", slug="vision-lab")
    make.sign_in(client, make.owner_of(team))
    return team


def url(name, team, *more):
    return reverse(f"web:{name}", args=[team.slug, *more])


def html(answer):
    return " ".join(answer.content.decode().split())


def test_the_name_changes_and_the_address_stays(client, team):
    assert client.post(url("team-rename", team), {"name": "  Robot   Lab "}).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.slug) == ("Robot Lab", "vision-lab")
    event = Event.objects.get(kind="team.renamed")
    assert event.data["before"]["name"] == "Vision Lab"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb", "a\x00b"])
def test_what_is_no_name_is_refused_and_stays_in_the_field(client, team, name):
    assert client.post(url("team-rename", team), {"name": name}).status_code == 422
    assert Team.objects.get().name == "Vision Lab"


def test_a_second_factor_is_demanded_by_somebody_who_has_one(client, team):
    answer = client.post(url("team-factor-rule", team), {"require_mfa": "on"})
    assert answer.status_code == 422
    assert "Set up a second factor for yourself first" in html(answer)
    make.give_second_factor(make.owner_of(team))
    session = client.session
    session["account_authentication_methods"] += [
        {"method": "mfa", "type": "totp", "at": session["account_authentication_methods"][0]["at"]}
    ]
    session.save()
    assert client.post(url("team-factor-rule", team), {"require_mfa": "on"}).status_code == 302
    assert Team.objects.get().require_mfa
    assert client.post(url("team-factor-rule", team), {}).status_code == 302
    assert not Team.objects.get().require_mfa


def test_the_page_names_who_would_be_locked_out(client, team):
    make.make_member(team, user=make.make_user("bob@example.org", "Bob"))
    assert "would be locked out: Bob" in html(client.get(url("team-settings", team)))


def test_the_rule_is_announced_from_the_page_until_it_holds(client, team):
    make.make_member(team, user=make.make_user("bob@example.org", "Bob"))
    assert "Tell them now" in html(client.get(url("team-settings", team)))
    answer = client.post(url("team-factor-announce", team), follow=True)
    assert "2 members told, in the inbox and by e-mail." in html(answer), "Bob, and the owner without one"
    assert Event.objects.filter(kind="account.factor_announced").count() == 2
    assert "They were told lately" in html(client.post(url("team-factor-announce", team), follow=True))
    Team.objects.update(require_mfa=True)
    make.give_second_factor(make.owner_of(team))
    assert "Tell them now" not in html(client.get(url("team-settings", team)))


def test_a_person_of_several_teams_chooses_which_opens_first(client, team):
    owner = make.owner_of(team)
    assert "Opens first" not in html(client.get(url("team-settings", team)))
    other = make.make_team("Another", owner=owner)
    third = make.make_team("Zoo", owner=owner)
    for chosen in (third, team, other):
        client.post(url("team-open-first", chosen))
        assert list(Membership.objects.filter(is_default=True)) == [
            Membership.objects.get(team=chosen, user=owner)
        ]
        client.logout()
        make.sign_in(client, owner)
        assert client.get("/")["Location"] == url("team-home", chosen)


def test_a_viewer_sees_only_what_is_theirs(client, team):
    make.sign_in(client, make.make_member(team, "viewer"))
    page = html(client.get(url("team-settings", team)))
    assert url("team-leave", team) in page
    for name in ("team-rename", "team-factor-rule", "team-factor-announce", "team-delete"):
        assert url(name, team) not in page


class TestDeleting:
    def test_the_page_says_what_keeps_it(self, client, team):
        make.make_job(team)
        page = html(client.get(url("team-delete", team)))
        assert "1 job has not ended" in page
        answer = client.post(url("team-delete", team), {"name": "Vision Lab"})
        assert answer.status_code == 422
        assert Team.objects.get().deleted_at is None

    def test_with_another_name_it_stays(self, client, team):
        answer = client.post(url("team-delete", team), {"name": "Vision"})
        assert answer.status_code == 422
        assert 'value="Vision"' in html(answer)
        assert Team.objects.get().deleted_at is None

    def test_with_its_name_it_is_gone(self, client, team):
        answer = client.post(url("team-delete", team), {"name": "Vision Lab"}, follow=True)
        assert "The team Vision Lab is deleted." in html(answer)
        assert client.get(url("team-home", team)).status_code == 404
        team.refresh_from_db()
        assert client.get(url("team-home", team)).status_code == 404

    def test_after_a_while_the_password_is_asked_for(self, client, team):
        client.logout()
        client.force_login(make.owner_of(team))
        assert client.post(url("team-delete", team), {"name": "Vision Lab"}).status_code == 422
        data = {"name": "Vision Lab", "password": make.PASSWORD}
        assert client.post(url("team-delete", team), data).status_code == 302
