"""What changed between two versions of a recipe, as people read it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispersed_web.recipes import references, words
from dispersed_web.recipes.document import AUTOSTOP_FIELDS, SPEC_FIELDS, Document, Input

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
CONTEXT = 2
# Attribute of an input, in words.
_INPUT_WORDS = {
    "type": "type",
    "to": "where the answer goes",
    "label": "label",
    "help": "help",
    "placeholder": "example",
    "default": "default",
    "required": "needed",
    "hidden": "hidden",
    "locked": "locked",
    "minimum": "minimum",
    "maximum": "maximum",
    "unit": "unit",
    "choices": "choices",
    "pattern": "pattern",
    "pattern_hint": "hint of the pattern",
    "max_length": "longest answer",
    "on": "value when on",
    "off": "value when off",
}


@dataclass(frozen=True)
class Change:
    """One difference: what it is about, in words; before and after, of which one is empty for what was ``added`` or
    ``removed``. A text of several lines has ``lines``: pairs of a sign (space, ``+``, ``-``, or ``…`` for lines left
    out) and a line."""

    path: tuple[str, ...]
    kind: str
    before: str = ""
    after: str = ""
    lines: tuple[tuple[str, str], ...] = ()


def changes(before: Document, after: Document) -> list[Change]:
    """All differences, in the order in which a recipe is read; none for documents that mean the same."""
    return [
        *_fields("Job", before.spec, after.spec, SPEC_FIELDS),
        *_env(before.env, after.env),
        *_secrets(before.secrets, after.secrets),
        *_inputs(before.inputs, after.inputs),
        *_entries("Locked", _locked(before), _locked(after)),
        *_fields("Auto-stop", before.autostop, after.autostop, AUTOSTOP_FIELDS),
        *_entries("Tags", before.tags, after.tags),
        *_connection(before.connection, after.connection),
    ]


def _fields(
    part: str, before: Mapping[str, Any], after: Mapping[str, Any], names: Sequence[str]
) -> Iterator[Change]:
    for name in names:
        ours, theirs = (words.value(name, one.get(name)) for one in (before, after))
        yield from _change((part, words.target(name)), ours, theirs)


def _env(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        path = ("Job", f"Variable {name}")
        if (name in before) != (name in after):  # one without a value is a variable too
            kind = ADDED if name in after else REMOVED
            yield _told(path, kind, before.get(name, ""), after.get(name, ""))
        else:
            yield from _change(path, before[name], after[name])


def _secrets(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for target in sorted({*before, *after}):
        ours, theirs = (references.words(one[target]) if target in one else "" for one in (before, after))
        yield from _change(("Job", words.target(target)), ours, theirs)


def _inputs(before: Sequence[Input], after: Sequence[Input]) -> Iterator[Change]:
    ours, theirs = ({one.key: one for one in inputs} for inputs in (before, after))
    for key, one in ours.items():
        if key not in theirs:
            yield Change(("Inputs", one.name), REMOVED, before=_summary(one))
    for key, one in theirs.items():
        if key not in ours:
            yield Change(("Inputs", one.name), ADDED, after=_summary(one))
        else:
            yield from _input(ours[key], one)
    stayed = [key for key in ours if key in theirs]
    moved = [key for key in theirs if key in ours]
    if stayed != moved:
        orders = (", ".join(ours[key].name for key in stayed), ", ".join(theirs[key].name for key in moved))
        yield Change(("Inputs", "Order"), MOVED, *orders)


def _summary(one: Input) -> str:
    default = f", default {_attribute('default', one)}" if one.default not in (None, "") else ""
    return f"{one.type} for {words.target(one.to)}{default}"


def _input(before: Input, after: Input) -> Iterator[Change]:
    for name, called in _INPUT_WORDS.items():
        yield from _change(("Inputs", after.name, called), _attribute(name, before), _attribute(name, after))


def _attribute(name: str, one: Input) -> str:
    value = getattr(one, name)
    if name == "to":
        return words.target(value)
    if name == "choices":
        return "\n".join(f"{choice['value']}: {choice['label']}" for choice in value)
    return words.plain(value)


def _locked(document: Document) -> list[str]:
    return [words.target(name) for name in sorted(document.locked)]


def _entries(part: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    for entry in before:
        if entry not in after:
            yield Change((part,), REMOVED, before=entry)
    for entry in after:
        if entry not in before:
            yield Change((part,), ADDED, after=entry)


def _connection(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name, called in (("text", "Text"), ("ssh_user", "SSH user")):
        yield from _change(("Connection", called), before.get(name) or "", after.get(name) or "")
    links = [[_link(link) for link in one.get("links") or ()] for one in (before, after)]
    for change in _entries("Connection", *links):
        yield Change(("Connection", "Link"), change.kind, change.before, change.after)


def _link(link: Mapping[str, Any]) -> str:
    return f"{link.get('label') or 'Port'} {link['port']}{link.get('path') or ''}"


def _change(path: tuple[str, ...], before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield _told(path, CHANGED if before and after else ADDED if after else REMOVED, before, after)


def _told(path: tuple[str, ...], kind: str, before: str, after: str) -> Change:
    lines = tuple(_lines(before, after)) if "\n" in before or "\n" in after else ()
    return Change(path, kind, before, after, lines)


def _lines(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The changed lines with a few around them."""
    ours, theirs = before.splitlines(), after.splitlines()
    groups = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_grouped_opcodes(CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield "…", ""
        for verb, start, end, new_start, new_end in group:
            if verb == "equal":
                yield from ((" ", line) for line in ours[start:end])
                continue
            yield from (("-", line) for line in ours[start:end])
            yield from (("+", line) for line in theirs[new_start:new_end])
