"""What a copy of a recipe keeps of its original's locks. Pure.

An author's locks hold for launches (see :func:`render.violations`). A copy made by somebody who may not edit the
original would be a way around them, so it keeps them in all its versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dispersed_web.recipes.document import (
    ALL,
    ENV,
    NEVER_MEANT,
    SPEC_FIELDS,
    Document,
    Input,
    Problem,
    one_target,
)
from dispersed_web.recipes.render import render

_SENTENCE = "{} is locked by the recipe that this was copied from, so it stays as it is."


def lost_locks(first: Document, before: Document, after: Document) -> list[Problem]:
    """What ``after`` gives up of the locks that a copy began with: those of ``first``, its first version, as far as
    ``before``, the version now, still has them."""
    found = [Problem(("locked",), _SENTENCE.format(target)) for target in _changed(first, before, after)]
    if ALL in first.locked & before.locked:
        found += _opened(before, after)
    return found


def _changed(first: Document, before: Document, after: Document) -> Iterator[str]:
    if ALL in first.locked & before.locked and ALL not in after.locked:
        yield "Everything (*)"
        return
    ours, theirs = render(before, {}), render(after, {})
    kept = first.locked_targets() & before.locked_targets()
    for target in sorted(kept):
        if target not in after.locked_targets():
            yield target
        elif target == ENV:
            if _variables(after) - _variables(before) or _rows(after) != _rows(before):
                yield "The set of variables"
        elif ours.target(target) != theirs.target(target):
            yield target


def _variables(document: Document) -> set[str]:
    return {
        *document.env,
        *document.secret_variables,
        *(one.env_name for one in document.inputs if one.env_name),
    }


def _rows(document: Document) -> list[Any]:
    return [one.default for one in document.inputs if one.to == ENV and one.is_fixed]


def _opened(before: Document, after: Document) -> Iterator[Problem]:
    """Open inputs are the exceptions from “*”: none may be added or widened in what it covers."""
    known = {one_target(one.to): _limits(one) for one in before.inputs if not one.is_fixed}
    for number, one in enumerate(after.inputs):
        covered = one.to.startswith("env.") or one_target(one.to) in _COVERED
        if covered and not one.is_fixed and _limits(one) != known.get(one_target(one.to)):
            yield Problem(("inputs", number), _SENTENCE.format(f"What “{one.name}” asks for"))


_COVERED = {one_target(name) for name in SPEC_FIELDS} - NEVER_MEANT | {ENV, "registry_secret"}


def _limits(one: Input) -> tuple[Any, ...]:
    values = tuple(choice["value"] for choice in one.choices)
    return (
        one.type,
        one.required,
        one.minimum,
        one.maximum,
        values,
        one.pattern,
        one.max_length,
        one.on,
        one.off,
    )
