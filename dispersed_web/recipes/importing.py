"""Importing over a recipe that is there: only one that is named, and only with the right to edit it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from dispersed_web.events.record import Actor
from dispersed_web.recipes import keeping
from dispersed_web.recipes.files import ParsedRecipe
from dispersed_web.recipes.models import Recipe, RecipeVersion

NOTE = "Imported"


def import_over(
    recipe: Recipe, parsed: ParsedRecipe, *, seen_version: int, actor: Actor, now: dt.datetime
) -> RecipeVersion | None:
    """Makes what a file says the recipe's next version, and its name and description those of the file; ``None`` where
    the version would be the same. Raises as :func:`keeping.save_version`, and then changes nothing."""
    with transaction.atomic():
        keeping.change_about(recipe, actor=actor, now=now, **parsed.about)
        return keeping.save_version(
            recipe, parsed.document, seen_version=seen_version, actor=actor, now=now, note=NOTE
        )
