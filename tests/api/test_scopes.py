"""What a scope allows, as plain rules."""

import pytest

from dispersed_web.api import scopes
from dispersed_web.teams.models import ApiToken
from dispersed_web.teams.roles import Action


def test_every_action_has_its_scope():
    assert set(scopes.NEEDS) == set(Action)


def test_the_scopes_are_those_that_a_token_may_have():
    stored = [value for value, _ in ApiToken._meta.get_field("scope").choices]
    assert stored == [scope.value for scope in scopes.Scope]


@pytest.mark.parametrize("action", Action)
def test_a_larger_scope_allows_what_a_smaller_one_does(action):
    allowed = [scopes.allows(scope, action) for scope in scopes.Scope]
    assert allowed == sorted(allowed)
    assert allowed[-1] or action in (Action.RAISE_SPENDING, Action.DELETE_TEAM)


def test_reading_is_seeing_alone_and_what_admins_do_needs_admin():
    assert [action for action in Action if scopes.allows("read", action)] == [Action.SEE]
    managing = [action for action in Action if action.startswith(("manage_", "read_", "raise_", "delete_"))]
    assert len(managing) >= 12
    assert not any(scopes.allows("operate", action) for action in managing)
    assert "admin" in scopes.refusal(Action.MANAGE_TEAM)


def test_what_only_owners_do_is_done_by_no_token():
    for action in (Action.RAISE_SPENDING, Action.DELETE_TEAM):
        assert not any(scopes.allows(scope, action) for scope in scopes.Scope)
        assert "owner" in scopes.refusal(action)
