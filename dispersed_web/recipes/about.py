"""What is said of a recipe beside its document: name, description, category, icon."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.inputs import PRIVATE_KEY
from dispersed_web.recipes.models import Recipe

LONGEST_NAME = 80
LONGEST_DESCRIPTION = 20_000
ABOUT = ("name", "description_md", "category", "icon")
_ICON = re.compile(r"[a-z0-9-]{1,20}")


def clean_about(about: Mapping[str, str]) -> dict[str, str]:
    """The values in the form in which they are stored. Raises :class:`RecipeRefused`."""
    if unknown := set(about) - set(ABOUT):
        raise KeyError(f"no such fields: {', '.join(sorted(unknown))}")
    found = {name: value.replace("\r\n", "\n").strip() for name, value in about.items()}
    if "name" in found:
        found["name"] = " ".join(found["name"].split())
        if not 0 < len(found["name"]) <= LONGEST_NAME or not found["name"].isprintable():
            raise RecipeRefused("invalid", f"A name has 1 to {LONGEST_NAME} characters.", field="name")
    text = found.get("description_md", "")
    if len(text) > LONGEST_DESCRIPTION or "\0" in text:
        sentence = f"A description has at most {LONGEST_DESCRIPTION} characters."
        raise RecipeRefused("invalid", sentence, field="description_md")
    if PRIVATE_KEY in text:
        raise RecipeRefused(
            "invalid", "This has a private key in it. Nothing was kept.", field="description_md"
        )
    if found.get("category", Recipe.Category.OTHER) not in Recipe.Category.values:
        raise RecipeRefused("invalid", "Choose one of the categories.", field="category")
    if not _ICON.fullmatch(found.get("icon", "file")):
        raise RecipeRefused("invalid", "Choose one of the icons.", field="icon")
    return found
