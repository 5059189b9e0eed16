"""An invitation's link: opening it joins nobody, and whatever does not hold looks the same."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.events.record import Actor
from dispersed_web.notifications import invitation_mail
from dispersed_web.teams import invitations
from dispersed_web.teams.models import Invitation, Membership
from tests import factories as make

pytestmark = pytest.mark.django_db
JOIN, ACCEPT, DECLINE = "/join/", "/join/accept/", "/join/decline/"
ADDRESS = "new@example.org"


@pytest.fixture
def team():
    return make.make_team("Vision Lab", owner=make.make_user("ana@example.org", "Ana"))


@pytest.fixture
def invited(team):
    return invite(team)


def invite(team, by_mail=True, role="admin", now=None):
    actor = Actor.person(make.owner_of(team))
    return invitations.invite(team, ADDRESS, role, by_mail=by_mail, actor=actor, now=now or timezone.now())


def link(token):
    return reverse("web:join-link", args=[token])


def html(answer):
    """The page without what differs from one request to the next."""
    return re.sub(r'name="server-time" content="\S+"', "", " ".join(answer.content.decode().split()))


def members(team):
    return set(Membership.objects.filter(team=team).values_list("user__email", "role"))


def test_the_page_says_who_invites_to_what_and_hides_the_address(client, team, invited):
    answer = client.get(link(invited[1]), follow=True)
    page = html(answer)
    for words in ("Join Vision Lab", "Ana invites you", "as an admin", "n•••@e•••.org", "Sign in"):
        assert words in page
    assert ADDRESS not in page
    assert invited[1] not in page
    assert "/account/login/?next=/join/" in page
    assert "/account/signup/?next=/join/" in page


def test_the_second_factor_is_named_beforehand(client, team, invited):
    def said():
        mail = invitation_mail.mail_of(
            Invitation.objects.select_related("team").get(), "https://host/join/x/"
        )
        in_mail = ["needs a second factor" in text for text in (mail.body, mail.alternatives[0].content)]
        return {*in_mail, "needs a second factor" in html(client.get(link(invited[1]), follow=True))}

    assert said() == {False}
    team.require_mfa = True
    team.save()
    assert said() == {True}


def test_neither_page_is_kept_or_told(client, invited):
    for answer in (client.get(link(invited[1])), client.get(JOIN), client.get(link("nonsense"))):
        assert answer["Referrer-Policy"] == "strict-origin"
        assert "no-store" in answer["Cache-Control"]
        assert "noindex" in answer["X-Robots-Tag"]


def test_opening_it_joins_nobody(client, team, invited):
    make.sign_in(client, make.make_user(ADDRESS))
    before = members(team)
    for method in (client.get, client.head):
        method(link(invited[1]))
        method(JOIN)
        assert method(ACCEPT).status_code == 405
    assert members(team) == before
    assert Invitation.objects.get().accepted_at is None


def test_joining_takes_a_button_and_works_once(client, team, invited):
    make.sign_in(client, make.make_user(ADDRESS))
    assert "Join the team" in html(client.get(link(invited[1]), follow=True))
    answer = client.post(ACCEPT)
    assert answer["Location"] == reverse("web:team-home", args=[team.slug])
    assert (ADDRESS, "admin") in members(team)
    assert client.post(ACCEPT).status_code == 404
    assert client.get(link(invited[1])).status_code == 404


def test_declining(client, team, invited):
    make.sign_in(client, make.make_user(ADDRESS))
    client.get(link(invited[1]))
    assert "Ana was told" in html(client.post(DECLINE, follow=True))
    assert client.get(link(invited[1])).status_code == 404
    assert len(members(team)) == 1


def test_another_address_is_refused_and_told_which_in_part_only(client, team, invited):
    make.sign_in(client, make.make_user("other@example.org"))
    page = html(client.get(link(invited[1]), follow=True))
    assert "This invitation is for another address" in page
    assert "n•••@e•••.org" in page
    assert ADDRESS not in page
    for act in (ACCEPT, DECLINE):
        assert client.post(act).status_code == 403
    assert len(members(team)) == 1
    assert invitations.find(invited[1], timezone.now())


def test_whatever_does_not_hold_looks_the_same(client, team):
    used, withdrawn, expired = (
        invite(make.make_team(), now=timezone.now() - dt.timedelta(hours=hours)) for hours in (0, 0, 73)
    )
    Invitation.objects.filter(pk=used[0].pk).update(accepted_at=timezone.now())
    Invitation.objects.filter(pk=withdrawn[0].pk).update(revoked_at=timezone.now())
    tokens = ["unknown", used[1], withdrawn[1], expired[1]]
    answers = [client.get(link(token)) for token in tokens] + [client.get(JOIN)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({html(answer) for answer in answers}) == 1
    assert invitations.VOID in html(answers[0])


def test_who_is_not_signed_in_answers_nothing(client, invited):
    client.get(link(invited[1]))
    for act in (ACCEPT, DECLINE):
        assert client.post(act)["Location"].startswith("/account/login/")
    assert invitations.find(invited[1], timezone.now())


def test_withdrawn_after_it_was_opened_it_is_void(client, team, invited):
    make.sign_in(client, make.make_user(ADDRESS))
    client.get(link(invited[1]))
    Invitation.objects.update(revoked_at=timezone.now())
    assert client.get(JOIN).status_code == 404
    assert client.post(ACCEPT).status_code == 404
    assert len(members(team)) == 1


def test_who_is_in_already_is_told_so(client, team, invited):
    make.sign_in(client, make.make_member(team, "viewer", make.make_user(ADDRESS)))
    client.get(link(invited[1]))
    answer = client.post(ACCEPT)
    assert answer.status_code == 409
    assert "in this team already" in html(answer)


def test_where_nobody_signs_up_no_way_there_is_offered(client, invited, settings):
    settings.SIGNUP = "closed"
    assert "Make an account" not in html(client.get(link(invited[1]), follow=True))


def test_somebody_without_a_team_is_led_back_to_the_invitation(client, invited):
    make.sign_in(client, make.make_user(ADDRESS))
    client.get(link(invited[1]))
    assert client.get("/")["Location"] == JOIN
