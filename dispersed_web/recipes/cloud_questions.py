"""What a recipe of the cloud asks of whoever cooks it, as inputs of ours that set variables. Pure.

Questions that set a field of the create call are not among them: the launch form has that field, filled in. What cannot
be understood is left out, and the variable can still be written as a row.
"""

from __future__ import annotations

from dataclasses import replace

from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.recipes import cloud
from dispersed_web.recipes.document import ENV, Document, Input


def questions(recipe: CloudRecipe) -> tuple[Input, ...]:
    """In the recipe's order. What the cloud holds already as a secret is not needed again: unanswered, its own is used."""
    held = {secret.removeprefix("env.") for secret in recipe.payload.secrets}
    # Without its secrets: those that no question asks for stay with the cloud.
    made = cloud.to_import(replace(recipe, payload=replace(recipe.payload, secrets=())))
    inputs = Document.from_json(made.document).inputs if not made.fault else ()
    asked = (one for one in inputs if one.env_name and one.type != ENV)
    return tuple(replace(one, required=one.required and one.env_name not in held) for one in asked)
