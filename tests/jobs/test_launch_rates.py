"""How often launches may be asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dispersed_web.jobs import copies, launch_rates
from dispersed_web.jobs.errors import TooManyLaunches
from dispersed_web.jobs.models import Job
from tests import factories
from tests.jobs.world import World

pytestmark = pytest.mark.django_db


def asked_for(world: World, count: int, age_s: float, **fields: Any) -> None:
    at = world.clock.now - dt.timedelta(seconds=age_s)
    for _ in range(count):
        factories.make_job(world.team, "COMPLETED", **{"created_by": world.user, "created_at": at} | fields)


def wait(world: World, **overrides: Any) -> int:
    with pytest.raises(TooManyLaunches) as found:
        world.request(**overrides)
    return found.value.wait_s


def several(world: World, count: int) -> list[Job]:
    return copies.request_all(
        world.order(),
        count,
        world.ask(),
        same_again=True,
    )


def test_the_eleventh_launch_of_a_minute_is_told_when_it_may_come_again(world: World) -> None:
    asked_for(world, 1, 42)
    asked_for(world, 8, 10)
    world.request()
    assert wait(world) == 18
    world.clock.advance(18)
    world.request(same_again=True)


def test_others_have_their_own_minute(world: World) -> None:
    asked_for(world, 10, 5, created_by=factories.make_member(world.team))
    world.request()


def test_the_sixty_first_job_of_an_hour_waits_whoever_asks(world: World) -> None:
    asked_for(world, 60, 3000, created_by=None)
    assert wait(world) == 600
    Job.objects.filter(created_by=None).order_by("pk").first().delete()
    world.request()


def test_a_form_of_many_copies_passes_at_once_and_then_its_person_waits(world: World) -> None:
    assert len(several(world, 20)) == 20
    assert wait(world) == 60


def test_a_form_whose_copies_pass_the_hours_limit_is_refused_whole(world: World) -> None:
    asked_for(world, 58, 3000, created_by=None)
    with pytest.raises(TooManyLaunches):
        several(world, 3)
    assert Job.objects.count() == 58
    assert len(several(world, 2)) == 2


def test_the_same_form_sent_again_is_no_new_launch(world: World) -> None:
    job = world.request(form_token="the-same")
    asked_for(world, launch_rates.PER_MINUTE, 5)
    assert world.request(form_token="the-same").pk == job.pk


def test_past_jobs_that_were_brought_in_do_not_count(world: World) -> None:
    asked_for(world, 60, 5, origin="imported")
    world.request()
