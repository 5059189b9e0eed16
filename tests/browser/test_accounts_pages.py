"""Accounts in a real browser: signing up, being invited by nobody, signing in elsewhere, and ending a session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from dispersed_web.accounts.models import User
from tests import factories as make
from tests.web import oidc_provider
from tests.web.oidc_provider import Provider

from .axe import assert_accessible
from .windows import PHONE, OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "correct horse battery staple"


@pytest.fixture
def opener(open_window: OpenWindow, live_server: Any, settings: Any) -> OpenWindow:
    """A phone of its own each time."""
    settings.PUBLIC_URL = live_server.url
    return lambda: open_window(size=PHONE)


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    person = {"sub": "ana-1", "email": "ana@example.org", "email_verified": True, "name": "Ana"}
    with oidc_provider.served(Provider(person=person), settings) as made:
        yield made


def sign_in(page: Page, email: str, password: str = make.PASSWORD) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/(teams/new/)?$"))


def test_somebody_makes_an_account_confirms_the_address_and_is_in(
    opener: OpenWindow, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.SIGNUP = "open"
    page = opener()
    page.goto(reverse("account_login"))
    page.get_by_role("link", name="Make one").click()
    page.get_by_label("E-mail address").fill("nina@example.org")
    page.get_by_label("Your name").fill("Nina New")
    page.get_by_label("Password", exact=True).fill("too short")
    page.get_by_label("Password, again").fill("too short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("too short")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Nina New")
    assert_accessible(page)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_label("Password, again").fill(NEW)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    assert_accessible(page)
    page.goto(re.search(r"http\S+", mailoutbox[0].body)[0])
    assert_accessible(page)
    page.get_by_role("button", name="Confirm the address").click()
    page.wait_for_url(lambda url: "/account/" not in url)
    assert User.objects.get().name == "Nina New"


def test_without_an_invitation_it_is_said_how_to_get_one(opener: OpenWindow) -> None:
    page = opener()
    page.goto(reverse("account_login"))
    expect(page.get_by_role("link", name="Make one")).to_have_count(0)
    page.goto(reverse("account_signup"))
    expect(page.get_by_role("heading", name="Accounts are made by invitation")).to_be_visible()
    assert_accessible(page)


def test_a_session_that_is_ended_elsewhere_is_out_at_its_next_page(opener: OpenWindow) -> None:
    user = make.make_user("ana@example.org")
    here, there = opener(), opener()
    sign_in(here, user.email)
    sign_in(there, user.email)
    here.goto(reverse("web:me"))
    here.get_by_role("link", name="Where you are signed in").click()
    expect(here.get_by_role("row").filter(has_text="this one")).to_have_count(1)
    assert_accessible(here)
    here.get_by_role("button", name=re.compile("End the session of Chrome")).click()
    expect(here.get_by_text("It is signed out there")).to_be_visible()
    there.goto(reverse("web:me"))
    expect(there).to_have_url(re.compile("/account/login/"))
    here.goto(reverse("web:me"))
    expect(here).to_have_url(re.compile("/me/$"))


def test_somebody_signs_in_elsewhere_and_comes_back(opener: OpenWindow, provider: Provider) -> None:
    user = make.make_user("ana@example.org")
    page = opener()
    page.goto(f"{reverse('account_login')}?next=/me/")
    assert_accessible(page)
    page.get_by_role("link", name="Sign in with Example SSO").click()
    expect(page).to_have_url(re.compile("/me/$"))
    assert user.socialaccount_set.count() == 1


def test_what_went_wrong_elsewhere_is_said(opener: OpenWindow, provider: Provider) -> None:
    page = opener()
    for name in ("socialaccount_login_error", "socialaccount_login_cancelled"):
        page.goto(reverse(name))
        expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
        assert_accessible(page)
