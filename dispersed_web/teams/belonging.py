"""Which teams a person belongs to, and in which role. Every page and every poll asks that, so it is asked in plain SQL:
Django takes seven times as long to write this query as the database does to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from dispersed_web.teams.models import Team

_TEAMS_OF = (
    "SELECT team.*, membership.role AS role_there, membership.is_default AS is_default_there "
    "FROM teams_membership membership JOIN teams_team team ON team.id = membership.team_id "
    "WHERE membership.user_id = %s"
)
_BY_SLUG = f"{_TEAMS_OF} AND team.slug = %s"
_BY_NAME = f"{_TEAMS_OF} ORDER BY team.name"


@dataclass(frozen=True, slots=True)
class Belonging:
    """A person's membership. ``is_default``: it is the team that opens first."""

    team: Team
    role: str
    is_default: bool


def find(user_id: int | None, slug: str) -> Belonging | None:
    """The person's membership in the team of that address, read now; ``None`` where there is no such team either."""
    return next(iter(_read(_BY_SLUG, user_id, slug)), None)


def everywhere(user_id: int | None) -> list[Belonging]:
    """All memberships of the person, by the names of the teams."""
    return _read(_BY_NAME, user_id)


def _read(sql: str, *values: object) -> list[Belonging]:
    teams = Team.objects.raw(sql, values)
    return [Belonging(team, team.role_there, bool(team.is_default_there)) for team in teams]
