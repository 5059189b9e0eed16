"""No order that differs at a locked place passes, whatever the recipe, the answers and the order are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dispersed_web.recipes.document import ENV, GPU, Document
from dispersed_web.recipes.inputs import ANY_GPU
from dispersed_web.recipes.render import Rendered, render, violations
from tests.recipes import strategies

# Targets for which empty and nothing (for these numbers: none of it) are the same.
NOTHING = (None, "", (), [], 0)


@st.composite
def orders(draw: st.DrawFn, document: Document, answers: dict[str, Any]) -> Rendered:
    """As meant, and then changed in a few places."""
    asked = render(document, answers)
    asked.problems.clear()
    if draw(st.booleans()):
        asked.values |= draw(st.fixed_dictionaries({}, optional=options(strategies.VALUES)))
    if draw(st.booleans()):
        asked.autostop |= draw(st.fixed_dictionaries({}, optional=options(strategies.STOPPING)))
    if draw(st.booleans()):
        asked.env = draw(st.one_of(strategies.ENV, strategies.ENV.map(lambda rows: {**asked.env, **rows})))
    if draw(st.booleans()):
        asked.tags = draw(st.sampled_from([(), ("mine",), ("nightly", "mine")]))
    asked.registry_secret = draw(st.sampled_from([asked.registry_secret, "brought"]))
    return asked


def options(values: dict[str, list[Any]]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: st.sampled_from(few) for name, few in values.items()}


def author_meant(document: Document, target: str) -> Any:
    """What the author fixed at a target, worked out anew: the default of a fixed input, or the specification's value."""
    for one in document.inputs:
        if one.to == target and one.is_fixed:
            return one.default
    if target.startswith("env."):
        return document.env.get(target[4:])
    for part in (document.spec, document.autostop):
        if target in part:
            return part[target]
    return None


def same(target: str, ours: Any, theirs: Any) -> bool:
    if ours in NOTHING and theirs in NOTHING:
        return True
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return sorted(map(str, ours)) == sorted(map(str, theirs))
    if target.endswith("_usd"):
        return Decimal(str(ours)) == Decimal(str(theirs))
    if target == "ssh_key":
        return ours.split()[:2] == theirs.split()[:2]
    return bool(ours == theirs)


def gpu_of(values: dict[str, Any]) -> str:
    return (values.get("gpu_registry_uuid") or "").lower() or values.get("gpu_name") or ""


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_order_that_differs_at_a_locked_target_passes(data: st.DataObject) -> None:
    document = data.draw(strategies.documents())
    answers = data.draw(strategies.answers(document))
    asked = data.draw(orders(document, answers))
    refused = violations(document, asked, answers)
    event("refused" if refused else "passes")
    if refused:
        return
    locked = document.locked_targets()
    for target in locked - {GPU, ENV, "job_tag", "registry_secret", "title", "ports", "max_timeout_run_ms"}:
        ours = author_meant(document, target)
        theirs = asked.env.get(target[4:]) if target.startswith("env.") else asked.autostop.get(target)
        if not target.startswith("env.") and target not in strategies.STOPPING:
            theirs = asked.values.get(target)
        if target.startswith("env."):
            assert ours == theirs, target
        elif target == "lifetime_s" and isinstance(ours, str):
            assert (ours, theirs) == ("2h", 7200)
        else:
            assert same(target, ours, theirs), target
    if GPU in locked:
        fixed = next((one.default for one in document.inputs if one.to == GPU), None)
        ours = "" if fixed == ANY_GPU else fixed or gpu_of(dict(document.spec))
        assert gpu_of(asked.values) == ours
    if ENV in locked:
        rows = next((one.default for one in document.inputs if one.to == ENV), {})
        known = {*document.env, *(one.env_name for one in document.inputs), *rows}
        assert set(asked.env) <= known
        assert rows.items() <= asked.env.items()
    if "registry_secret" in locked:
        assert not asked.registry_secret
    if "job_tag" in locked:
        assert set(document.tags) <= set(asked.tags)
    if "title" in locked:
        assert asked.values.get("title", "").startswith(document.spec.get("title", ""))
    if "ports" in locked:
        fixed_ports = next(((22, 8888) for one in document.inputs if one.to == "ports"), None)
        ours = set(fixed_ports or document.spec.get("ports") or ())
        key = {22} if asked.values.get("ssh_key") else set()
        assert set(asked.values.get("ports") or ()) | key == ours | key


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_order_as_meant_passes(data: st.DataObject) -> None:
    document = data.draw(strategies.documents())
    answers = data.draw(strategies.answers(document))
    asked = render(document, answers)
    event("bad answers" if asked.problems else "good answers")
    refused = violations(document, asked, answers)
    assert set(asked.problems) & set(answers) <= set(refused)
    assert asked.problems or not refused
