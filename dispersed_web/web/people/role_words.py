"""What each role is for, in words. Pure."""

from __future__ import annotations

from dispersed_web.teams.roles import Role, as_a

__all__ = ["MEANINGS", "as_a", "meaning"]
MEANINGS = {
    Role.VIEWER: "sees jobs, costs and logs",
    Role.MEMBER: "launches, extends and stops jobs",
    Role.ADMIN: "also manages members, credentials and limits",
    Role.OWNER: "also makes owners, raises the spending limit and deletes the team",
}


def meaning(role: str) -> str:
    """What somebody with the role does."""
    return MEANINGS[Role(role)]
