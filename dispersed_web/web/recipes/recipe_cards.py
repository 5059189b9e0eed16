"""The gallery of recipes: which cards it has, in which order, and what each says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from dispersed_web.accounts.models import User
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import queries
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe, RecipePin
from dispersed_web.teams.models import Team
from dispersed_web.web import markdown
from dispersed_web.web.recipes.recipe_prices import Machine, Prices, machine_of

LATELY = dt.timedelta(days=60)
MOST_LATELY = 4
MOST = 100
STARTER = "starter:"
CLOUD = "cloud:"


@dataclass(frozen=True)
class Wanted:
    """What of the recipes somebody wants to see."""

    text: str = ""
    category: str = ""
    archived: bool = False

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.category)


@dataclass(frozen=True)
class Card:
    """A recipe in the gallery; ``used_at`` is when the reader last launched from it, lately."""

    recipe: Recipe
    about: str
    machine: Machine
    by: str
    is_pinned: bool
    used_at: dt.datetime | None

    @property
    def is_private(self) -> bool:
        return self.recipe.visibility == Recipe.Visibility.PRIVATE


@dataclass(frozen=True)
class Shelf:
    """Cards under a heading; the only shelf needs none."""

    title: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Gallery:
    """``found`` counts all that match, of which ``left_out`` are not shown; ``has_any``: the team has recipes at all."""

    shelves: Sequence[Shelf]
    found: int
    has_any: bool
    left_out: int


def gallery(team: Team, user: User, wanted: Wanted, now: dt.datetime) -> Gallery:
    """What the person sees of the team's recipes; a handful of queries however many there are."""
    visible = queries.visible_to(user.pk, team).exclude(current=None)
    rows = list(visible.select_related("current", "owner").order_by("name", "pk"))
    shown = [row for row in rows if bool(row.archived_at) == wanted.archived and _matches(row, wanted)]
    cards = _cards(shown[:MOST], team, user, now)
    shelves = [Shelf("", _sorted(cards))] if wanted.is_filtered or wanted.archived else _shelves(cards)
    return Gallery([shelf for shelf in shelves if shelf.cards], len(shown), bool(rows), len(shown[MOST:]))


def made_by(recipe: Recipe) -> str:
    """Whose recipe it is, in a word or two."""
    if recipe.source.startswith(STARTER):
        return "Starter"
    return str(recipe.owner) if recipe.owner_id else "The team"


def _matches(row: Recipe, wanted: Wanted) -> bool:
    if wanted.category and row.category != wanted.category:
        return False
    words = wanted.text.casefold().split()
    return not words or _holds(words, row)


def _holds(words: Iterable[str], row: Recipe) -> bool:
    document = row.current.document
    spec = document.get("spec") or {}
    texts = (
        row.name,
        row.description_md,
        row.get_category_display(),
        made_by(row),
        spec.get("image") or "",
        spec.get("title") or "",
        spec.get("gpu_name") or "",
        *(document.get("tags") or ()),
    )
    whole = " ".join(texts).casefold()
    return all(word in whole for word in words)


def _cards(rows: Sequence[Recipe], team: Team, user: User, now: dt.datetime) -> list[Card]:
    pinned = set(RecipePin.objects.filter(user=user, recipe__team=team).values_list("recipe", flat=True))
    used = _used(team, user, now)
    prices = Prices.of_team(team)
    return [
        Card(
            recipe=row,
            about=markdown.first_line(row.description_md),
            machine=machine_of(Document.from_json(row.current.document), prices),
            by=made_by(row),
            is_pinned=row.pk in pinned,
            used_at=used.get(row.pk),
        )
        for row in rows
    ]


def _used(team: Team, user: User, now: dt.datetime) -> dict[Any, dt.datetime]:
    """When the person last launched which recipe."""
    mine = Job.objects.filter(team=team, created_by=user, created_at__gte=now - LATELY)
    mine = mine.exclude(recipe_version=None).order_by()
    rows = mine.values("recipe_version__recipe").annotate(last=Max("created_at"))
    return {row["recipe_version__recipe"]: row["last"] for row in rows}


def _sorted(cards: Iterable[Card]) -> list[Card]:
    return sorted(cards, key=lambda card: (not card.is_pinned, card.recipe.name.casefold()))


def _shelves(cards: Sequence[Card]) -> list[Shelf]:
    """Every card on one shelf only."""
    pinned = [card for card in cards if card.is_pinned]
    lately = [card for card in cards if card.used_at and not card.is_pinned]
    lately = sorted(lately, key=lambda card: card.used_at or card.recipe.created_at, reverse=True)[
        :MOST_LATELY
    ]
    taken = {card.recipe.pk for card in (*pinned, *lately)}
    rest = [card for card in cards if card.recipe.pk not in taken]
    title = "All others" if taken else ""
    return [
        Shelf("Pinned", _sorted(pinned)),
        Shelf("Used lately by you", lately),
        Shelf(title, _sorted(rest)),
    ]
