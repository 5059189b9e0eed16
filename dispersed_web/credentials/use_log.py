"""What stored secrets were used for, counted by day: accountability without a row for each of thousands of uses.

A use is noted in memory and written at most once a minute by each process, by a thread of its own, and when the process
ends. So nothing that uses a secret waits for the database, least of all a stop, and nothing fails because this fails.
"""

from __future__ import annotations

import atexit
import datetime as dt
import logging
import threading
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from dispersed_web.credentials.models import SecretUse

log = logging.getLogger(__name__)
KEPT = dt.timedelta(days=400)
# While the database is away, what is not written yet is kept up to so many rows.
MOST_WAITING = 10_000


@dataclass(frozen=True)
class Key:
    """One row of the table. ``kind`` is credential, secret, job or channel."""

    team_id: uuid.UUID
    kind: str
    row_id: str
    purpose: str
    user_id: int | None
    day: dt.date


@dataclass
class Count:
    """How often one secret was used for one purpose since the last writing, first and last when, and how often in vain."""

    first_at: dt.datetime
    last_at: dt.datetime
    count: int = 0
    failed: int = 0


_waiting: dict[Key, Count] = {}
_lock = threading.Lock()
_writing = threading.Lock()
_timer: threading.Timer | None = None


def note(
    team_id: uuid.UUID,
    kind: str,
    row_id: object,
    purpose: str,
    *,
    user_id: int | None = None,
    failed: bool = False,
    now: dt.datetime | None = None,
) -> None:
    """A stored secret was opened for ``purpose``, or could not be: ``failed``. ``user_id`` is the person who caused it,
    where one did. Never raises and never waits."""
    now = now or timezone.now()
    key = Key(team_id, kind, str(row_id), purpose[:20], user_id, now.date())
    with _lock:
        if key not in _waiting and len(_waiting) >= MOST_WAITING:
            return
        count = _waiting.setdefault(key, Count(now, now))
        count.last_at = now
        count.count += not failed
        count.failed += failed
        _plan()


def _plan() -> None:
    """Called with the lock held."""
    global _timer
    if _timer is None and settings.SECRET_USES_EVERY_S:
        _timer = threading.Timer(settings.SECRET_USES_EVERY_S, _write_beside)
        _timer.daemon = True
        _timer.start()


def _write_beside() -> None:
    """In the timer's thread, which has a connection of its own."""
    global _timer
    with _lock:
        _timer = None
    try:
        flush()
    finally:
        connection.close()


def flush() -> None:
    """Writes what was noted. Never raises; what the database would not take now is kept for the next time."""
    with _writing:
        with _lock:
            taken = dict(_waiting)
            _waiting.clear()
        for key, count in taken.items():
            try:
                _write(key, count)
            except IntegrityError:
                log.warning("A use of the %s %s could not be counted: its row is gone.", key.kind, key.row_id)
            except DatabaseError as error:
                log.warning("Uses of secrets could not be counted (%s); tried again.", type(error).__name__)
                _keep(key, count)


def _keep(key: Key, count: Count) -> None:
    with _lock:
        newer = _waiting.setdefault(key, Count(count.first_at, count.last_at))
        newer.first_at = min(newer.first_at, count.first_at)
        newer.count += count.count
        newer.failed += count.failed
        _plan()


def _write(key: Key, count: Count) -> None:
    rows = SecretUse.objects.filter(
        kind=key.kind, row_id=key.row_id, purpose=key.purpose, day=key.day, user=key.user_id
    )
    more = {"count": F("count") + count.count, "failed": F("failed") + count.failed, "last_at": count.last_at}
    if rows.update(**more):
        return
    try:
        with transaction.atomic():
            SecretUse.objects.create(
                team_id=key.team_id,
                kind=key.kind,
                row_id=key.row_id,
                purpose=key.purpose,
                user_id=key.user_id,
                day=key.day,
                count=count.count,
                failed=count.failed,
                first_at=count.first_at,
                last_at=count.last_at,
            )
    except IntegrityError:  # another process made the row meanwhile
        if not rows.update(**more):
            raise


def _at_exit() -> None:
    if _waiting and settings.SECRET_USES_EVERY_S:
        flush()


atexit.register(_at_exit)


def prune(now: dt.datetime) -> int:
    """Removes what is older than 400 days."""
    return int(SecretUse.objects.filter(day__lt=(now - KEPT).date()).delete()[0])
