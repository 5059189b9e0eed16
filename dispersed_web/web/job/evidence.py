"""What was observed of a run as lanes over time: for each signal when it was active, quiet or silent. Pure.

The signs of use are those that the decision itself uses, so the picture never shows anything else than auto-stop saw.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispersed_web.autostop.activity import STALE, Lane, Samples, cores, megabytes, signs
from dispersed_web.web import words

NAMES = {
    Lane.GPU: "GPU",
    Lane.CPU: "CPU",
    Lane.NET: "Network",
    Lane.SSH: "SSH typing",
    Lane.BUSY: "Workload",
    Lane.LOG: "Log",
}
OF_SOURCE = {
    "heartbeat": (Lane.GPU, Lane.CPU, Lane.NET, Lane.SSH, Lane.BUSY),
    "log": (Lane.LOG,),
}
ACTIVE, QUIET, BLIND = "active", "quiet", "blind"
# Which state a coarse picture shows.
STRENGTH = {BLIND: 0, QUIET: 1, ACTIVE: 2}
MOST_COLUMNS = 180
LONGEST_LIST = 12


@dataclass(frozen=True)
class Source:
    """One source of a run: its samples, oldest first, and the lanes of which it ever spoke in this run. ``counts``:
    whether auto-stop decides by it."""

    name: str
    samples: tuple[Samples, ...]
    spoken: frozenset[Lane]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a lane said one thing; ``peak`` is its highest value."""

    start: dt.datetime
    end: dt.datetime
    state: str
    peak: float | None = None


@dataclass(frozen=True)
class LaneStory:
    """One lane over time. ``is_set_up``: it spoke in this run; ``note`` says more where there is more to say. ``drawn``
    is what a picture can show of the spans: coarser the longer the time is, and of the GPU each value for itself."""

    lane: Lane
    name: str
    is_set_up: bool
    spans: tuple[Span, ...] = ()
    drawn: tuple[Span, ...] = ()
    note: str = ""


def lanes(
    sources: Iterable[Source], start: dt.datetime, until: dt.datetime, *, is_live: bool = True
) -> list[LaneStory]:
    """The stories of all lanes between the two moments; ``is_live``: the run goes on after ``until``."""
    by_name = {one.name: one for one in sources}
    stories = []
    for name, of_source in OF_SOURCE.items():
        source = by_name.get(name)
        active = _active(source.samples) if source else []
        for lane in of_source:
            if source is None or lane not in source.spoken:
                stories.append(LaneStory(lane, NAMES[lane], is_set_up=False, note=_missing(lane, source)))
                continue
            fine = [
                *_spans(source.samples, active, lane),
                *_tail(source, active, lane, until, is_live=is_live),
            ]
            stories.append(_story(source, lane, fine, start, until))
    return stories


def _active(samples: Sequence[Samples]) -> list[set[Lane]]:
    """The lanes that were active in each bucket. A key pressed before it is told of in it too, but counts where it was
    pressed."""
    found = []
    for place, one in enumerate(samples):
        earliest = one.first_at - one.tolerated / 2
        found.append({lane for lane, at, _ in signs(samples, place) if at >= earliest})
    return found


def _missing(lane: Lane, source: Source | None) -> str:
    if lane == Lane.LOG:
        return "log not read"
    if source is None:
        return "no heartbeat"
    return "no busy file" if lane == Lane.BUSY else "not reported"


def _story(
    source: Source, lane: Lane, fine: Iterable[Span], start: dt.datetime, until: dt.datetime
) -> LaneStory:
    cut = [_cut(one, start, until) for one in fine if one.end > start and one.start < until]
    spans = merged(cut)
    drawn = columns(cut if lane == Lane.GPU else spans, start, until)
    return LaneStory(
        lane,
        NAMES[lane],
        is_set_up=True,
        spans=tuple(spans),
        drawn=tuple(drawn if lane == Lane.GPU else merged(drawn)),
        note="" if source.counts else "shown only, auto-stop does not count it for this job",
    )


def _cut(span: Span, start: dt.datetime, until: dt.datetime) -> Span:
    if span.start >= start and span.end <= until:
        return span
    return Span(max(span.start, start), min(span.end, until), span.state, span.peak)


def _spans(samples: Sequence[Samples], active: Sequence[set[Lane]], lane: Lane) -> Iterable[Span]:
    """One span for each bucket, from the sample before it, and one for each gap in which nothing was heard."""
    last_at: dt.datetime | None = None
    for one, in_use in zip(samples, active, strict=True):
        value = _value(one, lane)
        begin = one.first_at
        if last_at is not None:
            if begin - last_at > one.tolerated:
                yield Span(last_at, begin, BLIND)
            else:
                begin = last_at
        last_at = one.last_at
        if value is not None:
            yield Span(begin, one.last_at, _state(one, in_use, lane), value)


def _state(one: Samples, in_use: set[Lane], lane: Lane) -> str:
    if lane in in_use:
        return ACTIVE
    return BLIND if one.gap > one.tolerated else QUIET


def _value(one: Samples, lane: Lane) -> float | None:
    """The lane's highest value in the bucket; ``None`` where it was not spoken of."""
    values: dict[Lane, float | None] = {
        Lane.GPU: one.gpu_top,
        Lane.CPU: one.cpu_top,
        Lane.NET: one.net_top,
        Lane.SSH: one.ssh_open,
        Lane.BUSY: 0,
        Lane.LOG: one.lines,
    }
    return values[lane]


def _tail(
    source: Source, active: Sequence[set[Lane]], lane: Lane, until: dt.datetime, *, is_live: bool
) -> Iterable[Span]:
    """From the last sample to ``until``: what it said last, or silence when that is too long ago."""
    if not source.samples:
        yield Span(dt.datetime.min.replace(tzinfo=dt.UTC), until, BLIND)
        return
    last = source.samples[-1]
    if until <= last.last_at:
        return
    if until - last.last_at > STALE[source.name]:
        yield Span(last.last_at, until, BLIND)
    elif is_live and _value(last, lane) is not None:
        yield Span(last.last_at, until, _state(last, active[-1], lane), _value(last, lane))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of the same state as one, with the highest of their peaks."""
    found: list[Span] = []
    for one in spans:
        before = found[-1] if found else None
        if before and before.state == one.state and one.start <= before.end:
            end = max(before.end, one.end)
            found[-1] = Span(before.start, end, one.state, _higher(before.peak, one.peak))
        else:
            found.append(one)
    return found


def columns(
    spans: Sequence[Span], start: dt.datetime, until: dt.datetime, most: int = MOST_COLUMNS
) -> list[Span]:
    """The spans in at most so many columns: in each of them active wins, and the highest value counts."""
    if len(spans) <= most:
        return list(spans)
    width = (until - start) / most
    found: dict[int, tuple[int, float | None]] = {}
    for one in spans:
        first, last = int((one.start - start) / width), int((one.end - start) / width)
        for place in range(first, min(last, most - 1) + 1):
            rank, peak = found.get(place, (0, None))
            found[place] = (max(rank, STRENGTH[one.state]), _higher(peak, one.peak))
    states = {rank: state for state, rank in STRENGTH.items()}
    return [
        Span(start + place * width, start + (place + 1) * width, states[rank], peak)
        for place, (rank, peak) in sorted(found.items())
    ]


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


# In words -------------------------------------------------------------------------------------------------------------


def lane_words(story: LaneStory, until: dt.datetime, zone: dt.tzinfo, most: int = LONGEST_LIST) -> str:
    """The lane as text: ``active 12:40–13:12 (peak 98 %), quiet since 13:12``; only the latest ``most`` parts."""
    if not story.is_set_up:
        return f"not set up: {story.note}"
    if not story.spans:
        return "nothing in this time"
    shown = story.spans[-most:]
    left_out = len(story.spans) - len(shown)
    parts = [f"{left_out} earlier changes"] if left_out else []
    text = ", ".join([*parts, *(_span_words(story.lane, one, until, zone) for one in shown)])
    return f"{text}; {story.note}" if story.note else text


def _span_words(lane: Lane, span: Span, until: dt.datetime, zone: dt.tzinfo) -> str:
    begin = words.clock_time(span.start, until, zone)
    when = f"since {begin}" if span.end >= until else f"{begin}–{words.clock_time(span.end, until, zone)}"
    state = "silent" if span.state == BLIND else span.state
    peak = value_words(lane, span) if span.state != BLIND else ""
    return f"{state} {when}{f' ({peak})' if peak else ''}"


def value_words(lane: Lane, span: Span) -> str:
    """The highest value of the span, as people say it; empty where there is none to say."""
    if span.peak is None:
        return ""
    if lane == Lane.GPU:
        return f"peak {span.peak:.0f}{words.NBSP}%"
    if lane == Lane.CPU:
        return f"peak {cores(span.peak)}"
    if lane == Lane.NET:
        return f"peak {megabytes(int(span.peak))}"
    if lane == Lane.SSH:
        if span.state == ACTIVE:
            return "a key pressed"
        return "open, no key pressed" if span.peak else "nobody signed in"
    return ""
