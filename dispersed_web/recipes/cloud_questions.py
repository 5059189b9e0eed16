"""What a recipe of the cloud asks of whoever cooks it, as inputs of ours that set fields of the call or variables. Pure.

What cannot be understood is left out, and the variable can still be written as a row.
"""

from __future__ import annotations

from dataclasses import replace

from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.recipes import cloud
from dispersed_web.recipes.cloud_inputs import target_of
from dispersed_web.recipes.document import ENV, Document, Input


def questions(recipe: CloudRecipe) -> tuple[Input, ...]:
    """In the recipe's order. What the cloud holds already as a secret is not needed again: unanswered, its own is used."""
    held = {secret.removeprefix("env.") for secret in recipe.payload.secrets}
    # Without its secrets: those that no question asks for stay with the cloud.
    made = cloud.to_import(replace(recipe, payload=replace(recipe.payload, secrets=())))
    inputs = Document.from_json(made.document).inputs if not made.fault else ()
    asked = {target_of(question.key, {}) for question in recipe.inputs}
    # An import asks for a key, where nobody did.
    own = (one for one in inputs if one.type != ENV and (one.to != "ssh_key" or one.to in asked))
    return tuple(replace(one, required=one.required and (one.env_name or one.to) not in held) for one in own)
