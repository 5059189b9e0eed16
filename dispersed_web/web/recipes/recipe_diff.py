"""Two versions of a recipe side by side, by its parts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dispersed_web.recipes import diff
from dispersed_web.recipes.diff import Change
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import RecipeVersion

SIGNS = {"+": ("added", "+"), "-": ("removed", "−"), "…": ("between", "…")}


ENTRIES = {"Tags": "Tag", "Locked": "Field"}


@dataclass(frozen=True)
class Text:
    """A line of a longer text. ``kind`` is ``added``, ``removed``, ``between`` or empty."""

    kind: str
    sign: str
    text: str


@dataclass(frozen=True)
class Row:
    """One value before and after, or, for long texts, the ``lines`` in which they differ."""

    name: str
    kind: str
    before: str
    after: str
    lines: Sequence[Text]


@dataclass(frozen=True)
class Part:
    """Changes that belong together."""

    title: str
    rows: Sequence[Row]


def compared(before: RecipeVersion | None, after: RecipeVersion) -> list[Part]:
    """What changed, part by part; without a version before it everything is new."""
    older = Document.from_json(before.document) if before else Document()
    changes = diff.changes(older, Document.from_json(after.document))
    return [
        Part(title, [_row(one) for one in ours]) for title, ours in groupby(changes, lambda one: one.path[0])
    ]


def _row(change: Change) -> Row:
    lines = [Text(*SIGNS.get(sign, ("", "")), text) for sign, text in change.lines]
    return Row(
        ": ".join(change.path[1:]) or ENTRIES.get(change.path[0], ""),
        change.kind,
        change.before,
        change.after,
        lines,
    )
