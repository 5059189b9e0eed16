"""Which teams a person belongs to."""

from __future__ import annotations

import pytest

from dispersed_web.teams import belonging
from dispersed_web.teams.models import Membership, Team
from tests.factories import make_member, make_team, owner_of

pytestmark = pytest.mark.django_db


def test_it_is_found_by_the_address_of_the_team_as_the_database_has_it():
    team = make_team("Lab")
    viewer = make_member(team, "viewer")
    Team.bump(team.pk)

    found = belonging.find(viewer.pk, team.slug)

    assert found is not None
    assert (found.team, found.role, found.team.version) == (team, "viewer", team.version + 1)
    assert found.team.created_at == team.created_at
    assert found.team.max_lifetime_s == team.max_lifetime_s
    assert found.team.get_deferred_fields() == set()


def test_nobody_belongs_to_the_team_of_others_or_to_none():
    team, other = make_team("Lab"), make_team("Shop")

    assert belonging.find(owner_of(other).pk, team.slug) is None
    assert belonging.find(owner_of(team).pk, "no-such-team") is None
    assert belonging.find(None, team.slug) is None
    assert belonging.everywhere(None) == []


def test_all_of_a_person_come_by_the_names_of_the_teams():
    shop, lab = make_team("Shop"), make_team("Lab")
    person = make_member(shop, "viewer")
    make_member(lab, "admin", person)
    Membership.objects.filter(team=shop, user=person).update(is_default=True)

    found = belonging.everywhere(person.pk)

    assert [(one.team.name, one.role, one.is_default) for one in found] == [
        ("Lab", "admin", False),
        ("Shop", "viewer", True),
    ]
