"""Launching, through every order of events: never twice, never falsely given up, never lost sight of."""

from __future__ import annotations

from functools import partial

import pytest

from tests.protocol import launch_model as model
from tests.protocol.launch_model import Design, State
from tests.protocol.search import Found, search


def explore(design: Design, state: State | None = None) -> Found[State]:
    return search(
        state or State(), partial(model.steps_from, design=design), partial(model.fault_of, design=design)
    )


@pytest.mark.parametrize(
    "design",
    [Design(), Design(cloud_has_window=False, knows_of_window=False)],
    ids=["as built", "no window, and we know"],
)
def test_the_built_protocol_has_no_fault(design: Design) -> None:
    found = explore(design)
    assert found.fault is None, found.steps
    assert found.states > 10_000


VARIANTS = {
    "send again after a timeout": (Design(tries_again=True), "launched twice"),
    "a dead claim goes back to the queue": (Design(dead_claim_is_queued=True), "given up although it exists"),
    "one listing without it proves absence": (Design(one_listing_proves=True), "given up although it exists"),
    "signed when it is sent": (Design(signs_when_sending=True), "given up although it exists"),
    "look, then set": (Design(compares_and_sets=False), "launched twice"),
    "401 is a refusal": (Design(unauthorized_refuses=True), "given up although it exists"),
    "429 may be sent again": (Design(rate_limit_sends_again=True), "given up although it exists"),
    "a cloud without a time window": (Design(cloud_has_window=False), "given up although it exists"),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_weaker_protocol_is_caught(name: str) -> None:
    design, fault = VARIANTS[name]
    found = explore(design)
    assert found.fault == fault
    assert found.steps
