"""A page of jobs as the database holds them. Making a :class:`Job` of a row takes ten times as long as reading it, and
most rows of a table that is looked at again are what they were. So rows are read, and compared, as they are stored; only
what is new becomes a job."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, QuerySet

from dispersed_web import plain_sql
from dispersed_web.accounts.models import User
from dispersed_web.jobs import queries
from dispersed_web.jobs.models import Job, JobTag
from dispersed_web.jobs.queries import PAGE_SIZE, JobFilter

NOT_IN_ROWS = frozenset((*queries.LEFT_OUT, "answers", "secret_refs", "stop_evidence"))
FIELDS = [field for field in Job._meta.concrete_fields if field.name not in NOT_IN_ROWS]
NAMES = [field.attname for field in FIELDS]
OWNER = ["owner__name", "owner__email"]
PLACES = {name: place for place, name in enumerate([*NAMES, *OWNER, *queries.TIMEOUTS, "sort_key"])}
ID = PLACES["id"]


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
            [_read(self[name], expression) for name, expression in zip(NAMES, _columns(), strict=True)],
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
    found = queries.ordered(team_id, wanted, now).annotate(**queries.TIMEOUTS)
    rows = found.values_list(*NAMES, *OWNER, *queries.TIMEOUTS, "sort_key")
    key = found.query.annotations["sort_key"]
    values, newer, older = queries.cut(
        _stored(rows[: size + 1]),
        wanted,
        now,
        size,
        lambda row: (_read(row[PLACES["sort_key"]], key), plain_sql.as_uuid(row[ID])),
    )
    tags = _tags([row[ID] for row in values])
    # The key of an order by cost or runtime is another at every moment, and no row shows it.
    return StoredPage([StoredJob(row[:-1], tuple(tags[row[ID]])) for row in values], newer, older)


def _stored(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    return plain_sql.select(sql, values)


def _tags(ids: Sequence[Any]) -> dict[Any, list[str]]:
    """The tags of the jobs, by stored id."""
    found: dict[Any, list[str]] = defaultdict(list)
    if ids:
        sql = f"SELECT job_id, name FROM jobs_jobtag WHERE job_id IN ({plain_sql.places(ids)}) ORDER BY name"  # noqa: S608
        for job_id, name in plain_sql.select(sql, ids):
            found[job_id].append(name)
    return found


@functools.cache
def _columns() -> list[Expression]:
    return [field.cached_col for field in FIELDS]


def _read(value: Any, expression: Any) -> Any:
    """A stored value as Django reads it."""
    converters = connection.ops.get_db_converters(expression) + expression.get_db_converters(connection)
    for convert in converters:
        value = convert(value, expression, connection)
    return value
