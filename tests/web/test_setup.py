"""The first start in the browser: who may claim the installation, and each step after it."""

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import SshKey, User
from dispersed_web.credentials.models import Credential
from dispersed_web.events.models import Event
from dispersed_web.notifications.models import Channel
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams import first_run
from dispersed_web.teams.models import Membership, Team
from tests import factories as make
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.django_db

SETUP = "/setup/"
LIST = b'id="steps-title"'


def typed(**other):
    values = {
        "code": first_run.setup_code(),
        "email": "Ann@Example.org",
        "name": "Ann",
        "password": make.PASSWORD,
    }
    return values | other


def page(name, team):
    return reverse(f"web:{name}", args=[team.slug])


@pytest.fixture
def team(client):
    """Of somebody who came as far as the second step."""
    team = make.make_team("Lab")
    make.sign_in(client, make.owner_of(team))
    return team


def test_an_installation_without_accounts_leads_there(client):
    assert client.get("/")["Location"] == SETUP
    assert client.get(SETUP).status_code == 200
    make.make_user()
    assert client.get("/")["Location"] == "/account/login/?next=/"


def test_the_first_account_is_signed_in_and_comes_to_the_next_step(client):
    answer = client.post(SETUP, typed(time_zone="Europe/Berlin"))
    assert answer["Location"] == reverse("web:setup-team")
    assert User.objects.get().email == "ann@example.org"
    assert User.objects.get().time_zone == "Europe/Berlin"
    answer = client.post(reverse("web:setup-team"), {"name": "Vision Lab"})
    team = Team.objects.get()
    assert answer["Location"] == page("setup-credential", team)
    assert Membership.objects.get().role == "owner"
    assert Recipe.objects.filter(team=team).count() > 3
    assert "password" not in client.get(answer["Location"]).context["form"].fields, (
        "it was given a moment ago"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "0000-0000-0000-0000"),
        ("code", ""),
        ("password", "short"),
        ("password", "ann@example.org"),
        ("email", "x"),
    ],
)
def test_nothing_is_made_of_what_is_wrong(client, field, value):
    answer = client.post(SETUP, typed(**{field: value}))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert make.PASSWORD not in answer.content.decode()
    assert not User.objects.exists()


def test_guessing_the_code_ends_after_ten_attempts_from_an_address(client):
    for _ in range(10):
        client.post(SETUP, typed(code="0000"))
    assert "Too many" in str(client.post(SETUP, typed()).context["form"].errors["code"])
    assert not User.objects.exists()
    assert throttles.wait_for("setup", "127.0.0.1", timezone.now()) > 0
    wrong = Event.objects.filter(kind="installation.setup_code_wrong", ip_address="127.0.0.1")
    assert wrong.count() == 10
    assert not Event.objects.filter(sentence__contains="0000").exists()
    assert client.post(SETUP, typed(), REMOTE_ADDR="10.0.0.7").status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
def test_with_an_account_there_is_nothing_at_this_address(client, method):
    code = first_run.setup_code()
    make.make_user()
    assert getattr(client, method)(SETUP, {"code": code}).status_code == 404


def test_the_second_step_is_left_out_where_there_is_a_team(client, team):
    assert client.get(reverse("web:setup-team"))["Location"] == page("setup-credential", team)


def test_a_key_is_tried_first_and_stored(client, team, sandbox):
    public, secret = sandbox.keys[0][:2]
    url = page("setup-credential", team)
    wrong = client.post(url, {"name": "Main", "public_key": public, "secret_key": "sk_sim_wrong"})
    assert wrong.status_code == 422
    assert not Credential.objects.exists()
    answer = client.post(url, {"name": "Main", "public_key": public, "secret_key": secret})
    assert answer["Location"] == page("setup-notices", team)
    assert "Main" in client.get(url).content.decode()


def test_a_channel_is_stored_and_tried_at_once_and_an_address_that_is_never_asked_is_not(
    client, team, settings
):
    url = page("setup-notices", team)
    assert client.post(url, {"kind": "slack", "url": "http://127.0.0.1/x"}).status_code == 422
    with receiver() as hook:
        settings.WEBHOOK_ALLOWED_HOSTS = [("127.0.0.1", hook.port)]
        hook.answer(404)
        answer = client.post(url, {"kind": "slack", "url": hook.url}, follow=True)
        assert answer.redirect_chain[-1][0] == url
        assert "the test did not arrive" in answer.content.decode()
        Channel.objects.all().delete()
        answer = client.post(url, {"kind": "slack", "url": hook.url})
        assert answer["Location"] == page("setup-launch", team)
        assert len(hook.requests) == 2
    assert Channel.objects.get().team == team


def test_a_test_mail_goes_to_oneself(client, team):
    client.post(page("setup-mail", team))
    assert mail.outbox[0].to == [make.owner_of(team).email]
    for _ in range(9):
        client.post(page("setup-mail", team))
    assert len(mail.outbox) == 5


def test_the_last_step_leads_to_the_form_of_a_cheap_machine(client, team):
    from dispersed_web.recipes import starters

    starters.install(team, timezone.now())
    assert page("setup-credential", team) in client.get(page("setup-launch", team)).content.decode()
    make.make_credential(team)
    recipe = Recipe.objects.get(team=team, source="starter:ssh-machine")
    form = reverse("web:recipe-launch", args=[team.slug, recipe.pk])
    assert client.post(page("setup-launch", team), {"key": "no key"}).status_code == 422
    answer = client.post(page("setup-launch", team), {"key": make.SSH_KEY})
    assert answer["Location"] == form
    assert SshKey.objects.get().user == make.owner_of(team)
    html = client.get(page("setup-launch", team)).content.decode()
    assert form in html
    assert "Store the key" not in html
    assert "costs nothing" in html


def test_what_was_skipped_is_not_shown_as_done(client, team):
    def states():
        return [one["state"] for one in client.get(page("setup-launch", team)).context["steps"]]

    assert states() == ["done", "done", "todo", "todo", "current"]
    make.make_credential(team)
    make.make_channel(team)
    assert states() == ["done"] * 4 + ["current"]


@pytest.mark.parametrize("name", ["setup-credential", "setup-notices", "setup-launch"])
def test_the_steps_are_for_those_who_may(client, name):
    team = make.make_team()
    role = "viewer" if name == "setup-launch" else "member"
    make.sign_in(client, make.make_member(team, role))
    assert client.get(page(name, team)).status_code == 403
    make.sign_in(client, make.make_user())
    assert client.get(page(name, team)).status_code == 404


def test_the_list_goes_for_good_for_who_does_not_want_it(client, team):
    home = page("team-home", team)
    assert LIST in client.get(home).content
    assert client.post(reverse("web:first-steps-hide")).status_code == 302
    assert LIST not in client.get(home).content
    assert b"first steps on the home page again" in client.get(reverse("web:me")).content
    client.post(reverse("web:first-steps-hide"), {"show": "1"})
    assert LIST in client.get(home).content
    colleague = make.sign_in(client, make.make_member(team, "admin"))
    assert LIST in client.get(home).content
    assert not colleague.hides_first_steps


def test_members_see_the_steps_that_are_theirs(client, team):
    make.sign_in(client, make.make_member(team, "member"))
    steps = client.get(page("team-home", team)).context["steps"]
    assert [one.title for one in steps.rows] == [
        "Add a credential",
        "Store your SSH key",
        "Launch the first job",
    ]
    assert steps.rows[0].waits == "An admin does this"
    make.make_credential(team)
    steps = client.get(page("team-home", team)).context["steps"]
    assert [one.title for one in steps.rows] == ["Store your SSH key", "Launch the first job"]
    assert steps.next == steps.rows[0]
    make.sign_in(client, make.make_member(team, "viewer"))
    assert not client.get(page("team-home", team)).context["steps"].shown


def test_each_step_is_ticked_by_what_it_left_behind(client, team):
    owner, home = make.owner_of(team), page("team-home", team)

    def open_steps():
        return [one.title for one in client.get(home).context["steps"].rows if not one.done]

    assert len(open_steps()) == 6
    make.make_credential(team)
    make.give_ssh_key(owner, make.SSH_KEY)
    make.give_second_factor(owner)
    make.make_channel(team)
    assert open_steps() == ["Invite somebody", "Launch the first job"]
    make.make_member(team, "member")
    make.make_job(team)
    assert open_steps() == []
    assert SshKey.objects.exists()
    assert b"First steps" not in client.get(home).content
