"""Second factors, confirming who one is and the first start, in a real browser with a security key made of software."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, expect

from dispersed_web.accounts.models import Throttle, User
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job
from dispersed_web.teams import first_run
from dispersed_web.teams.models import Team
from tests import factories as make

from .axe import assert_accessible
from .windows import LOOKS, OpenWindow, assert_fits, show_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
Go = Callable[[str], None]


@pytest.fixture
def page(open_window: OpenWindow) -> Iterator[Page]:
    """A window with a security key in it."""
    page = open_window()
    debugger = page.context.new_cdp_session(page)
    debugger.send("WebAuthn.enable")
    debugger.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    yield page
    debugger.send("WebAuthn.disable")
    debugger.detach()


def look(page: Page) -> None:
    """The page is accessible and fits, on two screens in both themes."""
    for size, theme in LOOKS:
        show_as(page, size, theme)
        assert_fits(page)
        assert_accessible(page)
    page.set_viewport_size({"width": 1440, "height": 900})


def sign_in(page: Page, person: User) -> None:
    page.context.clear_cookies()
    page.goto("/account/login/")
    page.locator("[name=login]").fill(person.email)
    page.locator("[name=password]").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith("/account/login/"))


def long_ago(person: User) -> None:
    """What the person proved was an hour and more ago."""
    for row in Session.objects.all():
        store = SessionStore(row.session_key)
        for record in store.get("account_authentication_methods", []):
            record["at"] -= 7200
        store.save()


def code_of(secret: str) -> str:
    """The app's code of now, which here may be used as often as there is need."""
    Throttle.objects.filter(name="code_used").delete()
    return make.totp_code(secret)


def at(page: Page, name: str, *names: Any) -> None:
    expect(page).to_have_url(re.compile(re.escape(reverse(name, args=names)) + r"(\?.*)?$"))


def test_an_app_is_set_up_by_its_picture_and_asked_for_at_every_sign_in(page: Page) -> None:
    person = make.make_user("ann@example.org")
    sign_in(page, person)
    page.goto(reverse("web:me"))
    page.get_by_role("link", name="Set up a second factor").click()
    at(page, "mfa_index")
    look(page)
    page.get_by_role("link", name="Set up an app").click()
    picture = page.locator("img.qr")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("one => one.naturalWidth") > 0, "the picture shows"
    page.get_by_text("It cannot be scanned").click()
    secret = page.locator("#app-secret").inner_text()
    look(page)
    page.get_by_label("Code that the app shows now").fill("123")
    page.get_by_role("button", name="Set up the app").click()
    expect(page.get_by_text("This is not the code")).to_be_visible()
    page.get_by_label("Code that the app shows now").fill(code_of(secret))
    page.get_by_role("button", name="Set up the app").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    look(page)
    codes = page.locator("#recovery-codes").inner_text().split("\n")
    with page.expect_download() as file:
        page.get_by_role("link", name="Save as a file").click()
    heading, _, *kept, _ = Path(file.value.path()).read_text().split("\n")
    assert heading.startswith("Recovery codes of ann@example.org at ")
    assert kept == codes

    sign_in(page, person)
    at(page, "mfa_authenticate")
    look(page)
    page.goto("/me/")
    expect(page).not_to_have_url(re.compile(r"/me/$"))
    sign_in(page, person)
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("You are in no team yet")).to_be_visible()

    sign_in(page, person)
    page.get_by_label("Code").fill(codes[3])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("You are in no team yet")).to_be_visible()
    page.goto(reverse("mfa_index"))
    expect(page.get_by_text("9 left")).to_be_visible()
    look(page)


def test_a_security_key_signs_in_and_confirms(page: Page, sandbox: Any) -> None:
    team = make.make_team("Vision Lab", owner=make.make_user("ann@example.org"))
    person = make.owner_of(team)
    sign_in(page, person)
    page.goto(reverse("mfa_add_webauthn"))
    look(page)
    page.get_by_label("Name of the key").fill("Blue key")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    code = page.locator("#recovery-codes").inner_text().split("\n")[0]
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Blue key")).to_be_visible()
    look(page)

    page.goto(reverse("mfa_add_webauthn"))
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("This key is among yours already.")).to_be_visible()

    sign_in(page, person)
    at(page, "mfa_authenticate")
    look(page)
    page.get_by_role("button", name="Use a security key").click()
    at(page, "web:team-home", team.slug)

    long_ago(person)
    page.goto(reverse("web:credential-add", args=[team.slug]))
    at(page, "mfa_reauthenticate_webauthn")
    look(page)
    page.get_by_role("button", name="Use a security key").click()
    at(page, "web:credential-add", team.slug)
    expect(page.get_by_label("Secret key")).to_be_visible()
    assert page.locator("[name=password]").count() == 0

    long_ago(person)
    page.goto(reverse("web:credential-add", args=[team.slug]))
    page.get_by_role("link", name="Use a code instead").click()
    at(page, "mfa_reauthenticate")
    look(page)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()
    at(page, "web:credential-add", team.slug)

    key = Authenticator.objects.get(type="webauthn")
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        page.goto(reverse(name, args=[key.pk]))
        look(page)
    page.get_by_role("button", name="Remove the key").click()
    at(page, "mfa_index")
    assert not Authenticator.objects.exists()
    sign_in(page, person)
    at(page, "web:team-home", team.slug)


def test_what_was_typed_too_late_is_refused_with_the_way_and_nothing_is_kept(
    page: Page, sandbox: Any
) -> None:
    team = make.make_team("Vision Lab", owner=make.make_user("ann@example.org"))
    person = make.owner_of(team)
    secret = make.give_second_factor(person)
    sign_in(page, person)
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    at(page, "web:team-home", team.slug)
    page.goto(reverse("web:credential-add", args=[team.slug]))
    page.get_by_label("Name").fill("Lab")
    page.get_by_label("Public key").fill(sandbox.keys[0][0])
    page.get_by_label("Secret key").fill(sandbox.keys[0][1])
    long_ago(person)
    page.get_by_role("button", name="Test and add").click()
    expect(page.get_by_text("Nothing was changed")).to_be_visible()
    look(page)
    assert not Credential.objects.exists()
    page.get_by_role("link", name="Confirm that it is you").click()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Go on").click()
    at(page, "web:credential-add", team.slug)
    expect(page.get_by_label("Secret key")).to_have_value("")


def test_who_has_a_password_alone_gives_it_on_a_page_where_no_form_asks(page: Page) -> None:
    person = make.make_user("ann@example.org")
    sign_in(page, person)
    expect(page.get_by_text("You are in no team yet")).to_be_visible()
    long_ago(person)
    page.goto(reverse("mfa_activate_totp"))
    at(page, "account_reauthenticate")
    look(page)
    page.get_by_label("Your password").fill("not it")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(make.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    at(page, "mfa_activate_totp")


def test_a_team_that_needs_a_second_factor_says_how_to_set_one_up(page: Page) -> None:
    team = make.make_team("Strict lab", owner=make.make_user("ann@example.org"), require_mfa=True)
    sign_in(page, make.owner_of(team))
    expect(page.get_by_role("heading", name="This team needs a second factor")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_text("Strict lab needs a second factor")).to_be_visible()
    look(page)
    page.goto(reverse("mfa_add_webauthn"))
    page.get_by_role("button", name="Add the key").click()
    page.get_by_role("link", name="I have kept them").click()
    at(page, "mfa_index")
    page.goto("/")
    at(page, "web:team-home", team.slug)


def test_a_fresh_installation_is_set_up_from_the_first_page_to_the_first_launch(
    page: Page, sandbox: Any
) -> None:
    page.goto("/")
    at(page, "web:setup")
    look(page)
    page.get_by_label("Setup code").fill("0000-0000")
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("This is not the code.")).to_be_visible()
    look(page)
    page.get_by_label("Setup code").fill(first_run.setup_code())
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Make the account").click()

    at(page, "web:setup-team")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert User.objects.get().time_zone == zone
    look(page)
    page.get_by_label("Name of the team").fill("Vision Lab")
    page.get_by_role("button", name="Make the team").click()
    expect(page.get_by_label("Secret key")).to_be_visible()
    team = Team.objects.get()

    at(page, "web:setup-credential", team.slug)
    look(page)
    page.get_by_label("Public key").fill(sandbox.keys[0][0])
    page.get_by_label("Secret key").fill(sandbox.keys[0][1])
    page.get_by_role("button", name="Test and add").click()

    at(page, "web:setup-notices", team.slug)
    look(page)
    page.get_by_role("button", name="Send a test e-mail").click()
    expect(page.get_by_text("An e-mail to ann@example.org is on its way.")).to_be_visible()
    page.get_by_role("link", name="Skip this").click()

    at(page, "web:setup-launch", team.slug)
    look(page)
    page.get_by_label("SSH public key").fill(make.SSH_KEY)
    page.get_by_role("button", name="Store the key and look at the launch form").click()
    expect(page.get_by_role("heading", name=re.compile("SSH machine|Launch"))).to_be_visible()

    page.goto("/")
    at(page, "web:team-home", team.slug)
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Do not show this again").click()
    expect(page.get_by_role("heading", name="First steps")).to_have_count(0)
    assert page.request.get("/setup/").status == 404
    assert not Job.objects.exists(), "nothing was launched by looking"
