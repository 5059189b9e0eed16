"""From a recipe's document and its answers to what is launched, and what a launch may not have changed. Pure.

Whatever way a launch is asked for (form, API, preset, link, relaunch), the domain holds it to :func:`violations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed import Volume
from dispersed_web.recipes.document import (
    AUTOSTOP_FIELDS,
    ENV,
    GPU,
    JOB_TAG,
    REGISTRY_SECRET,
    TIMEOUT_FIELDS,
    Document,
    Input,
)
from dispersed_web.recipes.inputs import ANY_GPU, BadAnswer, read

SSH_PORT = 22
NUMERIC = (
    "cpu_count",
    "gpu_count",
    "min_vram_gb",
    "min_ram_gb",
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
)


@dataclass(repr=False)
class Rendered:
    """What a recipe asks for. ``values`` are fields of the specification, ``autostop`` those of auto-stop; lists are
    tuples. ``secret_env`` names the variables that came from secret inputs. ``problems`` maps an input's key to what is
    wrong with its answer; with any, nothing may be launched."""

    values: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    secret_env: frozenset[str] = frozenset()
    registry_secret: str = ""
    autostop: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)

    def target(self, name: str) -> Any:
        """The value at a target, in one form for comparing: empty is ``None``."""
        if name.startswith("env."):
            return self.env.get(name.removeprefix("env."))
        if name == GPU:
            return self.values.get("gpu_registry_uuid") or self.values.get("gpu_name") or None
        if name == ENV:
            return dict(self.env)
        if name == JOB_TAG:
            return self.tags
        if name == REGISTRY_SECRET:
            return self.registry_secret or None
        if name == "volumes":
            return tuple(Volume.from_plain(one).to_plain() for one in self.values.get(name) or ()) or None
        return _plain((self.autostop if name in AUTOSTOP_FIELDS else self.values).get(name))


@sensitive_variables()
def render(document: Document, answers: Mapping[str, Any]) -> Rendered:
    """The document with ``answers`` (input key → answer) filled in. An input that is hidden or locked has its default,
    whatever was answered; an answer that differs is a problem where the input is locked. An input without an answer has
    its default too; an empty answer is an answer."""
    found = Rendered(
        values={
            name: _tupled(value) for name, value in document.spec.items() if name != ENV and value is not None
        },
        env=dict(document.env),
        autostop={name: _tupled(value) for name, value in document.autostop.items() if value is not None},
        tags=document.tags,
    )
    for key in answers:
        if key not in document.by_key:
            found.problems[key] = "The recipe has no such input."
    secret: set[str] = set()
    for one in document.inputs:
        answer = one.default if one.is_fixed else answers.get(one.key, one.default)
        try:
            value = read(one, answer)
            if one.is_fixed and one.key in answers and read(one, answers[one.key]) != value:
                raise BadAnswer("The recipe's author locked this.")
        except BadAnswer as error:
            found.problems[one.key] = str(error)
            continue
        _put(found, one, value)
        if one.type == "secret" and one.env_name and value is not None:
            secret.add(one.env_name)
    found.secret_env = frozenset(secret)
    return found


@sensitive_variables()
def _put(found: Rendered, one: Input, value: Any) -> None:
    if one.env_name:
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
    elif one.to == JOB_TAG:
        found.tags = (*found.tags, *([value] if value else []))
    elif one.to == REGISTRY_SECRET:
        found.registry_secret = value or ""
    elif one.to in TIMEOUT_FIELDS:
        found.values[one.to] = None if value is None else value * 1000
    elif one.to in AUTOSTOP_FIELDS:
        found.autostop[one.to] = value
    elif one.type == "choice" and one.to in NUMERIC:
        found.values[one.to] = None if value is None else int(value)
    else:
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
    """Target → why it may not be so, for everything in ``asked`` that differs from what the author locked, and for
    inputs answered in a way that they do not allow. ``answers`` are those that are not secret."""
    meant = render(document, answers)
    open_keys = {one.key for one in document.inputs if one.type == "secret"}
    found = {key: sentence for key, sentence in meant.problems.items() if key not in open_keys}
    for target in document.locked_targets():
        if not _is_as_meant(target, document, meant, asked):
            found[target] = "The recipe's author locked this: it cannot be changed."
    return found


@sensitive_variables()
def _is_as_meant(target: str, document: Document, meant: Rendered, asked: Rendered) -> bool:
    if target == ENV:
        return _no_variable_added(document, meant, asked)
    ours, theirs = meant.target(target), asked.target(target)
    if target == "ports" and ours and theirs and asked.values.get("ssh_key"):
        ours, theirs = {*ours, SSH_PORT}, {*theirs, SSH_PORT}  # 22 is added for whoever brings a key
    if target == "uses_logs":
        ours, theirs = bool(ours), bool(theirs)
    if target == JOB_TAG:
        return set(ours or ()) <= set(theirs or ())
    return bool(ours == theirs)


@sensitive_variables()
def _no_variable_added(document: Document, meant: Rendered, asked: Rendered) -> bool:
    if ENV in document.targets():
        return True
    known = {*meant.env, *(one.env_name for one in document.inputs if one.env_name)}
    return set(asked.env) <= known


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Empty as ``None``, lists as tuples."""
    value = _tupled(value)
    return None if value in (None, "", ()) else value
