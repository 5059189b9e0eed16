"""What the job page says beside its row: cost, limits, the verdict as a sentence, the notice at the top."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop import facts as terms
from dispersed_web.autostop import policy
from dispersed_web.costs.estimate import price
from dispersed_web.jobs import states, stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import REASON_WORDS, Reason, Status
from dispersed_web.web import rows, words
from dispersed_web.web.words import NOTHING, Phrase, ago, said, until

ZERO = Decimal(0)
MISSING = "Its end was not seen, so it may still cost money: look in the console of Dispersed. It is looked for on and on."
SENT = "It counts as stopped once Dispersed shows its end; until then it may cost money."
MAKING_SURE = (
    "Dispersed shows its end. A second look follows, because a machine may go on after its job has ended."
)


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: Phrase
    cost: rows.Cost | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """The one thing to know first. ``acts`` names what is offered: stop, again, extend, relaunch."""

    tone: str
    icon: str
    title: Phrase
    text: str
    acts: tuple[str, ...] = ()


def costs(job: Job, now: dt.datetime) -> list[Fact]:
    """All of it estimates: price × time, until the cloud's ledger says otherwise."""
    facts = [Fact("So far", NOTHING, rows.cost_of(job, now))]
    if job.hourly_rate_usd is not None:
        differs = job.quoted_usd is not None and words.rate(job.quoted_usd) != words.rate(job.hourly_rate_usd)
        quoted = f"quoted {words.rate(job.quoted_usd)}" if differs else ""
        facts.append(Fact("Rate", said(words.rate(job.hourly_rate_usd)), note=quoted))
    elif job.quoted_usd is not None:
        facts.append(Fact("Rate", said(f"≈ {words.rate(job.quoted_usd)}"), note="as quoted at launch"))
    if not job.is_active:
        return facts
    if asked := rows.cost_since_asked(job, now):
        facts.append(Fact("Since the stop was asked", said(words.money(asked))))
        return facts
    known = terms.of(job, now)
    stop_at = policy.decide(*known, now).stop_at
    latest = policy.latest_end(*known)
    if stop_at:
        facts += _cost_at("Until it stops", job, stop_at, now)
    if latest and stop_at and latest > stop_at:
        facts += _cost_at("At the longest", job, latest, now)
    return facts


def _cost_at(name: str, job: Job, at: dt.datetime, now: dt.datetime) -> list[Fact]:
    rate = job.hourly_rate_usd if job.hourly_rate_usd is not None else job.quoted_usd
    if rate is None:
        return []
    so_far = job.meter.read(now) or 0
    return [Fact(name, said(f"≈ {words.money(so_far + price(rate, at - now))}"))]


def limits(job: Job, now: dt.datetime, zone: dt.tzinfo) -> list[Fact]:
    """Each limit with the moment at which it ends."""
    begun = job.launched_at or job.created_at
    facts = []
    if job.lifetime_s:
        end = begun + dt.timedelta(seconds=job.lifetime_s)
        ends = f"ends {words.clock_time(end, now, zone)}"
        facts.append(Fact("Lifetime", said(words.round_duration(job.lifetime_s)), note=ends))
    else:
        facts.append(Fact("Lifetime", said("no limit"), note="an admin chose so"))
    if job.extend_until:
        facts.append(Fact("Extended", said(f"until {words.clock_time(job.extend_until, now, zone)}")))
    if job.ceiling_s and job.ceiling_s != job.lifetime_s:
        latest = words.clock_time(begun + dt.timedelta(seconds=job.ceiling_s), now, zone)
        facts.append(
            Fact("At the longest", said(words.round_duration(job.ceiling_s)), note=f"until {latest}")
        )
    if job.lifetime_s:
        facts.append(Fact("Warned", said(f"{words.round_duration(job.warn_lead_s)} before"), note="at most"))
    if job.task == "BATCH" and (run_ms := job.spec_value("max_timeout_run_ms")):
        facts.append(Fact("At the cloud", said(words.round_duration(run_ms // 1000)), note="for each run"))
    return facts


def verdict(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Notice:
    """What auto-stop thinks of the job, as a sentence."""
    if not job.is_active:
        return Notice("grey", "status-stopped", said("It has ended"), job.reason_text)
    if job.stop_requested_at is not None:
        why = REASON_WORDS[Reason(job.stop_reason)]
        return Notice("amber", "status-stopping", said("It is being stopped"), f"The reason: {why}.")
    found = policy.decide(*terms.of(job, now), now)
    if found.stop_at is None:
        return Notice("amber", "warning", said("Nothing stops it"), found.sentence)
    title = until(found.stop_at, now, f"Stops {words.at_clock_time(found.stop_at, now, zone)}, ")
    if rows.is_warned(job):
        return Notice(
            "amber", "clock", title, f"{found.sentence} Extend it if somebody still needs it.", ("extend",)
        )
    warn = f" A warning comes {words.at_clock_time(found.warn_at, now, zone)}." if found.warn_at else ""
    return Notice("grey", "clock", title, f"{found.sentence}{warn}")


def notice(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Notice | None:
    """What stands at the top of the page, if anything must."""
    if not job.is_active:
        return _of_the_end(job)
    if job.stop_requested_at is not None:
        return _of_the_stop(job, now, zone)
    if job.state == Status.UNCONFIRMED:
        title = said("The cloud did not answer clearly")
        return Notice("violet", "status-unknown", title, doubt(job, now, zone), ("stop", "again"))
    if job.missing_since is not None:
        title = ago(job.missing_since, now, "Dispersed stopped showing this job ")
        return Notice("red", "status-alarm", title, MISSING, ("stop",))
    if job.state == Status.QUEUED and job.reason_text:
        given_up = (
            f"Without that by {words.clock_time(job.send_by, now, zone)} it is given up; nothing was started."
        )
        return Notice(
            "amber", "clock", said("It waits to be sent"), f"{job.reason_text} {given_up}", ("stop",)
        )
    if rows.is_warned(job):
        return verdict(job, now, zone)
    if rows.is_rate_surprise(job):
        rates = f"It was quoted {words.rate(job.quoted_usd or ZERO)} and costs {words.rate(job.hourly_rate_usd or ZERO)}"
        text = f"{rates}: a node with more GPUs costs as many times more."
        return Notice("amber", "money", said("It costs more than quoted"), text, ("stop",))
    return None


def doubt(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """The words for a launch in doubt. The moment is exact: after it, its absence is proved."""
    known = rows.known_by(job)
    if job.credential.probe.get("window_enforced") is False or known is None:
        ends = "until it is found."
    elif now <= known:
        ends = f"and will know for certain by {words.clock_time(known, now, zone)}."
    else:
        ends = "and will know for certain with the next complete answer of the cloud."
    return f"The job may be running and costing money. Do not start it again: we are looking for it {ends}"


def _of_the_stop(job: Job, now: dt.datetime, zone: dt.tzinfo) -> Notice:
    asked = job.stop_requested_at or now
    if job.state in states.IN_DOUBT:
        title = said("It is stopped as soon as it is found")
        return Notice("violet", "status-unknown", title, doubt(job, now, zone), ("again",))
    if stop.is_stuck(job, now):
        burnt = rows.cost_since_asked(job, now)
        cost = f" It has cost about {words.money(burnt)} since." if burnt else ""
        fault = f" The last answer: {job.stop_error}" if job.stop_error else ""
        text = (
            f"It may still run and cost money.{cost} The stop is repeated until the end is seen "
            f"({job.stop_attempts} tries so far).{fault}"
        )
        return Notice("red", "status-alarm", ago(asked, now, "Stop not confirmed, asked "), text)
    if job.stop_sent_at is None:
        title = ago(asked, now, "Stop asked for ")
        return Notice("amber", "status-stopping", title, "It is about to be sent to Dispersed.")
    return Notice("amber", "status-stopping", ago(job.stop_sent_at, now, "Stop sent "), SENT)


def _of_the_end(job: Job) -> Notice | None:
    if job.is_stopping:
        return Notice("amber", "status-stopping", said("Ended, making sure"), MAKING_SURE)
    if job.state != Status.FAILED:
        return None
    title = "It was not launched" if job.reason in rows.NOT_LAUNCHED else "It failed"
    text = f"{job.reason_text} {_next(job)}".strip()
    return Notice("red", "status-failed", said(title), text, ("relaunch",))


def _next(job: Job) -> str:
    """What to do after a failure."""
    if job.reason == Reason.REFUSED:
        return "Nothing was started. Change what was refused, then launch it again."
    if job.reason in (Reason.EXPIRED, Reason.NEVER_ARRIVED):
        return "Nothing was started, so launching it again is safe."
    if job.assigned_at is None:
        return "No node was found in time: ask for less, allow more regions, or wait longer for one."
    if job.running_at is None:
        limit = words.round_duration(rows.timeout_s(job, "start"))
        return f"The container did not start: check image and tag, or allow more than {limit} for pulling it."
    return "Its log says more, as long as Dispersed keeps it."
