"""What a container is told of its own future: made of the last verdict, never by deciding anew. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispersed_web.jobs.states import REASON_WORDS, Reason
from dispersed_web.signals.thresholds import HEARTBEAT_PERIOD_S

SHORTEST_S = 10
# The last report before the stop comes about so long before it: then the machine saves what it has to save.
LAST_CALL_S = 50
NEAR = {"warned", "due", "stopping"}
PLAIN = {"starting", "active", "quiet", "blind", "protected", "unknown", *NEAR}
# What is nothing else to a machine that only asks when it stops.
SAME_AS = {"unlimited": "active", "observed": "quiet"}
# In minutes. Rounded, because each new text is printed in the machine's terminals anew.
STEPS = (1, 5, 15, 30, 60)
ADVICE = {
    Reason.IDLE: "Use it, or extend it in Dispersed Web, and it goes on.",
    Reason.CHECKIN_UNANSWERED: "Say in Dispersed Web that you still need it, and it goes on.",
    Reason.MAX_LIFETIME: "Extend it in Dispersed Web, or save what you need.",
}
SAVE = "Save what you need."


@dataclass(frozen=True)
class Answer:
    """``in_s`` are seconds until ``stop_at``, ``next_s`` until the next report. ``message`` is for the terminals."""

    state: str
    stop_at: dt.datetime | None
    in_s: int | None
    reason: str
    message: str
    next_s: int

    def as_json(self) -> dict[str, Any]:
        stop_at = self.stop_at.strftime("%Y-%m-%dT%H:%M:%SZ") if self.stop_at else None
        return {
            "state": self.state,
            "stop_at": stop_at,
            "in_s": self.in_s,
            "reason": self.reason,
            "message": self.message,
            "next_s": self.next_s,
        }


def answer_for(job: Mapping[str, Any], now: dt.datetime) -> Answer:
    """The answer to a report of a job that has not ended; ``job`` holds its columns by name."""
    if job["stop_requested_at"] is not None:
        words = _words(job["stop_reason"])
        message = f"This machine is being stopped now{words}. {SAVE}"
        return Answer("stopping", job["stop_requested_at"], 0, job["stop_reason"], message, SHORTEST_S)
    state, stop_at, rule = _state(job), job["stop_at"], job["verdict_rule"]
    if stop_at is not None and stop_at <= now and state not in NEAR:
        stop_at = None  # nobody was warned of it, so it is no longer true
    if stop_at is None:
        return Answer(state, None, None, rule, "", HEARTBEAT_PERIOD_S)
    in_s = max(int((stop_at - now).total_seconds()), 0)
    message = _message(stop_at, in_s, rule) if state in NEAR else ""
    return Answer(state, stop_at, in_s, rule, message, _next_s(in_s))


def _state(job: Mapping[str, Any]) -> str:
    said = job["verdict_state"] or ("unknown" if job["running_at"] else "starting")
    said = SAME_AS.get(said, said)
    return said if said in PLAIN else "unknown"


def _message(stop_at: dt.datetime, in_s: int, rule: str) -> str:
    minutes = next((step for step in STEPS if in_s <= step * 60), None)
    soon = "" if minutes is None else ", within a minute" if minutes == 1 else f", in less than {minutes} min"
    advice = ADVICE.get(rule, SAVE)
    return f"This machine stops at {stop_at:%H:%M} UTC{soon}{_words(rule)}. {advice}"


def _words(rule: str) -> str:
    words = REASON_WORDS.get(rule)
    return f" ({words})" if words else ""


def _next_s(in_s: int) -> int:
    """The usual period, less where the next report would come too late for the last call."""
    if in_s >= HEARTBEAT_PERIOD_S + LAST_CALL_S:
        return HEARTBEAT_PERIOD_S
    if in_s > LAST_CALL_S:
        return max(in_s - LAST_CALL_S, SHORTEST_S)
    return 2 * SHORTEST_S
