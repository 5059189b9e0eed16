"""Who may use what the team stored, and who may manage it. Pure: the same rules for credentials and for secrets."""

from __future__ import annotations

from collections.abc import Collection

from dispersed_web.teams.roles import RANK, Action, Role, may


def may_use(role: str | None, user_id: int | None, usable_by: str, chosen: Collection[int]) -> bool:
    """Whether somebody with ``role`` may launch with it. ``chosen`` are the ids of the people that were chosen; where it
    is for chosen people, admins who are not among them may not either: they can choose themselves, and that is seen."""
    if role is None or not may(role, Action.LAUNCH):
        return False
    if usable_by == "chosen":
        return user_id is not None and user_id in chosen
    return usable_by == "members" or (usable_by == "admins" and RANK[Role(role)] >= RANK[Role.ADMIN])


def may_manage(role: str | None, managed_by: str) -> bool:
    """Whether somebody with ``role`` may change, replace or remove it: admins and owners, or owners alone."""
    if role is None or not may(role, Action.MANAGE_CREDENTIALS):
        return False
    return managed_by == "admins" or Role(role) == Role.OWNER
