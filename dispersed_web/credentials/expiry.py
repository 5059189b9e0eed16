"""When a team is warned that a key expires. Pure."""

from __future__ import annotations

import datetime as dt

# The last one is said when it has expired.
DAYS_AHEAD = (14, 3, 1, 0)
DAY = dt.timedelta(days=1)


def warning_due(expires_at: dt.datetime | None, told_days: int | None, now: dt.datetime) -> int | None:
    """The warning to give now: so many days ahead of the expiry, 0 once it has passed; ``None`` for none.

    ``told_days`` is the last one that was given. A key that comes late gets the nearest one, and none of those before it.
    """
    if expires_at is None:
        return None
    left = expires_at - now
    reached = [days for days in DAYS_AHEAD if left <= days * DAY]
    nearest = min(reached, default=None)
    if nearest is None or (told_days is not None and told_days <= nearest):
        return None
    return nearest


def words(name: str, expires_at: dt.datetime, days: int) -> str:
    """The warning as sentences."""
    if days == 0:
        return f"The key of the credential “{name}” has expired. It can neither launch nor stop jobs: replace its keys now."
    ahead = "within a day" if days == 1 else f"in less than {days} days"
    return (
        f"The key of the credential “{name}” expires {ahead}, on {expires_at:%d %B %Y at %H:%M} UTC. Replace its keys "
        "before then: an expired key can neither launch nor stop jobs."
    )
