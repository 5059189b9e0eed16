"""What auto-stop says of a job in a list: how it is used, when it stops and why. Pure: the columns of the last verdict in,
words out, so that a row costs no decision and the order by stop time is the order of what is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from dispersed_web.autostop import deadlines
from dispersed_web.autostop.activity import Confidence
from dispersed_web.autostop.policy import State
from dispersed_web.costs.estimate import price
from dispersed_web.jobs import stop
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import REASON_WORDS, Reason
from dispersed_web.web import words
from dispersed_web.web.words import DASH, NOTHING, Phrase, minutes_of, said, since, until

COUNT_DOWN = dt.timedelta(hours=12)
# The stored stop time may be off by that much: smaller moves are not written.
NEARLY = dt.timedelta(minutes=1)
LIMIT_WORDS = {
    deadlines.SCHEDULE: "schedule",
    deadlines.BUDGET: "budget used up",
    deadlines.RATE: "price above cap",
    deadlines.STUCK: "unless it starts",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What rows must know beside their jobs: which are ``held`` until a person decides, and the credentials whose jobs
    at the cloud cannot be seen at present."""

    held: frozenset[str] = frozenset()
    unseen: frozenset[object] = frozenset()

    def holds(self, job: Job) -> bool:
        return bool(self.held) and job.stop_requested_at is None and str(job.pk) in self.held


ALONE = Around()


def use_of(job: Job, now: dt.datetime, zone: dt.tzinfo, around: Around = ALONE) -> Phrase:
    """Whether a running job is used, as far as anybody knows."""
    if job.task == "BATCH":
        return said("ends by itself")
    if is_protected(job, now):
        return said(f"protected until {words.day_time(job.protected_until, now, zone)}")
    if is_asked(job):
        return said("asked: still using it?")
    if job.verdict_state == State.OBSERVED:
        return said("would have been stopped")
    if job.quiet_since is not None:
        limit_s = job.idle_limit_now_s
        return (
            minutes_of(job.quiet_since, now, limit_s, "quiet ")
            if limit_s
            else since(job.quiet_since, now, "quiet for ")
        )
    if job.blind_since is not None:
        return since(job.blind_since, now, f"{_silent(job, around)} for ")
    if job.verdict_state == State.ACTIVE or job.confidence in (Confidence.HIGH, Confidence.MEDIUM):
        return said("in use")
    return said("use not measured" if job.verdict_state else "until it is stopped")


def use_hint(job: Job, now: dt.datetime, zone: dt.tzinfo) -> str:
    """What is too long for a row: the reason of a protection, and what an observed stop means."""
    if is_protected(job, now):
        until_words = words.day_time(job.protected_until, now, zone)
        return f"Protected until {until_words}: {job.protected_reason}"
    if job.verdict_state == State.OBSERVED:
        return "Idle for longer than its limit. Stops for idleness are only noted in this team."
    return ""


def _silent(job: Job, around: Around) -> str:
    if job.credential_id in around.unseen or job.confidence == Confidence.LOW:
        return "cloud not seen"
    return "heartbeat silent" if job.confidence == Confidence.HIGH else "log silent"


def is_protected(job: Job, now: dt.datetime) -> bool:
    """Whether somebody keeps it from being stopped for idleness at ``now``."""
    return job.protected_until is not None and job.protected_until > now


def is_warned(job: Job) -> bool:
    """People were told that it stops soon, and it was neither extended nor stopped since."""
    return job.is_active and job.warned_at is not None and job.stop_requested_at is None


def is_asked(job: Job) -> bool:
    """A check-in is open: without an answer the job stops."""
    return is_warned(job) and job.verdict_rule == deadlines.CHECKIN


def is_too_dear(job: Job) -> bool:
    """It costs more than the cap stated at launch, and nobody accepted that yet."""
    is_open = job.rate_exceeded_at is not None and job.rate_accepted_at is None
    return is_open and job.is_active and job.stop_requested_at is None


def may_be_extended(job: Job) -> bool:
    """Whether an extension can move the stop that is announced: that of a schedule, a budget, a price or the longest
    lifetime cannot be moved."""
    if job.verdict_rule in LIMIT_WORDS or job.stop_at is None:
        return False
    ceiling_at = _ceiling_at(job)
    return ceiling_at is None or job.stop_at < ceiling_at - NEARLY


def stops_of(job: Job, now: dt.datetime, zone: dt.tzinfo, around: Around = ALONE) -> tuple[Phrase, Phrase]:
    """When it stops, and why."""
    if not job.is_active:
        return said(DASH), NOTHING
    if job.stop_requested_at is not None:
        return _stopping(job, now)
    if around.holds(job) and job.verdict_rule == deadlines.IDLE and is_warned(job):
        return said("held"), said("waits for a decision")
    if job.stop_at is None:
        if job.lifetime_s is None:
            return said("never by itself"), said("no limit")
        return said(f"{words.round_duration(job.lifetime_s)} lifetime"), said("from its launch")
    why = said(why_of(job))
    if job.stop_at - now > COUNT_DOWN:
        return said(words.day_time(job.stop_at, now, zone)), why
    return until(job.stop_at, now), why


def _stopping(job: Job, now: dt.datetime) -> tuple[Phrase, Phrase]:
    why = REASON_WORDS[Reason(job.stop_reason)] if job.stop_reason else ""
    if not stop.is_stuck(job, now):
        return said("now"), said(why)
    burnt = cost_since_asked(job, now)
    return said("trying again"), said(f"{words.money(burnt)} since asked" if burnt else why)


def why_of(job: Job) -> str:
    """The limit that decides, in two or three words."""
    if job.verdict_rule in LIMIT_WORDS:
        return LIMIT_WORDS[job.verdict_rule]
    if job.verdict_rule == deadlines.CHECKIN:
        return "unless answered" if is_asked(job) else "check-in"
    if job.verdict_rule != deadlines.IDLE:
        return _lifetime(job)
    if _is_at(job, job.protected_until):
        return "protection ends"
    if _is_at(job, job.extend_until):
        return "extended, unless used"
    return "idle, unless used" if job.quiet_since is not None else "unless used"


def _lifetime(job: Job) -> str:
    ceiling_at = _ceiling_at(job)
    if ceiling_at is not None and job.stop_at is not None and job.stop_at >= ceiling_at - NEARLY:
        return f"{words.round_duration(job.ceiling_s or 0)} at most"
    if _is_at(job, job.extend_until):
        return "extended"
    return f"{words.round_duration(job.lifetime_s or 0)} lifetime"


def _is_at(job: Job, at: dt.datetime | None) -> bool:
    return at is not None and job.stop_at is not None and abs(job.stop_at - at) < NEARLY


def _ceiling_at(job: Job) -> dt.datetime | None:
    begun = job.launched_at or job.created_at
    return begun + dt.timedelta(seconds=job.ceiling_s) if job.ceiling_s else None


def cost_since_asked(job: Job, now: dt.datetime) -> Decimal | None:
    """What it cost since its stop was asked for, in USD; ``None`` where that is not known."""
    if job.stop_requested_at is None or job.hourly_rate_usd is None or job.spending_since is None:
        return None
    return price(job.hourly_rate_usd, now - job.stop_requested_at)
