"""Writes a team's shared recipes as YAML, all that are in use or those named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dispersed_web.recipes import files
from dispersed_web.recipes.models import Recipe
from dispersed_web.web.management import people


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team as it stands in addresses, such as vision-lab")
        parser.add_argument(
            "--recipe", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="instead of the standard output")

    def handle(self, *, team: str, recipe: list[str], out: Path | None, **options: Any) -> None:
        found = Recipe.objects.filter(
            team=people.find_team(team), visibility=Recipe.Visibility.TEAM, archived_at=None
        )
        recipes = list(found.exclude(current=None).select_related("current").order_by("name", "created_at"))
        if missing := set(recipe) - {one.name for one in recipes}:
            raise CommandError(f"The team shares no recipe named {', '.join(sorted(missing))}.")
        text = files.to_yaml(one for one in recipes if not recipe or one.name in recipe)
        if not text:
            raise CommandError("The team shares no recipes.")
        if out is None:
            self.stdout.write(text, ending="")
            return
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
