"""One person in two browsers, or with two clicks, at the same moment: one is first, the other is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from tests import factories as make
from tests.jobs.test_races import at_once
from tests.web.test_accounts import sign_up
from tests.web.test_second_factors import codes_on

pytestmark = pytest.mark.django_db(transaction=True)


def browsers(person: User) -> tuple[Client, Client]:
    # Errors become answers, as they do for people.
    made = Client(raise_request_exception=False), Client(raise_request_exception=False)
    for one in made:
        make.sign_in(one, person)
    return made


def _posting(browser: Client, name: str, fields: dict[str, str]) -> Callable[[], Any]:
    return lambda: browser.post(reverse(name), fields)


def test_two_apps_that_are_set_up_at_once_leave_one_and_the_other_is_told() -> None:
    person = make.make_user()
    pair = browsers(person)
    secrets = [one.get(reverse("mfa_activate_totp")).context["form"].secret for one in pair]
    codes = [{"code": make.totp_code(secret)} for secret in secrets]
    answers = at_once(
        [_posting(one, "mfa_activate_totp", code) for one, code in zip(pair, codes, strict=True)]
    )
    assert sorted(one.status_code for one in answers) == [200, 302]
    assert Authenticator.objects.filter(user=person, type="totp").count() == 1
    assert Event.objects.filter(kind="account.mfa_added").count() == 1
    pages = [one.get(reverse("mfa_index")).content.decode() for one in pair]
    assert ["set up in another browser meanwhile" in page for page in pages].count(True) == 1


def test_new_recovery_codes_that_are_made_twice_at_once_are_those_of_the_last() -> None:
    person = make.make_user()
    make.give_second_factor(person)
    pair = browsers(person)
    answers = at_once([_posting(one, "mfa_generate_recovery_codes", {}) for one in pair])
    assert [one.status_code for one in answers] == [200, 200]
    codes = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    shown = [[code.replace(" ", "") for code in codes_on(one)] for one in answers]
    assert shown.count(codes) == 1


def test_two_clicks_make_one_account_and_are_answered_alike(settings: Any, mailoutbox: list[Any]) -> None:
    settings.SIGNUP = "open"
    answers = at_once([lambda: sign_up(Client(raise_request_exception=False))] * 2)
    assert {(one.status_code, one["Location"]) for one in answers} == {(302, "/account/confirm-email/")}
    assert User.objects.count() == 1
    assert len(mailoutbox) == 2


def test_two_clicks_wait_for_one_new_address(mailoutbox: list[Any]) -> None:
    person = make.make_user()
    new = {"email": "new@example.org", "action_add": ""}
    answers = at_once([_posting(one, "account_email", new) for one in browsers(person)])
    assert all(one.status_code in (200, 302) for one in answers)
    assert EmailAddress.objects.filter(user=person).exclude(email=person.email).count() == 1
