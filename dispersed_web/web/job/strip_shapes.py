"""What an evidence strip is drawn of: plain values for its template. Along the time in percent, across it in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from dispersed_web.web.job.strip_axis import Tick


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; ``x`` and ``width`` in percent. ``pattern`` is the id of a hatching in place of a plain colour."""

    x: str
    width: str
    y: int
    height: int
    css: str
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One lane: its name at the left; ``note`` stands in it where there is nothing to draw."""

    name: str
    y: int
    height: int
    note: str = ""

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Line:
    """A moment over all lanes, with words at its top or at its foot. ``anchor`` is the side of the line they stand on."""

    x: str
    css: str
    label: str = ""
    anchor: str = "start"
    at_foot: bool = False


@dataclass(frozen=True, slots=True)
class Glyph:
    """A mark, drawn as an icon."""

    x: str
    y: int
    icon: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Caption:
    """A word inside a wide enough box, ``dx`` pixels behind its begin; one that ``needs_room`` is left out on small
    screens."""

    x: str
    dx: int
    y: int
    text: str
    needs_room: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of time that tells what was seen in it; ``at`` is the moment to ask about."""

    x: str
    width: str
    title: str
    at: str


@dataclass(frozen=True)
class Strip:
    """Everything to draw; ``label`` says in one sentence what it shows."""

    height: int
    floor: int
    rows: tuple[Row, ...]
    boxes: tuple[Box, ...]
    captions: tuple[Caption, ...]
    lines: tuple[Line, ...]
    glyphs: tuple[Glyph, ...]
    ticks: tuple[Tick, ...]
    hits: tuple[Hit, ...]
    states: tuple[str, ...]
    label: str
