"""The orders of lists of jobs, as SQL: what moves with time is computed as of a moment."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Case, DateTimeField, F, FloatField, Func, IntegerField, Q, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest, Lower

from dispersed_web.jobs.models import ENDED
from dispersed_web.jobs.states import Status

FAR = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
# The order of a life, what needs a person first.
LIFE = [
    Status.UNCONFIRMED,
    Status.FAILING,
    Status.CANCELLING,
    Status.RUNNING,
    Status.PREPARING,
    Status.ASSIGNED,
    Status.PENDING,
    Status.LAUNCHING,
    Status.QUEUED,
    Status.FAILED,
    Status.CANCELLED,
    Status.COMPLETED,
]


class Seconds(Func):
    """From the second moment to the first, in seconds."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "((julianday(%(expressions)s)) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "EXTRACT(EPOCH FROM (%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **extra)


class Place(Protocol):
    """The row after (or, ``back``, before) which a page begins."""

    key: Any
    job_id: uuid.UUID
    back: bool


@dataclass(frozen=True)
class Order:
    """One order of the list: the SQL of its key as of a moment, the key's Python type, and its direction. The key of one
    that ``moves`` is another at each moment."""

    expression: Any
    kind: type
    descending: bool
    # The plain column that the key is, where an index follows it.
    column: str = ""
    moves: bool = False

    def key(self, as_of: dt.datetime) -> Any:
        return self.expression(as_of)

    def by(self, back: bool) -> list[str]:
        sign = "-" if self.descending != back else ""
        return [f"{sign}{self.column or 'sort_key'}", f"{sign}id"]

    def beyond(self, cursor: Place) -> Q:
        word = "lt" if self.descending != cursor.back else "gt"
        name = self.column or "sort_key"
        # Said in this form so that an index on (key, id) gives the range.
        return Q(**{f"{name}__{word}e": cursor.key}) & (
            Q(**{f"{name}__{word}": cursor.key}) | Q(**{f"id__{word}": cursor.job_id})
        )


def _cost(as_of: dt.datetime) -> Any:
    hours = Greatest(Seconds(Value(as_of, DateTimeField()), "spending_since"), Value(0.0)) / 3600.0
    running = Coalesce(Cast("hourly_rate_usd", FloatField()) * hours, Value(0.0))
    return Cast("spent_usd", FloatField()) + running


def _runtime(as_of: dt.datetime) -> Any:
    end = Coalesce("ended_at", Value(as_of, DateTimeField()))
    return Coalesce(Seconds(end, "running_at"), Value(-1.0))


def _life(as_of: dt.datetime) -> Any:
    whens = [When(status=status, then=Value(place)) for place, status in enumerate(LIFE)]
    return Case(*whens, default=Value(len(LIFE)), output_field=IntegerField())


def _stop(as_of: dt.datetime) -> Any:
    """What is being stopped first, then what stops by itself, then what does not."""
    far = Value(FAR, DateTimeField())
    return Case(When(status__in=ENDED, then=far), default=Coalesce("stop_requested_at", "stop_at", far))


SORTS = {
    "newest": Order(lambda _: F("created_at"), dt.datetime, descending=True, column="created_at"),
    "title": Order(lambda _: Lower("title"), str, descending=False),
    "status": Order(_life, int, descending=False),
    "cost": Order(_cost, float, descending=True, moves=True),
    "runtime": Order(_runtime, float, descending=True, moves=True),
    "stops": Order(_stop, dt.datetime, descending=False),
}
