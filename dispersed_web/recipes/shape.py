"""Whether data can be read as a recipe's document: its names and kinds of values. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dispersed_web.recipes.document import (
    ENV,
    ENV_NAME,
    LIST_FIELDS,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    TIMEOUT_FIELDS,
    Problem,
)

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "text": (str, "a text"),
    "number": (int, "a whole number"),
    "flag": (bool, "true or false"),
    "list": (list, "a list"),
    "mapping": (dict, "a mapping"),
}
_SPEC_TYPES = (
    dict.fromkeys(TEXT_FIELDS, "text")
    | dict.fromkeys((*NUMBER_FIELDS, *TIMEOUT_FIELDS), "number")
    | dict.fromkeys(LIST_FIELDS, "list")
    | {ENV: "mapping"}
)
_AUTOSTOP_TYPES = {
    "lifetime_s": "number",
    "idle_limit_s": "number",
    "checkin_every_s": "number",
    "uses_logs": "flag",
    "log_noise": "list",
    "budget_usd": "text",
    "rate_cap_usd": "text",
}
_INPUT_TYPES = (
    dict.fromkeys(
        (
            "key",
            "type",
            "to",
            "label",
            "help",
            "placeholder",
            "unit",
            "pattern",
            "pattern_hint",
            "on",
            "off",
        ),
        "text",
    )
    | dict.fromkeys(("required", "hidden", "locked"), "flag")
    | {"choices": "list", "max_length": "number"}
)
_CONNECTION_TYPES = {"text": "text", "ssh_user": "text", "links": "list"}
_PARTS = {
    "spec": "mapping",
    "secrets": "mapping",
    "inputs": "list",
    "locked": "list",
    "autostop": "mapping",
    "tags": "list",
    "connection": "mapping",
}


def shape_problems(data: Any) -> Iterator[Problem]:
    """What keeps ``data`` from being read as a document: unknown names and wrong kinds of values. Nothing else may be
    done with a document that has any."""
    if not isinstance(data, Mapping):
        yield Problem((), "A recipe is a mapping with spec, inputs and so on.")
        return
    yield from _mapping((), data, _PARTS)
    parts: dict[str, Any] = {name: data[name] for name in _PARTS if isinstance(data.get(name), (dict, list))}
    for name, kinds in (
        ("spec", _SPEC_TYPES),
        ("autostop", _AUTOSTOP_TYPES),
        ("connection", _CONNECTION_TYPES),
    ):
        if isinstance(parts.get(name), dict):
            yield from _mapping((name,), parts[name], kinds)
    if isinstance(parts.get("spec"), dict) and isinstance(parts["spec"].get(ENV), dict):
        yield from _env(parts["spec"][ENV])
    secrets = parts.get("secrets")
    for target, name in secrets.items() if isinstance(secrets, dict) else ():
        if not isinstance(target, str) or not isinstance(name, str):
            yield Problem(("secrets", str(target)), "Write the target and the name of a secret of the team.")
    if isinstance(parts.get("inputs"), list):
        for number, one in enumerate(parts["inputs"]):
            yield from _input_shape(number, one)
    for name in ("locked", "tags"):
        if isinstance(parts.get(name), list):
            yield from _texts((name,), parts[name])


def _mapping(
    path: tuple[str | int, ...], data: Mapping[str, Any], kinds: Mapping[str, str]
) -> Iterator[Problem]:
    for name, value in data.items():
        if name not in kinds:
            yield Problem((*path, str(name)), _unknown(str(name), kinds))
        elif value is not None and not _is(value, kinds[name]):
            yield Problem((*path, name), f"{name} must be {_TYPES[kinds[name]][1]}.")


def _unknown(name: str, kinds: Mapping[str, str]) -> str:
    meant = difflib.get_close_matches(name[:40], kinds, n=1)
    return f"“{name[:40]}” is not known here." + (f" Did you mean “{meant[0]}”?" if meant else "")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind][0]) and (kind == "flag" or not isinstance(value, bool))


def _env(env: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in env.items():
        if not isinstance(name, str) or not ENV_NAME.fullmatch(name):
            yield Problem(("spec", ENV, str(name)), "A variable's name has letters, digits and _ only.")
        elif not isinstance(value, str):
            yield Problem(("spec", ENV, name), f"The value of {name} must be a text; put it in quotes.")


def _texts(path: tuple[str | int, ...], values: list[Any]) -> Iterator[Problem]:
    for number, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            yield Problem((*path, number), "Every entry must be a text.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


def _input_shape(number: int, one: Any) -> Iterator[Problem]:
    path: tuple[str | int, ...] = ("inputs", number)
    if not isinstance(one, dict):
        yield Problem(path, "An input is a mapping with key, type and to.")
        return
    for name in ("key", "type", "to"):
        if one.get(name) is None:
            yield Problem(path, f"An input needs “{name}”.")
    for name in ("minimum", "maximum"):
        value = one.get(name)
        if value is not None and not _is_number(value):
            yield Problem((*path, name), f"{name} must be a number.")
    known = {name: value for name, value in one.items() if name not in ("minimum", "maximum", "default")}
    yield from _mapping(path, known, _INPUT_TYPES)
    if not isinstance(one.get("default"), (str, int, float, list, dict, type(None))):
        yield Problem((*path, "default"), "A default is a text, a number, a list or a mapping.")
    choices = one.get("choices")
    for index, choice in enumerate(choices if isinstance(choices, list) else ()):
        if not isinstance(choice, dict) or set(choice) - {"value", "label"} or "value" not in choice:
            yield Problem((*path, "choices", index), "A choice has a value and a label.")
        elif not all(isinstance(text, str) for text in choice.values()):
            yield Problem(
                (*path, "choices", index), "A choice's value and label are texts; put them in quotes."
            )


def readable_part(data: Mapping[str, Any], found: Sequence[Problem]) -> tuple[dict[str, Any], list[int]]:
    """What of ``data`` has none of the problems of shape in ``found``, and which number each input that is left has there.
    Where an entry of another list is at fault, the list is left out."""
    rest: dict[str, Any] = {**data}
    bad_inputs = set()
    for path in (problem.path for problem in found):
        part, *inner = path or ("",)
        if part == "inputs" and inner:
            bad_inputs.add(inner[0])
        elif not inner or not isinstance(rest.get(part), dict):
            rest.pop(part, None)
        else:
            rest[part] = _without(rest[part], inner)
    inputs = rest.get("inputs") or []
    kept = [number for number in range(len(inputs)) if number not in bad_inputs]
    return rest | {"inputs": [inputs[number] for number in kept]}, kept


def _without(data: Mapping[str, Any], path: Sequence[str | int]) -> dict[str, Any]:
    """``data`` without what is at ``path``, or without the list that it is in."""
    name, *inner = path
    if inner and isinstance(data.get(name), dict):
        return {**data, name: _without(data[name], inner)}
    return {key: value for key, value in data.items() if str(key) != name}
