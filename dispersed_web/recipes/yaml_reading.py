"""YAML read into plain values that know where they stood in the text. Pure.

Only what recipes need: no anchors, aliases or tags, no key twice. A plain word is a text unless it is ``null``, ``true``,
``false`` or a decimal number: ``yes``, ``on`` and dates are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_BYTES = 1_000_000
DEEPEST = 20
# Ten times what the largest files have that were exported here; each takes its time to be read.
MOST_PARTS = 50_000
Path = tuple[str | int, ...]
Place = tuple[int, int]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{0,17}(?:[eE][-+][0-9]{1,3})?")


@dataclass(frozen=True, order=True)
class FileProblem:
    """One fault: line and column from 1, and a sentence."""

    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.sentence}"


@dataclass
class Tree:
    """``data`` are the documents of the text; ``places`` says where each key and entry stands."""

    data: list[Any] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """(line, column) of what is at ``path``, or of the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def read(text: str) -> tuple[Tree, list[FileProblem]]:
    """The values in ``text`` and what is wrong with it as YAML; with any fault the values may not be used."""
    tree = Tree()
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        return tree, [FileProblem(1, 1, "A file has at most 1 MB.")]
    try:
        tree.problems += _forbidden(text)
        if not tree.problems:
            for number, node in enumerate(yaml.compose_all(text, Loader=_Loader)):
                tree.data.append(_value(node, (number,), tree))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        sentence = f"This is not YAML: {error.problem or error.context}."
        tree.problems.append(FileProblem(line, column, sentence))
    except (yaml.YAMLError, UnicodeError):
        tree.problems.append(FileProblem(1, 1, "The file has characters that YAML does not know."))
    return tree, sorted(tree.problems)


def _forbidden(text: str) -> Iterator[FileProblem]:
    """Before anything is built: what could refer, grow or nest without bounds."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if number > MOST_PARTS:
            yield FileProblem(line, column, "This has too many parts: give it in several files.")
            return
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > DEEPEST:
            yield FileProblem(line, column, "This is nested too deeply.")
            return
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield FileProblem(
                line, column, "Anchors (&) and aliases (*) are not read: write it out, or put it in quotes."
            )
        elif getattr(event, "tag", None):
            yield FileProblem(line, column, "Tags (!) are not read: leave it out, or put the text in quotes.")


def _value(node: yaml.Node, path: Path, tree: Tree) -> Any:
    tree.places.setdefault(path, _place(node))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, (*path, number), tree) for number, inner in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key, inner in node.value:
        if not isinstance(key, yaml.ScalarNode):
            tree.problems.append(FileProblem(*_place(key), "A key must be a word."))
        elif key.value in found:
            tree.problems.append(FileProblem(*_place(key), f"“{key.value[:40]}” is here twice."))
        else:
            tree.places[(*path, key.value)] = _place(key)
            found[key.value] = _value(inner, (*path, key.value), tree)
    return found


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style:  # quoted or a block
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text
