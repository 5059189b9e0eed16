"""List queries: paging, sorting and filters.

Documented: `page` from 1, `limit` from 1 to 50, `sort` by `created_at` or `-created_at`, `filter[name]=value`
with a comma for alternatives (enums) or for a range (numbers, dates), and the envelope. Our assumptions:
limit 20 and newest first by default, ranges include both ends, an open end may be left empty, unknown filters
and statuses are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from .lifecycle import STATUSES, UNNAMED
from .store import Store
from .validate import invalid

MAX_LIMIT = 50
DEFAULT_LIMIT = 20
MAX_PAGE = 9007199254740991


@dataclass
class Listing:
    """A parsed list query.

    An SQL condition with its values, or plain `given` filters for lists made in memory.
    """

    limit: int = DEFAULT_LIMIT
    page: int = 1
    is_descending: bool = True
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    def envelope(self, data: list[Any], total: int) -> dict[str, Any]:
        """The documented list envelope."""
        return {"data": data, "limit": self.limit, "page": self.page, "total": total}

    def page_of(self, items: list[Any]) -> dict[str, Any]:
        """The envelope of one page of a list in memory."""
        start = (self.page - 1) * self.limit
        return self.envelope(items[start : start + self.limit], len(items))


Filter = Callable[[Listing, str, str], None]


def parse(query: str, filters: Mapping[str, Filter]) -> Listing:
    """Read a list query. Raises ApiError 400 for what the service would not accept."""
    listing = Listing()
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name == "limit":
            listing.limit = _within(name, text, 1, MAX_LIMIT)
        elif name == "page":
            listing.page = _within(name, text, 1, MAX_PAGE)
        elif name == "sort":
            listing.is_descending = _is_descending(text)
        elif name.startswith("filter[") and name.endswith("]") and name[7:-1] in filters:
            listing.given[name[7:-1]] = text
            filters[name[7:-1]](listing, name[7:-1], text)
        else:
            raise invalid(f"Unknown query parameter {name[:60]}.")
    return listing


def select(
    store: Store,
    table: str,
    account: str,
    listing: Listing,
    build: Callable[[Any], dict[str, Any]],
    visible_until_ms: int | None = None,
) -> dict[str, Any]:
    """One page of an account's rows. Rows younger than `visible_until_ms` are hidden (the listing lag)."""
    conditions, values = ["account = ?", *listing.where], [account, *listing.values]
    if visible_until_ms is not None:
        conditions.append("created_ms <= ?")
        values.append(visible_until_ms)
    where = " AND ".join(conditions)
    direction = "DESC" if listing.is_descending else "ASC"
    total = store.row(f"SELECT count(*) n FROM {table} WHERE {where}", *values)  # noqa: S608
    offset = min((listing.page - 1) * listing.limit, 2**62)
    order = f"ORDER BY created_ms {direction}, id {direction}"
    ids = f"SELECT id FROM {table} WHERE {where} {order} LIMIT ? OFFSET ?"  # noqa: S608
    rows = store.rows(f"SELECT * FROM {table} WHERE id IN ({ids}) {order}", *values, listing.limit, offset)  # noqa: S608
    return listing.envelope([build(row) for row in rows], total["n"] if total else 0)


def equal(column: str) -> Filter:
    """Equality with a text, or with any of a comma list."""

    def apply(listing: Listing, name: str, text: str) -> None:
        _any_of(listing, column, text.split(","))

    return apply


def one_of(column: str, allowed: tuple[str, ...] = STATUSES + UNNAMED) -> Filter:
    """Any of a comma list of known words."""

    def apply(listing: Listing, name: str, text: str) -> None:
        words = text.split(",")
        unknown = [word for word in words if word not in allowed]
        if unknown:
            raise invalid(f"filter[{name}]: unknown value {unknown[0][:40]!r}.")
        _any_of(listing, column, words)

    return apply


def number_range(column: str) -> Filter:
    """One number, or a range low,high."""

    def apply(listing: Listing, name: str, text: str) -> None:
        _range(listing, column, [_number(name, part) for part in text.split(",")], name)

    return apply


def date_range(column: str) -> Filter:
    """One moment, or a range; a date stands for its midnight UTC."""

    def apply(listing: Listing, name: str, text: str) -> None:
        _range(listing, column, [_moment_ms(name, part) for part in text.split(",")], name)

    return apply


def noted(listing: Listing, name: str, text: str) -> None:
    """A filter that the view applies itself, from `given`."""


def _any_of(listing: Listing, column: str, words: list[str]) -> None:
    listing.where.append(f"{column} IN ({', '.join('?' * len(words))})")
    listing.values.extend(words)


def _range(listing: Listing, column: str, ends: list[int | float | None], name: str) -> None:
    if len(ends) > 2:
        raise invalid(f"filter[{name}] must be one value or a range low,high.")
    if len(ends) == 1:
        listing.where.append(f"{column} = ?")
        listing.values.append(ends[0])
        return
    for operator, end in zip((">=", "<="), ends, strict=True):
        if end is not None:
            listing.where.append(f"{column} {operator} ?")
            listing.values.append(end)


def _number(name: str, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise invalid(f"filter[{name}] must be a number or a range of numbers.")


def _moment_ms(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"filter[{name}] must be a date or a range of dates.")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _within(name: str, text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or not least <= int(text) <= most:
        raise invalid(f"{name} must be an integer from {least} to {most}.")
    return int(text)


def _is_descending(text: str) -> bool:
    if text not in ("created_at", "-created_at"):
        raise invalid("sort must be created_at or -created_at.")
    return text.startswith("-")
