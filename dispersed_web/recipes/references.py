"""Secrets of the team by name: what a recipe's document, an answer or a preset holds in the place of a value. Pure.

A name is no secret. Which value stands behind it, and whether the launcher may use it, is decided when a launch is
stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispersed_web.credentials.secret_names import name_problem

TEAM_SECRET = "team_secret"  # noqa: S105 - a name
# Before the path of a volume: the target that is its registry's password.
VOLUME = "volume."


@dataclass(frozen=True)
class Reference:
    """An answer that names a secret of the team instead of giving a value."""

    name: str

    def to_json(self) -> dict[str, str]:
        return {TEAM_SECRET: self.name}


def is_reference(answer: Any) -> bool:
    """Whether an answer is meant as one, such as ``{"team_secret": "hf-token"}``; its name may be none."""
    return isinstance(answer, Mapping) and set(answer) == {TEAM_SECRET}


def reference_in(answer: Any) -> Reference | None:
    """The reference that an answer is; ``None`` for anything else."""
    if isinstance(answer, Reference):
        return answer
    if not is_reference(answer):
        return None
    name = answer[TEAM_SECRET]
    return Reference(name) if isinstance(name, str) and not name_problem(name) else None


def words(name: str) -> str:
    """What stands where a value would."""
    return f"the team’s secret “{name}”"
