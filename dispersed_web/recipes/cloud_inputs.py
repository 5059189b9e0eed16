"""The questions of a recipe of the cloud as inputs of ours. Pure.

Of the cloud's types only "number" is documented: what is not known becomes a text. What is named like a field of the
create call sets that field, everything else a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dispersed_web.dispersed import PERSISTENT, RecipeInput
from dispersed_web.dispersed import Recipe as CloudRecipe
from dispersed_web.dispersed.payload import SECRET_NAME
from dispersed_web.recipes.document import (
    ENV,
    ENV_NAME,
    GPU,
    NUMBER_FIELDS,
    REGISTRY_SECRET,
    SPEC_FIELDS,
    TIMEOUT_FIELDS,
)
from dispersed_web.recipes.inputs import ANY_GPU

# The cloud's name of a container setting: ours.
_FIELDS = {
    "host": "registry_host",
    "user": "registry_user",
    "secret": REGISTRY_SECRET,
    "sshkey": "ssh_key",
    "imagesrc": "image_source",
    "gpu_name": GPU,
    "gpu_registry_uuid": GPU,
}
# A field that takes one type of input only, whatever the cloud calls the question's type.
_TYPE_OF = {
    **dict.fromkeys(NUMBER_FIELDS, "number"),
    **dict.fromkeys(TIMEOUT_FIELDS, "duration"),
    GPU: "gpu",
    REGISTRY_SECRET: "secret",
    "ssh_key": "ssh_key",
    "allowed_region_codes": "region",
    "ports": "ports",
    "allowed_ips": "addresses",
    "description": "lines",
}
# What the cloud may call its types; only "number" is documented. Anything else becomes a text.
_KINDS = {
    **dict.fromkeys(("number", "integer", "int", "float"), "number"),
    **dict.fromkeys(("select", "choice", "enum", "dropdown", "radio", "options"), "choice"),
    **dict.fromkeys(("boolean", "bool", "switch", "toggle", "checkbox"), "switch"),
    **dict.fromkeys(("secret", "password"), "secret"),
    **dict.fromkeys(("textarea", "multiline", "lines"), "lines"),
    **dict.fromkeys(("text", "string"), "text"),
}
_PREFIX = re.compile(r"^(?:parameters\.)*(?:(env)\.)?")


def one_line(text: str) -> str:
    """Without breaks and control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def inputs_of(recipe: CloudRecipe, spec: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    """The inputs of a document with that ``spec``; what is to be checked or was left out is added to ``notes``. They may
    still have problems, such as a default that does not fit."""
    made: list[dict[str, Any]] = []
    for question in recipe.inputs:
        one = _input(question, spec, notes)
        taken = next((other for other in made if other["to"] == one["to"]), None)
        if taken:
            called, other = one["label"] or one["key"], taken["label"] or taken["key"]
            notes.append(f"“{called}” was left out: “{other}” asks for the same.")
            continue
        made.append({**one, "key": _free_key(one["key"], made)})
    for one in (*_asked_secrets(recipe), *_own_key(spec)):
        if all(other["to"] != one["to"] for other in made):
            made.append({**one, "key": _free_key(one["key"], made)})
    if recipe.unreadable_inputs:
        notes.append(f"{recipe.unreadable_inputs} of its questions cannot be read and were left out.")
    variables = [
        f"“{one['label'] or one['key']}” sets {one['to'][4:]}" for one in made if _guessed(one, recipe)
    ]
    if variables:
        notes.append(
            "Dispersed does not say where answers go, so they became variables: "
            f"{', '.join(variables)}. Check that the image reads these."
        )
    return made


def _guessed(one: Mapping[str, Any], recipe: CloudRecipe) -> bool:
    """A variable that the recipe does not have itself."""
    name = one["to"].removeprefix("env.")
    known = {*recipe.payload.env, *(secret.removeprefix("env.") for secret in recipe.payload.secrets)}
    return one["to"].startswith("env.") and name not in known


def _input(question: RecipeInput, spec: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    to = target_of(question.key, spec)
    called = one_line(question.label) or question.key
    kind = _KINDS.get(question.type.strip().lower(), "")
    if to in _TYPE_OF:
        kind = "choice" if kind == "choice" and to in NUMBER_FIELDS else _TYPE_OF[to]
    elif to == "task" or (kind == "choice" and not question.options):
        kind = "choice" if question.options else "text"
    elif not kind:
        notes.append(
            f"“{called[:80]}” is of a kind that is not known here ({question.type[:40]}): it asks for a text."
        )
        kind = "text"
    elif not to.startswith("env.") and kind not in ("text", "choice"):
        kind = "text"  # the other fields are texts
    if to.startswith("env.") and kind in ("text", "lines") and SECRET_NAME.search(to):
        kind = "secret"
    one: dict[str, Any] = {
        "key": _key(question.key),
        "type": kind,
        "to": to,
        "label": called[:80],
        "help": question.description.strip()[:1000],
        "placeholder": one_line(question.placeholder)[:200],
        "required": question.required and kind != "switch",
    }
    if kind == "choice":
        one["choices"] = [
            {"value": value, "label": one_line(label or value)[:200]} for value, label in question.options
        ]
    if kind == "switch":
        one |= {"on": "true", "off": "false"}
    if (default := _default(kind, to, question.default_value, spec)) is not None:
        one["default"] = default
    return {
        name: value for name, value in one.items() if value not in ("", False) or name in ("label", "default")
    }


def target_of(key: str, spec: Mapping[str, Any]) -> str:
    """What the answer to a question of this key sets, beside a specification."""
    match = _PREFIX.match(key)
    name = key[match.end() :] if match else key
    if not (match and match[1]):
        name_of_field = _FIELDS.get(name, name)
        if name_of_field in (*SPEC_FIELDS, GPU, REGISTRY_SECRET) and name_of_field != "volumes":
            return name_of_field
    variables = spec.get(ENV) or {}
    upper = re.sub(r"[^A-Za-z0-9_]", "_", name).upper()
    if name not in variables and (upper in variables or not ENV_NAME.fullmatch(name) or name.islower()):
        name = upper
    return f"env.{name if ENV_NAME.fullmatch(name) else f'_{name}'}"


def _key(key: str) -> str:
    plain = re.sub(r"[^a-z0-9_]+", "_", key.lower()).strip("_")[:36]
    return plain if plain[:1].isalpha() else f"input_{plain}"[:36].rstrip("_")


def _free_key(key: str, made: list[dict[str, Any]]) -> str:
    taken = {one["key"] for one in made}
    numbered = (f"{key}_{number}" for number in range(2, 100))
    return next(one for one in (key, *numbered) if one not in taken)


def _default(kind: str, to: str, text: str, spec: Mapping[str, Any]) -> Any:
    """As a launcher would answer: what the cloud gives, or what the payload says, which an empty answer would undo."""
    if kind in ("secret", "ssh_key"):
        return None
    text = text.strip()
    if kind == "switch":
        return text.lower() in ("true", "1", "on", "yes") if text else None
    if to == GPU:
        return text or spec.get("gpu_registry_uuid") or spec.get("gpu_name") or ANY_GPU
    if kind == "duration":
        return int(text) // 1000 if text.isdigit() else _seconds(spec.get(to))
    given: Any = text
    if not text:
        given = (spec.get(ENV) or {}).get(to[4:]) if to.startswith("env.") else spec.get(to)
    if kind in ("ports", "region", "addresses") and isinstance(given, str):
        given = given.replace(",", " ").split()
    if kind == "choice" and isinstance(given, int):
        given = str(given)
    if kind == "number" and isinstance(given, str):
        given = int(given) if given.isascii() and given.lstrip("-").isdigit() else given
    return given or (given if given == 0 else None)


def _seconds(milliseconds: Any) -> int | None:
    return milliseconds // 1000 if isinstance(milliseconds, int) else None


def _asked_secrets(recipe: CloudRecipe) -> Iterator[dict[str, Any]]:
    """What the cloud keeps secret is asked for at each launch."""
    for secret in recipe.payload.secrets:
        if secret == REGISTRY_SECRET:
            yield _secret("registry_secret", REGISTRY_SECRET, "Registry secret")
        elif secret.startswith("env.") and ENV_NAME.fullmatch(secret[4:]):
            yield _secret(_key(secret[4:]), secret, secret[4:][:80])


def _secret(key: str, to: str, label: str) -> dict[str, Any]:
    told = "The recipe of Dispersed holds it; here it is asked for at each launch."
    return {"key": key, "type": "secret", "to": to, "label": label, "required": True, "help": told}


def _own_key(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if spec["task"] == PERSISTENT:
        yield {"key": "ssh_key", "type": "ssh_key", "to": "ssh_key", "label": "SSH key"}
