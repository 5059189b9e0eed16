"""A team's secrets as its pages show them: everything but their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispersed_web.credentials import secret_rules
from dispersed_web.credentials.models import TeamSecret, UsableBy
from dispersed_web.jobs.secret_refs import Known
from dispersed_web.jobs.secret_use import Use, used_in
from dispersed_web.teams.roles import Action
from dispersed_web.web.access import Seat

WORDS = {UsableBy.MEMBERS: "Every member", UsableBy.ADMINS: "Admins and owners"}


@dataclass(frozen=True)
class SecretRow:
    """``for_whom`` says who may use it, ``is_for_me`` whether the reader may."""

    row: TeamSecret
    for_whom: str
    is_for_me: bool
    use: Use

    @property
    def users(self) -> str:
        """In how many places it is used, in words."""
        recipes = len(self.use.recipes) + self.use.private_recipes
        parts = ((recipes, "recipe"), (len(self.use.jobs), "running job"))
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count)


def list_context(seat: Seat, user_id: int) -> dict[str, Any]:
    """What the list shows."""
    known = Known.of(seat.team, user_id)
    used = used_in(seat.team, known.rows, user_id)
    return {
        "team": seat.team,
        "may_secrets": seat.may(Action.MANAGE_SECRETS),
        "may_launch": seat.may(Action.LAUNCH),
        "rows": [SecretRow(row, for_whom(row), known.may(row), used[row.pk]) for row in known.rows],
        "shortest": secret_rules.SHORTEST_VALUE,
    }


def for_whom(secret: TeamSecret) -> str:
    """Who may use it, in words; needs the chosen people loaded."""
    if secret.usable_by in WORDS:
        return WORDS[UsableBy(secret.usable_by)]
    return ", ".join(sorted(str(one.user) for one in secret.chosen.all())) or "Nobody"


def use_of(seat: Seat, secret: TeamSecret, user_id: int) -> Use:
    """What hangs on it, presets too."""
    return used_in(seat.team, [secret], user_id, presets=True)[secret.pk]
