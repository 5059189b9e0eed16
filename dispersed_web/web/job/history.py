"""What auto-stop thought before: the history of its verdicts, and why a job was not stopped at some moment. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispersed_web.autostop.deadlines import IDLE
from dispersed_web.autostop.models import VerdictChange
from dispersed_web.web import words
from dispersed_web.web.job.evidence import BLIND, LaneStory, value_words
from dispersed_web.web.job.strip import VERDICTS
from dispersed_web.web.jobs.marks import Mark

TONES = {
    "active": ("green", "status-running"),
    "quiet": ("grey", "clock"),
    "blind": ("violet", "status-unknown"),
    "unknown": ("violet", "status-unknown"),
    "protected": ("accent", "shield"),
    "observed": ("blue", "show"),
    "warned": ("amber", "bell"),
    "due": ("red", "stop"),
    "starting": ("amber", "status-waiting"),
    "unlimited": ("amber", "warning"),
}
WHY_NOT = {
    "active": "It was in use.",
    "quiet": "It was quiet, but not for long enough.",
    "blind": "A signal was silent, and silence is not idleness: the time did not count.",
    "unknown": "Nothing told whether it was used, and without that nothing is stopped for idleness.",
    "protected": "It was protected.",
    "observed": "It would have been stopped, but stops for idleness were only noted.",
    "warned": "The stop was announced, and its time had not come.",
    "due": "Its time had come, and the stop was about to be sent or waited for a fresh look.",
    "starting": "It had not begun to run, and nothing counts as idle before that.",
    "unlimited": "No limit held for it.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One verdict of the past; ``stops`` is the stop time that held then."""

    at: dt.datetime
    word: str
    tone: str
    icon: str
    sentence: str
    stops: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Why it was not stopped at a moment: in one sentence, with what each lane said and what people had done."""

    when: str
    sentence: str
    details: tuple[tuple[str, str], ...] = ()


def lines(changes: Iterable[VerdictChange], now: dt.datetime, zone: dt.tzinfo) -> list[Line]:
    """The changes as lines, in the order given."""
    return [_line(one, now, zone) for one in changes]


def _line(change: VerdictChange, now: dt.datetime, zone: dt.tzinfo) -> Line:
    tone, icon = TONES.get(change.state, ("grey", "history"))
    word = VERDICTS.get(change.state, change.state)
    if change.state == "warned" and change.rule == "checkin_unanswered":
        word, icon = "Asked", "status-unknown"
    stops = "" if _moves_on(change) or not change.stop_at else words.clock_time(change.stop_at, now, zone)
    return Line(change.at, word, tone, icon, change.sentence, stops)


def _moves_on(change: VerdictChange) -> bool:
    """In use, the stop for idleness moves on with the use, so that of the change's moment says nothing."""
    return change.state == "active" and change.rule == IDLE


def answer(
    at: dt.datetime,
    changes: Sequence[VerdictChange],
    stories: Sequence[LaneStory],
    marks: Sequence[Mark],
    now: dt.datetime,
    zone: dt.tzinfo,
) -> Answer:
    """Why the job was not stopped at ``at``, from the verdict that held then (``changes`` are oldest first)."""
    when = words.clock_time(at, now, zone)
    held = [one for one in changes if one.at <= at]
    if not held:
        return Answer(when, "Nothing is remembered of that time: auto-stop had not looked at the job yet.")
    change = held[-1]
    details = [
        (
            "Verdict",
            f"{_line(change, now, zone).word} since {words.clock_time(change.at, now, zone)}. {change.sentence}",
        )
    ]
    if change.stop_at and not _moves_on(change):
        details.append(("Stop due then", words.clock_time(change.stop_at, now, zone)))
    details += [(one.name, said) for one in stories if (said := _lane_at(one, at, now, zone))]
    details += [
        ("People", f"{words.clock_time(one.at, now, zone)}: {one.sentence}") for one in _keeping(marks, at)
    ]
    return Answer(when, WHY_NOT.get(change.state, change.sentence), tuple(details))


def _lane_at(story: LaneStory, at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    for span in story.spans:
        if span.start <= at <= span.end:
            state = "silent" if span.state == BLIND else span.state
            value = value_words(story.lane, span) if span.state != BLIND else ""
            said = f"{state} since {words.clock_time(span.start, now, zone)}"
            return f"{said}, {value}" if value else said
    return ""


def _keeping(marks: Iterable[Mark], at: dt.datetime) -> list[Mark]:
    """What people had done by then that still held, or had held within the hour."""
    hour = dt.timedelta(hours=1)
    return [one for one in marks if one.row == "people" and one.at <= at < (one.until or one.at + hour)]
