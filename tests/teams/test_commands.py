"""The commands with which an operator gives people accounts, teams and tokens."""

import re
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.teams import api_tokens
from dispersed_web.teams.models import Membership, Team
from tests import factories as make

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_new_person_chooses_a_password_by_the_link_and_signs_in(client):
    team = make.make_team()
    out = run("add_member", "New.Person@Example.org", team.slug, "--role", "admin", "--name", "New Person")
    assert Membership.objects.get(team=team, user__email="new.person@example.org").role == "admin"
    link = re.search(r"http\S+", out)[0]
    assert link.startswith(settings.PUBLIC_URL)
    page = client.get(link.removeprefix(settings.PUBLIC_URL), follow=True)
    assert page.status_code == 200
    new = {"password1": "correct-horse-battery", "password2": "correct-horse-battery"}
    client.post(page.request["PATH_INFO"], new)
    answer = client.post(
        "/account/login/", {"login": "new.person@example.org", "password": "correct-horse-battery"}
    )
    assert answer.status_code == 302
    assert client.get("/me/").status_code == 200


def test_a_first_password_is_printed_when_asked_for(client):
    team = make.make_team()
    out = run("add_member", "new@example.org", team.slug, "--password")
    password = re.search(r"First password: (\S+)", out)[1]
    assert "http" not in out
    assert User.objects.get(email="new@example.org").check_password(password)


@pytest.mark.parametrize("command", ["add_member", "site_admin"])
def test_whoever_made_an_account_with_somebodys_address_is_out_of_it(command):
    """Its address was never confirmed, so the password may be a stranger's."""
    team, user = make.make_team(), make.make_user("known@example.org")
    EmailAddress.objects.filter(user=user).update(verified=False)
    out = run(command, "known@example.org", *([team.slug] if command == "add_member" else []))
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert ("They choose a password here" in out) == (command == "add_member")


def test_somebody_with_an_account_keeps_the_password():
    team, user = make.make_team(), make.make_user("known@example.org")
    out = run("add_member", "Known@example.org", team.slug)
    assert "http" not in out
    assert "assword" not in out
    user.refresh_from_db()
    assert user.check_password(make.PASSWORD)
    assert Membership.objects.filter(team=team, user=user, role="member").exists()


def test_the_team_is_made_with_its_first_owner():
    run("add_member", "new@example.org", "Vision Lab", "--role", "owner", "--create-team")
    team = Team.objects.get(slug="vision-lab")
    assert list(team.memberships.values_list("user__email", "role")) == [("new@example.org", "owner")]
    run("add_member", "second@example.org", "Vision Lab", "--create-team")
    assert team.memberships.count() == 2
    assert set(Event.objects.values_list("actor_label", flat=True)) == {"The operator"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new@example.org", "nowhere"), "There is no team 'nowhere'"),
        (("no-address", "lab"), "no e-mail address"),
        (("new@example.org", "Fresh", "--create-team"), "add --role owner"),
    ],
)
def test_a_refusal_leaves_no_account_behind(arguments, words):
    make.make_team(slug="lab")
    before = User.objects.count()
    with pytest.raises(CommandError, match=words):
        run("add_member", *arguments)
    assert User.objects.count() == before


def test_create_team():
    user = make.make_user()
    assert "vision-lab" in run("create_team", "Vision Lab", "--owner", user.email)
    assert Membership.objects.get(user=user, team__slug="vision-lab").role == "owner"
    with pytest.raises(CommandError, match="Nobody has an account"):
        run("create_team", "Other", "--owner", "nobody@example.org")


def test_create_api_token_prints_a_working_token_and_nothing_else():
    team = make.make_team()
    user = make.make_member(team, "member")
    out = run("create_api_token", user.email, "--team", team.slug, "--scope", "operate", "--days", "7")
    token = api_tokens.find(out.strip(), timezone.now())
    assert (token.user, token.team, token.scope) == (user, team, "operate")
    assert (token.expires_at - token.created_at).days in (6, 7)


@pytest.mark.parametrize("days", ["0", "366"])
def test_create_api_token_refuses_other_spans(days):
    team = make.make_team()
    with pytest.raises(CommandError, match="a year at most"):
        run("create_api_token", make.owner_of(team).email, "--team", team.slug, "--days", days)
