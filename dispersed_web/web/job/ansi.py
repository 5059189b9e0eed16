"""Coloured text of a terminal as HTML: escaped text in spans whose classes come from a fixed list. Pure.

Only colour sequences (``ESC [ numbers m``) mean something, within their line; every other escape is dropped. Colours of
the large palettes become the nearest of the sixteen, and bright ones look like the others, so that all are readable in
both themes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_RGB = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
_STEPS = (0, 95, 135, 175, 215, 255)
_ESCAPE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b(?:\[[0-?]*[ -/]*[@-~]?|.?)", re.DOTALL)
MOST_NUMBERS = 32


@dataclass(frozen=True)
class Style:
    """How text looks. Colours are numbers of the sixteen; ``None`` is the default one."""

    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    ink: int | None = None
    ground: int | None = None

    @property
    def classes(self) -> str:
        """As the names of CSS classes."""
        names = [f"a-{name}" for name in ("bold", "dim", "italic", "underline") if getattr(self, name)]
        if self.ground is not None:
            return " ".join([*names, "a-on", f"a-on-{NAMES[self.ground % 8]}"])
        if self.ink is not None:
            names.append("a-grey" if self.ink == 8 else f"a-{NAMES[self.ink % 8]}")
        return " ".join(names)


PLAIN = Style()
_ON = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    21: {"underline": True},
}
_OFF = {
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    39: {"ink": None},
    49: {"ground": None},
}


def spans(line: str) -> Iterator[tuple[Style, str]]:
    """The pieces of a line with their styles, none of them empty."""
    style, place = PLAIN, 0
    for match in _ESCAPE.finditer(line):
        if match.start() > place:
            yield style, line[place : match.start()]
        place = match.end()
        if match[1] is not None:
            style = styled(style, match[1])
    if place < len(line):
        yield style, line[place:]


def html(line: str) -> SafeString:
    """A line as HTML. Whatever it holds, nothing of it but text gets into the page."""
    if "\x1b" not in line:
        return escape(line)
    return mark_safe("".join(_span(style, text) for style, text in spans(line)))  # noqa: S308 - each piece is escaped


def _span(style: Style, text: str) -> str:
    classes = style.classes
    return f'<span class="{classes}">{escape(text)}</span>' if classes else escape(text)


def styled(style: Style, numbers: str) -> Style:
    """The style after a sequence with these numbers; what is unknown in it changes nothing."""
    left = [int(one or 0) if len(one) <= 3 else -1 for one in re.split("[;:]", numbers)[:MOST_NUMBERS]]
    while left:
        number = left.pop(0)
        if number == 0:
            style = PLAIN
        elif number in (38, 48):
            colour = _large(left)
            if colour is not None:
                style = replace(style, **{"ink" if number == 38 else "ground": colour})
        else:
            style = replace(style, **(_ON.get(number) or _OFF.get(number) or _colour(number)))
    return style


def _colour(number: int) -> dict[str, int]:
    for first, name, base in ((30, "ink", 0), (90, "ink", 8), (40, "ground", 0), (100, "ground", 8)):
        if first <= number < first + 8:
            return {name: base + number - first}
    return {}


def _large(left: list[int]) -> int | None:
    """Takes a colour of the large palettes (``5;n`` or ``2;r;g;b``) off the numbers; ``None`` for none that exists."""
    kind = left.pop(0) if left else -1
    size = {5: 1, 2: 3}.get(kind, 0)
    values, left[:] = left[:size], left[size:]
    if not size or len(values) < size or not all(0 <= one <= 255 for one in values):
        return None
    return nearest(*values) if size == 3 else _indexed(values[0])


def _indexed(index: int) -> int:
    if index < 16:
        return index
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return nearest(grey, grey, grey)
    index -= 16
    return nearest(_STEPS[index // 36], _STEPS[index // 6 % 6], _STEPS[index % 6])


def nearest(red: int, green: int, blue: int) -> int:
    """Which of the sixteen is most like it."""
    return min(
        range(16), key=lambda n: sum((a - b) ** 2 for a, b in zip(_RGB[n], (red, green, blue), strict=True))
    )
