"""What the job page says beside its row: cost, limits, the verdict as a sentence. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.autostop import policy
from dispersed_web.autostop.schedule import words as schedule_words
from dispersed_web.costs.estimate import price
from dispersed_web.jobs import launch_bounds
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import REASON_WORDS, Reason
from dispersed_web.web import words
from dispersed_web.web.job.evidence_words import stopped_words
from dispersed_web.web.job.extending import Options
from dispersed_web.web.job.verdict_words import Outlook, Told, told
from dispersed_web.web.jobs import rows
from dispersed_web.web.words import NOTHING, Phrase, said

BY_AUTOSTOP = frozenset(
    {
        Reason.IDLE,
        Reason.CHECKIN_UNANSWERED,
        Reason.MAX_LIFETIME,
        Reason.SCHEDULE,
        Reason.BUDGET,
        Reason.RATE,
        Reason.STUCK_STARTING,
    }
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value; ``cost`` is one that the browser goes on counting."""

    name: str
    value: Phrase
    cost: rows.Cost | None = None
    note: str = ""


def costs(job: Job, outlook: Outlook | None, now: dt.datetime) -> list[Fact]:
    """All of it estimates: price × time, until the cloud's ledger says otherwise."""
    facts = [Fact("So far", NOTHING, rows.cost_of(job, now)), *_rate(job)]
    if not job.is_active:
        return facts
    if asked := rows.cost_since_asked(job, now):
        facts.append(Fact("Since the stop was asked", said(words.money(asked))))
    if outlook is None:
        return facts
    verdict, latest = outlook.verdict, policy.latest_end(outlook.policy, outlook.facts)
    if verdict.quiet_since and job.hourly_rate_usd is not None:
        idle = price(job.hourly_rate_usd, now - verdict.quiet_since)
        facts.append(Fact("While idle", said(f"≈ {words.money(idle)}")))
    if verdict.stop_at:
        facts += _cost_at("Until it stops", job, verdict.stop_at, now)
    if latest and verdict.stop_at and latest > verdict.stop_at:
        facts += _cost_at("At the longest", job, latest, now)
    return facts


def _rate(job: Job) -> list[Fact]:
    if job.hourly_rate_usd is not None:
        differs = job.quoted_usd is not None and words.rate(job.quoted_usd) != words.rate(job.hourly_rate_usd)
        quoted = f"quoted {words.rate(job.quoted_usd)}" if differs else ""
        return [Fact("Rate", said(words.rate(job.hourly_rate_usd)), note=quoted)]
    if job.quoted_usd is not None:
        return [Fact("Rate", said(f"≈ {words.rate(job.quoted_usd)}"), note="as quoted at launch")]
    return []


def _cost_at(name: str, job: Job, at: dt.datetime, now: dt.datetime) -> list[Fact]:
    rate = job.hourly_rate_usd if job.hourly_rate_usd is not None else job.quoted_usd
    if rate is None:
        return []
    so_far = job.meter.read(now) or 0
    return [Fact(name, said(f"≈ {words.money(so_far + price(rate, at - now))}"))]


def limits(job: Job, outlook: Outlook | None, now: dt.datetime, zone: dt.tzinfo) -> list[Fact]:
    """Each limit with the moment at which it ends."""
    facts = _idle_limits(outlook) if outlook else []
    facts += _lifetime(job, now, zone)
    if outlook and outlook.policy.schedule and job.task == "PERSISTENT":
        facts.append(
            Fact("Schedule", said(schedule_words(outlook.policy.schedule)), note="for the whole team")
        )
    if job.budget_usd is not None:
        facts.append(Fact("Budget", said(words.money(job.budget_usd)), note="for this job"))
    if job.rate_cap_usd is not None:
        accepted = "more was accepted" if job.rate_accepted_at else ""
        facts.append(Fact("Highest price", said(words.rate(job.rate_cap_usd)), note=accepted))
    if job.task == "BATCH" and (run_ms := job.spec_value("max_timeout_run_ms")):
        facts.append(Fact("At the cloud", said(words.round_duration(run_ms // 1000)), note="for each run"))
    return facts


def _idle_limits(outlook: Outlook) -> list[Fact]:
    """After how much quiet it stops or is asked about, at the confidence there is now."""
    terms = outlook.policy
    if terms.task != "PERSISTENT":
        return []
    rule = terms.idle_rule(outlook.verdict.confidence)
    if rule is None:
        first, every = (
            words.round_duration(int(one.total_seconds()))
            for one in (terms.checkin.first, terms.checkin.every)
        )
        return [Fact("Asked", said(f"after {first}"), note=f"then every {every}")]
    limit, lead = (words.round_duration(int(one.total_seconds())) for one in (rule.limit, rule.lead))
    note = "only noted" if terms.is_observing(outlook.now) else f"warned {lead} before"
    return [Fact("Idle", said(limit), note=note)]


def _lifetime(job: Job, now: dt.datetime, zone: dt.tzinfo) -> list[Fact]:
    begun = job.launched_at or job.created_at
    facts = []
    if job.lifetime_s:
        end = begun + dt.timedelta(seconds=job.lifetime_s)
        ends = f"ends {words.clock_time(end, now, zone)}" if job.is_active else ""
        if job.is_active and launch_bounds.held_by_recipe(job):
            ends = f"{ends}, locked by its recipe’s author: nobody can extend it"
        facts.append(Fact("Lifetime", said(words.round_duration(job.lifetime_s)), note=ends))
    else:
        facts.append(Fact("Lifetime", said("no limit"), note="an admin chose so"))
    if job.extend_until:
        facts.append(Fact("Extended", said(f"until {words.clock_time(job.extend_until, now, zone)}")))
    if job.protected_until and job.protected_until > now:
        facts.append(Fact("Protected", said(f"until {words.clock_time(job.protected_until, now, zone)}")))
    if job.is_active and job.ceiling_s and job.ceiling_s != job.lifetime_s:
        latest = words.clock_time(begun + dt.timedelta(seconds=job.ceiling_s), now, zone)
        facts.append(
            Fact("At the longest", said(words.round_duration(job.ceiling_s)), note=f"until {latest}")
        )
    return facts


def verdict(job: Job, outlook: Outlook | None, now: dt.datetime, zone: dt.tzinfo) -> Told:
    """What auto-stop thinks of the job, as a sentence."""
    if not job.is_active:
        why = stop_words(job, now, zone) or job.reason_text
        return Told("grey", "status-stopped", said(end_title(job)), why)
    if outlook is None:
        why = REASON_WORDS[Reason(job.stop_reason)]
        text = f"The reason: {why}. {stop_words(job, now, zone)}".strip()
        return Told("amber", "status-stopping", said("It is being stopped"), text)
    return told(outlook)


def end_title(job: Job) -> str:
    """How it ended, in a few words."""
    return f"Stopped: {REASON_WORDS[Reason(job.reason)]}" if job.reason in BY_AUTOSTOP else "It has ended"


def stop_words(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """What the stop was decided on, where auto-stop decided."""
    if not job.stop_evidence or job.stop_requested_at is None:
        return ""
    return stopped_words(job.stop_evidence, job.stop_requested_at, now, zone)


def possible(job: Job, outlook: Outlook | None, options: Options, now: dt.datetime) -> dict[str, bool]:
    """Which acts the state of the job allows, whoever asks."""
    return {
        "can_extend": job.remote_uuid is not None and options.possible,
        "can_stop": job.is_active and job.stop_requested_at is None,
        "can_keep": outlook is not None and outlook.facts.running_at is not None and job.task == "PERSISTENT",
        "is_protected": job.protected_until is not None and job.protected_until > now,
    }
