"""A complete listing: the only thing that may prove that something is not there."""

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from operator import attrgetter
from typing import TypeVar

from .page import Page
from .parse import bad_reply

MAX_PAGES = 400


Item = TypeVar("Item")


def complete_listing(
    fetch: Callable[[int], Page[Item]],
    *,
    older_than: datetime | None = None,
    key: Callable[[Item], str] = attrgetter("uuid"),
    created_at: Callable[[Item], datetime | None] = attrgetter("created_at"),
    max_pages: int = MAX_PAGES,
) -> list[Item]:
    """All items, or with `older_than` all that were created at or after it and some older ones, newest first.

    `fetch(page)` gets one page, from page 1 on; with `older_than` it must ask for the newest first. Items
    that appear on two pages (same `key`), because new ones arrived in between, are returned once. Raises
    what `fetch` raises, and BadReply when the pages do not fit together (a total that shrinks, fewer items
    than the total says, an order that is not newest first): such a listing proves nothing.
    """
    found: dict[str, Item] = {}
    first_total = last_total = 0
    oldest: datetime | None = None
    for number in range(1, max_pages + 1):
        page = fetch(number)
        known = len(found)
        for item in page.items:
            found.setdefault(key(item), item)
        if older_than is not None:
            oldest = _oldest_in_order(map(created_at, page.items), oldest)
            if oldest is not None and _day_end_if_date(oldest) < older_than:
                return list(found.values())
        if page.total is None:
            if len(found) == known:
                return list(found.values())
            continue
        first_total = page.total if number == 1 else first_total
        if page.total < last_total:
            raise bad_reply("a list that shrank while it was read")
        last_total = page.total
        if page.page * page.limit >= page.total:
            if len(found) < first_total:
                raise bad_reply("a list with fewer items than it counts")
            return list(found.values())
        if not page.items:
            raise bad_reply("a list with an empty page in it")
    raise bad_reply(f"a list of more than {max_pages} pages")


def _oldest_in_order(times: Iterable[datetime | None], oldest: datetime | None) -> datetime | None:
    """The last time so far. Raises BadReply when a time is later than one before it."""
    for time_created in times:
        if time_created is None:
            continue
        if oldest is not None and time_created > oldest:
            raise bad_reply("a list that is not ordered newest first")
        oldest = time_created
    return oldest


def _day_end_if_date(moment: datetime) -> datetime:
    """The latest time that is meant: older answers give only the date, which reads as midnight."""
    return moment + timedelta(days=1) if moment.time() == time(0) else moment
