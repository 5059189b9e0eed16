"""What a person says of a job of which the cloud says nothing: a launch whose absence cannot be proved, or a job that is not
shown any more. Whoever settles it has looked in the console of Dispersed.

Without that such a job would count for ever, in limits, alarms and for its credential. It is no proof, so it is looked for
all the same: one that turns up is taken in again, as any that was given up.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record
from dispersed_web.jobs.errors import JobError, TooLate
from dispersed_web.jobs.finding import LISTINGS_NEEDED, UNRESOLVED_AFTER, WATCH
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status

# A cloud that has a bad hour is no reason to call a job gone.
MISSING_FOR = dt.timedelta(hours=1)
LOOKED = "looked in the console of Dispersed"


def may_be_settled(job: Job, now: dt.datetime) -> bool:
    """Whether a person's word is all that is left: nothing else is going to tell soon. Pure."""
    if job.state == Status.UNCONFIRMED:
        return _is_past_looking(job, now)
    if not job.is_active or job.missing_since is None or job.missing_alarmed_at is None:
        return False
    return now - job.missing_since >= MISSING_FOR


def _is_past_looking(job: Job, now: dt.datetime) -> bool:
    """A day without certainty, or where the cloud takes old requests as well, so that no proof will come."""
    if job.unknown_since is None or job.fence_at is None or now <= job.fence_at:
        return False
    looked = job.absent_lists >= LISTINGS_NEEDED
    no_proof = job.credential.probe.get("window_enforced") is False
    return (looked and no_proof) or now - job.unknown_since >= UNRESOLVED_AFTER


def settle(job: Job, *, actor: Actor, now: dt.datetime) -> None:
    """Ends the job on the actor's word. What it had cost at last sight is its cost.

    Raises :class:`TooLate` when it was found, shown again or settled meanwhile, :class:`JobError` while it may still become
    known by itself.
    """
    if not job.is_active:
        raise TooLate("too_late", "This job has ended meanwhile.")
    if not may_be_settled(job, now):
        raise JobError(
            "not_yet", "It is still being looked for, and nobody's word is needed yet. Look again later."
        )
    values, sentence = _as_lost(job, actor) if job.remote_uuid else _as_absent(job, actor, now)
    with transaction.atomic():
        rows = Job.objects.filter(pk=job.pk, status=job.status, remote_uuid=job.remote_uuid)
        changed = rows.filter(missing_since=job.missing_since).update(
            status=Status.FAILED, reason_text=sentence, stop_next_at=None, spending_since=None, **values
        )
        if not changed:
            raise TooLate("too_late", "Something became known of this job meanwhile. Look at it again.")
        record(
            job.team_id,
            actor,
            "job.settled",
            ("job", job.pk),
            sentence,
            now=now,
            data={"reason": values["reason"].value, "remote_uuid": job.remote_uuid or ""},
            audience=Audience.JOB_OWNER,
        )


def _as_absent(job: Job, actor: Actor, now: dt.datetime) -> tuple[dict[str, Any], str]:
    """A launch of which nothing came."""
    values = {"reason": Reason.NEVER_ARRIVED, "ended_at": now, "watch_until": now + WATCH}
    sentence = (
        f"{actor.label} {LOOKED}: nothing came of this launch. If it turns up after all, it is "
        "taken in again and admins are told."
    )
    return values, sentence


def _as_lost(job: Job, actor: Actor) -> tuple[dict[str, Any], str]:
    """A job that ended while nobody could see it, at the latest when it was missed."""
    values = {
        "reason": Reason.LOST,
        "ended_at": job.missing_since,
        "spent_usd": job.meter.read(job.missing_since) or 0,
        "missing_since": None,
        "missing_alarmed_at": None,
    }
    sentence = (
        f"{actor.label} {LOOKED}: this job does not run any more. If Dispersed shows it again, it "
        "is taken in again and admins are told."
    )
    return values, sentence
