"""What time it is, for leases and deadlines: the database's clock, so that several machines agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import connection
from django.utils import timezone

Clock = Callable[[], dt.datetime]


def database_now() -> dt.datetime:
    """Aware UTC. On SQLite the database has no clock of its own; it runs on this machine anyway."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(dt.UTC)
