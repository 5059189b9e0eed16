"""The order of the tests themselves."""

from __future__ import annotations

import pytest

from tests.shares import long_ones_first

FILES = {name: name[0] for name in ("a1", "b1", "b2", "c1", "d1")}


@pytest.mark.parametrize(("workers", "begin_with"), [(1, [0]), (3, [0]), (4, [0, 1]), (6, [0, 1])])
@pytest.mark.parametrize("others", [40, 41, 43])
def test_with_enough_workers_two_begin_with_half_of_the_long_ones_each(
    workers: int, begin_with: list[int], others: int
) -> None:
    items = [*map(str, range(others)), *FILES]
    found = long_ones_first(items, FILES.get, workers)
    assert sorted(found) == sorted(items)
    starts = [0, len(items) // workers]
    halves = [["a1", "c1"], ["b1", "b2", "d1"]] if len(begin_with) == 2 else [list(FILES)]
    for worker, half in zip(begin_with, halves, strict=True):
        assert found[starts[worker] :][: len(half)] == half


def test_a_run_that_is_mostly_long_ones_has_them_first() -> None:
    assert long_ones_first(["0", *FILES], FILES.get, 4) == [*FILES, "0"]
