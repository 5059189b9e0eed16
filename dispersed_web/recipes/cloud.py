"""A recipe of the cloud as a recipe of ours: its payload as the specification, its questions as inputs. Pure.

The cloud says what it asks, not where an answer goes: what is named like a field sets that field, everything else a
variable. Whatever cannot be taken over is said in a note, and its author looks it all over before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dispersed_web.dispersed import BATCH, PERSISTENT
from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.recipes.about import LONGEST_DESCRIPTION, LONGEST_NAME
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.cloud_inputs import inputs_of, one_line
from dispersed_web.recipes.document import (
    ENV,
    LIST_FIELDS,
    SPEC_FIELDS,
    Problem,
)
from dispersed_web.recipes.models import Recipe

MOST_REPAIRS = 40
_CATEGORIES = (
    ("comfyui", Recipe.Category.IMAGES),
    ("llama", Recipe.Category.LANGUAGE),
    ("vllm", Recipe.Category.LANGUAGE),
    ("pytorch", Recipe.Category.TRAINING),
    ("tune", Recipe.Category.TRAINING),
    ("train", Recipe.Category.TRAINING),
    ("base", Recipe.Category.MACHINE),
)


@dataclass
class Import:
    """What becomes of a recipe of the cloud. With a ``fault`` it cannot be taken over; ``notes`` say what was changed or
    left out, and what to check."""

    name: str
    document: dict[str, Any] = field(default_factory=dict)
    description_md: str = ""
    category: str = Recipe.Category.OTHER
    source: str = ""
    notes: list[str] = field(default_factory=list)
    fault: str = ""


def to_import(recipe: CloudRecipe) -> Import:
    """The recipe as one of ours. Its document, if there is no ``fault``, has no problems."""
    made = Import(
        name=one_line(recipe.name)[:LONGEST_NAME].strip() or "Recipe of Dispersed",
        description_md=_description(recipe),
        category=_category(recipe),
        source=f"cloud:{recipe.uuid}"[:140],
    )
    spec = _spec(recipe, made.notes)
    inputs = inputs_of(recipe, spec, made.notes)
    made.document = {"spec": spec, "inputs": inputs}
    _repair(made)
    return made


def _description(recipe: CloudRecipe) -> str:
    parts = [recipe.description.strip(), _without_its_name(recipe)]
    if parts[0] and parts[0] in parts[1]:
        parts.pop(0)
    return "\n\n".join(filter(None, parts))[:LONGEST_DESCRIPTION]


def _without_its_name(recipe: CloudRecipe) -> str:
    """The quickstart without a heading that only repeats the name, which the page has above it."""
    first, _, rest = recipe.quickstart_md.strip().partition("\n")
    return rest.strip() if first.lstrip("# ").strip() == recipe.name.strip() else recipe.quickstart_md.strip()


def _category(recipe: CloudRecipe) -> str:
    if recipe.payload.task == BATCH:
        return Recipe.Category.BATCH
    image = recipe.payload.image.lower()
    return next((category for word, category in _CATEGORIES if word in image), Recipe.Category.OTHER)


# The specification -----------------------------------------------------------------------------------------------------


def _spec(recipe: CloudRecipe, notes: list[str]) -> dict[str, Any]:
    payload = recipe.payload
    found = {name: getattr(payload, name) for name in SPEC_FIELDS if name not in LIST_FIELDS}
    found |= {name: list(getattr(payload, name)) for name in LIST_FIELDS if name != "volumes"}
    found["volumes"] = [
        {name: text for name, text in volume.to_plain().items() if text} for volume in payload.volumes
    ]
    spec: dict[str, Any] = {name: value for name, value in found.items() if value not in (None, "", [])}
    if payload.env:
        spec[ENV] = dict(payload.env)
    if spec.get("task") not in (BATCH, PERSISTENT):
        notes.append(f"Its task is “{payload.task[:40] or 'not said'}”; it was made PERSISTENT.")
        spec["task"] = PERSISTENT
    if "gpu_name" in spec and "gpu_registry_uuid" in spec:
        spec.pop("gpu_name")
    _split_tag(spec)
    if spec.pop("ssh_key", ""):
        notes.append("Its own SSH key was left out: everybody launches with their own.")
    for secret in payload.secrets:
        if secret.startswith("volumes."):
            where = secret.removeprefix("volumes.")
            notes.append(
                f"The registry secret of the volume at {where} was left out: a recipe holds no secrets."
            )
    return spec


def _split_tag(spec: dict[str, Any]) -> None:
    """An image that carries its tag, as some clients write it."""
    image, _, tag = str(spec.get("image", "")).rpartition(":")
    if image and "/" not in tag:
        spec["image"] = image
        spec.setdefault("tag", tag)


# What cannot be so -----------------------------------------------------------------------------------------------------


def _repair(made: Import) -> None:
    """Takes out, with a note, what the document may not have; what cannot be taken out is the ``fault``."""
    for _ in range(MOST_REPAIRS):
        checked, problems = from_anything(made.document)
        if checked is not None:
            made.document = checked.to_json()
            return
        if not _take_out(made, problems[0]):
            made.fault = problems[0].sentence
            return
    made.fault = "Too much of it is not known here."


def _take_out(made: Import, problem: Problem) -> bool:
    path, document = problem.path, made.document
    if path[:2] == ("spec", ENV) and len(path) > 2:
        document["spec"][ENV].pop(path[2], None)
        made.notes.append(f"The variable {path[2]} was left out: {problem.sentence}")
    elif path[:1] == ("spec",) and len(path) > 1 and path[1] not in ("image", "task"):
        document["spec"].pop(path[1], None)
        made.notes.append(f"{_words(path[1])} was left out: {problem.sentence}")
    elif path[:1] == ("inputs",) and len(path) > 1:
        _take_out_of_input(made, path, problem.sentence)
    else:
        return False
    return True


def _take_out_of_input(made: Import, path: tuple[str | int, ...], sentence: str) -> None:
    one = made.document["inputs"][path[1]]
    called = one.get("label") or one["key"]
    if path[2:3] == ("default",) and one.pop("default", None) is not None:
        made.notes.append(f"The default of “{called}” was left out: {sentence}")
        return
    made.document["inputs"].remove(one)
    made.notes.append(f"“{called}” was left out: {sentence}")


def _words(name: str | int) -> str:
    return str(name).replace("_", " ").removesuffix(" ms").capitalize()
