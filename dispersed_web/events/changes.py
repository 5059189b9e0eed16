"""What an act changed, for its event's data: the tracked fields of a row before and after, and that a secret changed but
never what it was. Pure, but for reading a row's fields."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dispersed_web.events.fields import FIELDS

HIDDEN = "(secret)"
CHANGED = "(changed)"


def snapshot(row: Any) -> dict[str, Any]:
    """The values of a row that an event may have to tell of. It may hold secrets: keep it in memory only, and hand it to
    :func:`changes`."""
    fields = FIELDS[row._meta.label]
    names = [field.name for field in row._meta.concrete_fields if field.name in fields.track | fields.secret]
    return {name: getattr(row, row._meta.get_field(name).attname) for name in names}


def changes(model: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """``{"before": {…}, "after": {…}}`` of the fields that differ; empty when none does. ``model`` is a label such as
    ``teams.Team``; ``after`` may have fewer fields than ``before``, which are unchanged then. Raises :class:`KeyError`
    for a field that is not in the table."""
    fields = FIELDS[model]
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, value in after.items():
        if name not in fields.track | fields.ignore | fields.secret:
            raise KeyError(f"{model}.{name} is not classified")
        if name in fields.ignore or before.get(name) == value:
            continue
        is_secret = name in fields.secret
        old[name] = HIDDEN if is_secret else plain(before.get(name))
        new[name] = CHANGED if is_secret else plain(value)
    return {"before": old, "after": new} if new else {}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, Decimal | uuid.UUID | dt.date):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot stand in an event")
