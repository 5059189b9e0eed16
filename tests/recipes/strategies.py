"""Random documents without problems, and random orders."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dispersed_web.recipes.check import from_anything
from dispersed_web.recipes.document import AUTOSTOP_FIELDS, SPEC_FIELDS, Document
from tests.factories import SSH_KEY
from tests.recipes.documents import ANSWERS, INPUTS

UUID = "0198ac1c-7063-4be8-bb94-57a5bd83548e"
# Fields and values that a recipe or an order may have; few, so that they meet.
VALUES: dict[str, list[Any]] = {
    "task": ["BATCH", "PERSISTENT"],
    "title": ["Machine", "Other", "Machine 2", "Größe"],
    "description": ["", "x"],
    "image": ["base", "evil/image"],
    "tag": ["latest", "2", ""],
    "registry_host": ["", "registry.example.com"],
    "registry_user": ["", "me"],
    "image_source": ["", "registry"],
    "gpu_name": ["", "RTX 5090", "RTX 4090"],
    "gpu_registry_uuid": ["", UUID, UUID.upper()],
    "ssh_key": ["", SSH_KEY],
    "cpu_count": [None, 0, 4],
    "gpu_count": [None, 0, 1, 8],
    "min_vram_gb": [None, 0, 24],
    "min_ram_gb": [None, 16],
    "min_storage_gb": [None, 20],
    "max_node_count": [1, 2],
    "max_retry_count": [0, 1],
    "max_timeout_assign_ms": [300_000, 600_000],
    "max_timeout_start_ms": [1_800_000, 2_700_000],
    "max_timeout_run_ms": [None, 3_600_000, 7_200_000],
    "allowed_region_codes": [(), ("eu-west-1",), ("us-east-1", "eu-west-1")],
    "ports": [(), (22,), (8188,), (22, 8188), (8188, 22)],
    "allowed_ips": [(), ("203.0.113.7",)],
    "volumes": [(), ({"image": "data", "mount": "/data"},)],
}
STOPPING: dict[str, list[Any]] = {
    "lifetime_s": [3600, 7200],
    "idle_limit_s": [None, 900],
    "checkin_every_s": [None, 3600],
    "uses_logs": [None, False, True],
    "log_noise": [(), ("a",), ("b", "a")],
    "budget_usd": [None, "5", "5.00", "9"],
    "rate_cap_usd": [None, "1"],
}
NAMES = ["A", "B", "MODEL", "SIZE", "SCRIPT", "HF_TOKEN"]
TEXTS = ["", "1", "small", "large", "s"]
ENV = st.dictionaries(st.sampled_from(NAMES[:-1]), st.sampled_from(TEXTS), max_size=4)
assert {*VALUES} == {*SPEC_FIELDS}
assert {*STOPPING} == {*AUTOSTOP_FIELDS}


def some(values: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A few of the fields, with values as JSON has them."""
    options = {name: st.sampled_from(few).map(_json) for name, few in values.items()}
    return st.fixed_dictionaries({}, optional=options)


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@st.composite
def inputs(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(INPUTS)))
    one = dict(INPUTS[kind])
    if kind not in ("secret", "ssh_key"):
        flag = draw(st.sampled_from([None, None, "hidden", "locked"]))
        one |= {flag: True} if flag else {}
        if draw(st.booleans()) and not flag:
            one.pop("default")
    if draw(st.booleans()):
        one["required"] = True
    return one


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Mostly locked somewhere."""
    asked = {one["type"]: one for one in draw(st.lists(inputs(), max_size=5))}
    spec = {"task": "PERSISTENT", "image": "base", **draw(some(VALUES)), "env": draw(ENV)}
    if spec.get("gpu_name") and spec.get("gpu_registry_uuid"):
        spec.pop("gpu_name")
    if spec["task"] == "PERSISTENT":
        spec.pop("max_timeout_run_ms", None)
    open_to = {one["to"] for one in asked.values() if not (one.get("hidden") or one.get("locked"))}
    env = [f"env.{name}" for name in spec["env"]]
    targets = ["*", "*", "gpu", "env", "job_tag", "registry_secret", *SPEC_FIELDS, *AUTOSTOP_FIELDS, *env]
    locked = draw(st.lists(st.sampled_from(targets), max_size=5, unique=True))
    data = {
        "spec": {name: value for name, value in spec.items() if value is not None},
        "inputs": list(asked.values()),
        "locked": [target for target in locked if target not in open_to],
        "autostop": {name: value for name, value in draw(some(STOPPING)).items() if value is not None},
        "tags": draw(st.lists(st.sampled_from(["nightly", "mine"]), unique=True)),
    }
    document, problems = from_anything(data)
    if document is None:  # what the author would have to mend first
        bad = {one.path[1] for one in problems if one.path[:1] == ("locked",)}
        data["locked"] = [target for number, target in enumerate(data["locked"]) if number not in bad]
        data["inputs"] = [one for one in data["inputs"] if one["type"] not in ("env", "gpu", "ports")]
        document, problems = from_anything(data)
    if document is None:
        from hypothesis import reject

        reject()
    return document


def answers(document: Document) -> st.SearchStrategy[dict[str, Any]]:
    """Answers to some of its inputs, good and bad."""
    options = {}
    for one in document.inputs:
        given = [ANSWERS[one.type], one.default, "", None, "evil"]
        options[one.key] = st.sampled_from(given)
    return st.fixed_dictionaries({}, optional=options)
