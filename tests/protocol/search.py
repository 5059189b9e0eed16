"""Breadth-first search through every state that a protocol can reach, for the shortest way into a forbidden one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)
Step = tuple[str, State]


@dataclass(frozen=True)
class Found(Generic[State]):
    """How many states were seen; and, when one of them is forbidden, what is wrong and the steps that lead there."""

    states: int
    fault: str | None = None
    steps: tuple[str, ...] = ()


def search(
    start: State,
    steps_from: Callable[[State], Iterable[Step[State]]],
    fault_of: Callable[[State], str | None],
    most: int = 300_000,
) -> Found[State]:
    """Visits all states reachable from ``start``, nearest first; stops at the first with a fault."""
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        fault = fault_of(state)
        if fault is not None:
            return Found(len(came_from), fault, _way_to(state, came_from))
        for name, following in steps_from(state):
            if following not in came_from:
                came_from[following] = (state, name)
                waiting.append(following)
        assert len(came_from) <= most, "the model is too large"
    return Found(len(came_from))


def _way_to(state: State, came_from: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    while (before := came_from[state]) is not None:
        state, name = before
        names.append(name)
    return tuple(reversed(names))
