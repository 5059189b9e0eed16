"""Who may do what with a recipe. Pure; whether the person belongs to its team is what their role says."""

from __future__ import annotations

from dispersed_web.teams.roles import Action, may

TEAM = "team"


def may_make(role: str | None) -> bool:
    """Whether somebody with ``role`` may make recipes of their own, by hand, copy or import."""
    return may(role, Action.MAKE_RECIPES)


def may_see(role: str | None, *, is_owner: bool, visibility: str) -> bool:
    """The team's recipes are for all its members, private ones for their owner alone."""
    return may(role, Action.SEE) and (is_owner or visibility == TEAM)


def may_edit(role: str | None, *, is_owner: bool, visibility: str, has_owner: bool = True) -> bool:
    """Whether they may change it, its versions, its sharing and its owner: its owner, or whoever manages recipes where
    it is the team's or nobody's."""
    if is_owner:
        return may(role, Action.MAKE_RECIPES)
    return may(role, Action.MANAGE_RECIPES) and (visibility == TEAM or not has_owner)


def may_hide(role: str | None, *, is_owner: bool) -> bool:
    """Whether they may make it private: its owner alone, or it would be out of everybody's sight."""
    return is_owner and may(role, Action.MAKE_RECIPES)
