"""Setting up, using and removing second factors."""

import datetime as dt
import re
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts import second_factor, throttles
from dispersed_web.events.models import Event
from dispersed_web.web.people import mfa_events
from dispersed_web.web.people.mfa_events import Factors
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client):
    return make.sign_in(client, make.make_user())


def set_up(client):
    """The app's secret, as the page shows it, and the answer to its first code."""
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    return secret, client.post(reverse("mfa_activate_totp"), {"code": make.totp_code(secret)})


def codes_on(answer):
    shown = re.search(r'id="recovery-codes">([^<]+)<', answer.content.decode())
    return shown[1].split("\n")


def kinds(person):
    return list(Event.objects.filter(actor_user=person).order_by("id").values_list("kind", flat=True))


def sign_in(client, person, code=None):
    """By the sign-in form, and the code after it."""
    client.logout()
    answer = client.post(reverse("account_login"), {"login": person.email, "password": make.PASSWORD})
    if code is None:
        return answer
    assert answer["Location"] == reverse("mfa_authenticate")
    return client.post(reverse("mfa_authenticate"), {"code": code})


def test_the_first_app_brings_recovery_codes_that_are_shown_once(client, person):
    _, answer = set_up(client)
    assert answer.status_code == 200
    assert len(codes_on(answer)) == 10
    file = re.search(r'href="data:text/plain;charset=utf-8,([^"]+)"', answer.content.decode())[1]
    assert unquote(file).startswith(f"Recovery codes of {person.email} at ")
    assert unquote(file).splitlines()[2:] == codes_on(answer)
    assert second_factor.has_one(person.pk)
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"):
        page = client.get(reverse(name), follow=True).content.decode()
        assert not any(code in page for code in codes_on(answer))
    assert client.get(reverse("mfa_download_recovery_codes")).status_code == 404
    assert kinds(person) == ["account.mfa_added", "account.recovery_codes"]


def test_what_is_stored_is_sealed_from_the_first_moment(client, person):
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    assert secret not in str(dict(client.session))
    client.post(reverse("mfa_activate_totp"), {"code": make.totp_code(secret)})
    row = Authenticator.objects.get(user=person, type="totp")
    assert row.data["secret"].startswith("v1|")
    assert Authenticator.objects.get(user=person, type="recovery_codes").data["seed"].startswith("v1|")
    assert "mfa.totp.secret" not in client.session


def test_the_slower_of_two_browsers_is_told_what_became_of_its_app(client, person):
    """Signed in with the password alone, it is not asked first for a code of the app that it does not have."""
    slower = Client()
    make.sign_in(slower, person)
    secret = slower.get(reverse("mfa_activate_totp")).context["form"].secret
    set_up(client)
    answer = slower.post(reverse("mfa_activate_totp"), {"code": make.totp_code(secret)}, follow=True)
    assert "set up in another browser meanwhile" in answer.content.decode()
    assert "mfa.totp.secret" not in slower.session
    assert Authenticator.objects.filter(user=person, type="totp").count() == 1


def test_a_wrong_first_code_keeps_the_secret_and_sets_up_nothing(client, person):
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert answer.status_code == 422
    assert answer.context["form"].secret == secret
    assert not second_factor.has_one(person.pk)


def test_signing_in_needs_the_code_and_a_code_opens_once(client, person):
    secret = make.give_second_factor(person)
    assert sign_in(client, person)["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("web:me")).status_code == 302, "the password alone signs nobody in"
    code = make.totp_code(secret)
    assert sign_in(client, person, "000000").status_code == 200
    assert client.post(reverse("mfa_authenticate"), {"code": f"{code[:3]} {code[3:]}"}).status_code == 302
    assert client.get(reverse("web:me")).status_code == 200
    again = sign_in(client, person, code)
    assert again.status_code == 200
    assert b"was used already" in again.content
    assert client.get(reverse("web:me")).status_code == 302


def test_the_code_that_set_up_the_app_does_not_sign_in(client, person):
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    code = make.totp_code(secret)
    client.post(reverse("mfa_activate_totp"), {"code": code})
    assert sign_in(client, person, code).status_code == 200
    assert client.get(reverse("web:me")).status_code == 302


def test_a_recovery_code_opens_once_and_is_told(client, person):
    _, answer = set_up(client)
    first, second = codes_on(answer)[:2]
    assert sign_in(client, person, first).status_code == 302
    assert "9 of them are left" in Event.objects.get(kind="account.recovery_code_used").sentence
    assert client.get(reverse("mfa_index")).context["codes_left"] == 9
    assert sign_in(client, person, first).status_code == 200
    assert sign_in(client, person, second).status_code == 302


def test_after_ten_wrong_codes_the_right_one_waits_too(client, person):
    secret = make.give_second_factor(person)
    sign_in(client, person)
    for _ in range(10):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    answer = client.post(reverse("mfa_authenticate"), {"code": make.totp_code(secret)})
    assert b"Too many wrong attempts" in answer.content
    assert throttles.wait_for("code", person.pk, timezone.now()) > 0
    assert throttles.wait_for("code", person.pk, timezone.now() + dt.timedelta(hours=1)) == 0


def test_a_new_password_by_mail_does_not_go_past_the_second_factor(client, person):
    make.give_second_factor(person)
    client.logout()
    client.post(reverse("account_reset_password"), {"email": person.email})
    link = re.search(r"/account/password/reset/key/\S+", mail.outbox[-1].body)[0]
    form = client.get(link, follow=True)
    new = "another-long-password-7"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    answer = client.post(reverse("account_login"), {"login": person.email, "password": new})
    assert answer["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("web:me")).status_code == 302


def test_removing_the_last_factor_takes_the_codes_along_and_the_owners_hear(client, person):
    team = make.make_team()
    make.make_member(team, "member", person)
    set_up(client)
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer["Location"] == reverse("mfa_index")
    assert not Authenticator.objects.filter(user=person).exists()
    assert kinds(person)[-2:] == ["account.mfa_removed", "member.mfa_changed"]
    told = Event.objects.filter(team=team, kind="member.mfa_changed").order_by("id")
    assert [(one.audience, one.data["after"]) for one in told] == [
        ("owners", {"second_factor": True}),
        ("owners", {"second_factor": False}),
    ]


def test_the_name_of_a_key_is_told_as_it_was_typed_and_what_to_do_if_it_was_somebody_else(person):
    before, after = Factors({}, 1), Factors({7: "the security key “YubiKey Blue”"}, 1)
    mfa_events.tell_change(person, before, after, timezone.now())
    sentence = Event.objects.get(kind="account.mfa_added").sentence
    assert sentence.startswith("The security key “YubiKey Blue” was added")
    assert "If this was not you, change your password now" in sentence


def test_new_recovery_codes_replace_the_old(client, person):
    _, answer = set_up(client)
    renewed = client.post(reverse("mfa_generate_recovery_codes"))
    assert not set(codes_on(renewed)) & set(codes_on(answer))
    assert sign_in(client, person, codes_on(answer)[0]).status_code == 200
    assert kinds(person).count("account.recovery_codes") == 2


def test_without_a_factor_there_are_no_codes_to_make(client, person):
    assert client.post(reverse("mfa_generate_recovery_codes"))["Location"] == reverse("mfa_index")
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "7", '"x"', '{"id": 1}', '{"response": {}}', "nonsense"]
)
def test_what_no_key_would_say_is_refused_quietly(client, person, credential):
    client.get(reverse("mfa_add_webauthn"))
    answer = client.post(reverse("mfa_add_webauthn"), {"credential": credential})
    assert answer.status_code == 422
    assert not Authenticator.objects.exists()


def test_another_persons_key_is_not_there(client, person):
    other = Authenticator.objects.create(
        user=make.make_user(), type="webauthn", data={"name": "Theirs", "credential": {}}
    )
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        for method in ("get", "post"):
            answer = getattr(client, method)(reverse(name, args=[other.pk]), {"name": "Mine"})
            assert answer.status_code == 404
    assert Authenticator.objects.get().data["name"] == "Theirs"
