"""Every address that the product answers, read from its URL configuration."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.crawl import table

# What stands in an address that no object of the crawl fills: well-formed, and nothing that exists.
STRANGE = {
    "token": "k" * 43,
    "key": "nonsense",
    "uidb36": "1",
    "provider_id": "oidc",
    "pk": 999_999,
}


@dataclass(frozen=True)
class Route:
    """``name`` as in the table, ``gaps`` the names of what fills its address."""

    name: str
    gaps: tuple[str, ...]

    @property
    def is_of_a_team(self) -> bool:
        return "slug" in self.gaps

    def path(self, names: dict[str, Any]) -> str:
        return reverse(self.name, kwargs={gap: names.get(gap, STRANGE.get(gap)) for gap in self.gaps})


Found = tuple[str, str, tuple[str, ...]]


def _walk(patterns: Any, prefix: str = "", space: str = "", gaps: tuple[str, ...] = ()) -> Iterator[Found]:
    for one in patterns:
        here = (*gaps, *one.pattern.regex.groupindex)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one.url_patterns, prefix + str(one.pattern), inner, here)
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern), f"{space}{one.name}" if one.name else "", here


@functools.cache
def every() -> list[Found]:
    """Pattern, name and gaps of each."""
    return sorted(set(_walk(get_resolver().url_patterns)))


def of(rules: dict[str, table.Rule]) -> list[Route]:
    found = {name: gaps for _, name, gaps in every() if name in rules}
    return [Route(name, found[name]) for name in rules if name in found]


def elsewhere(names: dict[str, Any]) -> dict[str, Any]:
    """The same names with ids of nothing."""
    return {
        gap: "no-such-team"
        if gap == "slug"
        else uuid.uuid4()
        if isinstance(value, uuid.UUID)
        else 987_654_321
        if isinstance(value, int)
        else value
        for gap, value in names.items()
    }
