"""Makes recipes of a YAML file, or of a job file of the vendor's kind (JSON), all of them or none.

What is wrong is told with file, line and column, and then nothing is made. Recipes that are there already stay as they
are, also those of the same name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dispersed_web.accounts.models import User
from dispersed_web.clock import database_now
from dispersed_web.recipes import files, keeping, vendor
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.recipes.yaml_reading import MOST_BYTES, FileProblem
from dispersed_web.teams.keeping import OPERATOR
from dispersed_web.teams.models import Team
from dispersed_web.web.management import people

Found = tuple[Mapping[str, str], Document]


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team as it stands in addresses, such as vision-lab")
        parser.add_argument("file", help="the file to read, or - for the standard input")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="the member who will own them")
        parser.add_argument("--private", action="store_true", help="for their owner alone; otherwise shared")

    def handle(self, *, team: str, file: str, owner: str, private: bool, **options: Any) -> None:
        place, user = people.find_team(team), people.find_user(owner)
        found, problems = parse(file, read(file))
        for problem in problems:
            self.stderr.write(f"{file}:{problem.line}:{problem.column}: {problem.sentence}")
        if problems:
            raise CommandError("Nothing was imported.")
        visibility = Recipe.Visibility.PRIVATE if private else Recipe.Visibility.TEAM
        try:
            make(place, user, found, visibility)
        except RecipeRefused as refused:
            raise CommandError(f"Nothing was imported: {refused.sentence}") from None
        names = ", ".join(f"“{about['name']}”" for about, _ in found)
        self.stdout.write(f"Imported into {place.name} for {user.email}: {names}.")


def read(file: str) -> str:
    """The text of the file, ``-`` being standard input. Raises :class:`CommandError`."""
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                raw = stream.read(MOST_BYTES + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is no text in UTF-8.") from None


def parse(file: str, text: str) -> tuple[list[Found], list[FileProblem]]:
    """The recipes of the text, and what of it cannot be one."""
    if not file.endswith(".json"):
        recipes, problems = files.from_yaml(text)
        return [(one.about, one.document) for one in recipes], problems
    jobs, problems = vendor.from_text(text)
    found: list[Found] = []
    for job in jobs:
        if job.document is not None:
            found.append((job.about, job.document))
        problems += [FileProblem(1, 1, one.sentence) for one in job.problems]
    return found, problems


@transaction.atomic
def make(team: Team, owner: User, found: list[Found], visibility: str) -> None:
    """Stores the recipes as the owner's."""
    now = database_now()
    shared = {"owner": owner, "actor": OPERATOR, "now": now, "visibility": visibility, "note": "Imported"}
    for about, document in found:
        keeping.create(team, document=document, **shared, **about)
