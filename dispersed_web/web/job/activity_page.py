"""The evidence of a job as its page shows it: the strip, the same in words, the history, and answers to "why not"."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop.deadlines import CHECKIN
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.jobs.models import Job
from dispersed_web.web import words
from dispersed_web.web.job import evidence, history, sightings, strip, strip_axis
from dispersed_web.web.job.evidence import LaneStory
from dispersed_web.web.job.strip_axis import Axis
from dispersed_web.web.job.strip_shapes import Strip
from dispersed_web.web.job.verdict_words import Outlook
from dispersed_web.web.jobs.marks import Mark

RANGES = (("3h", "3 h"), ("24h", "24 h"), ("run", "Whole run"))
# Ranges in which a minute changes nothing that one sees, and which take a while to draw.
WIDE = ("24h", "run")
PAGE = 25


@dataclass(frozen=True)
class Picture:
    """The strip with what it was made of; ``words`` are its lanes as text, ``acts`` its marks. ``moments`` explain its
    lines."""

    show: str
    axis: Axis
    strip: Strip
    stories: tuple[LaneStory, ...]
    marks: tuple[Mark, ...]
    changes: tuple[VerdictChange, ...]
    words: tuple[tuple[str, str], ...]
    acts: tuple[tuple[str, Mark], ...]
    moments: tuple[tuple[str, str], ...]

    @property
    def ranges(self) -> list[tuple[str, str, bool]]:
        """What may be shown instead, with the one that is."""
        return [(name, label, name == self.show) for name, label in RANGES]


def picture(
    job: Job, outlook: Outlook | None, show: str, now: dt.datetime, zone: dt.tzinfo, *, is_small: bool = False
) -> Picture | None:
    """What was seen of the job; ``None`` for one that never ran."""
    if job.running_at is None:
        return None
    show = show if show in dict(RANGES) else "3h"
    axis = _axis(job, outlook, show, now, zone)
    lanes = evidence.lanes(sightings.sources(job, axis.start), axis.start, axis.now, is_live=axis.is_live)
    marks = sightings.marks_of(job, axis.start)
    changes = sightings.changes(job, axis.start)
    spans = sightings.verdict_spans(changes, axis.start, axis.now)
    return Picture(
        show,
        axis,
        strip.layout(axis, lanes, spans, marks, is_small=is_small),
        tuple(lanes),
        tuple(marks),
        tuple(changes),
        words=tuple((one.name, evidence.lane_words(one, axis.now, zone)) for one in lanes),
        acts=tuple((words.clock_time(one.at, now, zone), one) for one in reversed(marks)),
        moments=tuple(_moments(axis)),
    )


def _axis(job: Job, outlook: Outlook | None, show: str, now: dt.datetime, zone: dt.tzinfo) -> Axis:
    began = sightings.began(job)
    if outlook is None:
        until = job.ended_at or now
        return strip_axis.axis(show, began, until, zone, is_live=job.is_active)
    verdict = outlook.verdict
    is_observed = verdict.would_stop_at is not None and verdict.would_stop_at > now
    stop_at = verdict.would_stop_at if is_observed else verdict.stop_at
    warn_at = None if is_observed else verdict.warn_at
    return strip_axis.axis(
        show,
        began,
        now,
        zone,
        stop_at=stop_at,
        warn_at=warn_at,
        is_observed=is_observed,
        is_asked=verdict.rule == CHECKIN,
    )


def _moments(axis: Axis) -> list[tuple[str, str]]:
    """The lines of the strip in words, with the class of each."""
    if not axis.is_live:
        return []
    found = []
    if axis.warn_at and axis.stop_at and axis.stop_at <= axis.end and axis.warn_at > axis.start:
        said = "asked" if axis.is_asked else "warned" if axis.warn_at <= axis.now else "warning"
        found.append(("strip-warn", f"{said} {words.clock_time(axis.warn_at, axis.now, axis.zone)}"))
    if axis.stop_at and axis.stop_at <= axis.end:
        css, said = ("strip-would", "would stop") if axis.is_observed else ("strip-stop", "stops")
        found.append((css, f"{said} {words.clock_time(axis.stop_at, axis.now, axis.zone)}"))
    return found


def moment(text: str, zone: dt.tzinfo) -> str:
    """The moment to ask about as its field takes it; empty for what is none."""
    at = _moment(text, zone)
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""


def _moment(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text)
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def answer(job: Job, shown: Picture, text: str, now: dt.datetime, zone: dt.tzinfo) -> history.Answer | None:
    """Why the job was not stopped at the moment that somebody asks about; ``None`` when nobody asks."""
    at = _moment(text, zone)
    if at is None:
        return None
    if at > shown.axis.now:
        return history.Answer(words.clock_time(at, now, zone), "That moment has not come.")
    if at < shown.axis.start:
        shown = picture(job, None, "run", now, zone) or shown
    return history.answer(at, shown.changes, shown.stories, shown.marks, now, zone)


def history_page(job: Job, before: str) -> tuple[list[VerdictChange], str]:
    """A page of the job's verdicts, newest first, and where the older ones begin; empty when there are none."""
    found = VerdictChange.objects.filter(job=job).order_by("-id")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(id__lt=int(before))
    page = list(found[: PAGE + 1])
    return page[:PAGE], str(page[PAGE - 1].pk) if len(page) > PAGE else ""
