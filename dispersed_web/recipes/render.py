"""From a recipe's document and its answers to what is launched, and what a launch may not have changed. Pure.

Whatever way a launch is asked for (form, API, preset, link, relaunch), the domain holds it to :func:`violations`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Volume
from dispersed_web.recipes.document import (
    AUTOSTOP_FIELDS,
    DEFAULT_RUN_MS,
    ENV,
    GPU,
    JOB_TAG,
    NUMBER_FIELDS,
    REGISTRY_SECRET,
    TIMEOUT_FIELDS,
    USD_FIELDS,
    Document,
    Input,
    one_target,
)
from dispersed_web.recipes.inputs import ANY_GPU, BadAnswer, read
from dispersed_web.recipes.references import Reference

SSH_PORT = 22
# Asking for none of it and not asking are the same to the cloud.
ZERO_IS_NONE = frozenset({"cpu_count", "min_vram_gb", "min_ram_gb", "min_storage_gb"})
# What copies of one launch have after their title: “ 2”, “ (2)”, “ 2/5”, “ (2 of 5)”, “ #2”.
_COPY_NUMBER = re.compile(r" [(#]?[0-9]{1,3}(?:(?:/| of )[0-9]{1,3})?\)?")


@dataclass(repr=False)
class Rendered:
    """What a recipe asks for. ``values`` are fields of the specification, ``autostop`` those of auto-stop; lists are
    tuples. ``secret_env`` names the variables that came from secret inputs. ``refs`` are the targets that get a secret of
    the team, with its name: their values are not known here, and their variables are empty. ``problems`` maps an input's
    key to what is wrong with its answer; with any, nothing may be launched."""

    values: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    secret_env: frozenset[str] = frozenset()
    registry_secret: str = ""
    refs: dict[str, str] = field(default_factory=dict)
    autostop: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)

    def target(self, name: str) -> Any:
        """The value at a target, in one form for comparing: empty is ``None``."""
        if name in self.refs:
            return Reference(self.refs[name].lower())
        if name.startswith("env."):
            return self.env.get(name.removeprefix("env."))
        if one_target(name) == GPU:
            uuid = self.values.get("gpu_registry_uuid")
            return uuid.lower() if uuid else self.values.get("gpu_name") or None
        if name == ENV:
            return dict(self.env)
        if name == JOB_TAG:
            return self.tags
        if name == REGISTRY_SECRET:
            return self.registry_secret or None
        if name == "volumes":
            return tuple(Volume.from_plain(one).to_plain() for one in self.values.get(name) or ()) or None
        if name in AUTOSTOP_FIELDS:
            return _money(name, _plain(self.autostop.get(name)))
        value = _plain(self.values.get(name))
        if name == "ssh_key" and value:
            return " ".join(value.split()[:2])  # its comment is nobody's concern
        return None if name in ZERO_IS_NONE and value == 0 else value


@sensitive_variables()
def render(document: Document, answers: Mapping[str, Any]) -> Rendered:
    """The document with ``answers`` (input key → answer) filled in. An input that is hidden or locked has its default,
    whatever was answered; an answer that differs is a problem where the input is locked. An input without an answer has
    its default too; an empty answer is an answer."""
    found = Rendered(
        values={
            name: _tupled(value) for name, value in document.spec.items() if name != ENV and value is not None
        },
        env={**document.env, **dict.fromkeys(document.secret_variables, "")},
        refs=dict(document.secrets),
        autostop={
            name: _money(name, _tupled(value))
            for name, value in document.autostop.items()
            if value is not None
        },
        tags=document.tags,
    )
    for key in answers:
        if key not in document.by_key:
            found.problems[key] = "The recipe has no such input."
    secret = set(document.secret_variables)
    for one in document.inputs:
        try:
            value = _answered(one, answers)
            if one.to == ENV:
                _refuse_taken(document, one, value or {})
        except BadAnswer as error:
            found.problems[one.key] = str(error)
            continue
        _put(found, one, value)
        if one.is_secret and one.env_name and value is not None:
            secret.add(one.env_name)
    found.secret_env = frozenset(secret)
    _fit_task(found)
    return found


@sensitive_variables()
def _answered(one: Input, answers: Mapping[str, Any]) -> Any:
    """The value of an input, its default where it is fixed or was not answered. Raises :class:`BadAnswer`."""
    value = read(one, one.default if one.is_fixed else answers.get(one.key, one.default))
    if one.is_fixed and one.key in answers and read(one, answers[one.key]) != value:
        raise BadAnswer("The recipe's author locked this.")
    return value


@sensitive_variables()
def _refuse_taken(document: Document, one: Input, rows: Mapping[str, str]) -> None:
    """Rows may not set what another input asks for or what the author locked. Raises :class:`BadAnswer`."""
    for other in document.inputs:
        if other.env_name in rows:
            raise BadAnswer(f"{other.env_name} is set by “{other.name}”.")
    locked = document.locked_targets()
    for name in rows:
        if f"env.{name}" in locked:
            raise BadAnswer(f"The recipe's author locked {name}.")


def _fit_task(found: Rendered) -> None:
    """A time limit belongs to BATCH, whichever of the two the launcher chose."""
    task = found.values.get("task")
    if task == "BATCH" and found.values.get("max_timeout_run_ms") is None:
        found.values["max_timeout_run_ms"] = DEFAULT_RUN_MS
    elif task == "PERSISTENT":
        found.values.pop("max_timeout_run_ms", None)


@sensitive_variables()
def _put(found: Rendered, one: Input, value: Any) -> None:
    found.refs.pop(one.to, None)
    if isinstance(value, Reference):
        found.refs[one.to] = value.name
        found.env |= {one.env_name: ""} if one.env_name else {}
    elif one.env_name:
        _put_env(found, one, value)
    elif one.to == GPU:
        found.values.pop("gpu_name", None)
        found.values.pop("gpu_registry_uuid", None)
        if value not in (None, ANY_GPU):
            found.values[
                "gpu_registry_uuid" if len(value) == 36 and value.count("-") == 4 else "gpu_name"
            ] = value
    elif one.to == ENV:
        found.env |= value or {}
        for name in value or {}:
            found.refs.pop(f"env.{name}", None)
    elif one.to == JOB_TAG:
        found.tags = (*found.tags, *([value] if value else []))
    elif one.to == REGISTRY_SECRET:
        found.registry_secret = value or ""
    elif one.to in TIMEOUT_FIELDS:
        found.values[one.to] = None if value is None else value * 1000
    elif one.to in AUTOSTOP_FIELDS:
        found.autostop[one.to] = _money(one.to, value)
    elif one.type == "choice" and one.to in NUMBER_FIELDS:
        found.values[one.to] = None if value is None else int(value)
    else:
        if one.to == "gpu_name" and value:
            found.values.pop("gpu_registry_uuid", None)
        found.values[one.to] = value


@sensitive_variables()
def _put_env(found: Rendered, one: Input, value: Any) -> None:
    if one.type == "switch":
        value = one.on if value else one.off
    if value is None or (value == "" and not one.required):
        found.env.pop(one.env_name, None)  # an unanswered question sets no variable
    elif isinstance(value, tuple):
        found.env[one.env_name] = ",".join(str(entry) for entry in value)
    else:
        found.env[one.env_name] = str(value)


@sensitive_variables()
def violations(document: Document, asked: Rendered, answers: Mapping[str, Any]) -> dict[str, str]:
    """Why ``asked`` may not be launched from the recipe: target → sentence for what differs from what the author
    locked, and input key → sentence for an answer, or for a value in an input's place, that the input does not allow.
    ``answers`` are those that are not secret; secrets are judged by what is asked for."""
    meant = render(document, answers)
    judged = {one.key for one in document.inputs if one.is_fixed or not one.is_secret} & set(answers)
    unknown = set(answers) - set(document.by_key)
    fixed = {one.key for one in document.inputs if one.is_fixed}
    found = {key: text for key, text in meant.problems.items() if key in judged | unknown | fixed}
    for target in sorted(document.locked_targets()):
        if not _is_as_meant(target, document, meant, asked):
            found[target] = "The recipe's author locked this: it cannot be changed."
    for one in document.inputs:
        if not one.is_fixed and one.key not in found and (refusal := _refusal(one, asked)):
            found[one.key] = refusal
    return found


@sensitive_variables()
def _is_as_meant(target: str, document: Document, meant: Rendered, asked: Rendered) -> bool:
    if target == ENV:
        return _no_variable_added(document, meant, asked)
    ours, theirs = meant.target(target), asked.target(target)
    if target == "ports" and asked.values.get("ssh_key"):
        # 22 is added for whoever brings a key, and published where no port is named.
        ours, theirs = {*(ours or ()), SSH_PORT}, {*(theirs or ()), SSH_PORT}
    if target == "uses_logs":
        ours, theirs = bool(ours), bool(theirs)
    if target == JOB_TAG:
        return {tag.lower() for tag in ours or ()} <= {tag.lower() for tag in theirs or ()}
    if target == "title" and ours and theirs and theirs.startswith(ours):
        rest = theirs.removeprefix(ours)
        return not rest or _COPY_NUMBER.fullmatch(rest) is not None
    return bool(ours == theirs)


@sensitive_variables()
def _no_variable_added(document: Document, meant: Rendered, asked: Rendered) -> bool:
    """Whether ``asked`` has no variable beside the recipe's own, and those of fixed rows as they are meant."""
    known = {*meant.env, *(one.env_name for one in document.inputs if one.env_name)}
    rows = {name for one in document.inputs if one.to == ENV and one.is_fixed for name in one.default or ()}
    return set(asked.env) <= known and all(asked.env.get(name) == meant.env.get(name) for name in rows)


@sensitive_variables()
def _refusal(one: Input, asked: Rendered) -> str:
    """Why what is asked for in the place of an open input is nothing that the input allows; empty if it does."""
    if one.to in (ENV, JOB_TAG):
        return ""  # these add to what else is there
    if one.is_secret and one.env_name in asked.env and one.env_name not in asked.secret_env:
        return "This is a secret of the recipe, and must be launched as one."
    try:
        read(one, _as_answer(one, asked))
    except BadAnswer as error:
        return str(error)
    return ""


@sensitive_variables()
def _as_answer(one: Input, asked: Rendered) -> Any:
    """What a launcher would have answered for the value to be as it is. Raises :class:`BadAnswer` if nothing."""
    value = asked.target(one.to)
    if one.type == "gpu":
        return value or ANY_GPU
    if one.type == "switch" and one.env_name:
        if (value or "") not in (one.on, one.off):
            raise BadAnswer("Answer yes or no.")
        return value == one.on
    if one.to in TIMEOUT_FIELDS and value is not None:
        if value % 1000:
            raise BadAnswer("Use whole seconds.")
        return value // 1000
    return list(value) if isinstance(value, tuple) else value


def _money(name: str, value: Any) -> Any:
    return Decimal(str(value)) if name in USD_FIELDS and value is not None else value


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Empty as ``None``; lists as sorted tuples, for their order means nothing."""
    if isinstance(value, (list, tuple)):
        value = tuple(sorted(value))
    return None if value in (None, "", ()) else value
