"""When the recurring passes last finished: pages and the health check say so when one is late."""

from __future__ import annotations

import datetime as dt

from dispersed_web import plain_sql
from dispersed_web.jobs.models import Sweep

LATE_AFTER = dt.timedelta(seconds=60)
NOTE_EVERY = dt.timedelta(seconds=5)
NEEDED = ("launches", "stops", "sync", "autostop")

_held = False


def hold_notes(held: bool) -> None:
    """Whether this process notes nothing for now: see ``starting.py``, which must find how long nothing was finished."""
    global _held
    _held = held


def note_finished(name: str, now: dt.datetime) -> None:
    """To within some seconds: the passes run every second, and each note is a write to the disk."""
    if _held:
        return
    rows = Sweep.objects.filter(pk=name)
    last = rows.values_list("finished_at", flat=True).first()
    if last is None:
        Sweep.objects.get_or_create(name=name, defaults={"finished_at": now})
    elif abs(now - last) >= NOTE_EVERY:
        rows.update(finished_at=now)


def last_finished() -> dict[str, dt.datetime]:
    """When each recurring pass last came to its end, by its name."""
    found = plain_sql.select("SELECT name, finished_at FROM jobs_sweep", ())
    return {name: plain_sql.as_moment(at) for name, at in found}


def late(finished: dict[str, dt.datetime], now: dt.datetime) -> list[str]:
    """The needed passes that did not finish within the last minute."""
    return [name for name in NEEDED if name not in finished or now - finished[name] > LATE_AFTER]
