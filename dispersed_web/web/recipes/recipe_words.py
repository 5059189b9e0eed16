"""The parts of a recipe in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dispersed_web.recipes import references, words
from dispersed_web.recipes.document import (
    AUTOSTOP_FIELDS,
    DEFAULTS,
    ENV,
    TIMEOUT_FIELDS,
    Document,
    Input,
)
from dispersed_web.recipes.words import FIELDS
from dispersed_web.web.forms import regions
from dispersed_web.web.words import round_duration

TYPES = {
    "text": "Text",
    "lines": "Several lines of text",
    "number": "Number",
    "choice": "Choice",
    "gpu": "GPU",
    "region": "Regions",
    "switch": "Switch",
    "secret": "Secret",
    "ssh_key": "SSH key",
    "duration": "Duration",
    "ports": "Ports",
    "env": "Environment variables",
    "addresses": "Addresses that may connect",
}
GROUPS = (
    ("Container", ("image", "tag", "registry_host", "registry_user", "volumes", "image_source")),
    (
        "Machine",
        (
            "gpu_name",
            "gpu_registry_uuid",
            "gpu_count",
            "min_vram_gb",
            "cpu_count",
            "min_ram_gb",
            "min_storage_gb",
            "allowed_region_codes",
            "max_node_count",
            "max_retry_count",
        ),
    ),
    ("Access", ("ports", "allowed_ips", "ssh_key")),
    ("Time limits", TIMEOUT_FIELDS),
    ("Auto-stop", AUTOSTOP_FIELDS),
)
# Told only where it is not what everybody expects.
NEVER_ODD = frozenset({"max_node_count", "max_retry_count"})
CODE = frozenset({"image", "tag", "registry_host", "ssh_key", "volumes", "log_noise"})


@dataclass(frozen=True)
class Line:
    """A field of the recipe; ``asked`` is the label of the input that sets it, empty where none does."""

    name: str
    value: str
    is_code: bool = False
    is_locked: bool = False
    asked: str = ""


@dataclass(frozen=True)
class Group:
    """Fields that belong together."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Question:
    """One input as the detail page tells of it."""

    name: str
    kind: str
    help: str
    default: str
    sets: str
    sets_variable: bool
    bounds: str
    is_required: bool
    is_locked: bool
    is_hidden: bool


def target_name(target: str) -> str:
    """``env.HF_TOKEN`` is called by its variable, everything else as the launch form calls it."""
    return target.removeprefix("env.") if target.startswith("env.") else FIELDS.get(target, target)


def groups(document: Document) -> list[Group]:
    """What is launched, as far as the recipe says it, with what a launch may not change."""
    locked = document.locked_targets()
    found = [Group(title, tuple(_lines(document, names, locked))) for title, names in GROUPS]
    logins = [target for target in document.secrets if not target.startswith("env.")]
    more = (
        Line(words.target(target), references.words(document.secrets[target]), is_locked=target in locked)
        for target in sorted(logins)
    )
    found[0] = Group(found[0].title, (*found[0].lines, *more))
    found.append(Group("Environment", tuple(_variables(document, locked))))
    return [group for group in found if group.lines]


def questions(document: Document) -> list[Question]:
    """What the recipe asks, in words, in the order of the form."""
    return [
        Question(
            name=one.name,
            kind=TYPES[one.type],
            help=one.help,
            default=value_words(_plain_target(one), one.default, one),
            sets="the environment" if one.to == ENV else target_name(one.to),
            sets_variable=bool(one.env_name),
            bounds=_bounds(one),
            is_required=one.required,
            is_locked=one.locked,
            is_hidden=one.hidden,
        )
        for one in document.inputs
    ]


def value_words(target: str, value: Any, one: Input | None = None) -> str:
    """A value of the document as people read it; empty for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", [], (), {}):
        return ""
    if one is not None and one.type == "choice":
        return next(
            (str(c.get("label") or c["value"]) for c in one.choices if c["value"] == str(value)), str(value)
        )
    if one is not None and one.type == "gpu":
        return "any GPU that fits" if value == "any" else str(value)
    if target in TIMEOUT_FIELDS and isinstance(value, int):
        return round_duration(value // 1000 if one is None else value)
    if target.endswith("_s") and isinstance(value, int):
        return round_duration(value)
    if target.endswith("_gb"):
        return f"{value}\u00a0GB"
    if target.endswith("_usd"):
        return f"${value}" + ("/h" if target == "rate_cap_usd" else "")
    if target == "allowed_region_codes" and isinstance(value, (list, tuple)):
        return ", ".join(regions.name(str(code)) for code in value)
    if target == "volumes" and isinstance(value, (list, tuple)):
        return ", ".join(_image_at(one) for one in value if isinstance(one, Mapping))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={text}" for name, text in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(entry) for entry in value)
    return f"{value} {one.unit}".strip() if one is not None and one.unit else str(value)


def volume(volume: Mapping[str, Any], secret: str = "") -> str:
    """What is mounted, and by which secret of the team it is read."""
    login = f", with {references.words(secret)}" if secret else ""
    return f"{_image(volume)}{login}"


def _image_at(volume: Mapping[str, Any]) -> str:
    return f"{_image(volume)} at {volume.get('mount', '')}"


def _image(volume: Mapping[str, Any]) -> str:
    image = f"{volume.get('image', '')}:{volume['tag']}" if volume.get("tag") else volume.get("image", "")
    registry = f"{volume['registry']}/" if volume.get("registry") else ""
    return f"{registry}{image}"


def _plain_target(one: Input) -> str:
    if one.type == "duration":
        return "lifetime_s"
    return one.to


def _lines(document: Document, names: tuple[str, ...], locked: frozenset[str]) -> Iterator[Line]:
    asked = document.targets()
    for name in names:
        to = "gpu" if name in ("gpu_name", "gpu_registry_uuid") else name
        one = asked.get(to)
        value = (document.autostop if name in AUTOSTOP_FIELDS else document.spec).get(name)
        if one is not None and name != "gpu_registry_uuid":
            yield Line(FIELDS[name], "", is_locked=one.is_fixed, asked=one.name)
        elif one is None and name in NEVER_ODD and value == DEFAULTS[name] and name not in locked:
            continue
        elif one is None and (told := value_words(name, value)):
            yield Line(FIELDS[name], told, is_code=name in CODE, is_locked=to in locked or name in locked)


def _variables(document: Document, locked: frozenset[str]) -> Iterator[Line]:
    asked = {one.env_name: one for one in document.inputs if one.env_name}
    for name, value in document.env.items():
        if name not in asked:
            yield Line(name, value, is_code=True, is_locked=f"env.{name}" in locked)
    for name, secret in document.secret_variables.items():
        yield Line(name, references.words(secret), is_locked=f"env.{name}" in locked)
    for name, one in asked.items():
        yield Line(name, "", is_locked=one.is_fixed, asked=one.name)


def _bounds(one: Input) -> str:
    low, high = one.minimum, one.maximum
    if low is None and high is None:
        return ""
    written = _duration_or_number(one)
    if low is None:
        return f"at most {written(high)}"
    return f"at least {written(low)}" if high is None else f"{written(low)} to {written(high)}"


def _duration_or_number(one: Input) -> Any:
    if one.type == "duration":
        return lambda bound: round_duration(int(bound))
    unit = f"\u00a0{one.unit}" if one.unit else ""
    return lambda bound: f"{bound:g}{unit}"
