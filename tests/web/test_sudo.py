"""Confirming who one is: when it is asked, how each kind of person does it, and that no secret waits in a session."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import get_resolver, reverse
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.credentials.models import Credential
from dispersed_web.teams.models import ApiToken, Membership
from dispersed_web.web.people import mfa_urls
from tests import factories as make

pytestmark = pytest.mark.django_db

LATE = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
SECRET = "sk_sim_a-secret-that-was-typed"


def signed_in(client, person, *methods, ago=0):
    """In a session in which these proofs were given so many seconds ago."""
    client.force_login(person)
    session = client.session
    session["account_authentication_methods_user"] = str(person.pk)
    session["account_authentication_methods"] = [{"method": one, "at": time.time() - ago} for one in methods]
    session.save()
    return person


def owner(*, factor=False, password=True):
    team = make.make_team()
    person = make.owner_of(team)
    if factor:
        make.give_second_factor(person)
    if not password:
        person.set_unusable_password()
        person.save()
    return team, person


def add_url(team):
    return reverse("web:credential-add", args=[team.slug])


@pytest.mark.parametrize(
    ("factor", "password", "methods", "ago", "asked"),
    [
        (False, True, ["password"], 0, False),
        (False, True, ["password"], LATE - 5, False),
        (False, True, ["password"], LATE, True),
        (False, True, ["socialaccount"], 0, True),
        (True, True, ["password"], 0, True),
        (True, True, ["password", "mfa"], 0, False),
        (True, True, ["password", "mfa"], LATE, True),
        (False, False, ["socialaccount"], 0, False),
        (False, False, ["socialaccount"], LATE, True),
        (True, False, ["socialaccount"], 0, True),
        (False, True, [], 0, True),
    ],
)
def test_who_is_asked(client, factor, password, methods, ago, asked):
    team, person = owner(factor=factor, password=password)
    signed_in(client, person, *methods, ago=ago)
    answer = client.get(add_url(team))
    if not asked or not (factor or not password):
        assert answer.status_code == 200
        assert ("password" in answer.context["form"].fields) is asked
        return
    page = "mfa_reauthenticate" if factor else "account_reauthenticate"
    assert answer["Location"] == f"{reverse(page)}?next=%2Ft%2F{team.slug}%2Fcredentials%2Fadd%2F"


def test_the_code_leads_back_to_the_form_in_a_renewed_session(client):
    team, person = owner(factor=True)
    signed_in(client, person, "password", "mfa", ago=LATE)
    UserSession.objects.create(user=person, session_key=client.session.session_key, ip="127.0.0.1")
    before = client.session.session_key
    page = client.get(add_url(team), follow=True)
    assert b"Confirm that it is you" in page.content
    code = make.totp_code("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    answer = client.post(page.request["PATH_INFO"], {"code": code, "next": add_url(team)})
    assert answer["Location"] == add_url(team)
    assert client.get(add_url(team)).status_code == 200
    after = client.session.session_key
    assert after != before
    assert not Session.objects.filter(session_key=before).exists()
    assert UserSession.objects.get().session_key == after


def test_a_form_that_comes_too_late_is_refused_and_its_secret_kept_nowhere(client):
    team, person = owner(factor=True)
    signed_in(client, person, "password", "mfa", ago=LATE)
    typed = {"name": "Lab", "public_key": "pk_sim_x", "secret_key": SECRET}
    answer = client.post(add_url(team), typed, headers={"Referer": f"http://testserver{add_url(team)}"})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert reverse("mfa_reauthenticate") in html
    assert "Nothing was changed" in html
    assert SECRET not in html
    assert SECRET not in str([one.get_decoded() for one in Session.objects.all()])
    assert not Credential.objects.exists()


def test_a_form_on_a_page_with_more_shows_the_way_first(client):
    team, person = owner(factor=True)
    signed_in(client, person, "password", "mfa", ago=LATE)
    page = client.get(reverse("web:me"))
    assert f"{reverse('mfa_reauthenticate')}?next=%2Fme%2F" in page.content.decode()
    typed = {"name": "ci", "team": team.slug, "scope": "read", "days": 30}
    answer = client.post(reverse("web:me-tokens"), typed)
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_no_role_changes_and_nobody_goes_without_it(client):
    team, person = owner(factor=True)
    member = make.make_member(team, "member")
    seat = Membership.objects.get(user=member)
    signed_in(client, person, "password", ago=0)
    urls = [
        reverse(f"web:{name}", args=[team.slug, seat.pk]) for name in ("team-member", "team-member-remove")
    ]
    assert [client.post(url, {"role": "viewer"}).status_code for url in urls] == [422, 422]
    seat.refresh_from_db()
    assert seat.role == "member"


def test_ten_wrong_passwords_a_day_and_no_more(client):
    team, person = owner()
    signed_in(client, person, "password", ago=LATE)
    for _ in range(10):
        throttles.take("sudo", person.pk, timezone.now())
    answer = client.post(add_url(team), {"password": make.PASSWORD})
    assert b"Too many wrong attempts" in answer.content
    assert not answer.wsgi_request.session.get("account_authentication_methods")[1:]


def test_a_right_password_does_not_count(client):
    team, person = owner()
    for _ in range(12):
        signed_in(client, person, "password", ago=LATE)
        answer = client.post(add_url(team), {"password": make.PASSWORD})
        assert "password" not in answer.context["form"].errors


def test_people_of_a_provider_are_led_there(client, settings):
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://id.example.org", "Example"
    _, person = owner(password=False)
    signed_in(client, person, "socialaccount", ago=LATE)
    page = client.get(reverse("account_reauthenticate") + "?next=https://evil.example/")
    assert b"Sign in with Example" in page.content
    assert b"evil.example" not in page.content


def test_confirming_never_leads_to_another_site(client):
    _, person = owner()
    signed_in(client, person, "password", ago=LATE)
    url = reverse("account_reauthenticate")
    answer = client.post(url, {"password": make.PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


MANAGING = [one for one in mfa_urls.urlpatterns if getattr(one.callback, "only_fresh", False)]


@pytest.mark.parametrize("name", [one.name for one in MANAGING])
@pytest.mark.parametrize("factor", [False, True])
def test_second_factors_change_only_in_fresh_hands(client, name, factor):
    _, person = owner(factor=factor)
    signed_in(client, person, "password", "mfa", ago=LATE)
    key = Authenticator.objects.create(user=person, type="webauthn", data={"name": "K", "credential": {}})
    before = list(Authenticator.objects.values())
    url = reverse(
        name, args=[key.pk] if "keys" in name or name.endswith(("edit_webauthn", "remove_webauthn")) else []
    )
    assert client.get(url).status_code == 302
    answer = client.post(url, {"code": "1", "name": "X"})
    assert answer.status_code == 422
    assert list(Authenticator.objects.values()) == before


def test_every_page_that_changes_second_factors_is_among_them():
    """What django-allauth adds one day must not slip past: it would be open to whoever finds a browser signed in."""
    found = set()

    def walk(patterns):
        for one in patterns:
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns)
            elif (one.name or "").startswith("mfa_"):
                found.add(one.name)

    walk(get_resolver().url_patterns)
    ours = {one.name for one in mfa_urls.urlpatterns}
    assert found - ours == {"mfa_authenticate", "mfa_reauthenticate"}
    assert len(MANAGING) == 6
