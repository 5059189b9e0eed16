"""Jobs as recipes: a job file of the vendor's kind (the body of the create call as JSON), and a job of ours. Pure.

What such a file leaves empty is for a person to fill in, so it becomes an input; what is secret, or has a secret's name,
becomes a secret input and its value is left behind. Nothing else is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials.masking import SHAPES
from dispersed_web.credentials.secret_names import looks_secret
from dispersed_web.recipes.about import LONGEST_NAME
from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import (
    ENV,
    ENV_NAME,
    LIST_FIELDS,
    NUMBER_FIELDS,
    REGISTRY_SECRET,
    SPEC_FIELDS,
    TIMEOUT_FIELDS,
    Document,
    Problem,
)
from dispersed_web.recipes.models import Recipe
from dispersed_web.recipes.references import VOLUME
from dispersed_web.recipes.yaml_reading import MOST_BYTES, FileProblem

_OUTER_TEXTS = ("task", "title", "description", "gpu_name", "gpu_registry_uuid")
# In the file, in ours.
_INNER_TEXTS = {
    "image": "image",
    "tag": "tag",
    "host": "registry_host",
    "user": "registry_user",
    "imagesrc": "image_source",
}
_NEEDED = {"image": "Image", "tag": "Tag"}
_OPTIONAL = {"registry_host": "Registry", "registry_user": "Registry user"}
_VOLUME_TEXTS = ("image", "tag", "registry", "user", "mount")
_KNOWN = {*_OUTER_TEXTS, *NUMBER_FIELDS, *TIMEOUT_FIELDS, "allowed_region_codes", "parameters"}
_KNOWN_INNER = {*_INNER_TEXTS, "secret", "sshkey", "allowed_ips", "ports", "env", "volumes"}


@dataclass
class Taken:
    """What became of a job: ``about`` and ``document`` of a recipe, or the ``problems`` that keep it from being one,
    their paths those of the document. ``notes`` say what was left behind."""

    about: dict[str, str] = field(default_factory=dict)
    document: Document | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Draft:
    """A document that grows."""

    spec: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, kind: str, to: str, **more: Any) -> None:
        taken = {one["key"] for one in self.inputs}
        stem = re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_0123456789")[:36] or "input"
        key = next(key for key in (stem, *(f"{stem}_{n}" for n in range(2, 999))) if key not in taken)
        self.inputs.append({"key": key, "type": kind, "to": to, **more})

    @sensitive_variables()
    def variable(self, name: str, value: str | None, *, is_secret: bool = False) -> None:
        """Sets it where it has a value that may be known, and asks for it otherwise."""
        if is_secret or looks_secret(name) or SHAPES.search(value or ""):
            self.ask(name, "secret", f"env.{name}", label=name[:80], required=True)
        elif value:
            self.spec.setdefault(ENV, {})[name] = value
        else:
            self.ask(name, "text", f"env.{name}", label=name[:80], required=True)

    def taken(self, about: dict[str, str], **parts: Any) -> Taken:
        whole = {"spec": self.spec, "secrets": self.secrets, "inputs": self.inputs, **parts}
        document, problems = from_anything(whole)
        return Taken(about, document, problems, self.notes)


# A file of the vendor's kind -----------------------------------------------------------------------------------------


@sensitive_variables()
def from_text(text: str) -> tuple[list[Taken], list[FileProblem]]:
    """The jobs in a file of JSON, one or a list, and what keeps it from being read."""
    if len(text) > MOST_BYTES:
        return [], [FileProblem(1, 1, "A file has at most 1 MB.")]
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        return [], [FileProblem(error.lineno, error.colno, f"This is not JSON: {error.msg}.")]
    except (ValueError, RecursionError) as error:
        return [], [FileProblem(1, 1, f"This is not a job: {str(error)[:100]}.")]
    jobs = data if isinstance(data, list) else [data]
    return ([from_vendor(one) for one in jobs], []) if jobs else ([], [FileProblem(1, 1, "There is no job.")])


@sensitive_variables()
def from_vendor(data: Any) -> Taken:
    """A body of the create call as a recipe."""
    if not isinstance(data, Mapping) or not isinstance(data.get("task"), str):
        return Taken(problems=[Problem((), "A job is an object with task, title and parameters.")])
    outer = data.get("parameters")
    inner = outer.get("parameters") if isinstance(outer, Mapping) else None
    if not isinstance(outer, Mapping) or not isinstance(inner, Mapping):
        return Taken(problems=[Problem((), "A job has its image and so on in parameters.parameters.")])
    if outer.get("type") != "docker":
        return Taken(problems=[Problem((), "Only jobs of the type docker are known.")])
    draft = _Draft()
    _outer(draft, data)
    _inner(draft, inner)
    for name in [*(set(data) - _KNOWN), *(set(inner) - _KNOWN_INNER)]:
        draft.notes.append(f"“{str(name)[:40]}” is not known here and was left out.")
    title, text = draft.spec.get("title"), draft.spec.get("description")
    about = {
        "name": " ".join(str(title or "Imported job").split())[:LONGEST_NAME].strip(),
        "description_md": text if isinstance(text, str) else "",
        "category": str(Recipe.Category.BATCH if data["task"] == "BATCH" else Recipe.Category.OTHER),
        "icon": "batch" if data["task"] == "BATCH" else "machine",
    }
    return draft.taken(about)


def _outer(draft: _Draft, data: Mapping[str, Any]) -> None:
    for name in (*_OUTER_TEXTS, *NUMBER_FIELDS, *TIMEOUT_FIELDS, "allowed_region_codes"):
        if data.get(name) not in (None, "", []):
            draft.spec[name] = data[name]


@sensitive_variables()
def _inner(draft: _Draft, inner: Mapping[str, Any]) -> None:
    for name, ours in _INNER_TEXTS.items():
        if inner.get(name) not in (None, ""):
            draft.spec[ours] = inner[name]
    for name, label in _NEEDED.items():
        if name in inner and not inner[name]:
            draft.ask(name, "text", name, label=label, required=True)
    for name, label in _OPTIONAL.items():
        if name.removeprefix("registry_") in inner and name not in draft.spec:
            draft.ask(name, "text", name, label=label, help="For a private image.")
    if "secret" in inner:
        needed = bool(inner["secret"])
        text = "A token that may only read: it reaches the node."
        draft.ask(
            REGISTRY_SECRET, "secret", REGISTRY_SECRET, label="Registry password", help=text, required=needed
        )
    if "sshkey" in inner:
        needed = bool(inner["sshkey"]) or draft.spec.get("task") == "PERSISTENT"
        draft.ask("ssh_key", "ssh_key", "ssh_key", label="SSH key", required=needed)
    for name in ("allowed_ips", "ports"):
        if inner.get(name) not in (None, []):
            draft.spec[name] = inner[name]
    _variables(draft, inner.get("env"))
    _volumes(draft, inner.get("volumes"))


@sensitive_variables()
def _variables(draft: _Draft, env: Any) -> None:
    if env is not None and not isinstance(env, Mapping):
        draft.spec[ENV] = env  # the check says what is wrong with it
        return
    for name, value in (env or {}).items():
        if not ENV_NAME.fullmatch(name):
            draft.notes.append(f"“{name[:40]}” cannot be the name of a variable and was left out.")
        else:
            draft.variable(name, value if value is None or isinstance(value, str) else json.dumps(value))


@sensitive_variables()
def _volumes(draft: _Draft, volumes: Any) -> None:
    if not volumes:
        return
    kept = []
    for volume in volumes if isinstance(volumes, list) else [volumes]:
        if isinstance(volume, Mapping):
            if volume.get("secret"):
                draft.notes.append(
                    "The registry password of a volume was left out: a recipe holds no secrets."
                )
            volume = {name: volume[name] for name in _VOLUME_TEXTS if volume.get(name)}
        kept.append(volume)
    draft.spec["volumes"] = kept


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"“{name[:40]}” is there twice")
        found[name] = value
    return found


# A job of ours -------------------------------------------------------------------------------------------------------


def from_job(
    task: str,
    title: str,
    spec: Mapping[str, Any],
    *,
    autostop: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    connection: Mapping[str, Any] | None = None,
) -> Taken:
    """A job as a recipe, from its specification as it is stored, without secrets: ``env`` is a list of rows with ``name``,
    ``value`` and ``secret``. What was a secret of the team is named again; its key and the addresses that may connect are
    asked for again."""
    draft = _Draft({"task": task, "title": title})
    _fields_of_job(draft, spec)
    _env_of_job(draft, spec.get("env") or ())
    _volumes_of_job(draft, spec.get("volumes") or ())
    known = {name: value for name, value in (autostop or {}).items() if value}
    about = {"name": " ".join(title.split())[:LONGEST_NAME].strip() or "Job"}
    return draft.taken(about, autostop=known, tags=list(tags), connection=dict(connection or {}))


# What of a specification is not taken over as it stands.
_APART = frozenset({"task", "title", "ssh_key", "allowed_ips", "volumes"})


def _fields_of_job(draft: _Draft, spec: Mapping[str, Any]) -> None:
    for name in SPEC_FIELDS:
        value = spec.get(name)
        if name not in _APART and value not in (None, "", [], ()):
            draft.spec[name] = list(value) if name in LIST_FIELDS else value
    if spec.get("ssh_key"):
        draft.ask("ssh_key", "ssh_key", "ssh_key", label="SSH key", required=True)
    if spec.get("allowed_ips"):
        default = list(spec["allowed_ips"])
        draft.ask("addresses", "addresses", "allowed_ips", label="Who may connect", default=default)
    if spec.get("registry_team_secret"):
        draft.secrets[REGISTRY_SECRET] = spec["registry_team_secret"]
    elif spec.get("has_registry_secret"):
        draft.ask(REGISTRY_SECRET, "secret", REGISTRY_SECRET, label="Registry password", required=True)


def _env_of_job(draft: _Draft, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        if row.get("team_secret"):
            draft.secrets[f"env.{row['name']}"] = row["team_secret"]
        elif row["value"] == "" and not looks_secret(row["name"]):
            draft.spec.setdefault(ENV, {})[row["name"]] = ""
        else:
            draft.variable(row["name"], row["value"], is_secret=bool(row.get("secret")))


def _volumes_of_job(draft: _Draft, rows: Iterable[Mapping[str, Any]]) -> None:
    volumes = []
    for row in rows:
        if row.get("team_secret"):
            draft.secrets[f"{VOLUME}{row['mount']}"] = row["team_secret"]
        volumes.append({**row, "secret": row.get("has_secret") and not row.get("team_secret")})
    _volumes(draft, volumes)
