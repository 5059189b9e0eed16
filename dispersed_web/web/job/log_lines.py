"""Lines of a log as a page shows them: numbers, colours, times, and where the reader is. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from dispersed_web.jobs.log_lines import Lines
from dispersed_web.web.job import ansi

PAGE_LINES = 500
BEFORE_TARGET = 100
# A time at the very beginning, perhaps in brackets, perhaps coloured: ISO 8601 with a date.
_TIME = re.compile(
    r"((?:\x1b\[[0-9;:]*m)*)(\[?)(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(Z|[+-]\d\d:?\d\d)?(?![\d:])(\]?)"
)


@dataclass(frozen=True)
class Window:
    """The lines that a page shows, from number ``begin`` up to and without ``end``, both counted from 1."""

    begin: int
    end: int


def line_html(line: str, zone: dt.tzinfo) -> SafeString:
    """A line as HTML; a time that it begins with is set apart and tells the reader's own time."""
    found = _TIME.match(line)
    if found is None:
        return ansi.html(line)
    colour, opening, stamp, offset, closing = found.groups(default="")
    here = _here(stamp, offset, zone)
    if not here:
        return ansi.html(line)
    written = f"{opening}{stamp}{offset}{closing}"
    rest = ansi.html(colour + line[found.end() :])
    return format_html('<span class="log-time" title="{}">{}</span>{}', here, written, rest)


def _here(stamp: str, offset: str, zone: dt.tzinfo) -> str:
    """The moment in the reader's zone; empty when it is none. Without an offset it is taken for UTC, as machines' clocks
    mostly are."""
    try:
        fraction = re.split("[.,]", stamp)
        moment = dt.datetime.fromisoformat(fraction[0] + (offset or "Z"))
        local = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return ""
    told = f"{local:%a %d %b %Y, %H:%M:%S} {local.tzname() or ''}".strip()
    return told if offset else f"{told}, if the machine's clock is in UTC"


def window(lines: Lines, begin: int | None = None, target: int | None = None) -> Window:
    """Which lines to show: from ``begin`` on, else those around ``target``, else the last ones."""
    first, end = lines.first + 1, lines.end + 1
    if begin is None:
        begin = target - BEFORE_TARGET if target is not None else end
    begin = max(first, min(begin, end - PAGE_LINES))
    return Window(begin, min(begin + PAGE_LINES, end))


def rows_html(
    lines: Lines,
    shown: Window,
    zone: dt.tzinfo,
    hits: frozenset[int] = frozenset(),
    target: int | None = None,
    address: str = "?",
) -> SafeString:
    """The lines of a window as they stand in the page. ``hits`` and ``target`` are numbers from 1, ``address`` is what
    ``line=…`` is added to. Made without a template: there are hundreds."""
    start, pieces = escape(address), []
    for number, line in enumerate(lines.part(shown.begin - 1, shown.end - 1), shown.begin):
        marks = f"{' is-hit' if number in hits else ''}{' is-target' if number == target else ''}"
        pieces.append(
            f'<div class="log-line{marks}" id="L{number}"><a class="log-no" href="{start}line={number}#L{number}" '
            f'tabindex="-1">{number}</a><span class="log-text">{line_html(line, zone)}</span></div>'
        )
    return mark_safe("".join(pieces))  # noqa: S308 - numbers, and what is escaped


def nearest_hit(hits: list[int], line: int | None) -> int:
    """The place in ``hits`` of the first one at or after ``line``, else of the last; ``hits`` is not empty."""
    if line is None:
        return 0
    return next((place for place, number in enumerate(hits) if number >= line), len(hits) - 1)
