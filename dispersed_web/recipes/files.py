"""Recipes as YAML files: to write them, and to read them with the line of each fault. Pure but for its limits of text.

A file holds one recipe, or several as a list or as documents apart by ``---``. Each is a mapping that begins with
``dispersed_web: recipe/1`` and has ``name``, ``description``, ``category``, ``icon`` and the parts of a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dispersed_web.recipes import yaml_reading
from dispersed_web.recipes.about import clean_about
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import Document, Problem
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.models import Recipe
from dispersed_web.recipes.yaml_reading import FileProblem, Path, Place

MARK, FORMAT = "dispersed_web", "recipe/1"
MOST_RECIPES = 200
# In the file, as it is stored.
_ABOUT = {"name": "name", "description": "description_md", "category": "category", "icon": "icon"}
_ODD_BREAKS = "\x85\u2028\u2029\ufeff"


@dataclass(frozen=True)
class ParsedRecipe:
    """A recipe of a file. ``about`` has ``name``, ``description_md``, ``category`` and ``icon``; ``line`` is where it
    begins."""

    about: Mapping[str, str]
    document: Document
    line: int

    @property
    def name(self) -> str:
        return self.about["name"]


# Writing -------------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if any(char in text for char in _ODD_BREAKS):
        style = '"'  # a reader would take these for ends of lines
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(recipes: Iterable[Recipe]) -> str:
    """The current versions of the recipes, as :func:`from_yaml` reads them."""
    return "---\n".join(
        write(
            {name: getattr(recipe, stored) for name, stored in _ABOUT.items()},
            Document.from_json(recipe.current.document),
        )
        for recipe in recipes
        if recipe.current is not None
    )


def write(about: Mapping[str, str], document: Document) -> str:
    """One recipe; ``about`` is named as in files."""
    known = {name: str(about[name]) for name in _ABOUT if about.get(name)}
    data = {MARK: FORMAT, **known, **document.to_json()}
    written: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10**6
    )
    return written


# Reading -------------------------------------------------------------------------------------------------------------


def from_yaml(text: str) -> tuple[list[ParsedRecipe], list[FileProblem]]:
    """The recipes of a file and nothing, or nothing and all that is wrong with it, in the order of lines."""
    tree, problems = yaml_reading.read(text)
    if not problems:
        entries = _entries(tree.data)
        if not entries:
            problems = [FileProblem(1, 1, "There is no recipe in this file.")]
        elif len(entries) > MOST_RECIPES:
            problems = [FileProblem(1, 1, f"At most {MOST_RECIPES} recipes in a file.")]
    if problems:
        return [], problems
    found: list[ParsedRecipe] = []
    for path, data in entries:
        place = tree.place(path)
        recipe, faults = _recipe(data, place)
        problems += [_placed(fault, path, tree.place) for fault in faults]
        if recipe is not None:
            found.append(recipe)
    return ([], sorted(problems)) if problems else (found, [])


def _entries(documents: list[Any]) -> list[tuple[Path, Any]]:
    entries: list[tuple[Path, Any]] = []
    for number, data in enumerate(documents):
        if isinstance(data, list):
            entries += [((number, index), one) for index, one in enumerate(data)]
        elif data is not None or len(documents) == 1:
            entries.append(((number,), data))
    return [] if entries == [((0,), None)] else entries


def _recipe(data: Any, place: Place) -> tuple[ParsedRecipe | None, list[Problem]]:
    if not isinstance(data, Mapping):
        return None, [Problem((), "A recipe is a mapping with name, spec, inputs and so on.")]
    if data.get(MARK) != FORMAT:
        at = (MARK,) if MARK in data else ()
        return None, [Problem(at, f"A recipe begins with the line “{MARK}: {FORMAT}”.")]
    problems: list[Problem] = []
    about = _read_about(data, problems)
    document, faults = from_anything(
        {name: value for name, value in data.items() if name not in (MARK, *_ABOUT)}
    )
    problems += faults
    if document is None or problems:
        return None, problems
    return ParsedRecipe(about, document, place[0]), []


def _read_about(data: Mapping[str, Any], problems: list[Problem]) -> dict[str, str]:
    if data.get("name") is None:
        problems.append(Problem(("name",), "A recipe needs a name."))
    found: dict[str, str] = {}
    for name, stored in _ABOUT.items():
        value = data.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            problems.append(Problem((name,), f"{name} must be a text; put it in quotes."))
            continue
        try:
            found |= clean_about({stored: value})
        except RecipeRefused as refused:
            problems.append(Problem((name,), refused.sentence))
    return found


def _placed(problem: Problem, path: Path, place: Any) -> FileProblem:
    line, column = place((*path, *problem.path))
    return FileProblem(line, column, problem.sentence)
