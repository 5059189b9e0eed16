"""Who may do what: one pure table. Access to an object is proved elsewhere; this only ranks roles and acts."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Action(StrEnum):
    SEE = "see"
    LAUNCH = "launch"
    STOP = "stop"
    EXTEND = "extend"
    MAKE_TOKENS = "make_tokens"
    MAKE_RECIPES = "make_recipes"
    ADOPT = "adopt"
    MANAGE_RECIPES = "manage_recipes"
    MANAGE_JOBS = "manage_jobs"
    MANAGE_TEAM_KEYS = "manage_team_keys"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_LIMITS = "manage_limits"
    MANAGE_NOTICES = "manage_notices"
    MANAGE_CREDENTIALS = "manage_credentials"
    MANAGE_SECRETS = "manage_secrets"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_TEAM = "manage_team"
    READ_AUDIT = "read_audit"
    RAISE_SPENDING = "raise_spending"
    DELETE_TEAM = "delete_team"


_VIEWER = {Action.SEE}
_MEMBER = _VIEWER | {
    Action.LAUNCH,
    Action.STOP,
    Action.EXTEND,
    Action.MAKE_TOKENS,
    Action.MAKE_RECIPES,
    Action.ADOPT,
}
_ADMIN = _MEMBER | {
    Action.MANAGE_RECIPES,
    Action.MANAGE_JOBS,
    Action.MANAGE_TEAM_KEYS,
    Action.MANAGE_TOKENS,
    Action.MANAGE_LIMITS,
    Action.MANAGE_NOTICES,
    Action.MANAGE_CREDENTIALS,
    Action.MANAGE_SECRETS,
    Action.MANAGE_MEMBERS,
    Action.MANAGE_TEAM,
    Action.READ_AUDIT,
}
_OWNER = _ADMIN | {Action.RAISE_SPENDING, Action.DELETE_TEAM}

MAY: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.MEMBER: frozenset(_MEMBER),
    Role.ADMIN: frozenset(_ADMIN),
    Role.OWNER: frozenset(_OWNER),
}

RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


def may(role: str | None, action: Action) -> bool:
    """Whether a member with ``role`` may do ``action``; somebody without a role (``None``) may do nothing."""
    return role is not None and action in MAY[Role(role)]


def may_change_member(actor: str, target: str, new: str | None) -> bool:
    """Whether ``actor`` may give a member who now is ``target`` the role ``new`` (``None``: remove the member).

    Nobody lifts anybody above themselves, and nobody touches those who rank above them.
    """
    if not may(actor, Action.MANAGE_MEMBERS):
        return False
    highest = max(RANK[Role(target)], RANK[Role(new)] if new else 0)
    return highest <= RANK[Role(actor)]


def lower_of(role: str | None, at_most: str | None) -> str | None:
    """The lower of two roles; ``at_most`` ``None`` bounds nothing, and somebody without a role has none with any bound."""
    if role is None or at_most is None or RANK[Role(role)] <= RANK[Role(at_most)]:
        return role
    return at_most


def rank_at_least(role: str | None, minimum: Role) -> bool:
    """Whether the role may do all that ``minimum`` may; nobody's (``None``) may nothing."""
    return role is not None and RANK[Role(role)] >= RANK[minimum]


def as_a(role: str) -> str:
    """In words, such as ``as an admin``."""
    return f"as {'an' if role[:1] in 'ao' else 'a'} {role}"
