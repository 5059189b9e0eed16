"""The recipes that every team begins with, from the files beside this one."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

from django.db import transaction

from dispersed_web.events.record import LAUNCHER, Actor, record
from dispersed_web.recipes import files, keeping
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Team

FOLDER = Path(__file__).parent / "starters"
SOURCE = "starter:"


@cache
def known() -> dict[str, files.ParsedRecipe]:
    """The starters by their names, in the order of the gallery."""
    found: dict[str, files.ParsedRecipe] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        recipes, problems = files.from_yaml(path.read_text(encoding="utf-8"))
        if problems:
            raise ValueError(f"{path.name}: {problems[0]}")
        (found[path.stem],) = recipes
    return found


def missing(team: Team) -> list[str]:
    """Names of the starters that the team has not, not even archived."""
    prefix = len(SOURCE)
    have = Recipe.objects.filter(team=team, source__startswith=SOURCE).values_list("source", flat=True)
    names = {source[prefix:] for source in have}
    return [name for name in known() if name not in names]


def install(team: Team, now: dt.datetime, actor: Actor = LAUNCHER) -> list[Recipe]:
    """Gives the team the starters that it has not, visible to all and owned by nobody; those it made its own stay."""
    with transaction.atomic():
        keeping.hold(team)
        made = [_install(team, name, actor, now) for name in missing(team)]
        if made:
            names = [recipe.name for recipe in made]
            many = f"the recipe “{names[0]}”" if len(made) == 1 else f"{len(made)} recipes"
            sentence = f"{actor.label} gave the team {many} to begin with."
            about = ("team", team.pk)
            record(team.pk, actor, "recipe.starters_given", about, sentence, now=now, data={"names": names})
    return made


def _install(team: Team, name: str, actor: Actor, now: dt.datetime) -> Recipe:
    parsed = known()[name]
    source, shown = f"{SOURCE}{name}", Recipe.Visibility.TEAM
    values = {"visibility": shown, "source": source, **parsed.about}
    return keeping.place(team, None, parsed.document, actor, now, note="As delivered", **values)
