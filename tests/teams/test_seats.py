"""In which role somebody acts: their own, and through a token no higher than its scope is worth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispersed_web.api import scopes
from dispersed_web.events.record import Actor
from dispersed_web.teams import seats
from dispersed_web.teams.api_tokens import ROLE_OF_SCOPE
from dispersed_web.teams.roles import RANK, Action, Role, lower_of, may
from tests import factories as make

DOMAIN = Path(seats.__file__).parents[1]
DOORS = {"web", "api", "supervisor"}
# Reading the role of whoever acts past the one place would lift a token above its scope.
PAST = re.compile(r"values_list\(\s*\"role\"|Membership\.objects\.filter\([^)]*actor\.user_id")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("worth", Role)
def test_of_two_roles_the_lower_holds(role, worth):
    assert RANK[Role(lower_of(role, worth))] == min(RANK[role], RANK[worth])
    assert lower_of(role, None) == role
    assert lower_of(None, worth) is None


@pytest.mark.parametrize("scope", scopes.Scope)
def test_a_scope_allows_nothing_that_its_role_may_not_do(scope):
    assert all(may(ROLE_OF_SCOPE[scope], action) for action in Action if scopes.allows(scope, action))


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "role"), [("read", "viewer"), ("operate", "member"), ("admin", "admin")])
def test_an_owner_acts_through_a_token_in_what_its_scope_is_worth(scope, role):
    team = make.make_team()
    owner = make.owner_of(team)
    assert seats.role_of_actor(team, Actor.person(owner)) == "owner"
    token = Actor.token(owner, "ci", at_most=ROLE_OF_SCOPE[scope])
    assert seats.role_of_actor(team, token) == role
    assert seats.role_of_actor(make.make_team(), token) is None


@pytest.mark.django_db
def test_who_is_not_active_has_no_role():
    user = make.make_member(team := make.make_team())
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert seats.role_of(team, user.pk) is None


def test_the_domain_reads_the_role_of_who_acts_in_one_place():
    found = {
        str(path.relative_to(DOMAIN))
        for path in DOMAIN.rglob("*.py")
        if path.relative_to(DOMAIN).parts[0] not in DOORS and PAST.search(path.read_text())
    }
    assert found == {"teams/seats.py"}
