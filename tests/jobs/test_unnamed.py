"""Jobs of the cloud in states that we have no name for."""

from __future__ import annotations

from typing import Any

import pytest

from dispersed_web.jobs import unnamed
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.jobs.states import Status
from tests.jobs.world import World

ODD = "HIBERNATING"


def step(world: World, seconds: float = 5) -> list[str]:
    """One pass; what it asked the cloud for."""
    world.clock.advance(seconds)
    world.control.advance(seconds)
    before = len(world.control.requests())
    assert world.sync()
    return [f"{row['path']}?{row['query']}" for row in world.control.requests()[before:]]


def strangers_job(world: World) -> str:
    """A job that was not launched here, in a state that nothing names."""
    (uuid,) = world.control.seed_jobs(1, keys=[world.credential.public_key], title="external")
    world.control.put_into(uuid, ODD)
    return str(uuid)


def ended_jobs(world: World, count: int) -> None:
    for uuid in world.control.seed_jobs(count, keys=[world.credential.public_key], title="old", age_s=600):
        world.control.finish_job(uuid)


def test_a_job_of_others_in_such_a_state_is_shown_with_its_price(world: World) -> None:
    uuid = strangers_job(world)
    step(world)
    row = UnmanagedJob.objects.get()
    assert (row.remote_uuid, row.status) == (uuid, ODD)
    step(world)
    row.refresh_from_db()
    assert row.hourly_rate_usd is not None, "the list of its runs asks for their state too"


def test_it_is_found_among_ever_so_many_that_ended(world: World) -> None:
    strangers_job(world)
    ended_jobs(world, 60)
    step(world)
    assert UnmanagedJob.objects.get().status == ODD


def test_once_known_it_stands_in_the_list_and_costs_no_request_of_its_own(world: World) -> None:
    uuid = strangers_job(world)
    ours = world.launched()
    step(world, 40)
    world.control.put_into(ours.remote_uuid, ODD)
    step(world)
    asked = step(world)
    assert [one.split("?")[0] for one in asked] == ["/v1/jobs", "/v1/job-runs"]
    assert all(ODD in one for one in asked)
    ours.refresh_from_db()
    assert (ours.status, ours.remote_status) == (Status.RUNNING, ODD)
    assert UnmanagedJob.objects.get().remote_uuid == uuid
    world.control.put_into(ours.remote_uuid, "RUNNING")
    world.control.put_into(uuid, "RUNNING")
    step(world)
    assert not any(ODD in one for one in step(world)), "nothing is in it any more"


def test_where_nothing_is_odd_it_costs_two_requests_in_ten_minutes(world: World) -> None:
    world.launched()
    step(world, 40)
    asked = [one for _ in range(22) for one in step(world, 30)]
    assert sum("limit=1&" in one or one.endswith("limit=1") for one in asked) == 2
    assert len(asked) == 22 * 2 + 2


def test_a_cloud_that_refuses_to_list_by_its_own_state_is_asked_by_the_known_ones(world: World) -> None:
    strangers_job(world)
    step(world)
    world.control.add_fault("GET /v1/jobs", "status", times=1, status=400)
    assert step(world)
    assert UnmanagedJob.objects.get().status == ODD


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "bare_list"}])
def test_a_count_that_fails_says_nothing_about_the_list(world: World, fault: dict[str, Any]) -> None:
    job = world.launched()
    step(world, 40)
    world.clock.advance(unnamed.EVERY.total_seconds())
    real = unnamed._look

    def fail(*args: Any) -> Any:
        rule = world.control.add_fault("GET /v1/jobs", **fault)
        try:
            return real(*args)
        finally:
            world.control.clear_faults(rule)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unnamed, "_look", fail)
        step(world)
    job.refresh_from_db()
    world.credential.refresh_from_db()
    assert (job.status, world.credential.failures) == (Status.RUNNING, 0)
    assert world.credential.count_due_at > world.clock.now


def test_numbers_of_the_cloud_that_do_not_fit_together_are_not_looked_into_often(world: World) -> None:
    ended_jobs(world, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unnamed, "TERMINAL", ("FAILED",))
        step(world)
    world.credential.refresh_from_db()
    assert world.credential.count_due_at > world.clock.now + unnamed.SELDOM / 2


def test_a_clock_that_was_set_back_does_not_keep_it_from_counting(world: World) -> None:
    world.credential.count_due_at = world.clock.now + 2 * unnamed.FARTHEST
    world.credential.save()
    strangers_job(world)
    step(world)
    assert UnmanagedJob.objects.get().status == ODD
