"""A process that was paused, or a machine that was suspended, between the claim of a launch and its request."""

from __future__ import annotations

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
