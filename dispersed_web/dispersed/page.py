"""One page of a list of the cloud."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from .parse import JsonObject, bad_reply, integer, json_object

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of items; `page` counts from 1. `total` is None when the cloud sent a bare list."""

    items: tuple[T, ...]
    page: int
    limit: int
    total: int | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def from_json(
        cls, data: object, read_item: Callable[[JsonObject], T], *, page: int = 1, limit: int = 50
    ) -> "Page[T]":
        """Read `{"data": [...], "limit", "page", "total"}` (Dispersed docs, every list page) or a bare list.

        `page` and `limit` are what was asked for. Raises BadReply when the envelope or any item is malformed:
        half a page would look like a whole one.
        """
        if isinstance(data, list):
            return cls(tuple(_read_all(data, read_item)), page=page, limit=limit, total=None)
        envelope = json_object(data, "list")
        rows = envelope.get("data")
        if not isinstance(rows, list):
            raise bad_reply("a list without data")
        numbers = [integer(envelope.get(name)) for name in ("page", "limit", "total")]
        got_page, got_limit, total = numbers
        if got_page is None or got_limit is None or total is None or got_limit < 1 or total < 0:
            raise bad_reply("a list without page, limit or total")
        if got_page != page:
            raise bad_reply("another page of a list than was asked for")
        return cls(tuple(_read_all(rows, read_item)), page=got_page, limit=got_limit, total=total)


def _read_all(rows: list[object], read_item: Callable[[JsonObject], T]) -> list[T]:
    return [read_item(json_object(row, "list item")) for row in rows]
