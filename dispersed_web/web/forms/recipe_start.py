"""What the recipe editor's form shows of a document: its parts as fields and rows. Pure."""

from __future__ import annotations

import json
from typing import Any

from dispersed_web.recipes.document import ALL, ENV, GPU, REGISTRY_SECRET, Document
from dispersed_web.recipes.references import VOLUME
from dispersed_web.web.forms.recipe_input_rows import VARIABLE
from dispersed_web.web.forms.recipe_rows import VOLUME_TEXTS, VOLUMES

# The fields of each part of the document, in the editor's order.
OF_SPEC = (
    "task", "title", "description", "image", "tag", "registry_host", "registry_user",
    "gpu_name", "gpu_count", "min_vram_gb", "cpu_count", "min_ram_gb", "min_storage_gb",
    "max_node_count", "max_retry_count", "allowed_region_codes",
    "max_timeout_assign_ms", "max_timeout_start_ms", "max_timeout_run_ms", "ports", "allowed_ips",
)  # fmt: skip
OF_AUTOSTOP = (
    "lifetime_s",
    "idle_limit_s",
    "checkin_every_s",
    "uses_logs",
    "log_noise",
    "budget_usd",
    "rate_cap_usd",
)
LOCKABLE = (
    *(GPU if name == "gpu_name" else name for name in OF_SPEC),
    *OF_AUTOSTOP,
    ENV,
    VOLUMES,
    REGISTRY_SECRET,
)
LOCK = "lock_"


def initial_of(document: Document) -> dict[str, Any]:
    """The fields and rows that show a document."""
    spec, connection = dict(document.spec), document.connection
    locks = {f"{LOCK}{target}": True for target in document.locked if target in LOCKABLE}
    rest = {name: value for name, value in spec.items() if name not in (*OF_SPEC, ENV, VOLUMES)}
    return {
        **{name: spec.get(name) for name in OF_SPEC},
        **{name: document.autostop.get(name) for name in OF_AUTOSTOP},
        **locks,
        "lock_all": ALL in document.locked,
        "tags": list(document.tags),
        "connection_text": connection.get("text"),
        "ssh_user": connection.get("ssh_user"),
        "rest": json.dumps(rest) if rest else "",
        "env": [
            {"name": name, "value": value, "lock": f"env.{name}" in document.locked}
            for name, value in document.env.items()
        ]
        + [
            {"name": name, "team_secret": secret, "lock": f"env.{name}" in document.locked}
            for name, secret in document.secret_variables.items()
        ],
        "registry_team_secret": document.secrets.get(REGISTRY_SECRET),
        "volumes": [_volume_row(one, document) for one in spec.get(VOLUMES) or ()],
        "inputs": [_input_row(one.to_json()) for one in document.inputs],
        "links": [dict(link) for link in connection.get("links") or ()],
    }


def _volume_row(volume: dict[str, Any], document: Document) -> dict[str, Any]:
    target = f"{VOLUME}{volume.get('mount', '')}"
    named = {"team_secret": document.secrets.get(target), "lock": target in document.locked}
    return {**{name: volume.get(name) for name in VOLUME_TEXTS}, **named}


def _input_row(one: dict[str, Any]) -> dict[str, Any]:
    if one["to"].startswith(VARIABLE):
        one = {**one, "to": VARIABLE, "variable": one["to"].removeprefix(VARIABLE)}
    if one["type"] == "switch":
        one["default"] = "yes" if one.get("default") in (True, "true", "on", "yes", "1") else ""
    return one
