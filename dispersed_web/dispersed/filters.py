"""The query of a list call: page, limit, sort and `filter[name]=value` (Dispersed docs, list pages)."""

from collections.abc import Iterable
from datetime import UTC, datetime

Pairs = tuple[tuple[str, str], ...]

# A range needs both ends; whether one may be left out is not documented.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def listing_pairs(page: int, limit: int, sort: str | None, **filters: str | int | None) -> Pairs:
    """The pairs of a list call; filters that are None are left out.

    Raises ValueError unless `page` is at least 1 and `limit` from 1 to 50, which the cloud would refuse, and for an
    empty filter: it would silently ask for everything.
    """
    if page < 1 or not 1 <= limit <= 50:
        raise ValueError("page must be at least 1 and limit from 1 to 50")
    if "" in filters.values():
        raise ValueError("a filter has no value")
    pairs = [("page", str(page)), ("limit", str(limit))]
    if sort:
        pairs.append(("sort", sort))
    pairs += [(f"filter[{name}]", str(value)) for name, value in filters.items() if value is not None]
    return tuple(pairs)


def date_range(after: datetime | None, before: datetime | None) -> str | None:
    """A range filter "low,high" in UTC with seconds, None when neither end is given."""
    if after is None and before is None:
        return None
    ends = (after or _EARLIEST, before or _LATEST)
    return ",".join(end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for end in ends)


def any_of(values: Iterable[str]) -> str | None:
    """A filter that lets pass any of the values; none of them means no filter."""
    return ",".join(values) or None
