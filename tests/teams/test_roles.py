"""The role table, written out a second time, so that a slip in the code's sets is seen."""

import pytest

from dispersed_web.teams.roles import RANK, Action, Role, may, may_change_member

#                         viewer member admin  owner
TABLE = {
    Action.SEE: (True, True, True, True),
    Action.STOP: (False, True, True, True),
    Action.LAUNCH: (False, True, True, True),
    Action.EXTEND: (False, True, True, True),
    Action.MAKE_TOKENS: (False, True, True, True),
    Action.MAKE_RECIPES: (False, True, True, True),
    Action.ADOPT: (False, True, True, True),
    Action.MANAGE_RECIPES: (False, False, True, True),
    Action.MANAGE_JOBS: (False, False, True, True),
    Action.MANAGE_TEAM_KEYS: (False, False, True, True),
    Action.MANAGE_TOKENS: (False, False, True, True),
    Action.MANAGE_LIMITS: (False, False, True, True),
    Action.MANAGE_NOTICES: (False, False, True, True),
    Action.MANAGE_CREDENTIALS: (False, False, True, True),
    Action.MANAGE_SECRETS: (False, False, True, True),
    Action.MANAGE_MEMBERS: (False, False, True, True),
    Action.MANAGE_TEAM: (False, False, True, True),
    Action.READ_AUDIT: (False, False, True, True),
    Action.RAISE_SPENDING: (False, False, False, True),
    Action.DELETE_TEAM: (False, False, False, True),
}
ROLES = (Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER)


@pytest.mark.parametrize("action", list(Action))
def test_the_table(action):
    assert tuple(may(role, action) for role in ROLES) == TABLE[action]
    assert not may(None, action)


@pytest.mark.parametrize("actor", ROLES)
@pytest.mark.parametrize("target", ROLES)
@pytest.mark.parametrize("new", [*ROLES, None])
def test_who_changes_whom(actor, target, new):
    may_at_all = actor in (Role.ADMIN, Role.OWNER)
    no_higher = all(RANK[one] <= RANK[actor] for one in (target, new) if one)
    assert may_change_member(actor, target, new) == (may_at_all and no_higher)
