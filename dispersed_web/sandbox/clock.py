"""The service's clocks: one for what it does and reports, one for checking `X-Time`.

The service clock is the wall clock plus what tests have advanced it by. The authentication clock, which also
gives the `Date` header, is the wall clock plus a skew: advancing the service by a day must not lock every
client out.
"""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime


class Clock:
    """Service time in epoch milliseconds, with a scale for the drawn phase durations."""

    def __init__(self, time_scale: float = 1.0, advance_ms: int = 0) -> None:
        self.time_scale = time_scale
        self.advance_ms = advance_ms
        self.skew_ms = 0

    def now_ms(self) -> int:
        """The service clock: stamps, timeouts and billing follow it."""
        return int(time.time() * 1000) + self.advance_ms

    def auth_ms(self) -> int:
        """The clock `X-Time` is compared with, and that the `Date` header shows."""
        return int(time.time() * 1000) + self.skew_ms

    def scaled_ms(self, seconds: float) -> int:
        """A typical phase duration in milliseconds at the present time scale."""
        return max(1, int(seconds * 1000 / self.time_scale))


def iso(moment_ms: int | None) -> str | None:
    """`2026-08-26T12:00:00.123Z`, the date-time form of the newer documentation; None stays None."""
    if moment_ms is None:
        return None
    moment = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timed_uuid(now_ms: int) -> str:
    """A UUID that begins with 48 bits of millisecond time and has version nibble 4, as seen in the field."""
    tail = secrets.randbits(80)
    value = ((now_ms & 0xFFFFFFFFFFFF) << 80) | tail
    return str(uuid.UUID(int=value, version=4))
