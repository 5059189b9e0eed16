"""Sign-in by OpenID Connect, against a provider that speaks HTTP."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.teams.models import Invitation
from tests import factories as make
from tests.web import oidc_provider
from tests.web.oidc_provider import CLIENT_ID, CLIENT_SECRET, KEYS, Provider, sign

pytestmark = pytest.mark.django_db
LOGIN = "/account/oidc/oidc/login/"
CALLBACK = "/account/oidc/oidc/login/callback/"
ANA = {"sub": "ana-1", "email": "Ana@Example.org", "email_verified": True, "name": "Ana"}


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with oidc_provider.served(Provider(person=dict(ANA)), settings) as made:
        yield made


def go(client: Client, provider: Provider, start: str = LOGIN) -> str:
    """To the provider and back: the address of the product to which the browser returns."""
    way = client.get(start)
    assert way.status_code == 302, way.content
    back = provider.authorize(way["Location"])
    return back[back.index("/account/") :]


def sign_in(client: Client, provider: Provider, start: str = LOGIN) -> Any:
    return client.get(go(client, provider, start))


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_whoever_has_an_account_with_the_confirmed_address_is_signed_in(
    client: Client, provider: Provider
) -> None:
    user = make.make_user("ana@example.org")
    assert "Sign in with Example SSO" in client.get("/account/login/").content.decode()
    answer = sign_in(client, provider, f"{LOGIN}?next=/me/")
    assert answer["Location"] == "/me/"
    assert client.session["_auth_user_id"] == str(user.pk)
    account = SocialAccount.objects.get()
    assert (account.user, account.uid) == (user, "ana-1")
    assert "canary" not in str(account.extra_data)
    assert Event.objects.filter(kind="account.sign_in_linked", subject_id=str(user.pk)).count() == 1
    assert user.has_usable_password()


def test_afterwards_the_provider_s_own_name_for_the_person_counts(provider: Provider) -> None:
    user = make.make_user("ana@example.org")
    sign_in(Client(), provider)
    provider.person |= {"email": "moved@example.org", "email_verified": False}
    client = Client()
    sign_in(client, provider)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert User.objects.get().email == "ana@example.org"


@pytest.mark.parametrize("verified", [False, None, "false", "no", 1, ["true"]])
@pytest.mark.parametrize("mode", ["open", "invitation", "closed"])
def test_an_unconfirmed_address_takes_over_no_account(
    client: Client, provider: Provider, settings: Any, verified: Any, mode: str
) -> None:
    settings.SIGNUP = mode
    make.make_user("ana@example.org")
    provider.person["email_verified"] = verified
    sign_in(client, provider)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_an_account_that_somebody_made_without_reading_the_mail_is_no_longer_theirs(
    client: Client, provider: Provider, settings: Any
) -> None:
    settings.SIGNUP = "open"
    thief = Client()
    fields = {"email": "ana@example.org", "password1": make.PASSWORD, "password2": make.PASSWORD}
    thief.post("/account/signup/", fields)
    sign_in(client, provider)
    assert not User.objects.get().has_usable_password()
    thief.post("/account/login/", {"login": "ana@example.org", "password": make.PASSWORD})
    assert not is_in(thief)


def test_nor_is_one_that_they_made_by_another_account_at_the_provider(
    client: Client, provider: Provider, settings: Any
) -> None:
    settings.SIGNUP = "open"
    thief = Client()
    provider.person = ANA | {"sub": "thief", "email_verified": False}
    assert sign_in(thief, provider)["Location"] == "/account/confirm-email/"
    provider.person = dict(ANA)
    sign_in(client, provider)
    assert is_in(client)
    assert [one.uid for one in SocialAccount.objects.all()] == ["ana-1"]
    provider.person = ANA | {"sub": "thief", "email_verified": False}
    sign_in(thief, provider)
    assert not is_in(thief)


def test_an_account_that_only_waits_for_the_address_is_not_the_person_s(
    client: Client, provider: Provider, settings: Any
) -> None:
    """The provider says whose it is, so nobody waits for it any more."""
    settings.SIGNUP = "open"
    thief = make.make_user("thief@example.org")
    EmailAddress.objects.create(user=thief, email="ana@example.org")
    sign_in(client, provider)
    assert client.session["_auth_user_id"] == str(User.objects.get(email="ana@example.org").pk)
    assert not EmailAddress.objects.filter(user=thief, email="ana@example.org").exists()


class TestNewPeople:
    def test_none_are_made_while_sign_up_is_closed_or_takes_an_invitation(
        self, client: Client, provider: Provider, settings: Any
    ) -> None:
        for mode in ("invitation", "closed"):
            settings.SIGNUP = mode
            assert b"Accounts are made by" in sign_in(client, provider).content
        assert not is_in(client)
        assert not User.objects.exists()

    def test_an_open_installation_makes_them(self, client: Client, provider: Provider, settings: Any) -> None:
        settings.SIGNUP = "open"
        sign_in(client, provider)
        user = User.objects.get()
        assert (user.email, user.name, user.has_usable_password()) == ("ana@example.org", "Ana", False)
        assert EmailAddress.objects.get().verified
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_whose_address_is_not_confirmed_confirms_it_here(
        self, client: Client, provider: Provider, settings: Any, mailoutbox: list[Any]
    ) -> None:
        settings.SIGNUP = "open"
        provider.person["email_verified"] = False
        assert sign_in(client, provider)["Location"] == "/account/confirm-email/"
        assert not is_in(client)
        assert mailoutbox[0].to == ["ana@example.org"]

    def test_an_invitation_is_for_its_address_only(self, client: Client, provider: Provider) -> None:
        invite(client, "other@example.org")
        sign_in(client, provider)
        assert not User.objects.filter(email="ana@example.org").exists()
        invite(client, "ana@example.org")
        answer = sign_in(client, provider)
        assert User.objects.filter(email="ana@example.org").exists(), answer.content
        assert is_in(client)

    def test_without_an_address_there_is_no_account(
        self, client: Client, provider: Provider, settings: Any
    ) -> None:
        settings.SIGNUP = "open"
        provider.person = {"sub": "ana-1"}
        answer = sign_in(client, provider)
        assert answer.status_code == 403
        assert b"does not tell your e-mail address" in answer.content
        assert not User.objects.exists()


def forged_nonce(claims: dict[str, Any]) -> dict[str, Any]:
    return claims | {"nonce": "of-another-sign-in"}


WRONG_TOKENS = {
    "another nonce": forged_nonce,
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another audience": lambda claims: claims | {"aud": "somebody-else"},
    "another party": lambda claims: claims | {"aud": [CLIENT_ID, "x"], "azp": "x"},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 120},
    "no expiry": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "from the future": lambda claims: claims | {"iat": int(time.time()) + 3600},
    "nobody": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
}


@pytest.mark.parametrize("fault", WRONG_TOKENS)
def test_a_token_that_was_not_made_for_this_sign_in_is_refused(
    client: Client, provider: Provider, fault: str
) -> None:
    make.make_user("ana@example.org")
    provider.claims = WRONG_TOKENS[fault]
    assert sign_in(client, provider).status_code == 401
    assert not is_in(client)


WRONG_SIGNATURES = {
    "another key": lambda claims: sign(claims, KEYS[1]),
    "an unknown key": lambda claims: sign(claims, KEYS[1], kid="k2"),
    "no signature": lambda claims: sign(claims, "", algorithm="none"),
    "the client's secret": lambda claims: sign(claims, CLIENT_SECRET * 2, algorithm="HS256"),
    "another algorithm": lambda claims: sign(claims, KEYS[0], algorithm="PS256"),
    "cut": lambda claims: sign(claims)[:-20],
    "no token": lambda claims: "",
    "rubbish": lambda claims: "a.b.c",
}


@pytest.mark.parametrize("fault", WRONG_SIGNATURES)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    client: Client, provider: Provider, fault: str
) -> None:
    make.make_user("ana@example.org")
    provider.signs = WRONG_SIGNATURES[fault]
    assert sign_in(client, provider).status_code == 401
    assert not is_in(client)


class TestTheWayBack:
    @pytest.mark.parametrize("state", ["wrong", "", None])
    def test_only_with_the_state_of_this_browser(
        self, client: Client, provider: Provider, state: str | None
    ) -> None:
        make.make_user("ana@example.org")
        query = parse_qs(urlsplit(go(client, provider)).query)
        fields = {"code": query["code"][0]} | ({} if state is None else {"state": state})
        assert client.get(CALLBACK, fields).status_code == 401
        assert not is_in(client)

    def test_not_in_another_browser(self, client: Client, provider: Provider) -> None:
        make.make_user("ana@example.org")
        other = Client()
        assert other.get(go(client, provider)).status_code == 401
        assert not is_in(other)

    def test_only_once(self, client: Client, provider: Provider) -> None:
        make.make_user("ana@example.org")
        back = go(client, provider)
        client.get(back)
        client.logout()
        assert client.get(back).status_code == 401

    def test_it_is_the_public_address_whatever_the_host_header_says(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.PUBLIC_URL = "https://jobs.example.com"
        way = Client().get(LOGIN, HTTP_HOST="evil.example")["Location"]
        assert parse_qs(urlsplit(way).query)["redirect_uri"] == [f"https://jobs.example.com{CALLBACK}"]

    def test_next_leads_to_own_addresses_only(self, client: Client, provider: Provider) -> None:
        make.make_user("ana@example.org")
        assert sign_in(client, provider, f"{LOGIN}?next=https://evil.example/")["Location"] == "/"

    def test_cancelling_says_so(self, client: Client, provider: Provider) -> None:
        state = parse_qs(urlsplit(client.get(LOGIN)["Location"]).query)["state"][0]
        answer = client.get(CALLBACK, {"error": "access_denied", "state": state}, follow=True)
        assert b"was cancelled" in answer.content


def test_what_the_address_asks_for_changes_nothing_but_the_prompt(client: Client, provider: Provider) -> None:
    client.get(f"{LOGIN}?process=connect&scope=admin&auth_params=prompt%3Dlogin%26nonce%3Dmine")
    provider.authorize(
        client.get(f"{LOGIN}?process=connect&scope=admin&auth_params=prompt%3Dlogin")["Location"]
    )
    asked = provider.asked[0]
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["prompt"] == "login"
    assert len(asked["nonce"]) > 40


def test_who_the_provider_tells_of_must_be_who_signed_in(client: Client, provider: Provider) -> None:
    make.make_user("ana@example.org")
    provider.claims = lambda claims: {name: claims[name] for name in claims if not name.startswith("email")}
    provider.userinfo = {"sub": "somebody-else"}
    assert sign_in(client, provider).status_code == 401
    provider.userinfo = {}
    sign_in(client, provider)
    assert is_in(client)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])
def test_a_broken_provider_is_said_plainly(client: Client, provider: Provider, path: str) -> None:
    make.make_user("ana@example.org")
    provider.claims = lambda claims: {name: claims[name] for name in claims if name != "email"}
    back = CALLBACK
    if "well-known" not in path:
        back = go(client, provider)
    provider.broken = {path}
    answer = client.get(LOGIN if "well-known" in path else back)
    assert answer.status_code == 401
    assert b"did not vouch for you" in answer.content
    assert b"oops" not in answer.content


@pytest.mark.parametrize(
    "fault", [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": 1}]
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    client: Client, provider: Provider, fault: dict[str, Any]
) -> None:
    provider.discovery = fault
    assert client.get(LOGIN).status_code == 401


def test_a_second_factor_is_asked_for_all_the_same(client: Client, provider: Provider) -> None:
    user = make.make_user("ana@example.org")
    make.give_second_factor(user)
    assert sign_in(client, provider)["Location"].startswith("/account/2fa/authenticate/")
    assert not is_in(client)


ADDRESSES = (LOGIN, CALLBACK, "/account/3rdparty/login/cancelled/", "/account/3rdparty/login/error/")
NEVER = (
    "/account/3rdparty/",
    "/account/3rdparty/signup/",
    "/account/social/signup/",
    "/account/login/code/confirm/",
)


@pytest.mark.parametrize("address", [*ADDRESSES, *NEVER])
def test_without_a_provider_there_are_no_such_pages(client: Client, address: str) -> None:
    assert client.get(address).status_code == client.post(address).status_code == 404
    assert b"or with a password" not in client.get("/account/login/").content


@pytest.mark.parametrize("address", [*NEVER, LOGIN.replace("oidc/oidc", "oidc/other")])
def test_with_one_some_still_make_no_sense(client: Client, provider: Provider, address: str) -> None:
    assert client.get(address).status_code == 404
    make.sign_in(client, make.make_user())
    assert client.get(address).status_code == 404


def invite(client: Client, email: str) -> None:
    team = make.make_team()
    made = Invitation.objects.create(
        team=team,
        invited_by=make.owner_of(team),
        email=email,
        role="member",
        digest=uuid.uuid4().hex,
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )
    session = client.session
    session["invitation"] = str(made.pk)
    session.save()


@pytest.mark.parametrize(
    ("auth_time", "is_fresh"),
    [(0, True), (-3600, False), (3600, True), (None, True), ("soon", True)],
    ids=["now", "an hour ago", "clock ahead", "not told", "nonsense"],
)
def test_an_old_sign_in_at_the_provider_is_no_fresh_proof(
    client: Client, provider: Provider, settings: Any, auth_time: Any, is_fresh: bool
) -> None:
    """Whoever sits at an unlocked browser can take the wish for a new sign-in out of the address on the way."""
    settings.SIGNUP = "open"
    if auth_time is not None:
        told = auth_time if isinstance(auth_time, str) else int(time.time()) + auth_time
        provider.claims = lambda claims: claims | {"auth_time": told}
    sign_in(client, provider)
    team = make.make_team()
    make.make_member(team, "admin", user=User.objects.get(email__iexact="ana@example.org"))
    page = client.get(f"/t/{team.slug}/team/invite/")
    assert (page.status_code == 200) is is_fresh
    if not is_fresh:
        assert page["Location"].startswith("/account/reauthenticate/")
