"""From what a recipe asks for to the fields of the launch form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dispersed_web.recipes.document import ENV, GPU, REGISTRY_SECRET, Document
from dispersed_web.recipes.render import Rendered
from dispersed_web.web.forms.order import ANY_GPU, ANYONE, GPU_BY_NAME, SAME_NAME, TIMEOUTS

GPU_FIELDS, REACH_FIELDS = ("gpu", "gpu_name"), ("reach", "allowed_ips")
SECONDS = {"lifetime_s": "lifetime", "idle_limit_s": "idle_limit", "checkin_every_s": "checkin_every"}
# Target of a recipe: the form's fields that hold it, where they are called otherwise.
FIELDS_OF: dict[str, tuple[str, ...]] = {
    GPU: GPU_FIELDS,
    "gpu_name": GPU_FIELDS,
    "gpu_registry_uuid": GPU_FIELDS,
    "allowed_ips": REACH_FIELDS,
    **{f"{name}_ms": (name,) for name in TIMEOUTS},
    **{target: (name,) for target, name in SECONDS.items()},
    REGISTRY_SECRET: ("registry_secret", "registry_from"),
}


def fields_of(target: str) -> tuple[str, ...]:
    """The form's fields that hold a target."""
    return FIELDS_OF.get(target, (target,))


def fixed_names(document: Document) -> frozenset[str]:
    """Variables that no free row may set: those of questions and locked ones."""
    locked = document.locked_targets()
    names = {target.removeprefix("env.") for target in locked if target.startswith("env.")}
    names |= {*document.env, *document.secret_variables} if ENV in locked else set()
    return frozenset(names | {one.env_name for one in document.inputs if one.env_name})


def values_of(meant: Rendered) -> dict[str, Any]:
    """The form's values, typed, for what a recipe asks for; what it leaves open is not there."""
    given = {name: value for name, value in meant.values.items() if value is not None}
    values = {name: given[name] for name in (*SAME_NAME, "title") if name in given}
    values |= {name: given[f"{name}_ms"] // 1000 for name in TIMEOUTS if f"{name}_ms" in given}
    values |= _gpu_of(given) | _reach_of(given)
    if "ports" in given:
        values["ports"] = tuple(int(port) for port in given["ports"])
    if "allowed_region_codes" in given:
        values["allowed_region_codes"] = list(given["allowed_region_codes"])
    if meant.registry_secret:
        values["registry_secret"] = meant.registry_secret
    if REGISTRY_SECRET in meant.refs:
        values["registry_from"] = meant.refs[REGISTRY_SECRET]
    return values | _autostop_of(meant)


def _gpu_of(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("gpu_registry_uuid"):
        return {"gpu": given["gpu_registry_uuid"], "gpu_name": ""}
    if given.get("gpu_name"):
        return {"gpu": GPU_BY_NAME, "gpu_name": given["gpu_name"]}
    return {"gpu": ANY_GPU, "gpu_name": ""}


def _reach_of(given: Mapping[str, Any]) -> dict[str, Any]:
    addresses = tuple(given.get("allowed_ips") or ())
    if not addresses:
        return {}
    return {"reach": "anyone"} if addresses == (ANYONE,) else {"reach": "list", "allowed_ips": addresses}


def _autostop_of(meant: Rendered) -> dict[str, Any]:
    given = {name: value for name, value in meant.autostop.items() if value is not None}
    values = {SECONDS.get(name, name): value for name, value in given.items()}
    for name in ("budget_usd", "rate_cap_usd"):
        if name in values:
            values[name] = Decimal(str(values[name]))
    return values
