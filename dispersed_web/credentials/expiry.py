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


def words(name: str, expires_at: dt.datetime, days: int, hangs: str | None = None) -> str:
    """The warning as sentences. ``hangs``, of a retired key, which nobody can replace, is what it means for its jobs."""
    if hangs is not None:
        when = "has expired" if days == 0 else f"expires {_ahead(days)}, on {_moment(expires_at)}"
        return f"The key of the retired credential “{name}” {when}. {hangs}"
    if days == 0:
        return f"The key of the credential “{name}” has expired. It can neither launch nor stop jobs: replace its keys now."
    return (
        f"The key of the credential “{name}” expires {_ahead(days)}, on {_moment(expires_at)}. Replace its keys "
        "before then: an expired key can neither launch nor stop jobs."
    )


def _ahead(days: int) -> str:
    return "within a day" if days == 1 else f"in less than {days} days"


def _moment(at: dt.datetime) -> str:
    return f"{at:%d %B %Y at %H:%M} UTC"
