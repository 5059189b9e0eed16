"""What comes next for a watched job, what calls it off, and how sure auto-stop is. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop import policy
from dispersed_web.autostop.activity import LOST_AFTER, Confidence
from dispersed_web.autostop.deadlines import BUDGET, CHECKIN, IDLE, RATE, SCHEDULE, STUCK
from dispersed_web.autostop.policy import REMINDER, State
from dispersed_web.signals import thresholds
from dispersed_web.web import words
from dispersed_web.web.job.verdict_words import Outlook

TONES = {Confidence.HIGH: "green", Confidence.MEDIUM: "blue", Confidence.LOW: "violet"}
EVIDENCE = {
    Confidence.HIGH: "A heartbeat from the machine tells how busy it is.",
    Confidence.MEDIUM: "Only its log tells whether it works.",
    Confidence.LOW: "Nothing tells whether it is used, so nothing is guessed.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to come: ``when`` in the reader's words, and what happens then."""

    at: dt.datetime
    when: str
    what: str


@dataclass(frozen=True, slots=True)
class Sureness:
    """How well idleness is known: ``level`` in one word, and what that means for this job."""

    level: str
    tone: str
    text: str


def steps(o: Outlook) -> list[Step]:
    """What happens unless something changes, in order; only what is still to come."""
    found = [*_to_the_stop(o), *_of_the_terms(o)]
    later = [(at, what) for at, what in found if at is not None and at > o.now]
    return [Step(at, o.clock(at), what) for at, what in sorted(later, key=lambda one: one[0])]


def _to_the_stop(o: Outlook) -> list[tuple[dt.datetime | None, str]]:
    v = o.verdict
    if v.stop_at is None or v.state == State.BLIND:
        return []
    found: list[tuple[dt.datetime | None, str]] = []
    if not o.is_near:
        asks = f"{o.asked} asked whether it is still in use" if v.rule == CHECKIN else f"{o.asked} warned"
        found.append((v.warn_at, asks))
    if v.warn_at and v.stop_at - v.warn_at > REMINDER:
        found.append((v.stop_at - REMINDER, f"{o.asked} reminded"))
    found.append((v.stop_at, _the_stop(v.rule)))
    return found


def _the_stop(rule: str) -> str:
    if rule == IDLE:
        return "it is looked at once more, and if still unused it is stopped"
    return "without an answer it is stopped" if rule == CHECKIN else "it is stopped"


def _of_the_terms(o: Outlook) -> list[tuple[dt.datetime | None, str]]:
    v, facts = o.verdict, o.facts
    found: list[tuple[dt.datetime | None, str]] = []
    if facts.running_at is not None and o.policy.task == "PERSISTENT" and v.confidence != Confidence.LOW:
        found.append((facts.running_at + o.policy.boot_grace, "idle time begins to count"))
    if v.blind_since is not None and not facts.receiver_is_down and facts.cloud_lost_since is None:
        found.append((v.blind_since + LOST_AFTER, "the silent signal is given up"))
    if v.would_stop_at is not None:
        found.append((v.would_stop_at, "unused it would be stopped; that is only noted"))
    if o.policy.observes:
        found.append((o.policy.observe_until, "stops for idleness are carried out from then on"))
    if facts.protected_until is not None:
        found.append((facts.protected_until, "its protection ends"))
    latest = policy.latest_end(o.policy, facts)
    if latest != v.stop_at:
        found.append((latest, "it is stopped whatever anybody does"))
    return found


def calls_off(o: Outlook) -> list[tuple[str, str]]:
    """What keeps it running, as name and explanation."""
    rule = o.verdict.rule
    if rule in (IDLE, "") or o.verdict.would_stop_at is not None or o.verdict.state == State.BLIND:
        found = [("Use it", _use(o)), ("Say so", _say(o)), _extend(o)]
    elif rule == CHECKIN:
        found = [("Answer", f"“Still in use” holds for {_span(o.policy.checkin.every)}"), _extend(o)]
    else:
        found = [_BY_RULE.get(rule) or _extend(o)]
    if o.policy.task == "PERSISTENT" and rule not in (BUDGET, RATE, STUCK):
        found.append(("Looking", "does not: neither this page nor its log counts as use"))
    return [one for one in found if one[1]]


_BY_RULE = {
    SCHEDULE: ("Schedule", "an admin can change the team's schedule"),
    BUDGET: ("Budget", "an admin can raise it"),
    RATE: ("Price", "accept what it costs, and it goes on"),
    STUCK: ("Start", "it begins to run"),
}


def _use(o: Outlook) -> str:
    if o.verdict.confidence == Confidence.HIGH:
        net = thresholds.NET_BUSY_BYTES_A_MINUTE // 1_000_000
        return (
            f"GPU at {thresholds.GPU_BUSY_PERCENT} % or more, CPU at {thresholds.CPU_BUSY_CORES:g} of a core, network "
            f"at {net} MB a minute, a key pressed in SSH, or the file /run/dw-busy in the machine"
        )
    return "at least two new lines in its log" if o.verdict.confidence == Confidence.MEDIUM else ""


def _say(o: Outlook) -> str:
    if o.verdict.idle_limit is None:
        return ""
    return f"“Still in use” begins the {_span(o.verdict.idle_limit)} anew; showing how to connect does too"


def _extend(o: Outlook) -> tuple[str, str]:
    latest = policy.latest_end(o.policy, o.facts)
    if latest is None:
        return "Extend", "as far as you like"
    if o.verdict.stop_at is not None and latest <= o.verdict.stop_at:
        return "Extend", "not any more: it runs as long as the team allows"
    return "Extend", f"until {o.clock(latest)} at most, the longest that the team allows"


def sureness(o: Outlook) -> Sureness | None:
    """How sure auto-stop is and what follows; ``None`` before it runs and for batch jobs."""
    if o.facts.running_at is None or o.policy.task != "PERSISTENT":
        return None
    level = o.verdict.confidence
    rule = o.policy.idle_rule(level)
    if rule is None:
        check = o.policy.checkin
        then = f"People are asked after {_span(check.first)}, then every {_span(check.every)}."
    else:
        then = f"It stops after {_span(rule.limit)} without use, with a warning {_span(rule.lead)} before."
    return Sureness(level.value, TONES[level], f"{EVIDENCE[level]} {then}")


def _span(span: dt.timedelta) -> str:
    return words.round_duration(int(span.total_seconds()))
