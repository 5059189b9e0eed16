"""One person in two browsers, or with two clicks, at the same moment: one is first, the other is told so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.urls import reverse

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from tests import factories as make
from tests.web.test_accounts import sign_up
from tests.web.test_second_factors import codes_on

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act answered; all begin together, each over a connection of its own."""
    ready, answers = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        ready.wait()
        try:
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def browsers(person: User) -> tuple[Client, Client]:
    # Errors become answers, as they do for people.
    made = Client(raise_request_exception=False), Client(raise_request_exception=False)
    for one in made:
        make.sign_in(one, person)
    return made


def test_two_apps_that_are_set_up_at_once_leave_one_and_the_other_is_told() -> None:
    person = make.make_user()
    pair = browsers(person)
    secrets = [one.get(reverse("mfa_activate_totp")).context["form"].secret for one in pair]
    answers = at_once(
        *(
            lambda one=one, secret=secret: one.post(
                reverse("mfa_activate_totp"), {"code": make.totp_code(secret)}
            )
            for one, secret in zip(pair, secrets, strict=True)
        )
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
    answers = at_once(*(lambda one=one: one.post(reverse("mfa_generate_recovery_codes")) for one in pair))
    assert [one.status_code for one in answers] == [200, 200]
    codes = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    shown = [[code.replace(" ", "") for code in codes_on(one)] for one in answers]
    assert shown.count(codes) == 1


def test_two_clicks_make_one_account_and_are_answered_alike(settings: Any, mailoutbox: list[Any]) -> None:
    settings.SIGNUP = "open"
    answers = at_once(*(lambda: sign_up(Client(raise_request_exception=False)) for _ in range(2)))
    assert {(one.status_code, one["Location"]) for one in answers} == {(302, "/account/confirm-email/")}
    assert User.objects.count() == 1
    assert len(mailoutbox) == 2


def test_two_clicks_wait_for_one_new_address(mailoutbox: list[Any]) -> None:
    person = make.make_user()
    new = {"email": "new@example.org", "action_add": ""}
    answers = at_once(*(lambda one=one: one.post("/account/email/", new) for one in browsers(person)))
    assert all(one.status_code in (200, 302) for one in answers)
    assert EmailAddress.objects.filter(user=person).exclude(email=person.email).count() == 1
