"""Stopping, through every order of events: no false end, no betrayed extension, and the end always comes."""

from __future__ import annotations

from functools import partial

import pytest

from tests.protocol import stop_model as model
from tests.protocol.search import Found, search
from tests.protocol.stop_model import Design, State


def explore(design: Design) -> Found[State]:
    return search(State(), partial(model.steps_from, design=design), partial(model.fault_of, design=design))


def test_the_built_protocol_has_no_fault() -> None:
    found = explore(Design())
    assert found.fault is None, found.steps
    assert found.states > 10_000


VARIANTS = {
    "read that it is due, then act": (
        Design(decision_is_committed=False),
        "cancelled although an extension was accepted",
    ),
    "a yes is the end": (Design(a_yes_ends_it=True), "called ended although it never was"),
    "give up after some tries": (Design(gives_up=True), "never stopped"),
    "not found is the end": (Design(not_found_ends_it=True), "called ended although it never was"),
    "busy after all, although a cancel is out": (
        Design(busy_calls_it_off=True),
        "a cancel is out and the row knows of no stop",
    ),
    "a look counts from when it is noted": (
        Design(a_look_counts_from_its_start=False),
        "sure of the end after two looks at one moment",
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_weaker_protocol_is_caught(name: str) -> None:
    design, fault = VARIANTS[name]
    found = explore(design)
    assert found.fault == fault
    assert found.steps
