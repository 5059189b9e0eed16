"""What people say of a job that auto-stop watches: extend it, protect it, "still in use", accept its price.

Each act and a stop race through one committed row: both name the ``limits_version`` they saw, and whoever commits first
wins. No extension is ever accepted and then ignored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When

from dispersed_web.autostop import deadlines, facts, policy
from dispersed_web.autostop.sentences import words
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs import cap_facts, launch_bounds
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.models import ENDED, Job

LONGEST_PROTECTION = dt.timedelta(hours=72)
LONGEST_PROTECTION_BY_ADMINS = dt.timedelta(days=14)
CONNECTED_AGAIN = dt.timedelta(minutes=1)
# Each time voids what the engine decides at the same moment, so a machine must not ask for seconds without end.
KEPT_LONGER = dt.timedelta(minutes=1)
# What any word about a job puts off. The warning of another deadline stands, or people could put it off for ever by
# saying it again and again.
SOFT = frozenset({"", deadlines.IDLE, deadlines.CHECKIN})
# A machine that asks to be kept answers no question that was put to people.
ONLY_IDLE = frozenset({"", deadlines.IDLE})


@dataclass(frozen=True)
class Word:
    """What is said of a job: the kind and the sentence of its event, and the columns that it changes. ``voids`` are the
    rules whose warning it makes void."""

    kind: str
    sentence: str
    values: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    voids: frozenset[str] = SOFT


def extend(job: Job, *, until: dt.datetime, actor: Actor, now: dt.datetime, seen_version: int) -> dt.datetime:
    """Moves the job's stop to ``until``, cut at the hard limits, and returns the new stop time.

    Raises :class:`TooLate` when the stop was sent or the job has ended, and :class:`JobError` when a hard limit is
    reached or the page it was asked from is outdated.
    """
    refuse_if_late(job)
    terms = facts.of(job, now)
    granted = policy.extension(*terms, until, now)
    if granted is None:
        raise JobError("nothing_to_extend", _nothing_to_extend(job, terms, until, now))
    after = policy.decide(terms[0], replace(terms[1], extend_until=granted, confirmed_at=now), now)
    values = {"extend_until": granted, "stop_at": after.stop_at, "confirmed_at": now}
    voids = SOFT | {deadlines.LIFETIME}
    sentence = f"{actor.label} extended the job by {words(granted - now)} from now.{_called_off(job, voids)}"
    word = Word("job.extended", sentence, values, {"until": granted.isoformat()}, voids)
    _change(job, word, actor, now, seen_version)
    return granted


def keep(job: Job, *, until: dt.datetime, actor: Actor, now: dt.datetime) -> dt.datetime:
    """The container itself asks not to be stopped for idleness before ``until``; returns the moment it is kept until.

    A machine cannot vouch for itself: no hard limit moves, and people are asked as if it had said nothing. Raises
    :class:`TooLate` and, where nothing would change, :class:`JobError`.
    """
    refuse_if_late(job)
    rules, known = facts.of(job, now)
    hard = [
        one.earliest(known, now)
        for one in deadlines.hard(rules, known, policy.activity_of(rules, known, now))
    ]
    granted = min([until, *hard])
    is_kept = job.kept_until is not None and granted - job.kept_until < KEPT_LONGER
    if granted <= now or is_kept:
        raise JobError(
            "nothing_to_extend", "The machine is kept so long already, or a hard limit ends before."
        )
    sentence = f"{actor.label} asked to be kept for {words(granted - now)} from now."
    data = {"until": granted.isoformat()}
    _change(job, Word("job.kept", sentence, {"kept_until": granted}, data, ONLY_IDLE), actor, now)
    return granted


def confirm_use(job: Job, *, actor: Actor, now: dt.datetime, seen_version: int | None = None) -> None:
    """Somebody says that the job is in use: idle time and check-ins count anew from now; hard limits stay.

    Raises :class:`TooLate` and, for an outdated page, :class:`JobError`.
    """
    refuse_if_late(job)
    sentence = f"{actor.label} said that the job is still in use.{_called_off(job)}"
    _change(job, Word("job.in_use", sentence, {"confirmed_at": now}), actor, now, seen_version)


def protect(
    job: Job,
    *,
    until: dt.datetime,
    reason: str,
    actor: Actor,
    by_admin: bool,
    now: dt.datetime,
    seen_version: int | None = None,
) -> None:
    """Keeps the job from being stopped for idleness until then; hard limits still hold.

    Raises :class:`JobError` for a reason or a moment that will not do, :class:`TooLate`.
    """
    refuse_if_late(job)
    longest = LONGEST_PROTECTION_BY_ADMINS if by_admin else LONGEST_PROTECTION
    reason = " ".join(reason.split())
    if not reason:
        raise JobError("invalid", "Say why the job must not be stopped; everybody sees it.", field="reason")
    if len(reason) > 200:
        raise JobError("invalid", "Say it in 200 characters or less.", field="reason")
    if until <= now:
        raise JobError("invalid", "That moment is past. Say one that is still to come.", field="until")
    if until > now + longest:
        raise JobError("invalid", f"At most {words(longest)} from now.", field="until")
    values = {"protected_until": until, "protected_reason": reason, "confirmed_at": now}
    sentence = (
        f"{actor.label} protected the job from stops for idleness for {words(until - now)}: “{reason}”."
        f"{_called_off(job)}"
    )
    data = {"until": until.isoformat(), "reason": reason}
    _change(job, Word("job.protected", sentence, values, data), actor, now, seen_version)


def unprotect(job: Job, *, actor: Actor, now: dt.datetime, seen_version: int | None = None) -> None:
    """Lifts a protection. What that makes due is warned about in full. Raises :class:`TooLate`, :class:`JobError`."""
    refuse_if_late(job)
    if job.protected_until is None:
        raise JobError("not_protected", "The job is not protected.")
    values = {"protected_until": None, "protected_reason": "", "choices_changed_at": now}
    sentence = f"{actor.label} lifted the protection."
    _change(job, Word("job.unprotected", sentence, values), actor, now, seen_version)


def accept_rate(job: Job, *, actor: Actor, now: dt.datetime, seen_version: int | None = None) -> None:
    """Accepts that the job costs more than was allowed at launch. Raises :class:`TooLate`, :class:`JobError`.

    Every alarm moves ``limits_version``, so that with the ``seen_version`` of a page nobody accepts another price than
    they saw.
    """
    refuse_if_late(job)
    if job.rate_exceeded_at is None or job.rate_accepted_at is not None:
        raise JobError("nothing_to_accept", "There is no price to accept.")
    if why_not := cap_facts.over_the_hour(job, job.hourly_rate_usd, now):
        raise JobError("cap_hourly", why_not)
    rate = f"${job.hourly_rate_usd:.2f}/h" if job.hourly_rate_usd is not None else "its price"
    voids = SOFT | {deadlines.RATE}
    sentence = f"{actor.label} accepted {rate}.{_called_off(job, voids)}"
    word = Word("job.rate_accepted", sentence, {"rate_accepted_at": now}, voids=voids)
    _change(job, word, actor, now, seen_version)


def note_connected(job: Job, now: dt.datetime, actor: Actor) -> bool:
    """Somebody opened the connection of the job: a sign of use for a quarter of an hour. Viewing pages is none. False
    when it is a minute or less since the last time, or too late."""
    if job.connected_at is not None and now - job.connected_at < CONNECTED_AGAIN:
        return False
    with transaction.atomic():
        rows = Job.objects.filter(pk=job.pk, stop_requested_at=None).exclude(status__in=ENDED)
        changed = rows.update(connected_at=now, evaluate_at=now, limits_version=F("limits_version") + 1)
        if changed:
            sentence = f"{actor.label} opened the connection."
            record(job.team_id, actor, "job.connected", ("job", job.pk), sentence, now=now)
    return bool(changed)


def _change(job: Job, word: Word, actor: Actor, now: dt.datetime, seen_version: int | None = None) -> None:
    """One conditional update and its event. A warning that it makes void comes anew for the new deadline."""
    with transaction.atomic():
        rows = Job.objects.filter(pk=job.pk, stop_requested_at=None).exclude(status__in=ENDED)
        if seen_version is not None:
            rows = rows.filter(limits_version=seen_version)
        changed = rows.update(
            **word.values,
            warned_for=_unless_void("warned_for", word),
            warned_at=_unless_void("warned_at", word),
            evaluate_at=now,
            limits_version=F("limits_version") + 1,
        )
        if changed:
            audience = Audience.JOB_OWNER if _is_void(job, word.voids) else Audience.NOBODY
            subject, data = ("job", job.pk), dict(word.data)
            record(
                job.team_id, actor, word.kind, subject, word.sentence, now=now, data=data, audience=audience
            )
    if not changed:
        job.refresh_from_db()
        refuse_if_late(job)
        raise JobError(
            "outdated", "Somebody changed this job's limits a moment ago. Look at them, then try again."
        )


def _unless_void(column: str, word: Word) -> Case:
    void = When(verdict_rule__in=sorted(word.voids), then=Value(None))
    return Case(void, default=F(column), output_field=DateTimeField())


def _is_void(job: Job, voids: frozenset[str]) -> bool:
    """Whether people were warned of a stop that does not come now: then what was said is news to them."""
    return job.warned_for is not None and job.verdict_rule in voids


def _called_off(job: Job, voids: frozenset[str] = SOFT) -> str:
    return " The announced stop is called off." if _is_void(job, voids) else ""


def refuse_if_late(job: Job) -> None:
    """Raises :class:`TooLate` for a job whose stop was asked for, or that has ended."""
    if job.stop_requested_at and job.is_active:
        raise TooLate(
            "too_late", f"Too late: the stop was asked for at {job.stop_requested_at:%H:%M:%S} UTC."
        )
    if not job.is_active:
        raise TooLate("too_late", "Too late: the job has ended.")


def _nothing_to_extend(job: Job, terms: facts.Terms, until: dt.datetime, now: dt.datetime) -> str:
    rules, known = terms
    verdict = policy.decide(rules, known, now)
    if verdict.rule in (deadlines.BUDGET, deadlines.RATE):
        return f"{verdict.sentence} An extension does not change that."
    latest = policy.latest_end(rules, known)
    if latest is None or until < latest:
        return "The job already runs until then or longer."
    ceiling = deadlines.ceiling(rules, known)
    if latest != ceiling:
        return "The team's schedule stops the job then; an admin can change the schedule."
    longest = words(latest - known.launched_at)
    if launch_bounds.held_by_recipe(job):
        return (
            f"The author of its recipe locked its lifetime of {longest}, so nobody can extend it. Launch it again when it "
            "has ended."
        )
    return (
        f"The job already runs as long as the team allows, {longest} from its launch. An admin can raise that for new "
        "jobs."
    )
