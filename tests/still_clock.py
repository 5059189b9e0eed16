"""A simulated cloud whose time passes when a test says so, however fast the test itself is."""

from __future__ import annotations

import itertools
from typing import Any

from dispersed_web.sandbox.clock import Clock


class StillClock(Clock):
    """Moves when it is advanced, and by a millisecond each time somebody looks, so that what comes later is later. What
    signatures are checked with goes on."""

    stands_at_ms: int
    looks: itertools.count[int]

    def now_ms(self) -> int:
        return self.stands_at_ms + next(self.looks) + self.advance_ms


def hold(sandbox: Any) -> None:
    """From now on its time stands still."""
    clock = sandbox._cloud.clock
    clock.__class__ = StillClock
    clock.stands_at_ms, clock.looks = clock.auth_ms() - clock.skew_ms, itertools.count()
