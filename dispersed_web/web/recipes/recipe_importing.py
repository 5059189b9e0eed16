"""What a file of recipes would make, shown before it is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.recipes import files, keeping, queries, vendor
from dispersed_web.recipes.document import Document, Problem
from dispersed_web.recipes.models import Recipe
from dispersed_web.web import markdown
from dispersed_web.web.access import Seat
from dispersed_web.web.forms.recipe import ICONS
from dispersed_web.web.forms.recipe_yaml import UNSAID, Fault, faults_of
from dispersed_web.web.recipes.recipe_prices import Machine, Prices, machine_of

NOTE = "Imported"


@dataclass(frozen=True)
class Found:
    """A recipe of the file. ``exists`` says that the person sees one of this name already."""

    about: Mapping[str, str]
    document: Document
    machine: Machine | None = None
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
    found, faults = _jobs(text) if _is_job_file(text) else _recipes(text)
    if faults:
        return [], faults
    names = set(queries.visible_to(user.pk, place.team).values_list("name", flat=True))
    prices = Prices.of_team(place.team)
    return [
        replace(one, machine=machine_of(one.document, prices), exists=one.name in names) for one in found
    ], []


def _is_job_file(text: str) -> bool:
    """JSON that does not say that it is a recipe: JSON is YAML too."""
    return text.lstrip()[:1] in ("{", "[") and files.MARK not in text


def _recipes(text: str) -> tuple[list[Found], list[Fault]]:
    parsed, problems = files.from_yaml(text)
    several = len(parsed) > 1
    return [
        Found({**UNSAID, **one.about}, one.document, line=one.line if several else 0) for one in parsed
    ], faults_of(problems, text)


def _jobs(text: str) -> tuple[list[Found], list[Fault]]:
    """Job files of the cloud's own kind."""
    taken, problems = vendor.from_text(text)
    found = [Found({**UNSAID, **one.about}, one.document, notes=one.notes) for one in taken if one.document]
    faults = [
        Fault(f"{_where(number, len(taken), problem)}{problem.sentence}")
        for number, one in enumerate(taken, start=1)
        for problem in one.problems
    ]
    return found, [*faults_of(problems, text), *faults]


def _where(number: int, count: int, problem: Problem) -> str:
    job = f"Job {number}, " if count > 1 else ""
    path = ".".join(map(str, problem.path))
    return f"{job}{path}: " if path else job


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
