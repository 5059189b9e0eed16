"""What a document says of secrets: none may be in it, and those of the team are named rightly. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dispersed_web.credentials.masking import SHAPES
from dispersed_web.credentials.secret_names import looks_secret, name_problem
from dispersed_web.recipes.document import ENV, ENV_NAME, REGISTRY_SECRET, Document, Problem
from dispersed_web.recipes.inputs import LONGEST_NAME
from dispersed_web.recipes.references import VOLUME


def secret_problems(document: Document) -> Iterator[Problem]:
    """All that is wrong with it."""
    yield from _secrets(document)
    yield from _references(document)


def _secrets(document: Document) -> Iterator[Problem]:
    for name, value in document.env.items():
        if _is_secret(name, value):
            yield Problem(
                ("spec", ENV, name),
                f"{name} looks like a secret: make it a secret input, or name a secret of the team.",
            )
    for number, one in enumerate(document.inputs):
        rows = one.default if one.type == ENV and isinstance(one.default, dict) else {}
        if any(_is_secret(str(name), value) for name, value in rows.items()):
            yield Problem(("inputs", number, "default"), "A row looks like a secret: make it a secret input.")
        elif one.type in ("text", "lines") and _is_secret(one.env_name, one.default):
            yield Problem(
                ("inputs", number, "default"),
                f"{one.env_name or 'This'} looks like a secret: use the type secret.",
            )


def _references(document: Document) -> Iterator[Problem]:
    """The secrets of the team that are named. Whether the team has them is seen at the launch."""
    asked = {one.to: one.name for one in document.inputs}
    rows = {name for one in document.inputs if one.to == ENV for name in one.default or ()}
    mounts = {
        volume.get("mount") for volume in document.spec.get("volumes") or () if isinstance(volume, Mapping)
    }
    for target, name in document.secrets.items():
        path, variable = ("secrets", target), target.removeprefix("env.")
        is_variable = (
            target.startswith("env.") and ENV_NAME.fullmatch(variable) and len(variable) <= LONGEST_NAME
        )
        if target.startswith(VOLUME):
            if target.removeprefix(VOLUME) not in mounts:
                where = target.removeprefix(VOLUME)[:60]
                yield Problem(path, f"No volume of this recipe has the path “{where}”.")
        elif target != REGISTRY_SECRET and not is_variable:
            yield Problem(path, "A secret of the team goes to env.NAME, registry_secret or volume.PATH.")
        elif target in asked:
            yield Problem(path, f"The input “{asked[target]}” sets this too.")
        elif is_variable and (variable in document.env or variable in rows):
            yield Problem(path, f"{variable} has a value here too: leave one of them out.")
        if problem := name_problem(name):
            yield Problem(path, problem)


def _is_secret(name: str, value: Any) -> bool:
    """By the name of a variable, or by a value that has the form of a key or a login."""
    return bool(value) and (looks_secret(name) or SHAPES.search(str(value)) is not None)
