"""What is kept of logs: one row a run, compressed, with only masked text in it.

Of a live run it is what was last seen when somebody or auto-stop looked anyway; of one that ended the whole of what the
cloud still shows, fetched once the end was seen. Kept for 90 days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Q, QuerySet

from dispersed_web.jobs.models import JobRun, RunLog

KEPT_FOR = dt.timedelta(days=90)
# The last words of a container may reach the cloud's log after its end was shown.
SETTLED_AFTER = dt.timedelta(seconds=5)
SIGHT_EVERY = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Sight:
    """The text of a log, masked and by zlib, how many lines stood before it, and whether it was cut."""

    packed: bytes
    first: int = 0
    is_cut: bool = False


@dataclass(frozen=True)
class Kept:
    """What is kept of a run's log, but for its text. Without ``fetched_at`` there is nothing yet; ``given_up`` says why
    it is not tried any more."""

    first: int
    is_cut: bool
    is_final: bool
    fetched_at: dt.datetime | None
    given_up: str

    @property
    def is_settled(self) -> bool:
        """Whether the cloud is not asked any more."""
        return self.is_final or bool(self.given_up)


def look(run: JobRun) -> Kept | None:
    """What is known of the run's kept log, if anything was tried; cheap."""
    row = RunLog.objects.filter(pk=run.pk).values(*(one.name for one in fields(Kept))).first()
    return Kept(**row) if row else None


def load(run: JobRun) -> Sight | None:
    """The kept text itself."""
    row = RunLog.objects.filter(pk=run.pk).values_list("content", "first", "is_cut").first()
    return Sight(bytes(row[0]), row[1], row[2]) if row else None


def has_ended(run: JobRun, now: dt.datetime) -> bool:
    """Whether the run's end was seen, and long enough ago that its log is whole."""
    return run.ended_at is not None and run.ended_at <= now - SETTLED_AFTER


def is_wanted(run: JobRun, now: dt.datetime) -> bool:
    """Whether a sight of the run at ``now`` is to be kept. A live run's every five minutes at most, as it goes on growing;
    what is final stays as it is."""
    kept = look(run)
    if kept is None or kept.is_final:
        return kept is None
    is_old = kept.fetched_at is None or kept.fetched_at <= now - SIGHT_EVERY
    return is_old or has_ended(run, now)


def note(run: JobRun, seen: Sight, now: dt.datetime) -> bool:
    """Keeps what was seen at ``now`` of a run that had been read from the database before; False when somebody else has
    kept what is final meanwhile."""
    values: dict[str, Any] = {
        "content": seen.packed,
        "first": seen.first,
        "is_cut": seen.is_cut,
        "fetched_at": now,
    }
    if has_ended(run, now):
        values |= {"is_final": True, "next_at": None, "given_up": ""}
    if RunLog.objects.filter(pk=run.pk, is_final=False).update(**values):
        return True
    return RunLog.objects.get_or_create(run_id=run.pk, defaults=values)[1]


def outdated(now: dt.datetime) -> QuerySet[RunLog]:
    """What is older than 90 days, and is forgotten."""
    never_had = Q(fetched_at=None, run__ended_at__lt=now - KEPT_FOR)
    return RunLog.objects.filter(Q(fetched_at__lt=now - KEPT_FOR) | never_had)
