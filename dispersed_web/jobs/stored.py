"""A page of jobs as the database holds them. Making a :class:`Job` of a row takes ten times as long as reading it, and
most rows of a table that is looked at again are what they were. So rows are read, and compared, as they are stored; only
what is new becomes a job."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from dispersed_web import plain_sql
from dispersed_web.accounts.models import User
from dispersed_web.jobs import queries
from dispersed_web.jobs.list_orders import SORTS
from dispersed_web.jobs.models import Job, JobTag
from dispersed_web.jobs.queries import PAGE_SIZE, JobFilter

NOT_IN_ROWS = frozenset((*queries.LEFT_OUT, "answers", "secret_refs", "stop_evidence"))
FIELDS = [field for field in Job._meta.concrete_fields if field.name not in NOT_IN_ROWS]
NAMES = [field.attname for field in FIELDS]
OWNER = ["owner__name", "owner__email"]
PLACES = {name: place for place, name in enumerate([*NAMES, *OWNER, *queries.TIMEOUTS, "sort_key"])}
ID = PLACES["id"]
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

# An expression, and what turns its stored values into those that Django gives
Reading = tuple[Any, list[Callable[..., Any]]]


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job with its owner and tags. Two are equal when a row shows the same of them at the same moment."""

    values: tuple[Any, ...]
    tags: tuple[str, ...]

    def __getitem__(self, name: str) -> Any:
        """A column as it is stored."""
        return self.values[PLACES[name]]

    @property
    def id(self) -> uuid.UUID:
        return plain_sql.as_uuid(self.values[ID])

    def job(self) -> Job:
        """The job, with what :func:`queries.for_list` gives it."""
        made = Job.from_db(
            connection.alias,
            NAMES,
            [_read(value, reading) for value, reading in zip(self.values, _readings(), strict=False)],
        )
        if made.owner_id is not None:
            made.owner = User(pk=made.owner_id, name=self["owner__name"], email=self["owner__email"])
        for name in queries.TIMEOUTS:
            setattr(made, name, self[name])
        made.shown_tags = [JobTag(job_id=made.pk, name=name) for name in self.tags]
        return made


@dataclass(frozen=True)
class StoredPage:
    """One page; the cursors are empty where there is nothing more."""

    jobs: list[StoredJob]
    newer: str
    older: str


def page(team_id: uuid.UUID, wanted: JobFilter, now: dt.datetime, size: int = PAGE_SIZE) -> StoredPage:
    """The same page as :func:`queries.page`."""
    is_timeless = wanted.show != "attention" and not SORTS[wanted.sort].moves
    written = (_written_once if is_timeless else _written)(
        team_id, wanted, None if is_timeless else now, size
    )
    rows = plain_sql.select(written.sql, written.values) if written.sql else []
    shown, newer, older = queries.cut(
        rows, wanted, now, size, lambda row: (_read(row[-1], written.key), plain_sql.as_uuid(row[ID]))
    )
    tags = _tags([row[ID] for row in shown])
    # The key of an order by cost or runtime is another at every moment, and no row shows it.
    return StoredPage([StoredJob(row[:-1], tuple(tags[row[ID]])) for row in shown], newer, older)


@dataclass(frozen=True)
class Written:
    """The query for a page, empty where nothing can be found, and the reading of its sort key."""

    sql: str
    values: tuple[Any, ...]
    key: Reading


def _written(team_id: uuid.UUID, wanted: JobFilter, now: dt.datetime | None, size: int) -> Written:
    found = queries.ordered(team_id, wanted, now or LONG_AGO).annotate(**queries.TIMEOUTS)
    rows = found.values_list(*NAMES, *OWNER, *queries.TIMEOUTS, "sort_key")[: size + 1]
    key = _reading(found.query.annotations["sort_key"])
    try:
        return Written(*rows.query.sql_with_params(), key)
    except EmptyResultSet:
        return Written("", (), key)


# What does not depend on the moment is written once for a filter.
_written_once = functools.lru_cache(maxsize=200)(_written)


def _tags(ids: Sequence[Any]) -> dict[Any, list[str]]:
    """The tags of the jobs, by stored id."""
    found: dict[Any, list[str]] = defaultdict(list)
    if ids:
        sql = f"SELECT job_id, name FROM jobs_jobtag WHERE job_id IN ({plain_sql.places(ids)}) ORDER BY name"  # noqa: S608
        for job_id, name in plain_sql.select(sql, ids):
            found[job_id].append(name)
    return found


@functools.cache
def _readings() -> list[Reading]:
    return [_reading(field.cached_col) for field in FIELDS]


def _reading(expression: Any) -> Reading:
    """How Django reads the expression."""
    return (
        expression,
        connection.ops.get_db_converters(expression) + expression.get_db_converters(connection),
    )


def _read(value: Any, reading: Reading) -> Any:
    """A stored value as Django reads it."""
    expression, converters = reading
    for convert in converters:
        value = convert(value, expression, connection)
    return value
