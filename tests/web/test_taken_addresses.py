"""Somebody types another person's address: at sign-up, at a sign-in provider, as the new address of their own account.
Whatever its owner does with the mails that follow, nobody but the owner gets in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Audience, Event
from tests import factories as make
from tests.web.test_accounts import LOGIN, NEW, RESET, invitation, is_in, sign_in, sign_up, text

pytestmark = pytest.mark.django_db
OWNER, MINE = "owner@example.org", "violet tapir pocket lantern"
LINK = re.compile(r"http://testserver(/account/\S+)")


@pytest.fixture(autouse=True)
def anybody_may_sign_up(settings: Any) -> None:
    settings.SIGNUP, settings.PUBLIC_URL = "open", "http://testserver"


def link_in(mailoutbox: list[Any], to: str = OWNER) -> str:
    return LINK.search(next(mail.body for mail in reversed(mailoutbox) if mail.to == [to]))[1]


def choose(owner: Client, form: str) -> Any:
    """The owner chooses a password behind a link."""
    page = owner.get(form)
    form = page["Location"] if page.status_code == 302 else form
    assert "password" in text(owner.get(form)).lower()
    return owner.post(form, {"password1": MINE, "password2": MINE})


def opens(password: str) -> bool:
    client = Client()
    sign_in(client, OWNER, password)
    return is_in(client)


@pytest.mark.parametrize("way", ["open", "by a link that the inviter kept"])
def test_a_stranger_s_password_opens_nothing_once_the_owner_confirmed(
    settings: Any, mailoutbox: list[Any], way: str
) -> None:
    stranger, owner = Client(), Client()
    if way != "open":
        settings.SIGNUP = "invitation"
        invitation(stranger, OWNER, by_mail=False)
    sign_up(stranger, OWNER)
    answer = owner.post(link_in(mailoutbox))
    assert "/account/password/reset/key/" in answer["Location"]
    assert not opens(NEW), "before the owner chose a password"
    stranger.get("/account/confirm-email/")
    assert stranger.post(link_in(mailoutbox)).status_code == 200, "the link is used up"
    assert not is_in(stranger)
    choose(owner, answer["Location"])
    assert (opens(NEW), opens(MINE)) == (False, True)
    assert not is_in(stranger)


def test_an_owner_who_leaves_before_choosing_gets_a_link_by_forgot_password(mailoutbox: list[Any]) -> None:
    sign_up(Client(), OWNER)
    Client().post(link_in(mailoutbox))
    owner = Client()
    owner.post(RESET, {"email": OWNER})
    choose(owner, link_in(mailoutbox))
    assert (opens(NEW), opens(MINE)) == (False, True)


def test_an_owner_who_resets_the_password_needs_no_second_link(mailoutbox: list[Any]) -> None:
    """As told by the mail that an account is there already."""
    sign_up(Client(), OWNER)
    sign_up(Client(), OWNER, MINE)
    assert "There is one already" in mailoutbox[-1].body
    owner = Client()
    owner.post(RESET, {"email": OWNER})
    choose(owner, link_in(mailoutbox))
    assert (opens(NEW), opens(MINE)) == (False, True)
    noted = Event.objects.filter(kind="account.password_changed").latest("pk")
    assert noted.audience == Audience.NOBODY, "nobody is warned of their first password"


@pytest.mark.parametrize("way", ["confirms", "resets"])
def test_a_sign_in_provider_that_told_the_address_opens_nothing_either(
    mailoutbox: list[Any], way: str
) -> None:
    sign_up(Client(), OWNER)
    SocialAccount.objects.create(user=User.objects.get(), provider="oidc", uid="stranger")
    owner = Client()
    if way == "confirms":
        choose(owner, owner.post(link_in(mailoutbox))["Location"])
    else:
        owner.post(RESET, {"email": OWNER})
        choose(owner, link_in(mailoutbox))
    assert opens(MINE)
    assert not SocialAccount.objects.exists()


def test_the_browser_where_the_password_was_typed_confirms_it_with_the_address(mailoutbox: list[Any]) -> None:
    """Also another day, or after signing in elsewhere: whoever has both is the owner."""
    sign_up(Client(), OWNER)
    here = Client()
    assert sign_in(here, OWNER, NEW)["Location"] == "/account/confirm-email/"
    session = here.session
    del session["account_login"]  # as after a quarter of an hour
    session.save()
    assert here.post(link_in(mailoutbox))["Location"] == LOGIN
    assert opens(NEW)


class TestAChangedAddress:
    @pytest.fixture
    def thief(self, client: Client, mailoutbox: list[Any]) -> User:
        """Somebody whose account waits for an address that is not theirs."""
        user = make.sign_in(client, make.make_user("thief@example.org", name="Claim your prize"))
        client.post("/account/email/", {"email": OWNER, "action_add": ""})
        assert "thief@example.org" in mailoutbox[-1].body
        assert "prize" not in mailoutbox[-1].body
        return user

    def test_the_owner_of_the_address_confirms_nothing_by_its_link(
        self, thief: User, mailoutbox: list[Any]
    ) -> None:
        owner = Client()
        assert "Sign in to that account first" in text(owner.get(link_in(mailoutbox)))
        assert owner.post(link_in(mailoutbox)).status_code == 403
        mine = make.sign_in(owner, make.make_user("other@example.org"))
        assert "another account than yours" in text(owner.get(link_in(mailoutbox)))
        assert owner.post(link_in(mailoutbox)).status_code == 403
        assert owner.session["_auth_user_id"] == str(mine.pk), "and is not signed out by it"
        thief.refresh_from_db()
        assert thief.email == "thief@example.org"

    def test_nor_does_a_password_of_the_account_alone(self, thief: User, mailoutbox: list[Any]) -> None:
        """A second factor stands before a change, too."""
        browser = Client()
        sign_in(browser, OWNER)
        assert browser.post(link_in(mailoutbox)).status_code == 403

    def test_whoever_forgot_a_password_there_gets_no_link_to_the_account(
        self, thief: User, mailoutbox: list[Any]
    ) -> None:
        Client().post(RESET, {"email": OWNER})
        assert "There is no account with this address" in mailoutbox[-1].body
        assert "/key/" not in mailoutbox[-1].body

    def test_it_keeps_nobody_from_signing_up(
        self, thief: User, mailoutbox: list[Any], client: Client
    ) -> None:
        owner = Client()
        sign_up(owner, OWNER, MINE)
        owner.post(link_in(mailoutbox))
        assert is_in(owner)
        assert EmailAddress.objects.get(email=OWNER, verified=True).user != thief
