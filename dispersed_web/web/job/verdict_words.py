"""What auto-stop thinks of a job, as a sentence with its evidence and with times in the reader's zone. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop import deadlines, policy
from dispersed_web.autostop.activity import LOST_AFTER, Confidence
from dispersed_web.autostop.deadlines import CHECKIN, IDLE, LIFETIME, STUCK
from dispersed_web.autostop.policy import State, Verdict
from dispersed_web.autostop.terms import Facts, Policy
from dispersed_web.web import words
from dispersed_web.web.job.evidence_words import evidence_words, share, sign_words
from dispersed_web.web.words import Phrase, said, since, until


@dataclass(frozen=True)
class Outlook:
    """What the words are made of: the verdict on a job at ``now`` and the terms it was made on, for a reader in
    ``zone``. ``asked`` says who is warned and asked, ``held`` why the team's stops for idleness are held back by
    ``hold_id``."""

    policy: Policy
    facts: Facts
    verdict: Verdict
    now: dt.datetime
    zone: dt.tzinfo
    protected_reason: str = ""
    held: str = ""
    hold_id: int | None = None
    asked: str = "its owner is"

    @property
    def is_checkin(self) -> bool:
        """Somebody is asked right now whether the job is in use."""
        return self.verdict.rule == CHECKIN and self.is_near

    @property
    def is_near(self) -> bool:
        """The stop was announced."""
        return self.verdict.state in (State.WARNED, State.DUE)

    @property
    def is_held(self) -> bool:
        return bool(self.held) and self.verdict.rule == IDLE and self.is_near

    def at(self, moment: dt.datetime) -> str:
        """Inside a sentence: ``at 14:12``."""
        return words.at_clock_time(moment, self.now, self.zone)

    def clock(self, moment: dt.datetime) -> str:
        return words.clock_time(moment, self.now, self.zone)


@dataclass(frozen=True, slots=True)
class Told:
    """The verdict: ``title`` says what happens when, ``text`` why. ``tone`` and ``icon`` as the design system has them."""

    tone: str
    icon: str
    title: Phrase
    text: str


def told(o: Outlook) -> Told:
    """The verdict in words."""
    verdict = o.verdict
    if verdict.state == State.UNLIMITED:
        return Told("amber", "warning", said("Nothing stops it"), _joined(verdict.sentence, use_words(o)))
    if o.is_held:
        return Told("amber", "shield", said("Held back: a person decides"), _joined(o.held, use_words(o)))
    if verdict.waits_for:
        return _put_off(o)
    if o.is_near:
        return _announced(o)
    return _BY_STATE[verdict.state](o)


def _announced(o: Outlook) -> Told:
    verdict, stop_at = o.verdict, o.verdict.stop_at or o.now
    if o.is_checkin:
        title = until(stop_at, o.now, f"Without an answer it stops {o.at(stop_at)}, ")
        return Told("amber", "clock", title, _joined(verdict.sentence, use_words(o)))
    if verdict.rule == IDLE:
        return Told("amber", "clock", _stops(o, unless_used=True), use_words(o))
    return Told("amber", "clock", _stops(o), _joined(verdict.sentence, use_words(o)))


def _put_off(o: Outlook) -> Told:
    """A stop that is due and waits all the same, or will."""
    why, at = o.verdict.waits_for, o.verdict.deadline_at
    if why == policy.NOT_ARRIVED:
        stop_at = o.verdict.stop_at or o.now
        title = until(stop_at, o.now, f"Put off until {o.clock(stop_at)}, ")
        text = "The warning has reached nobody yet, so people get as much time once more."
        return Told("amber", "shield", title, _joined(text, use_words(o)))
    text = {
        policy.FRESH_SAMPLE: "Nothing is stopped on old evidence.",
        policy.MORE_SAMPLES: "Too few reports came to be sure that it was quiet all the while.",
    }.get(why, f"The reason: {why}.")
    if at is not None and at > o.now:
        return Told("grey", "clock", _stops(o, unless_used=True), _joined(use_words(o), text))
    ends = f"waits for {why}" if why in (policy.FRESH_SAMPLE, policy.MORE_SAMPLES) else "is put off"
    return Told("amber", "shield", said(f"Its time is up, but the stop {ends}"), _joined(text, use_words(o)))


def _starting(o: Outlook) -> Told:
    text = "Nothing counts as idle before it runs."
    if o.verdict.stop_at is None:
        return Told("amber", "status-waiting", said("It is starting"), text)
    if o.verdict.rule == STUCK:
        title = until(o.verdict.stop_at, o.now, f"Given up {o.at(o.verdict.stop_at)}, ", " unless it runs")
        return Told("amber", "status-waiting", title, text)
    return Told("amber", "status-waiting", _stops(o), _joined(o.verdict.sentence, text))


def _going(o: Outlook) -> Told:
    """In use, or quiet without a warning yet."""
    verdict = o.verdict
    tone, icon = ("green", "status-running") if verdict.state == State.ACTIVE else ("grey", "clock")
    if verdict.rule == CHECKIN:
        return _to_be_asked(o, tone, icon)
    if verdict.rule != IDLE:
        return Told(tone, icon, _stops(o), _joined(verdict.sentence, use_words(o), observed_words(o)))
    text = use_words(o)
    if verdict.deadline_at is not None and verdict.deadline_at == o.facts.extend_until:
        text = _joined(f"Extended until {o.clock(verdict.deadline_at)}.", text)
    return Told(tone, icon, _stops(o, unless_used=True), text)


def _unknown(o: Outlook) -> Told:
    if o.verdict.rule == CHECKIN:
        return _to_be_asked(o, "violet", "status-unknown")
    return Told("grey", "clock", _stops(o), _joined(o.verdict.sentence, use_words(o)))


def _to_be_asked(o: Outlook, tone: str, icon: str) -> Told:
    """The next thing is the question whether it is still in use."""
    verdict = o.verdict
    asked_at, stop_at = verdict.warn_at or o.now, verdict.stop_at or o.now
    title = until(asked_at, o.now, f"{o.asked[0].upper()}{o.asked[1:]} asked {o.at(asked_at)}, ")
    text = f"{_why_asked(o)}: {o.asked} asked {o.at(asked_at)}, and without an answer by {o.clock(stop_at)} it stops."
    return Told(tone, icon, title, _joined(text, use_words(o), observed_words(o)))


def _why_asked(o: Outlook) -> str:
    verdict = o.verdict
    if verdict.confidence != Confidence.LOW:
        return "Only the machine itself says that it is used"
    if verdict.lost_at is None:
        return "Nothing tells whether it is used"
    return f"Its {_silent_source(o)} fell silent {o.at(verdict.lost_at - LOST_AFTER)}"


def _blind(o: Outlook) -> Told:
    began = o.verdict.blind_since or o.now
    stops = _at_the_latest(o)
    if o.facts.cloud_lost_since is not None:
        title = since(began, o.now, "Dispersed cannot be seen for ")
        text = (
            "While it cannot be seen nothing is stopped for idleness; the idle time begins anew afterwards."
        )
        return Told("violet", "status-unknown", title, _joined(text, stops))
    title = since(began, o.now, f"{_silent(o)} for ")
    if o.facts.receiver_is_down or o.held:
        why = (
            o.held or "Heartbeats cannot reach this server right now, so their silence counts against nobody."
        )
        return Told("violet", "status-unknown", title, _joined(why, stops))
    text = (
        "Silence is neither use nor idleness, so the time does not count. "
        f"If it stays silent until {o.clock(began + LOST_AFTER)}, what else is known decides; where nothing is, "
        f"{o.asked} asked."
    )
    return Told("violet", "status-unknown", title, _joined(text, stops))


def _silent(o: Outlook) -> str:
    """What is silent, before the time that it has been: of a job of several machines, how many of them."""
    value = next((one.value for one in o.verdict.evidence if one.state == "blind"), "silent")
    return f"Its {_silent_source(o)} has been silent" if value == "silent" else value


def _silent_source(o: Outlook) -> str:
    return (
        "log"
        if {one.signal for one in o.verdict.evidence if one.state == "blind"} == {"log"}
        else "heartbeat"
    )


def _protected(o: Outlook) -> Told:
    ends = o.facts.protected_until or o.now
    title = until(ends, o.now, f"Protected until {o.clock(ends)}, ")
    if ends - o.now > dt.timedelta(0):
        title = said(f"Protected until {o.clock(ends)}")
    because = f"Because “{o.protected_reason}”." if o.protected_reason else ""
    if o.verdict.rule == IDLE and o.verdict.stop_at:
        then = f"After that it stops {o.at(o.verdict.stop_at)} unless used."
    else:
        then = _at_the_latest(o)
    return Told("accent", "shield", title, _joined(because, use_words(o), then))


def _observed(o: Outlook) -> Told:
    at = o.verdict.would_stop_at or o.now
    title = said(f"Would have been stopped {o.at(at)}")
    rest = f"Stops for idleness are only noted{_observed_until(o)}, so it goes on."
    return Told("blue", "show", title, _joined(use_words(o), rest, _at_the_latest(o)))


_BY_STATE = {
    State.STARTING: _starting,
    State.ACTIVE: _going,
    State.QUIET: _going,
    State.BLIND: _blind,
    State.UNKNOWN: _unknown,
    State.PROTECTED: _protected,
    State.OBSERVED: _observed,
}


# Parts of the sentences -----------------------------------------------------------------------------------------------


def use_words(o: Outlook) -> str:
    """Whether the job is used, and how that is known; empty where nothing is watched."""
    if o.policy.task != "PERSISTENT":
        return "A batch job ends by itself, so it is never stopped for idleness."
    if o.facts.running_at is None or o.verdict.state in (State.BLIND, State.UNKNOWN):
        return ""
    if o.verdict.quiet_since is not None:
        return idle_words(o)
    last = o.verdict.last_active
    if last is not None:
        return f"Last used {o.clock(last.observed_at)} ({sign_words(last)})."
    begins = o.facts.running_at + o.policy.boot_grace
    if o.now < begins:
        return (
            f"It runs since {o.clock(o.facts.running_at)}: nothing before {o.clock(begins)} counts as idle."
        )
    return ""


def idle_words(o: Outlook) -> str:
    """``Idle 47 of 60 min: GPU ≤ 1 % since 13:12, 51 samples; SSH open, no key pressed for 62 min; …``"""
    verdict = o.verdict
    quiet = o.now - (verdict.quiet_since or o.now)
    return f"Idle {share(quiet, verdict.idle_limit)}: {evidence_words(verdict.evidence, o.now, o.zone)}."


def observed_words(o: Outlook) -> str:
    """That a stop for idleness to come is only noted."""
    at = o.verdict.would_stop_at
    if at is None or at <= o.now:
        return ""
    return (
        f"Unused it would be stopped {o.at(at)}, but stops for idleness are only noted{_observed_until(o)}."
    )


def _observed_until(o: Outlook) -> str:
    return f" until {o.clock(o.policy.observe_until)}" if o.policy.observe_until else ""


def _stops(o: Outlook, *, unless_used: bool = False) -> Phrase:
    stop_at = o.verdict.stop_at or o.now
    return until(stop_at, o.now, f"Stops {o.at(stop_at)}, ", ", unless used" if unless_used else "")


def _at_the_latest(o: Outlook) -> str:
    """The hard limit that holds all the same."""
    if o.verdict.stop_at is None or o.verdict.rule in (IDLE, CHECKIN):
        return ""
    highest = deadlines.ceiling(o.policy, o.facts)
    end = (
        "the longest that the team allows" if o.verdict.deadline_at == highest else _end_words(o.verdict.rule)
    )
    return f"It stops {o.at(o.verdict.stop_at)} at the latest, {end}."


def _end_words(rule: str) -> str:
    return {LIFETIME: "the end of its lifetime", "schedule": "by the team's schedule"}.get(
        rule, "by a hard limit"
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
