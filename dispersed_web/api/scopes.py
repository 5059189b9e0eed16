"""What a token must be allowed by its scope, act by act. Pure; the role of its person must allow the act as well."""

from __future__ import annotations

from enum import StrEnum

from dispersed_web.teams.roles import Action


class Scope(StrEnum):
    """Each allows what those before it allow."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


RANK = {Scope.READ: 0, Scope.OPERATE: 1, Scope.ADMIN: 2}

# Every action stands here, so that a new one is decided on rather than allowed by chance. What only owners do is done in
# the browser, where they prove that it is them: no token is worth an owner.
NEEDS: dict[Action, Scope | None] = {
    Action.SEE: Scope.READ,
    Action.LAUNCH: Scope.OPERATE,
    Action.STOP: Scope.OPERATE,
    Action.EXTEND: Scope.OPERATE,
    Action.MAKE_RECIPES: Scope.OPERATE,
    Action.ADOPT: Scope.OPERATE,
    Action.MAKE_TOKENS: Scope.ADMIN,
    Action.MANAGE_RECIPES: Scope.ADMIN,
    Action.MANAGE_JOBS: Scope.ADMIN,
    Action.MANAGE_TEAM_KEYS: Scope.ADMIN,
    Action.MANAGE_TOKENS: Scope.ADMIN,
    Action.MANAGE_LIMITS: Scope.ADMIN,
    Action.MANAGE_NOTICES: Scope.ADMIN,
    Action.MANAGE_CREDENTIALS: Scope.ADMIN,
    Action.MANAGE_SECRETS: Scope.ADMIN,
    Action.MANAGE_MEMBERS: Scope.ADMIN,
    Action.MANAGE_TEAM: Scope.ADMIN,
    Action.READ_AUDIT: Scope.ADMIN,
    Action.RAISE_SPENDING: None,
    Action.DELETE_TEAM: None,
}

TOO_SMALL = {
    Scope.OPERATE: "This token may only read. Make one that may operate to launch, extend and stop.",
    Scope.ADMIN: "This token may not administer. An admin makes one with the scope admin for that.",
    None: "No token may do that. An owner does it in the browser.",
}


def allows(scope: str, action: Action) -> bool:
    """Whether a token of this scope may do ``action``, as far as the scope goes."""
    needed = NEEDS[action]
    return needed is not None and RANK[Scope(scope)] >= RANK[needed]


def refusal(action: Action) -> str:
    """The sentence for a token whose scope does not reach so far."""
    return TOO_SMALL[NEEDS[action]]
