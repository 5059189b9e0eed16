"""The evidence behind a verdict in words, with times in the reader's zone. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dispersed_web.autostop.activity import Evidence
from dispersed_web.autostop.deadlines import IDLE
from dispersed_web.autostop.record import evidence_from
from dispersed_web.autostop.sentences import LANE_WORDS
from dispersed_web.web import words
from dispersed_web.web.words import NBSP

# A quiet machine is told of by these; the others only where none of them speaks.
FIRST = ("gpu", "ssh", "log")
SHORT_LIMIT = dt.timedelta(hours=2)


def share(part: dt.timedelta, whole: dt.timedelta | None) -> str:
    """``47 of 60 min``; of a long limit ``47 min of 8 h``; beyond it ``for 74 min, more than 60 min``."""
    if whole is None:
        return f"for {words.duration(part)}"
    if part >= whole + dt.timedelta(minutes=1):
        return f"for {words.duration(part)}, more than {words.round_duration(int(whole.total_seconds()))}"
    if whole > SHORT_LIMIT or whole.seconds % 60:
        return f"{words.duration(part)} of {words.round_duration(int(whole.total_seconds()))}"
    return f"{words.whole_minutes(part)} of {int(whole.total_seconds()) // 60}{NBSP}min"


def evidence_words(
    evidence: Sequence[Evidence], now: dt.datetime, zone: dt.tzinfo, at: dt.datetime | None = None
) -> str:
    """What was quiet, and since when, as seen at ``at``, or now."""
    quiet = [one for one in evidence if one.state == "quiet"]
    chosen = [one for one in quiet if one.signal in FIRST] or quiet[:2]
    return "; ".join(_quiet(one, at or now, now, zone) for one in chosen) or "no sign of use"


def _quiet(one: Evidence, at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    if one.signal == "ssh":
        if one.value != "open":
            return "nobody signed in by SSH"
        return f"SSH open, no key pressed{f' for {words.duration(at - one.since)}' if one.since else ''}"
    begun = f" since {words.clock_time(one.since, now, zone)}" if one.since else ""
    if one.signal == "log":
        return f"log unchanged{begun}"
    return f"{LANE_WORDS[one.signal]} {one.value}{begun}, {one.samples} samples"


def sign_words(sign: Evidence) -> str:
    """A sign of use: ``GPU 87 %``."""
    if sign.signal == "ssh":
        return "a key pressed in SSH"
    if sign.signal == "busy":
        return "the workload calls itself busy"
    if sign.signal == "log":
        return "new lines in its log"
    return sign.value if sign.signal == "person" else f"{LANE_WORDS[sign.signal]} {sign.value}"


def stopped_words(data: Mapping[str, Any], at: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """What a stop at ``at`` was decided on, as ``autostop/record.py`` stores it, told at ``now``."""
    sentence = str(data.get("sentence", ""))
    evidence = [evidence_from(one) for one in data.get("evidence", ())]
    if data.get("rule") != IDLE or not data.get("quiet_since") or not evidence:
        return sentence
    quiet = at - dt.datetime.fromisoformat(data["quiet_since"])
    limit_s = data.get("idle_limit_s")
    limit = dt.timedelta(seconds=limit_s) if limit_s else None
    return f"Idle {share(quiet, limit)}: {evidence_words(evidence, now, zone, at)}."
