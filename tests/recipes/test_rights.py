"""Who may do what with a recipe, as a table."""

from __future__ import annotations

import pytest

from dispersed_web.recipes import rights

ROLES = ("owner", "admin", "member", "viewer", None)


def roles(act: object, **facts: object) -> set[str | None]:
    return {role for role in ROLES if act(role, **facts)}  # type: ignore[operator]


def test_members_make_recipes() -> None:
    assert roles(rights.may_make) == {"owner", "admin", "member"}


@pytest.mark.parametrize("has_owner", [True, False])
def test_those_who_manage_recipes_edit_what_is_the_team_s_or_nobody_s(has_owner: bool) -> None:
    facts = {"is_owner": False, "has_owner": has_owner}
    assert roles(rights.may_edit, visibility="team", **facts) == {"owner", "admin"}
    private = set() if has_owner else {"owner", "admin"}
    assert roles(rights.may_edit, visibility="private", **facts) == private


@pytest.mark.parametrize("visibility", ["team", "private"])
def test_its_owner_edits_it_as_long_as_they_may_make_recipes(visibility: str) -> None:
    assert roles(rights.may_edit, is_owner=True, visibility=visibility) == {"owner", "admin", "member"}
    assert roles(rights.may_hide, is_owner=True) == {"owner", "admin", "member"}
    assert roles(rights.may_hide, is_owner=False) == set()


def test_the_team_s_recipes_are_seen_by_all_members_and_private_ones_by_their_owner() -> None:
    assert roles(rights.may_see, is_owner=False, visibility="team") == {"owner", "admin", "member", "viewer"}
    assert roles(rights.may_see, is_owner=False, visibility="private") == set()
    assert roles(rights.may_see, is_owner=True, visibility="private") == {
        "owner",
        "admin",
        "member",
        "viewer",
    }
