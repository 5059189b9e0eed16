"""In which order tests run, so that the workers of one run are done at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")
# Fewer workers than this have no second one to spare.
ENOUGH_FOR_TWO = 4


def long_ones_first(items: list[T], file_of: Callable[[T], Hashable | None], workers: int) -> list[T]:
    """The whole-product tests mostly wait: begun first, they take their time beside all others. ``file_of`` gives their
    file, and ``None`` for other tests.

    Each worker begins with its share of the list, one share after the other. With enough workers the first and the second
    begin with every other file of the long ones each, because one after the other they would take as long as all the rest.
    """
    long = [item for item in items if file_of(item) is not None]
    rest = [item for item in items if file_of(item) is None]
    files = list(dict.fromkeys(map(file_of, long)))
    first, second = ([item for item in long if files.index(file_of(item)) % 2 == way] for way in (0, 1))
    share = len(items) // workers
    if workers < ENOUGH_FOR_TWO or share < len(first):
        return long + rest
    ordinary = share - len(first)
    return [*first, *rest[:ordinary], *second, *rest[ordinary:]]
