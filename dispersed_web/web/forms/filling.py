"""What a launch form begins with, and what of a preset or a link may be in it: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Typed:
    """``values`` are fields as texts or lists of texts, ``env`` rows of the environment, ``answers`` those to a recipe's
    inputs as JSON."""

    values: dict[str, Any] = field(default_factory=dict)
    env: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)


@dataclass
class Reading:
    """What of a :class:`Typed` a form may begin with; ``ignored`` are the names of the rest."""

    values: dict[str, Any] = field(default_factory=dict)
    env: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


@dataclass
class Filling:
    """Initial values of the form, rows of its environment, and what the reader should know about them."""

    values: dict[str, Any]
    env: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def with_reading(self, reading: Reading) -> Filling:
        """With what a preset or a link says; its rows take the place of those with the same names."""
        named = {row["name"] for row in reading.env}
        env = [row for row in self.env if row["name"] not in named] + reading.env
        given = {name: value for name, value in reading.values.items() if value is not None}
        ignored = [*self.ignored, *reading.ignored]
        return Filling(self.values | given, env, self.note, self.answers | reading.answers, ignored)
