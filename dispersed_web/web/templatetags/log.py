"""Addresses within the page of a log."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def log_query(
    context: dict[str, Any],
    *,
    wrap: bool = False,
    follow: bool | str = True,
    line: int | None = None,
    from_: int | None = None,
    q: str = "",
) -> str:
    """The query for another view of the same run's log; what is the default is left out."""
    pairs = {
        "run": context["run"].pk if context.get("kept") else None,
        "follow": "no" if follow in (False, "no") and context.get("is_live") else None,
        "wrap": "yes" if wrap else None,
        "q": q or None,
        "line": line,
        "from": from_,
    }
    return urlencode({name: value for name, value in pairs.items() if value is not None})
