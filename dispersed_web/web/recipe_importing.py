"""What a file of recipes would make, shown before it is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.recipes import files, keeping, queries
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import Recipe
from dispersed_web.web import markdown
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.recipe import ICONS
from dispersed_web.web.forms.recipe_yaml import UNSAID, Fault, faults_of
from dispersed_web.web.recipe_prices import Machine, Prices, machine_of

NOTE = "Imported"


@dataclass(frozen=True)
class Found:
    """A recipe of the file. ``exists`` says that the person sees one of this name already."""

    about: Mapping[str, str]
    document: Document
    machine: Machine
    line: int = 0
    notes: Sequence[str] = ()
    exists: bool = False
    taken: bool = True

    @property
    def name(self) -> str:
        return self.about["name"]

    @property
    def icon(self) -> str:
        return self.about["icon"] if self.about["icon"] in ICONS else "file"

    @property
    def about_line(self) -> str:
        return markdown.first_line(self.about["description_md"])

    @property
    def asks(self) -> int:
        return sum(not one.hidden for one in self.document.inputs)


def look(place: Seat, user: User, text: str) -> tuple[list[Found], list[Fault]]:
    """What is in the text, or all that is wrong with it."""
    parsed, problems = files.from_yaml(text)
    if problems:
        return [], faults_of(problems, text)
    names = set(queries.visible_to(user.pk, place.team).values_list("name", flat=True))
    prices = Prices.of_team(place.team)
    return [
        Found(
            about={**UNSAID, **one.about},
            document=one.document,
            machine=machine_of(one.document, prices),
            line=one.line if len(parsed) > 1 else 0,
            exists=one.name in names,
        )
        for one in parsed
    ], []


def ticked(found: Iterable[Found], taken: Iterable[str]) -> list[Found]:
    """The same with what somebody ticked."""
    chosen = set(taken)
    return [replace(one, taken=str(number) in chosen) for number, one in enumerate(found)]


def make(place: Seat, user: Any, found: Iterable[Found], visibility: str, now: dt.datetime) -> list[Recipe]:
    """All that are ticked, or none. Raises ``RecipeRefused``."""
    with transaction.atomic():
        return [
            keeping.create(
                place.team,
                document=one.document,
                owner=user,
                actor=place.actor,
                now=now,
                visibility=visibility,
                note=NOTE,
                **one.about,
            )
            for one in found
            if one.taken
        ]
