"""The one thing to know first about a job: what stands at the top of its page. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import Confidence
from dispersed_web.jobs import missing, settling, states, stop, stop_alarms
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.web import words
from dispersed_web.web.job import job_page
from dispersed_web.web.job.cause_facts import Cause
from dispersed_web.web.job.verdict_words import Outlook, told
from dispersed_web.web.jobs import rows
from dispersed_web.web.words import Phrase, ago, said, until

ZERO = Decimal(0)
MISSING = "Its end was not seen, so it may still cost money: look in the console of Dispersed. It is looked for on and on."
SENT = "It counts as stopped once Dispersed shows its end; until then it may cost money."
MAKING_SURE = (
    "Dispersed shows its end. A second look follows, because a machine may go on after its job has ended."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """The one thing to know first. ``acts`` names what is offered: stop, again, extend, in_use, price, decide, settle,
    relaunch (after a change) or same (as it was)."""

    tone: str
    icon: str
    title: Phrase
    text: str
    acts: tuple[str, ...] = ()
    cause: Cause | None = None


def notice(
    job: Job,
    outlook: Outlook | None,
    now: dt.datetime,
    zone: dt.tzinfo,
    *,
    tells_verdict: bool = True,
    cause: Cause | None = None,
    unreachable: str = "",
) -> Notice | None:
    """What stands at the top of the page, if anything must. A check-in has a panel of its own, and so has the
    verdict where not ``tells_verdict``. ``cause`` is why it ended, if it did and that needs explaining;
    ``unreachable`` a sentence where a machine that runs has no address, and should have one by now."""
    if not job.is_active:
        return _of_the_end(job, now, zone, cause, tells_verdict=tells_verdict)
    if job.stop_requested_at is not None:
        return _of_the_stop(job, now, zone)
    if job.state == Status.UNCONFIRMED:
        title = said("The cloud did not answer clearly")
        return Notice(
            "violet", "status-unknown", title, doubt(job, now, zone), ("stop", "again", *_settling(job, now))
        )
    if job.missing_since is not None:
        title = ago(job.missing_since, now, "Dispersed stopped showing this job ")
        text = f"{missing.cost_span(job, now).words} {MISSING}".strip()
        return Notice("red", "status-alarm", title, text, ("stop", *_settling(job, now)))
    if job.state == Status.QUEUED and job.reason_text:
        given_up = (
            f"Without that by {words.clock_time(job.send_by, now, zone)} it is given up; nothing was started."
        )
        return Notice(
            "amber", "clock", said("It waits to be sent"), f"{job.reason_text} {given_up}", ("stop",)
        )
    found = _of_the_lease(job, outlook, now, tells_verdict=tells_verdict) if outlook else None
    if found is None and unreachable:
        title = said("It runs and costs money, but cannot be reached")
        return Notice("amber", "warning", title, unreachable, ("stop", "relaunch"))
    return found


def _settling(job: Job, now: dt.datetime) -> tuple[str, ...]:
    return ("settle",) if settling.may_be_settled(job, now) else ()


def _of_the_lease(job: Job, outlook: Outlook, now: dt.datetime, *, tells_verdict: bool) -> Notice | None:
    if outlook.facts.rate_exceeded_at is not None:
        return _too_dear(outlook, now)
    if outlook.is_checkin:
        return None
    if outlook.is_near and tells_verdict:
        found = told(outlook)
        acts = ("in_use", "extend") if outlook.verdict.rule == deadlines.IDLE else ("extend",)
        acts = ("decide", *acts) if outlook.is_held else acts
        return Notice(found.tone, found.icon, found.title, found.text, acts)
    if rows.is_rate_surprise(job):
        rates = f"It was quoted {words.rate(job.quoted_usd or ZERO)} and costs {words.rate(job.hourly_rate_usd or ZERO)}"
        text = f"{rates}: a node with more GPUs costs as many times more."
        return Notice("amber", "money", said("It costs more than quoted"), text, ("stop",))
    return None


def _too_dear(outlook: Outlook, now: dt.datetime) -> Notice:
    costs = f"It costs {outlook.facts.rate_words}." if outlook.facts.rate_words else ""
    text = f"{costs} A node with more GPUs costs as many times more. Accept the price, or it is stopped."
    title = said("It costs more than was allowed at launch")
    if outlook.verdict.rule == deadlines.RATE and outlook.verdict.stop_at:
        stop_at = outlook.verdict.stop_at
        title = until(stop_at, now, f"Too expensive: it stops {outlook.at(stop_at)}, ")
    return Notice("red", "money", title, text.strip(), ("price", "stop"))


@dataclass(frozen=True, slots=True)
class Question:
    """A check-in that is open: what is asked, and what follows without an answer."""

    title: str
    text: Phrase
    after: str


def question(job: Job, outlook: Outlook | None, now: dt.datetime) -> Question | None:
    """The check-in to answer, if one is open."""
    if outlook is None or not outlook.is_checkin:
        return None
    stop_at = outlook.verdict.stop_at or now
    rate = f"It costs {words.rate(job.hourly_rate_usd)}" if job.hourly_rate_usd is not None else ""
    so_far = job.meter.read(now)
    spent = f", about {words.money(so_far)} so far" if rate and so_far else ""
    text = until(
        stop_at, now, f"{rate}{spent}. Without an answer it stops {outlook.at(stop_at)}, ".lstrip(". "), "."
    )
    every = words.round_duration(int(outlook.policy.checkin.every.total_seconds()))
    after = f"“Still in use” keeps it, and people are asked again after {every}."
    if outlook.verdict.confidence != Confidence.LOW:
        after = "Only the machine itself said that it is used, so somebody must confirm it."
    return Question("Still using it?", text, after)


def doubt(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """The words for a launch in doubt. The moment is exact: after it, its absence is proved."""
    known = rows.known_by(job)
    if job.credential.probe.get("window_enforced") is False or known is None:
        ends = (
            "until it is found, or an admin who looked in the console of Dispersed says that it is not there."
        )
    elif now <= known:
        ends = f"and will know for certain by {words.clock_time(known, now, zone)}."
    else:
        ends = "and will know for certain with the next complete answer of the cloud."
    return f"The job may be running and costing money. Do not start it again: we are looking for it {ends}"


def _of_the_stop(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Notice:
    asked = job.stop_requested_at or now
    if job.state in states.IN_DOUBT:
        title = said("It is stopped as soon as it is found")
        return Notice(
            "violet", "status-unknown", title, doubt(job, now, zone), ("again", *_settling(job, now))
        )
    if stop.is_stuck(job, now):
        burnt = rows.cost_since_asked(job, now)
        cost = f" It has cost about {words.money(burnt)} since." if burnt else ""
        fault = f" The last answer: {job.stop_error}" if job.stop_error else ""
        text = (
            f"It may still run and cost money.{cost} The stop is repeated until the end is seen "
            f"({job.stop_attempts} tries so far).{fault}{stop_alarms.by_hand(job, now)}"
        )
        title = ago(asked, now, "Stop not confirmed, asked ")
        return Notice("red", "status-alarm", title, text, _settling(job, now))
    if job.stop_sent_at is None:
        title = ago(asked, now, "Stop asked for ")
        return Notice("amber", "status-stopping", title, "It is about to be sent to Dispersed.")
    return Notice("amber", "status-stopping", ago(job.stop_sent_at, now, "Stop sent "), SENT)


def _of_the_end(
    job: Job, now: dt.datetime, zone: dt.tzinfo, cause: Cause | None, *, tells_verdict: bool
) -> Notice | None:
    if job.is_stopping:
        return Notice("amber", "status-stopping", said("Ended, making sure"), MAKING_SURE)
    if job.reason in job_page.BY_AUTOSTOP:
        why = (job_page.stop_words(job, now, zone) or job.reason_text) if tells_verdict else ""
        text = f"{why} {_bill(job, now)}".strip()
        acts = cause.acts if cause else ("same",)
        return Notice("grey", "status-stopped", said(job_page.end_title(job)), text, acts, cause)
    if job.state == Status.FAILED:
        title = "It was not launched" if job.reason in rows.NOT_LAUNCHED else "It failed"
        acts = cause.acts if cause else ("relaunch",)
        text = f"{_ended_sentence(job.reason_text)} {_bill(job, now)}".strip()
        return Notice("red", "status-failed", said(title), text, acts, cause)
    if cause is None:
        return None
    icon = "status-completed" if job.state == Status.COMPLETED else "status-stopped"
    tone = "blue" if job.state == Status.COMPLETED else "grey"
    text = f"{_ended_sentence(job.reason_text)} {_bill(job, now)}".strip()
    return Notice(tone, icon, said("It has ended"), text, cause.acts, cause)


def _ended_sentence(text: str) -> str:
    """The cloud's words end without a full stop."""
    return text if not text or text[-1] in ".!?”" else f"{text}."


def _bill(job: Job, now: dt.datetime) -> str:
    ran = job.runtime(now)
    if ran is None or not job.spent_usd:
        return ""
    return f"It ran for {words.duration(ran)} and cost about {words.money(job.spent_usd)}."
