"""The operator's way for somebody who lost everything."""

import io

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from dispersed_web.events.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_all_of_it_goes_and_person_and_owners_are_told():
    team = make.make_team()
    person = make.make_member(team, "admin")
    make.give_second_factor(person)
    call_command("remove_second_factor", person.email.upper(), stdout=io.StringIO())
    assert not Authenticator.objects.exists()
    told = list(Event.objects.order_by("id").values_list("kind", "audience", "actor_label"))
    assert told == [
        ("account.mfa_removed", "person", "The operator"),
        ("member.mfa_changed", "owners", "The operator"),
    ]


@pytest.mark.parametrize("email", ["nobody@example.org", "plain@example.org"])
def test_where_there_is_nothing_nothing_is_done(email):
    make.make_user("plain@example.org")
    with pytest.raises(CommandError):
        call_command("remove_second_factor", email)
    assert not Event.objects.exists()
