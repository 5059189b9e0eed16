"""The first account of an installation: for whoever knows the code, and once."""

import io

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.utils import timezone

from dispersed_web.accounts.models import User
from dispersed_web.events.models import Event
from dispersed_web.teams import first_run
from dispersed_web.teams.keeping import TeamRefused
from dispersed_web.teams.models import Installation
from tests import factories as make
from tests.jobs.test_races import at_once


@pytest.mark.django_db
def test_the_code_is_this_installations_own_and_stays_the_same(settings):
    code = first_run.setup_code()
    assert len(code) == 19
    assert first_run.setup_code() == code
    assert first_run.is_code(f" {code.upper().replace('-', ' ')}\n")
    for wrong in ("", "-", code[:-1], "é" * 19):
        assert not first_run.is_code(wrong)
    settings.SECRET_KEY = "another"
    assert not first_run.is_code(code)
    settings.SECRET_KEY = "only-for-tests-" + "s" * 50
    Installation.objects.all().delete()
    assert not first_run.is_code(code)


@pytest.mark.django_db
def test_the_command_prints_it_while_nobody_has_an_account():
    said = io.StringIO()
    call_command("setup_code", stdout=said)
    assert first_run.setup_code() in said.getvalue()
    assert "/setup/" in said.getvalue()
    noted = Event.objects.get(kind="installation.setup_code")
    assert first_run.setup_code() not in noted.sentence
    make.make_user()
    with pytest.raises(CommandError, match="already"):
        call_command("setup_code")
    said = io.StringIO()
    call_command("setup_code", at_start=True, stdout=said)
    assert said.getvalue() == ""


@pytest.mark.django_db
def test_the_first_account_can_sign_in_and_is_told_of_in_the_log():
    user = first_run.make_owner("ann@example.org", "Ann", make.PASSWORD, timezone.now())
    assert EmailAddress.objects.get(user=user).verified
    assert Event.objects.get().kind == "account.first"
    with pytest.raises(TeamRefused):
        first_run.make_owner("bob@example.org", "Bob", make.PASSWORD, timezone.now())
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_browsers_at_once_one_becomes_the_owner():
    def claim(number):
        return lambda: first_run.make_owner(f"p{number}@example.org", "", make.PASSWORD, timezone.now())

    results = at_once([claim(number) for number in range(6)])
    assert sorted(type(one).__name__ for one in results) == ["TeamRefused"] * 5 + ["User"]
    assert User.objects.count() == 1
