"""The evidence strip as shapes: lanes of what was seen, what people and auto-stop did, now and the stop. Pure.

Along the time everything is in percent, so that the picture fits any width while its texts keep their size; across it in
pixels. Every state has its own height or pattern beside its colour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from dispersed_web.autostop.activity import Lane
from dispersed_web.web import words
from dispersed_web.web.job.evidence import ACTIVE, BLIND, QUIET, STRENGTH, LaneStory, Span, value_words
from dispersed_web.web.job.strip_axis import Axis, ticks
from dispersed_web.web.job.strip_shapes import Box, Caption, Glyph, Hit, Line, Row, Strip
from dispersed_web.web.jobs.marks import ENGINE, PEOPLE, Mark

HEAD, FOOT = 20, 24
ENGINE_ROW, GPU_ROW, ROW, PEOPLE_ROW = 28, 36, 22, 28
QUIET_HEIGHT, BAR = 4, 14
HITS = 48
MOST_MARKS = 40
# Marks nearer to each other than so many percent of the time are drawn as one.
NEAR = 1.4
# From so many percent on a box holds its word.
WIDE = 10
VERDICTS = {
    "active": "In use",
    "quiet": "Quiet",
    "blind": "Signal silent",
    "unknown": "Not known",
    "protected": "Protected",
    "observed": "Only observed",
    "warned": "Warned",
    "due": "Due",
    "starting": "Starting",
    "unlimited": "No limit",
}


def layout(
    axis: Axis,
    stories: Sequence[LaneStory],
    verdicts: Sequence[Span],
    marks: Sequence[Mark],
    *,
    is_small: bool = False,
) -> Strip:
    """The strip. ``verdicts`` are the times of auto-stop's own states. ``is_small``: only lanes that spoke, without the
    stretches to point at."""
    shown = [one for one in stories if one.is_set_up or not is_small]
    rows = _rows(shown, nothing=is_small and not shown)
    boxes = [
        *_verdict_boxes(axis, verdicts, rows[0]),
        *(
            box
            for story, row in zip(shown, rows[1:-1], strict=False)
            for box in _lane_boxes(axis, story, row)
        ),
        *_kept_boxes(axis, marks, rows[-1]),
    ]
    floor = rows[-1].y + rows[-1].height
    drawn = {box.css.split()[-1] for box in boxes}
    return Strip(
        height=floor + FOOT,
        floor=floor,
        rows=tuple(rows),
        boxes=tuple(boxes),
        captions=tuple(_captions(axis, verdicts, marks, rows[0])),
        lines=tuple(_lines(axis)),
        glyphs=(*_glyphs(axis, marks, ENGINE, rows[0]), *_glyphs(axis, marks, PEOPLE, rows[-1])),
        ticks=tuple(ticks(axis)),
        hits=() if is_small else tuple(_hits(axis, stories)),
        states=tuple(state for state in (ACTIVE, QUIET, BLIND, "missing") if f"ev-{state}" in drawn),
        label=_label(axis),
    )


def _rows(shown: Sequence[LaneStory], *, nothing: bool) -> list[Row]:
    kinds = [("Auto-stop", ENGINE_ROW, "")]
    for story in shown:
        note = "" if story.is_set_up else f"not set up: {story.note}"
        kinds.append((story.name, GPU_ROW if story.lane == Lane.GPU and story.is_set_up else ROW, note))
    if nothing:
        kinds.append(("Signals", ROW, "no signal is set up"))
    kinds.append(("People", PEOPLE_ROW, ""))
    rows, y = [], HEAD
    for name, height, note in kinds:
        rows.append(Row(name, y, height, note))
        y += height
    return rows


# Lanes ----------------------------------------------------------------------------------------------------------------


def _lane_boxes(axis: Axis, story: LaneStory, row: Row) -> Iterable[Box]:
    foot = row.y + row.height - 4
    if not story.is_set_up:
        yield _box(axis, axis.start, axis.now, foot - BAR, BAR, "ev-missing", "strip-missing")
        return
    if story.lane == Lane.GPU:
        yield from _bars(axis, story.drawn, row)
        return
    for span in story.drawn:
        yield _state_box(axis, span, foot, BAR)


def _bars(axis: Axis, bars: Sequence[Span], row: Row) -> Iterable[Box]:
    """Values as heights, in steps of a pixel; neighbours of the same height are one box."""
    foot, most = row.y + row.height - 4, row.height - 8
    last: tuple[Span, int] | None = None
    for span in bars:
        height = most
        if span.state != BLIND:
            least = QUIET_HEIGHT + 2 if span.state == ACTIVE else QUIET_HEIGHT
            height = max(round((span.peak or 0) / 100 * most), least)
        if last and last[1] == height and last[0].state == span.state and span.start <= last[0].end:
            last = (Span(last[0].start, max(span.end, last[0].end), span.state), height)
            continue
        if last:
            yield _bar(axis, *last, foot)
        last = (span, height)
    if last:
        yield _bar(axis, *last, foot)


def _bar(axis: Axis, span: Span, height: int, foot: int) -> Box:
    return _state_box(axis, span, foot, height, is_value=True)


def _state_box(axis: Axis, span: Span, foot: int, height: int, *, is_value: bool = False) -> Box:
    if span.state == BLIND:
        return _box(axis, span.start, span.end, foot - height, height, "ev-blind", "strip-blind")
    if span.state == QUIET and not is_value:
        height = QUIET_HEIGHT
    return _box(axis, span.start, span.end, foot - height, height, f"ev-{span.state}")


def _verdict_boxes(axis: Axis, verdicts: Sequence[Span], row: Row) -> Iterable[Box]:
    for span in verdicts:
        yield _box(axis, span.start, span.end, row.y + 5, row.height - 10, f"ve-{span.state}")


def _captions(axis: Axis, verdicts: Sequence[Span], marks: Sequence[Mark], row: Row) -> Iterable[Caption]:
    """The words of the states, behind a mark that stands at their begin, and not below one."""
    marked = [axis.percent(one.at) for one in marks if one.row == ENGINE]
    for span in verdicts:
        x, right = axis.percent(span.start), axis.percent(span.end)
        is_covered = any(x + NEAR <= place <= x + WIDE for place in marked)
        if right - x >= WIDE and not is_covered:
            word = VERDICTS.get(span.state, span.state)
            dx = 15 if any(abs(place - x) < NEAR for place in marked) else 7
            yield Caption(f"{x:.2f}", dx, row.middle, word, needs_room=right - x < 3 * WIDE)


def _kept_boxes(axis: Axis, marks: Sequence[Mark], row: Row) -> Iterable[Box]:
    """How long people's acts keep the job."""
    for mark in marks:
        if mark.until is not None and mark.until > mark.at:
            yield _box(axis, mark.at, mark.until, row.middle - 2, 4, "ev-kept")


def _box(
    axis: Axis, start: dt.datetime, end: dt.datetime, y: int, height: int, css: str, pattern: str = ""
) -> Box:
    x, right = axis.percent(start), axis.percent(end)
    return Box(f"{x:.2f}", f"{max(right - x, 0.15):.2f}", y, height, css, pattern)


# Moments --------------------------------------------------------------------------------------------------------------


def _lines(axis: Axis) -> Iterable[Line]:
    if axis.warn_at and axis.start < axis.warn_at < axis.end and axis.stop_at and axis.stop_at <= axis.end:
        yield Line(f"{axis.percent(axis.warn_at):.2f}", "strip-warn")
    place = axis.percent(axis.now)
    label = words.clock_time(axis.now, axis.now, axis.zone)
    now = "now" if axis.is_live else f"ended {label}"
    yield Line(f"{place:.2f}", "strip-now", now, "end" if place > 12 else "start", at_foot=True)
    if axis.stop_at is None or not axis.is_live:
        return
    text = f"{'would stop' if axis.is_observed else 'stops'} {words.clock_time(axis.stop_at, axis.now, axis.zone)}"
    if axis.is_asked and axis.warn_at and axis.warn_at > axis.end:
        text = f"asked {words.clock_time(axis.warn_at, axis.now, axis.zone)}"
    if axis.stop_at > axis.end:
        yield Line("100", "strip-later", f"{text} →", "end")
        return
    place = axis.percent(axis.stop_at)
    css = "strip-would" if axis.is_observed else "strip-stop"
    yield Line(f"{place:.2f}", css, text, "end" if place > 60 else "start")


def _glyphs(axis: Axis, marks: Sequence[Mark], row_name: str, row: Row) -> Iterable[Glyph]:
    """The latest ones; those that would cover each other are told of together."""
    inside = [one for one in marks if one.row == row_name and axis.start <= one.at <= axis.end]
    found: list[tuple[float, Mark, list[str]]] = []
    for mark in inside[-MOST_MARKS:]:
        place = axis.percent(mark.at)
        text = f"{words.clock_time(mark.at, axis.now, axis.zone)}: {mark.sentence}"
        if found and place - found[-1][0] < NEAR:
            found[-1] = (found[-1][0], mark, [*found[-1][2], text])
        else:
            found.append((place, mark, [text]))
    for place, mark, texts in found:
        yield Glyph(f"{place:.2f}", row.middle, mark.icon, mark.tone or "grey", "\n".join(texts))


def _hits(axis: Axis, stories: Sequence[LaneStory]) -> Iterable[Hit]:
    """Equal stretches up to now, each with what every lane said in it."""
    width = (axis.now - axis.start) / HITS
    for place in range(HITS):
        begin, end = axis.start + place * width, axis.start + (place + 1) * width
        said = [text for story in stories if story.is_set_up and (text := _said(story, begin, end))]
        when = f"{words.clock_time(begin, axis.now, axis.zone)}–{end.astimezone(axis.zone):%H:%M}"
        yield Hit(
            f"{axis.percent(begin):.2f}",
            f"{axis.percent(end) - axis.percent(begin):.2f}",
            "\n".join([when, *said]) if said else f"{when}: nothing heard",
            f"{(begin + width / 2).astimezone(axis.zone):%Y-%m-%dT%H:%M}",
        )


def _said(story: LaneStory, begin: dt.datetime, end: dt.datetime) -> str:
    spans = [one for one in story.drawn if one.start < end and one.end > begin]
    if not spans:
        return ""
    best = max(spans, key=lambda one: (STRENGTH[one.state], one.peak or 0))
    state = "silent" if best.state == BLIND else best.state
    value = value_words(story.lane, best) if best.state != BLIND else ""
    return f"{story.name}: {state}{f' ({value})' if value else ''}"


def _label(axis: Axis) -> str:
    begin = words.clock_time(axis.start, axis.now, axis.zone)
    end = "now" if axis.is_live else words.clock_time(axis.now, axis.now, axis.zone)
    return f"What was seen of the job from {begin} to {end}. The same in words stands below."
