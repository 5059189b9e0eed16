"""Queries of the hottest pages in plain SQL. Django takes several times as long to write a query as the database does to
answer it; where that is most of a page, the query stands as text."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection


def select(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows, with their columns as the database gives them. ``values`` fill the places ``%s`` or ``%(name)s``."""
    given: Any
    if isinstance(values, Mapping):
        given = {name: _stored(value) for name, value in values.items()}
    else:
        given = [_stored(value) for value in values]
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def places(values: Sequence[Any]) -> str:
    """The inside of ``IN (…)`` for so many values."""
    return ", ".join(["%s"] * len(values))


def constants(words: Iterable[str]) -> str:
    """The inside of ``IN (…)`` for words of our own, written out so that SQLite sees which partial index fits."""
    return ", ".join(f"'{word}'" for word in words)


def as_uuid(stored: Any) -> uuid.UUID:
    """An id as Django gives it; SQLite has no type for it."""
    return stored if isinstance(stored, uuid.UUID) else uuid.UUID(stored)


def as_moment(stored: dt.datetime) -> dt.datetime:
    """A moment as Django gives it; SQLite keeps no zone."""
    return stored if stored.tzinfo else stored.replace(tzinfo=dt.UTC)


def _stored(value: Any) -> Any:
    """As this database takes it."""
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
