"""What the pages behind links in messages say. Pure. Times are in the zone of the person to whom the message went."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.costs.estimate import price
from dispersed_web.jobs.models import Job
from dispersed_web.notifications.acting import Result, Standing
from dispersed_web.notifications.models import ActLink
from dispersed_web.web import words

LOST = "What is not saved outside the machine is lost, and a stopped job cannot be resumed."


@dataclass(frozen=True)
class Ask:
    """``who`` is as whom one acts."""

    heading: str
    text: str
    button: str
    is_dangerous: bool
    facts: tuple[tuple[str, str], ...]
    who: str


@dataclass(frozen=True)
class Outcome:
    """``tone`` is green, amber or blue."""

    heading: str
    text: str
    tone: str = "amber"


def asked(link: ActLink, now: dt.datetime) -> Ask:
    """The question before the act."""
    job, zone = link.job, zone_of(link)
    heading, text, button = _question(link)
    facts = [("Team", job.team.name)]
    if job.created_by:
        facts.append(("Launched by", str(job.created_by)))
    if job.stop_at:
        facts.append(("Stops", f"{words.clock_time(job.stop_at, now, zone)} ({zone})"))
    facts += _costs(link, now)
    who = str(link.delivery.user) if link.delivery.user else "somebody in the team's channel"
    return Ask(heading, text, button, link.act == ActLink.Act.STOP, tuple(facts), who)


def _question(link: ActLink) -> tuple[str, str, str]:
    title = link.job.title
    if link.act == ActLink.Act.STOP:
        return f"Stop “{title}”?", LOST, "Stop the job"
    if link.act == ActLink.Act.KEEP:
        text = "Its idle time counts from now on anew. What else limits it stays."
        return f"Is “{title}” still in use?", text, "It is still in use"
    longer = words.round_duration((link.minutes or 0) * 60)
    text = f"It then stops {longer} later, or as late as it may run."
    return f"Extend “{title}” by {longer}?", text, f"Extend by {longer}"


def _costs(link: ActLink, now: dt.datetime) -> list[tuple[str, str]]:
    job, rate = link.job, link.job.hourly_rate_usd
    spent = job.meter.read(now)
    found = []
    if rate is not None:
        found.append(("Costs", f"{words.money(rate)} per hour"))
    if spent:
        found.append(("So far", f"about {words.money(spent)}"))
    if rate is not None and link.minutes:
        more = price(rate, dt.timedelta(minutes=link.minutes))
        longer = words.round_duration(link.minutes * 60)
        found.append((f"{longer} more", f"about {words.money(more)}"))
    return found


def outcome(link: ActLink, result: Result, now: dt.datetime) -> Outcome:
    """What was done, or why nothing was."""
    job, zone = link.job, zone_of(link)
    match result.standing:
        case Standing.DONE:
            return _done(link, result, now)
        case Standing.USED:
            at = words.at_clock_time(link.used_at or now, now, zone)
            return Outcome("This link was used before", f"It was used {at}, and works once.", "blue")
        case Standing.EXPIRED:
            return Outcome("This link is too old", "It worked until the announced stop, for a day at most.")
        case Standing.NOT_ALLOWED:
            return Outcome("This link does not act any more", _not_allowed(link))
        case Standing.TOO_LATE:
            return Outcome("Too late", _too_late(job, now, zone))
    return Outcome("Nothing was changed", result.sentence or "Open the job to see what holds for it.")


def _done(link: ActLink, result: Result, now: dt.datetime) -> Outcome:
    title = link.job.title
    if link.act == ActLink.Act.STOP:
        return Outcome(
            "The stop is under way", f"“{title}” counts as stopped once Dispersed shows its end.", "green"
        )
    if link.act == ActLink.Act.KEEP:
        return Outcome("Noted", f"“{title}” goes on.", "green")
    zone = zone_of(link)
    until = words.clock_time(result.until or now, now, zone)
    return Outcome("Extended", f"“{title}” stops {until} ({zone}).", "green")


def _not_allowed(link: ActLink) -> str:
    if link.delivery.channel_id:
        return "The team's webhook was paused, changed or removed since. Sign in to act on the job."
    return "The person to whom it was sent may not do that any more. Sign in to act on the job."


def _too_late(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    if job.is_active and job.stop_requested_at:
        at = words.at_clock_time(job.stop_requested_at, now, zone)
        return f"The stop of “{job.title}” was asked for {at}."
    return f"“{job.title}” has ended."


def unknown() -> Outcome:
    """What a link says that is none of ours."""
    return Outcome("This link does nothing", "It is not complete, or was never sent.")


def zone_of(link: ActLink) -> dt.tzinfo:
    """The reader's zone; in a channel nobody's, so UTC."""
    return link.delivery.user.zone if link.delivery.user else dt.UTC
