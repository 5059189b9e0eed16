"""Unmanaged jobs that a list does not show any more, and what the people who watch or ignore them hear."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dispersed_web.events.models import Event
from dispersed_web.jobs import credential_jobs, figures, inventory, stocktaking
from dispersed_web.jobs.inventory import Hand
from dispersed_web.jobs.models import UnmanagedJob
from dispersed_web.notifications import outbox
from dispersed_web.notifications.models import Delivery
from dispersed_web.notifications.notice import compose
from tests import factories
from tests.jobs.world import World


@pytest.fixture
def remote(world: World) -> str:
    (uuid,) = world.control.seed_jobs(1, keys=[world.credential.public_key], title="external")
    step(world)
    return str(uuid)


def step(world: World, seconds: float = 5) -> None:
    world.clock.advance(seconds)
    world.control.advance(seconds)
    assert world.sync()


def row() -> UnmanagedJob:
    return UnmanagedJob.objects.select_related("credential__team").get()


def act(world: World, name: str, user: Any = None) -> bool:
    hand = Hand(user or world.user, world.actor)
    return bool(getattr(inventory, name)(row(), hand=hand, now=world.clock.now))


def told(kind: str) -> list[int]:
    """Who was told of it, by the deliveries."""
    outbox.fan_out(Event.objects.latest("id").at)
    rows = Delivery.objects.filter(event__kind=kind, way="inbox").order_by("user")
    return list(rows.values_list("user", flat=True))


@pytest.mark.parametrize("lie", ["empty_list", "void_page"])
def test_a_list_that_lacks_it_proves_nothing(world: World, remote: str, lie: str) -> None:
    act(world, "ignore")
    world.control.add_fault("GET /v1/jobs", lie)
    for _ in range(4):
        world.clock.advance(40)
        world.sync()
    assert (row().remote_uuid, row().missing_since, row().ignored_by) == (remote, None, world.user)


def test_one_that_nobody_finds_is_lost_sight_of_and_stays(world: World, remote: str) -> None:
    act(world, "watch")
    UnmanagedJob.objects.update(remote_uuid="01a209c6-588c-4feb-ae25-000000000000")
    world.control.finish_job(remote)
    step(world)
    assert (row().status != "LOST", row().missing_since is not None) == (True, True)
    step(world, 61)
    assert row().status == "LOST"
    step(world, 61)
    assert Event.objects.filter(kind="unmanaged.lost").count() == 1
    assert told("unmanaged.lost") == [world.user.pk]


def test_after_a_week_it_is_folded_away_and_never_deleted(world: World, remote: str) -> None:
    world.control.finish_job(remote)
    UnmanagedJob.objects.update(
        remote_uuid="01a209c6-588c-4feb-ae25-000000000000", status="LOST", missing_since=world.clock.now
    )
    step(world, 6 * 24 * 3600)
    assert len(stocktaking.of_team(world.team.pk, world.clock.now).unmanaged) == 1
    assert len(figures.unmanaged(world.team.pk, world.clock.now)) == 1
    assert credential_jobs.is_needed(world.credential, world.clock.now)
    step(world, 2 * 24 * 3600)
    stock = stocktaking.of_team(world.team.pk, world.clock.now)
    assert (stock.unmanaged, stock.ignored, stock.long_lost) == ([], [], [row()])
    assert figures.unmanaged(world.team.pk, world.clock.now) == []
    assert not credential_jobs.is_needed(world.credential, world.clock.now)
    UnmanagedJob.objects.update(status="RUNNING", missing_since=None)
    assert len(stocktaking.of_team(world.team.pk, world.clock.now).unmanaged) == 1


def test_who_watches_hears_of_the_end_with_its_cost(world: World, remote: str) -> None:
    other = factories.make_member(world.team)
    assert [act(world, "watch"), act(world, "watch"), act(world, "watch", other)] == [True, False, True]
    act(world, "unwatch", other)
    step(world, 7200)
    world.control.finish_job(remote)
    step(world)
    event = Event.objects.get(kind="unmanaged.ended")
    assert "external" in event.sentence
    assert "about $" in event.sentence
    assert told("unmanaged.ended") == [world.user.pk]
    assert compose(event).page.endswith(f"/t/{world.team.slug}/inventory/")
    assert not UnmanagedJob.objects.exists()


def test_nobody_hears_of_what_nobody_watches(world: World, remote: str) -> None:
    world.control.finish_job(remote)
    step(world)
    assert not UnmanagedJob.objects.exists()
    assert not Event.objects.filter(kind__startswith="unmanaged.").exists()


def test_once_a_day_the_cost_is_told_while_it_runs(world: World, remote: str) -> None:
    act(world, "watch")
    for _ in range(7):
        step(world, 8 * 3600)
    events = Event.objects.filter(kind="unmanaged.runs")
    assert events.count() == 2
    assert "still runs" in events[0].sentence
    assert told("unmanaged.runs") == [world.user.pk] * 2


def test_a_watcher_who_left_the_team_hears_nothing(world: World, remote: str) -> None:
    act(world, "watch")
    world.user.memberships.all().delete()
    world.control.finish_job(remote)
    step(world)
    assert world.user.pk not in told("unmanaged.ended")


def test_an_ignored_one_comes_back_when_its_price_rises(world: World, remote: str) -> None:
    act(world, "ignore")
    UnmanagedJob.objects.update(hourly_rate_usd=Decimal("0.10"), ignored_rate_usd=Decimal("0.10"))
    step(world)
    assert (row().ignored_at, row().ignored_rate_usd) == (None, None)
    assert "instead of $0.10" in Event.objects.get(kind="unmanaged.dearer").sentence
    assert told("unmanaged.dearer") == [world.user.pk]


def test_a_price_that_falls_or_becomes_known_brings_nothing_back(world: World, remote: str) -> None:
    act(world, "ignore")
    for before in (Decimal(900), None):
        UnmanagedJob.objects.update(hourly_rate_usd=before, ignored_rate_usd=before)
        step(world)
        assert row().ignored_at is not None
    assert row().ignored_rate_usd == row().hourly_rate_usd


def test_after_a_week_it_is_looked_at_again(world: World, remote: str) -> None:
    act(world, "ignore")
    step(world, dt.timedelta(days=6).total_seconds())
    assert row().ignored_at is not None
    step(world, dt.timedelta(days=1).total_seconds())
    assert row().ignored_at is None
