"""A recipe's document: the job specification, the inputs that a launcher answers, what is locked. Pure.

The document is plain JSON, stored with each version and written as YAML in files:

``spec``        fields of the create call (``SPEC_FIELDS``) and ``env``, a mapping of names to texts
``secrets``     targets that get a secret of the team, by its name: ``env.NAME``, ``registry_secret``, or ``volume.`` and the
                path of a volume, for its registry
``inputs``      a list of :class:`Input`
``locked``      targets that no launch may change; ``"*"`` is the whole specification but for ``NEVER_MEANT``
``autostop``    what the launcher would choose for auto-stop (``AUTOSTOP_FIELDS``); money as text
``tags``        tags of the job
``connection``  ``{"text": markdown, "ssh_user": name, "links": [{"port", "label", "path"}]}``

A document holds no secrets: what is secret is a secret of the team that is named, or an input of that type, answered at
each launch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dispersed_web.credentials.secret_names import looks_secret
from dispersed_web.recipes.references import VOLUME

TEXT_FIELDS = (
    "task",
    "title",
    "description",
    "image",
    "tag",
    "registry_host",
    "registry_user",
    "gpu_name",
    "gpu_registry_uuid",
    "ssh_key",
    "image_source",
)
NUMBER_FIELDS = (
    "cpu_count",
    "gpu_count",
    "min_vram_gb",
    "min_ram_gb",
    "min_storage_gb",
    "max_node_count",
    "max_retry_count",
)
TIMEOUT_FIELDS = ("max_timeout_assign_ms", "max_timeout_start_ms", "max_timeout_run_ms")
LIST_FIELDS = ("allowed_region_codes", "ports", "allowed_ips", "volumes")
SPEC_FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS, *TIMEOUT_FIELDS, *LIST_FIELDS)
AUTOSTOP_FIELDS = (
    "lifetime_s",
    "idle_limit_s",
    "checkin_every_s",
    "uses_logs",
    "log_noise",
    "budget_usd",
    "rate_cap_usd",
)
# What the launch form fills in where a recipe says nothing, so that a version means the same for ever.
DEFAULTS: dict[str, Any] = {
    "gpu_count": 1,
    "max_node_count": 1,
    "max_retry_count": 0,
    "max_timeout_assign_ms": 600_000,
    "max_timeout_start_ms": 1_800_000,
    "tag": "latest",
}
DEFAULT_RUN_MS = 3_600_000
# "*" leaves these to the launcher: a title, the own key and address, and the place where it runs.
NEVER_MEANT = frozenset({"title", "description", "ssh_key", "allowed_ips", "allowed_region_codes"})
GPU, ENV, JOB_TAG, REGISTRY_SECRET = "gpu", "env", "job_tag", "registry_secret"
ALL = "*"
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")

_TEXT_TARGETS = frozenset(set(TEXT_FIELDS) - {"task", "gpu_registry_uuid", "ssh_key"}) | {JOB_TAG}
_SECONDS_TARGETS = frozenset({"lifetime_s", "idle_limit_s", "checkin_every_s"})
USD_FIELDS = frozenset({"budget_usd", "rate_cap_usd"})
# Input type: the fields that it may set; those of ``SETS_VARIABLES`` may also set a variable.
TARGETS: dict[str, frozenset[str]] = {
    "text": _TEXT_TARGETS,
    "lines": frozenset({"description"}),
    "number": frozenset(NUMBER_FIELDS) | USD_FIELDS,
    "choice": _TEXT_TARGETS | frozenset(NUMBER_FIELDS) | {"task"},
    "gpu": frozenset({GPU}),
    "region": frozenset({"allowed_region_codes"}),
    "switch": frozenset({"uses_logs"}),
    "secret": frozenset({REGISTRY_SECRET}),
    "ssh_key": frozenset({"ssh_key"}),
    "duration": frozenset(TIMEOUT_FIELDS) | _SECONDS_TARGETS,
    "ports": frozenset({"ports"}),
    "env": frozenset({ENV}),
    "addresses": frozenset({"allowed_ips"}),
}
INPUT_TYPES = tuple(TARGETS)
SETS_VARIABLES = frozenset(INPUT_TYPES) - {"env", "gpu"}
MOST_INPUTS = 60


@dataclass(frozen=True)
class Input:
    """One question of the launch form. ``default`` is as a launcher would answer it; ``to`` is the target: a field of
    the specification or of auto-stop, ``env.NAME``, ``gpu``, ``env`` (rows), ``job_tag`` or ``registry_secret``.

    ``hidden`` is not asked, ``locked`` is shown and cannot be changed: for both the default holds. ``choices`` are
    ``{"value", "label"}``; a switch writes ``on`` or ``off``; ``pattern`` must match the whole answer.
    """

    key: str
    type: str
    to: str
    label: str = ""
    help: str = ""
    placeholder: str = ""
    default: Any = None
    required: bool = False
    hidden: bool = False
    locked: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    unit: str = ""
    choices: tuple[Mapping[str, str], ...] = ()
    pattern: str = ""
    pattern_hint: str = ""
    max_length: int | None = None
    on: str = "1"
    off: str = ""

    @property
    def is_fixed(self) -> bool:
        return self.hidden or self.locked

    @property
    def is_secret(self) -> bool:
        """Whether its answer is kept nowhere: also that of a text which sets a variable with a secret's name."""
        return self.type == "secret" or (self.type in ("text", "lines") and looks_secret(self.env_name))

    @property
    def name(self) -> str:
        """What people read."""
        return self.label or self.key.replace("_", " ").capitalize()

    @property
    def env_name(self) -> str:
        """The variable it sets; empty where it sets something else."""
        return self.to.removeprefix("env.") if self.to.startswith("env.") else ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Input:
        """Reads one without problems of shape; what is null is unset, and a choice without a label shows its value."""
        given = {name: value for name, value in data.items() if value is not None}
        choices = [
            {"value": one["value"], "label": one.get("label") or one["value"]}
            for one in given.pop("choices", ())
        ]
        return cls(**given, choices=tuple(choices))

    def to_json(self) -> dict[str, Any]:
        """Without what is left at its default."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        found["choices"] = [dict(choice) for choice in self.choices]
        return {
            name: value
            for name, value in found.items()
            if name in ("key", "type", "to") or value != _UNSET.get(name, value) or _is_false(name, value)
        }


def _is_false(name: str, value: Any) -> bool:
    return name == "default" and value is False


_UNSET = {item.name: item.default for item in fields(Input)} | {"choices": []}


@dataclass(frozen=True)
class Problem:
    """One fault: where in the document (keys and indexes), and a sentence."""

    path: tuple[str | int, ...]
    sentence: str


@dataclass(frozen=True)
class Document:
    """``spec`` has the fields of the create call; ``inputs`` are asked of whoever launches; ``locked`` names what no launch
    changes; ``autostop`` the choices for idleness; ``secrets`` says which part gets which of the team's secrets, by
    name; ``connection`` how the machine is reached. No value of a secret is in any of them."""

    spec: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    locked: frozenset[str] = frozenset()
    autostop: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    connection: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Document:
        """Reads a document that has no :func:`shape.shape_problems`; what is missing is empty."""
        return cls(
            spec=dict(data.get("spec") or {}),
            inputs=tuple(Input.from_json(one) for one in data.get("inputs") or ()),
            locked=frozenset(data.get("locked") or ()),
            autostop=dict(data.get("autostop") or {}),
            tags=tuple(data.get("tags") or ()),
            connection=_without_last_breaks(data.get("connection") or {}),
            secrets=dict(data.get("secrets") or {}),
        )

    def to_json(self) -> dict[str, Any]:
        """As stored and written; equal documents give equal JSON."""
        whole = {
            "spec": {name: self.spec[name] for name in (*SPEC_FIELDS, ENV) if name in self.spec},
            "secrets": {target: self.secrets[target] for target in sorted(self.secrets)},
            "inputs": [one.to_json() for one in self.inputs],
            "locked": sorted(self.locked),
            "autostop": {name: self.autostop[name] for name in AUTOSTOP_FIELDS if name in self.autostop},
            "tags": list(self.tags),
            "connection": dict(self.connection),
        }
        return {name: value for name, value in whole.items() if value}

    @property
    def env(self) -> Mapping[str, str]:
        return self.spec.get(ENV) or {}

    @property
    def by_key(self) -> dict[str, Input]:
        return {one.key: one for one in self.inputs}

    @property
    def secret_variables(self) -> dict[str, str]:
        """Variables that get a secret of the team, and its name."""
        of_env = ((target, name) for target, name in self.secrets.items() if target.startswith("env."))
        return {target.removeprefix("env."): name for target, name in of_env}

    @property
    def secret_volumes(self) -> dict[str, str]:
        """Paths of volumes whose registry gets a secret of the team, and its name."""
        of_volumes = ((target, name) for target, name in self.secrets.items() if target.startswith(VOLUME))
        return {target.removeprefix(VOLUME): name for target, name in of_volumes}

    def targets(self) -> dict[str, Input]:
        """Which input sets which target."""
        return {one.to: one for one in self.inputs}

    def locked_targets(self) -> frozenset[str]:
        """Every target that no launch may change, one by one. For ``"*"`` it holds ``ENV`` too: then no variable may be
        added either."""
        fixed = {one_target(one.to) for one in self.inputs if one.is_fixed}
        asked = {one_target(one.to) for one in self.inputs if not one.is_fixed}
        named = {one_target(target) for target in self.locked - {ALL}}
        if ALL in self.locked:
            whole = {ENV, REGISTRY_SECRET, *SPEC_FIELDS, *(f"env.{name}" for name in self.env), *self.secrets}
            named |= {one_target(target) for target in whole - NEVER_MEANT}
        found = fixed | (named - asked)
        if "image" in found:  # the same name in another registry is another image
            found |= {"registry_host", "image_source"} - asked
        if "volumes" in found:  # and with another login it may be another image too
            found |= {f"{VOLUME}{path}" for path in self.secret_volumes}
        return frozenset(found)


def _without_last_breaks(connection: Mapping[str, Any]) -> dict[str, Any]:
    """Files end a text with a line break and forms do not: it means nothing."""
    text = connection.get("text")
    return {**connection, "text": text.strip()} if isinstance(text, str) else dict(connection)


def one_target(target: str) -> str:
    """The target's one name: a GPU is one choice, whether made by name or from the registry."""
    return GPU if target in ("gpu_name", "gpu_registry_uuid") else target


def complete(document: Document) -> Document:
    """With the defaults written out. A BATCH job gets a time limit, a PERSISTENT one has none."""
    spec = {**DEFAULTS, **{name: value for name, value in document.spec.items() if value is not None}}
    if spec.get("task") == "BATCH":
        spec.setdefault("max_timeout_run_ms", DEFAULT_RUN_MS)
    elif "task" not in document.targets():
        spec.pop("max_timeout_run_ms", None)
    return replace(document, spec=spec)
