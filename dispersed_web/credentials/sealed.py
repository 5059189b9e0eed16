"""Every column of the product that holds sealed secrets. Each part of the domain registers its own, so that checking,
changing and destroying keys reaches all of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from dispersed_web.credentials import vault

AT_ONCE = 200


@dataclass(frozen=True)
class Column:
    """``model`` is app and model, ``place`` where the seal of a row belongs, ``related`` what that needs of other tables.
    Of a JSON column ``key`` names the value that is sealed. ``team`` is the path to the row's team, empty where it
    belongs to none."""

    name: str
    model: str
    field: str
    place: Callable[[Any], vault.Place]
    team: str = ""
    related: tuple[str, ...] = ()
    key: str = ""

    @property
    def path(self) -> str:
        return f"{self.field}__{self.key}" if self.key else self.field

    def rows(self) -> models.QuerySet[Any]:
        """The rows that hold a sealed text."""
        manager = apps.get_model(self.model)._default_manager
        wanted = {f"{self.field}__has_key": self.key} if self.key else {}
        empty = {f"{self.field}__in": ["", vault.DESTROYED]}
        found = manager.filter(**wanted) if self.key else manager.exclude(**empty)
        return found.select_related(*self.related) if self.related else found

    def under(self, key_id: str) -> Q:
        """What is sealed with this key."""
        return Q(**{f"{self.path}__startswith": vault.prefix_of(key_id)})

    def sealed(self, row: Any) -> str:
        value = getattr(row, self.field)
        return str(value[self.key] if self.key else value)

    def team_of(self, row: Any) -> uuid.UUID | None:
        """The team of the row, from what was read with it; ``None`` where it belongs to none."""
        *way, last = self.team.split("__")
        for name in way:
            row = getattr(row, name)
        return getattr(row, f"{last}_id") if last else None

    def replace(self, row: Any, text: str) -> bool:
        """Stores ``text`` in the place of what ``row`` was read with; False when it was changed meanwhile."""
        before = getattr(row, self.field)
        after = {**before, self.key: text} if self.key else text
        rows = type(row)._default_manager.filter(pk=row.pk, **{self.field: before})
        return bool(rows.update(**{self.field: after}))

    def in_batches(self, rows: models.QuerySet[Any]) -> Iterator[Any]:
        """``rows`` in the order of their keys, some at a time, each read shortly before it is looked at."""
        last = None
        while True:
            later = rows if last is None else rows.filter(pk__gt=last)
            batch = list(later.order_by("pk")[:AT_ONCE])
            yield from batch
            if len(batch) < AT_ONCE:
                return
            last = batch[-1].pk


_columns: dict[str, Column] = {}


def register(*columns: Column) -> None:
    """To be called when the application that owns the table is ready."""
    _columns.update({column.name: column for column in columns})


def columns() -> list[Column]:
    """All that are registered, by name."""
    return [_columns[name] for name in sorted(_columns)]


def destroy(team_id: uuid.UUID) -> dict[str, int]:
    """Puts a mark in the place of every sealed secret of the team, for good; how many there were, by column."""
    found = {}
    for column in columns():
        if column.team:
            rows = apps.get_model(column.model)._default_manager.filter(**{column.team: team_id})
            ids = list(column.rows().filter(**{column.team: team_id}).values_list("pk", flat=True))
            found[column.name] = 0
            for start in range(0, len(ids), AT_ONCE):
                some = rows.filter(pk__in=ids[start : start + AT_ONCE])
                found[column.name] += some.update(**{column.field: vault.DESTROYED})
    return found


def count_under(key_id: str) -> int:
    """How many stored secrets are sealed with this key."""
    return sum(column.rows().filter(column.under(key_id)).count() for column in columns())
