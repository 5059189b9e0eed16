"""Verdicts in words. Pure. Moments are left to the page, which knows the reader's zone; durations are said here."""

from __future__ import annotations

import datetime as dt

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import Activity, Confidence, Evidence, Use
from dispersed_web.autostop.deadlines import Deadline
from dispersed_web.autostop.schedule import words as schedule_words
from dispersed_web.autostop.terms import Facts, Policy

NO_LIMIT = "No limit: runs until somebody stops it."
LANE_WORDS = {
    "gpu": "GPU",
    "cpu": "CPU",
    "net": "network",
    "ssh": "SSH",
    "busy": "workload",
    "log": "log",
    "person": "people",
    "heartbeat": "heartbeat",
}


def why(policy: Policy, facts: Facts, use: Activity, deadline: Deadline, now: dt.datetime) -> str:
    """Why the job stops at the deadline, as one sentence."""
    match deadline.rule:
        case deadlines.IDLE:
            return _idle(policy, facts, use, deadline, now)
        case deadlines.CHECKIN:
            return _checkin(policy, use)
        case deadlines.SCHEDULE if policy.schedule:
            return f"The team's schedule stops jobs {schedule_words(policy.schedule)}."
        case deadlines.BUDGET:
            return f"{facts.budget_name or 'A budget'} is used up."
        case deadlines.RATE:
            return f"It costs more than was allowed at launch{f': {facts.rate_words}' if facts.rate_words else ''}."
        case deadlines.STUCK:
            return f"A start may take {words(policy.start_limit or dt.timedelta(0))} at most."
    return _lifetime(policy, facts, deadline)


def _idle(policy: Policy, facts: Facts, use: Activity, deadline: Deadline, now: dt.datetime) -> str:
    if deadline.at == facts.extend_until:
        return "The extension ends, and it is not used."
    if deadline.at == facts.kept_until:
        return "What its container asked for ends, and it is not used."
    if deadline.at == facts.protected_until:
        return "Its protection ends, and it is not used."
    rule = policy.idle_rule(use.confidence)
    limit = words(rule.limit if rule else dt.timedelta(0))
    if use.use == Use.QUIET and use.quiet_since is not None and now > use.quiet_since:
        return f"Idle for {words(now - use.quiet_since)} of {limit}: {quiet_words(use, now)}."
    return f"Stops {limit} after its last use."


def quiet_words(use: Activity, now: dt.datetime) -> str:
    """What was quiet and for how long: ``GPU ≤ 1 % for 47 min, 51 samples; SSH open, no key pressed for 62 min``."""
    parts = [
        _quiet(one, now)
        for one in use.evidence
        if one.state == "quiet" and one.signal in ("gpu", "ssh", "log")
    ]
    parts = [part for part in parts if part]
    if not parts:
        parts = [_quiet(one, now) for one in use.evidence if one.state == "quiet"][:2]
    return "; ".join(parts) or "no sign of use"


def _quiet(one: Evidence, now: dt.datetime) -> str:
    since = f" for {words(now - one.since)}" if one.since else ""
    if one.signal == "ssh":
        return f"SSH open, no key pressed{since}" if one.value == "open" else "nobody signed in by SSH"
    if one.signal == "log":
        return f"log unchanged{since}"
    return f"{LANE_WORDS[one.signal]} {one.value}{since}, {one.samples} samples"


def _checkin(policy: Policy, use: Activity) -> str:
    answer = words(policy.checkin.answer)
    if use.confidence == Confidence.LOW:
        return f"{_nothing_tells(use)}, so people are asked: without an answer within {answer} it stops."
    return f"Only the machine itself said that it is used, for {words(deadlines.MACHINE_ALONE)}: somebody must confirm it."


def unanswered(policy: Policy, use: Activity) -> str:
    """Why the job is stopped when the time to answer is over."""
    answer = words(policy.checkin.answer)
    if use.confidence == Confidence.LOW:
        return f"{_nothing_tells(use)}, and nobody answered within {answer}."
    alone = words(deadlines.MACHINE_ALONE)
    return (
        f"Only the machine itself said that it is used, for {alone}, and nobody confirmed it within {answer}."
    )


def _nothing_tells(use: Activity) -> str:
    if use.lost_at is None:
        return "Nothing tells whether it is used"
    silent = {one.signal for one in use.evidence if one.state == "blind"}
    return "Its log fell silent" if silent == {"log"} else "Its heartbeat fell silent"


def _lifetime(policy: Policy, facts: Facts, deadline: Deadline) -> str:
    if policy.ceiling is not None and deadline.at == deadlines.ceiling(policy, facts):
        return f"The longest lifetime that the team allows, {words(policy.ceiling)}, ends."
    if facts.extend_until == deadline.at:
        return "The extension ends."
    return f"Its maximum lifetime of {words(policy.lifetime or dt.timedelta(0))} ends."


def words(duration: dt.timedelta) -> str:
    """A duration as people say it: ``90 s``, ``45 min``, ``2 h 30 min``, ``3 days``."""
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds % 86400 == 0:
        return f"{seconds // 86400} days" if seconds > 86400 else "24 h"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
