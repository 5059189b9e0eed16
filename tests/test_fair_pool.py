"""Threads that are shared fairly between groups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from dispersed_web.fair_pool import FairPool
from tests.waiting import LIMIT_S


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What stalls goes on when this is set, at the latest after the test."""
    event = threading.Event()
    yield event
    event.set()


def stalling(release: threading.Event, began: threading.Semaphore) -> Callable[[], None]:
    def act() -> None:
        began.release()
        release.wait(LIMIT_S)

    return act


def test_a_group_that_stalls_leaves_threads_for_others(release: threading.Event) -> None:
    began, done = threading.Semaphore(0), threading.Event()
    with FairPool(4, 2, "test") as pool:
        for _ in range(100):
            pool.submit("stalls", stalling(release, began))
        assert began.acquire(timeout=LIMIT_S)
        assert began.acquire(timeout=LIMIT_S)
        pool.submit("works", done.set)
        assert done.wait(LIMIT_S)
        assert not began.acquire(blocking=False)
        release.set()


def test_when_all_threads_are_taken_the_next_free_one_goes_to_who_has_none(release: threading.Event) -> None:
    began, order = threading.Semaphore(0), []
    with FairPool(1, 1, "test") as pool:
        pool.submit("many", stalling(release, began))
        assert began.acquire(timeout=LIMIT_S)
        for number in range(3):
            pool.submit("many", lambda number=number: order.append(("many", number)))
        pool.submit("few", lambda: order.append(("few", 0)))
        release.set()
    assert [name for name, _ in order].index("few") < 2
    assert [number for name, number in order if name == "many"] == [0, 1, 2]


def test_a_fault_takes_no_thread_away_and_closing_waits_for_what_waits() -> None:
    done = []
    with FairPool(1, 1, "test") as pool:
        pool.submit("group", lambda: 1 / 0)
        for number in range(20):
            pool.submit(number % 3, lambda number=number: done.append(number))
    assert sorted(done) == list(range(20))
