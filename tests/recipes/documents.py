"""Documents of recipes for tests."""

from __future__ import annotations

from typing import Any

from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import Document
from tests.factories import SSH_KEY

SPEC = {"task": "PERSISTENT", "title": "Machine", "image": "dispersednetwork/base", "gpu_count": 1}
BATCH = {"task": "BATCH", "title": "Batch", "image": "dispersednetwork/benchmark", "gpu_count": 1}

# An input of each type as an author may write it.
INPUTS: dict[str, dict[str, Any]] = {
    "text": {"key": "model", "type": "text", "to": "env.MODEL", "default": "small", "pattern": "[a-z]+"},
    "lines": {"key": "script", "type": "lines", "to": "env.SCRIPT", "default": "a\nb"},
    "number": {"key": "count", "type": "number", "to": "gpu_count", "minimum": 1, "maximum": 4, "default": 1},
    "choice": {
        "key": "size",
        "type": "choice",
        "to": "env.SIZE",
        "choices": [{"value": "s", "label": "Small"}, {"value": "l", "label": "Large"}],
        "default": "s",
    },
    "gpu": {"key": "gpu", "type": "gpu", "to": "gpu", "default": "RTX 5090"},
    "region": {"key": "region", "type": "region", "to": "allowed_region_codes", "default": ["eu-west-1"]},
    "switch": {"key": "logs", "type": "switch", "to": "uses_logs", "default": True},
    "secret": {"key": "token", "type": "secret", "to": "env.HF_TOKEN"},
    "ssh_key": {"key": "ssh", "type": "ssh_key", "to": "ssh_key"},
    "duration": {
        "key": "lifetime",
        "type": "duration",
        "to": "lifetime_s",
        "default": "2h",
        "maximum": 86400,
    },
    "ports": {"key": "ports", "type": "ports", "to": "ports", "default": "22, 8888"},
    "env": {"key": "more", "type": "env", "to": "env", "default": {"A": "1"}},
    "addresses": {"key": "from", "type": "addresses", "to": "allowed_ips", "default": ["203.0.113.7"]},
}
ANSWERS: dict[str, Any] = {
    "text": "large",
    "lines": "c\nd",
    "number": "2",
    "choice": "l",
    "gpu": "RTX 4090",
    "region": ["us-east-1"],
    "switch": False,
    "secret": "hf_canary",
    "ssh_key": SSH_KEY,
    "duration": "3h",
    "ports": "22 8080",
    "env": {"B": "2"},
    "addresses": "198.51.100.0/24",
}


def make_document(*inputs: dict[str, Any], spec: dict[str, Any] | None = None, **parts: Any) -> Document:
    """A document without problems."""
    document, problems = from_anything({"spec": spec or SPEC, "inputs": list(inputs), **parts})
    assert document is not None, problems
    return document


def faults(*inputs: dict[str, Any], spec: dict[str, Any] | None = None, **parts: Any) -> dict[str, str]:
    """Place → sentence, for all that is wrong with such a document."""
    _, problems = from_anything({"spec": spec or SPEC, "inputs": list(inputs), **parts})
    return {".".join(map(str, one.path)): one.sentence for one in problems}
