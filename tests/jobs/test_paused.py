"""A process that was paused, or a machine that was suspended, between the claim of a launch and its request."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.jobs import sending
from tests.jobs.world import World


@pytest.mark.parametrize(("paused_s", "status", "created"), [(19, "PENDING", 1), (21, "QUEUED", 0)])
def test_a_request_that_was_held_up_for_too_long_is_not_sent_and_waits_for_another_claim(
    world: World, monkeypatch: pytest.MonkeyPatch, paused_s: int, status: str, created: int
) -> None:
    began = sending._boot_time()
    times = iter([began, began + paused_s])
    monkeypatch.setattr(sending, "_boot_time", lambda: next(times))
    job = world.send(world.request())
    assert (job.status, len(world.in_ledger(job))) == (status, created)
    monkeypatch.undo()
    world.pass_time(10)
    job.refresh_from_db()
    assert (job.remote_uuid is not None, len(world.in_ledger(job))) == (True, 1)


@pytest.mark.parametrize("what", ["the key cannot be opened", "too long a pause"])
def test_who_lost_a_claim_takes_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Its lease ended before its request was made, so the launch is in doubt, and may be somebody else's by now."""
    began = sending._boot_time()
    asked = iter([began])

    def wake_up() -> None:
        world.clock.advance(125)
        sending.expire(world.clock.now)

    def no_key(*_: Any, **__: Any) -> None:
        wake_up()
        raise ValueError("No such key.")

    def late() -> float:
        if (first := next(asked, None)) is not None:
            return first
        wake_up()
        return began + 125

    if what == "too long a pause":
        monkeypatch.setattr(sending, "_boot_time", late)
    else:
        monkeypatch.setattr(sending, "client_for", no_key)
    job = world.send(world.request())
    assert (job.status, job.maybe_sent) == ("UNCONFIRMED", 1)
