"""What is wrong with one input of a recipe. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import regex

from dispersed_web.dispersed import JobSpec, problems_of
from dispersed_web.recipes.document import (
    ENV_NAME,
    KEY,
    NUMBER_FIELDS,
    SETS_VARIABLES,
    TARGETS,
    Input,
    Problem,
)
from dispersed_web.recipes.inputs import LONGEST, LONGEST_NAME, BadAnswer, read

Path = tuple[str | int, ...]

LONGEST_PATTERN = 200
MOST_CHOICES = 100
# Attribute of an input, the most characters.
_LENGTHS = {
    "label": 80,
    "help": 1000,
    "placeholder": 200,
    "unit": 20,
    "pattern_hint": 200,
    "on": 1000,
    "off": 1000,
}
_NEVER_KNOWN = ("secret", "ssh_key")
_BOUNDED = ("number", "duration")
_WRITTEN = ("text", "lines", "secret")


def input_problems(path: Path, one: Input) -> Iterator[Problem]:
    """All that is wrong with an input by itself."""
    if not KEY.fullmatch(one.key):
        yield Problem(
            (*path, "key"), "A key has small letters, digits and _, begins with a letter, at most 40."
        )
    if one.type not in TARGETS:
        yield Problem((*path, "type"), f"The type is one of {', '.join(TARGETS)}.")
        return
    yield from _target(path, one)
    for name, most in _LENGTHS.items():
        if len(getattr(one, name)) > most:
            yield Problem((*path, name), f"At most {most} characters.")
    faults = [*_bounds(path, one), *_pattern(path, one), *_choices(path, one)]
    yield from faults
    yield from _never_known(path, one)
    if not faults and one.type not in _NEVER_KNOWN:
        yield from _default(path, one)


def _target(path: Path, one: Input) -> Iterator[Problem]:
    if one.to in TARGETS[one.type]:
        return
    if one.to.startswith("env."):
        if one.type not in SETS_VARIABLES:
            yield Problem((*path, "to"), f"An input of type {one.type} cannot set a variable.")
        elif not ENV_NAME.fullmatch(one.env_name) or len(one.env_name) > LONGEST_NAME:
            yield Problem((*path, "to"), "A variable's name has letters, digits and _ only.")
        return
    fields = sorted(TARGETS[one.type] - {one.type}) + (["env.NAME"] if one.type in SETS_VARIABLES else [])
    allowed = ", ".join(fields or TARGETS[one.type])
    yield Problem((*path, "to"), f"An input of type {one.type} sets one of: {allowed}.")


def _bounds(path: Path, one: Input) -> Iterator[Problem]:
    for name in ("minimum", "maximum"):
        value = getattr(one, name)
        if value is None:
            continue
        if one.type not in _BOUNDED:
            yield Problem((*path, name), "Only a number or a duration has bounds.")
        elif abs(value) > 10**15:
            yield Problem((*path, name), "This is too large.")
        elif one.type == "duration" and (value < 0 or value != int(value)):
            yield Problem((*path, name), "A duration is given in whole seconds.")
    if one.minimum is not None and one.maximum is not None and one.minimum > one.maximum:
        yield Problem((*path, "maximum"), "The maximum is below the minimum.")
    if one.max_length is not None:
        if one.type not in _WRITTEN:
            yield Problem((*path, "max_length"), "Only a text has a length.")
        elif not 1 <= one.max_length <= LONGEST[one.type]:
            yield Problem((*path, "max_length"), f"Between 1 and {LONGEST[one.type]} characters.")


def _pattern(path: Path, one: Input) -> Iterator[Problem]:
    if not one.pattern:
        return
    if one.type not in _WRITTEN:
        yield Problem((*path, "pattern"), "Only a text has a pattern.")
    if len(one.pattern) > LONGEST_PATTERN:
        yield Problem((*path, "pattern"), f"At most {LONGEST_PATTERN} characters.")
        return
    try:
        regex.compile(one.pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        yield Problem((*path, "pattern"), f"This is no regular expression: {str(error)[:100]}.")


def _choices(path: Path, one: Input) -> Iterator[Problem]:
    path = (*path, "choices")
    if one.type != "choice":
        if one.choices:
            yield Problem(path, "Only an input of type choice has choices.")
        return
    if not 1 <= len(one.choices) <= MOST_CHOICES:
        yield Problem(path[:-1] if not one.choices else path, f"A choice needs 1 to {MOST_CHOICES} choices.")
    seen: set[str] = set()
    for number, choice in enumerate(one.choices):
        value = choice["value"]
        if not value or len(value) > 1000 or len(choice["label"]) > 200:
            yield Problem((*path, number), "A choice needs a value, and at most 200 characters of label.")
        elif value in seen:
            yield Problem((*path, number), f"“{value[:40]}” is there twice.")
        elif sentence := _choice_problem(one.to, value):
            yield Problem((*path, number), sentence)
        seen.add(value)


def _choice_problem(to: str, value: str) -> str:
    """Why a field cannot have this value; empty if it can."""
    if to in NUMBER_FIELDS:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            return "This field takes whole numbers."
        return _spec_problem(to, int(value))
    if to == "task" and value not in ("BATCH", "PERSISTENT"):
        return "The task is BATCH or PERSISTENT."
    if to.startswith("env."):
        spec = JobSpec(task="PERSISTENT", title="x", image="x", env={"X": value})
        return problems_of(spec).get("env", "")
    return "" if to in ("title", "task", "job_tag") else _spec_problem(to, value)


def _spec_problem(to: str, value: Any) -> str:
    values = {"task": "PERSISTENT", "title": "x", "image": "x", to: value}
    return problems_of(JobSpec(**values)).get(to, "") if to in JobSpec.__dataclass_fields__ else ""


def _never_known(path: Path, one: Input) -> Iterator[Problem]:
    if one.type not in _NEVER_KNOWN:
        return
    words = "a secret" if one.type == "secret" else "an SSH key"
    if one.is_fixed:
        yield Problem(
            (*path, "hidden" if one.hidden else "locked"), f"The launcher answers {words}: it is asked."
        )
    if one.default not in (None, ""):
        yield Problem(
            (*path, "default"), f"A recipe holds no {words.split(' ', 1)[1]}: leave the default empty."
        )


def _default(path: Path, one: Input) -> Iterator[Problem]:
    if one.default is None:
        if one.is_fixed and one.type != "switch":
            yield Problem(path, "What is hidden or locked needs a default.")
        return
    try:
        read(replace(one, required=one.is_fixed and one.required), one.default)
    except BadAnswer as error:
        yield Problem((*path, "default"), str(error))
