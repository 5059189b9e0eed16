"""Pursuing a stop: cancel is sent, and sent again, until the job's end has been seen twice.

A 2xx on cancel is not a stop, "not found" is not a stop, and giving up is not a stop. The cancel call is safe to repeat:
its effect is a state.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet

from dispersed_web.clock import Clock
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import Client, DispersedError, NotFound, Unauthorized, is_terminal
from dispersed_web.dispersed import Job as RemoteJob
from dispersed_web.dispersed import JobRun as RemoteRun
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.jobs import applying, credential_jobs, sending
from dispersed_web.jobs.models import ENDED, IN_CLOUD, LOCAL_ONLY, Job
from dispersed_web.jobs.states import Reason
from dispersed_web.jobs.stop_alarms import alarm_if_stuck

log = logging.getLogger(__name__)
MOST_AT_ONCE = 1000
LEASE = dt.timedelta(seconds=120)
FIRST_VERIFY = dt.timedelta(seconds=5)
VERIFY_EVERY = dt.timedelta(seconds=10)
AGAIN_WHILE_CANCELLING = dt.timedelta(minutes=3)
FIRST_DELAYS_S = [5, 10, 20, 40, 60]
LATER = dt.timedelta(minutes=5)
PATIENCE = dt.timedelta(minutes=30)
DOUBT_CHECK = dt.timedelta(seconds=10)
# No try and no lease is planned so far ahead: one that is stems from before the clock was set back.
FARTHEST = dt.timedelta(minutes=10)

LastLook = Callable[[Job, Clock], bool]


@dataclass(frozen=True)
class Sight:
    """What the cloud shows of a job right now; ``job`` is ``None`` when it could not be seen."""

    job: RemoteJob | None
    runs: tuple[RemoteRun, ...] = ()

    @property
    def ended(self) -> bool:
        return (
            self.job is not None
            and is_terminal(self.job.status)
            and all(is_terminal(run.status) for run in self.runs)
        )

    @property
    def cancelling(self) -> bool:
        return self.job is not None and self.job.status == "CANCELLING"


def due_by_key(now: dt.datetime) -> dict[uuid.UUID, uuid.UUID]:
    """The jobs whose stop is to be pursued now, each with its credential; what was tried seldom comes first, so that it
    never waits behind what fails again and again."""
    rows = Job.objects.filter(_is_due(now)).order_by("stop_attempts", "stop_next_at")
    return dict(rows.values_list("pk", "credential")[:MOST_AT_ONCE])


def by_key(job_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """These jobs, at most 1,000 of them, with their credentials."""
    return dict(Job.objects.filter(pk__in=job_ids[:MOST_AT_ONCE]).values_list("pk", "credential"))


def _is_due(now: dt.datetime) -> Q:
    far = now + FARTHEST
    free = Q(stop_lease_until=None) | Q(stop_lease_until__lt=now) | Q(stop_lease_until__gt=far)
    # Said outright: whatever a process that was paused writes late, nobody's wish is no stop.
    wished = Q(stop_requested_at__isnull=False)
    return wished & free & (Q(stop_next_at__lte=now) | Q(stop_next_at__gt=far))


def _wish(job: Job) -> QuerySet[Job]:
    """The row, while its stop is still the one that was read: not called off, nor asked for anew, meanwhile."""
    return Job.objects.filter(pk=job.pk, stop_token=job.stop_token, stop_requested_at__isnull=False)


def pursue(job_id: uuid.UUID, clock: Clock, last_look: LastLook) -> None:
    """One step towards the end of one job. Safe to call at any time, any number of times.

    ``last_look`` is asked right before the first cancel of a stop for idleness: when it answers False, it has called the
    stop off.
    """
    now = clock()
    job = _lease(job_id, now)
    if job is None:
        return
    if job.status in LOCAL_ONLY:
        _wait_for_its_launch(job, now)
        alarm_if_stuck(job_id, now)
        return
    try:
        if job.stop_reason != Reason.IDLE or job.stop_attempts or last_look(job, clock):
            _step(job, clock)
    except Exception:
        _note(
            job,
            "Something in Dispersed Web itself went wrong; its log says what. It is tried again.",
            clock(),
        )
        raise
    finally:
        Job.objects.filter(pk=job.pk, stop_lease_until=now + LEASE).update(stop_lease_until=None)
        alarm_if_stuck(job_id, clock())


def _lease(job_id: uuid.UUID, now: dt.datetime) -> Job | None:
    if not Job.objects.filter(_is_due(now), pk=job_id).update(stop_lease_until=now + LEASE):
        return None
    return Job.objects.select_related("credential").get(pk=job_id)


def _wait_for_its_launch(job: Job, now: dt.datetime) -> None:
    """Its launch is in doubt: adoption makes the stop due at once, this is only the net below it. If the request turned
    out not to have left, it never will."""
    sending.take_back(job, "It was not sent, because its stop was asked for first.", now)
    Job.objects.filter(pk=job.pk, status__in=LOCAL_ONLY).update(stop_next_at=now + DOUBT_CHECK)
    Job.objects.filter(pk=job.pk, stop_lease_until=now + LEASE).update(stop_lease_until=None)


def _step(job: Job, clock: Clock) -> None:
    """One try with the job's own key, and with the team's others only if the cloud refuses that one."""
    for credential in _keys_for(job):
        try:
            with client_for(credential, team_id=job.team_id, purpose="stop") as client:
                _step_with(job, credential, client, clock)
                return
        except (vault.CannotOpen, ValueError) as unusable:
            _note(job, str(unusable), clock())
        except Unauthorized as refused:
            _note(job, refused.sentence, clock())
            _note_refusal(credential, refused, clock())
        except NotFound:
            pass  # another account's key: it says nothing about the job
        job.refresh_from_db(fields=["stop_attempts", "stop_sent_at", "status"])


def _note_refusal(credential: Credential, refused: Unauthorized, now: dt.datetime) -> None:
    """403 on a cancel concerns that right alone: nothing new is launched with a key that cannot stop. 401 concerns the
    key."""
    if refused.status == 403:
        health.note_cancel_refused(credential, now)
        health.note_permission(credential, "stop", False, now)
    else:
        health.note_failure(credential, refused, now, credential_jobs.means)


def _keys_for(job: Job) -> Iterator[Credential]:
    """The job's own credential first, then the team's others at the same cloud: any that shows the job may stop it."""
    yield job.credential
    others = Credential.objects.filter(team=job.team_id, api_url=job.credential.api_url)
    yield from others.exclude(pk=job.credential_id).exclude(state=CredentialState.GONE)


def _step_with(job: Job, credential: Credential, client: Client, clock: Clock) -> None:
    """Looks, then cancels unless the end or its beginning is seen. Raises Unauthorized when this key is refused, and
    NotFound when it is another one than the job's own and does not show the job."""
    began = clock()
    # The cloud is seen to stall single calls: a look that does must not hold up the cancel for minutes.
    with client_for(credential, team_id=job.team_id, purpose="stop", patient=False) as hasty:
        sight = _look(job, hasty, must_see=credential.pk != job.credential_id)
    if sight.job is not None:
        applying.apply_alone(job, sight.job, sight.runs, clock())
    if sight.ended:
        _note_end(job, began, clock())
    elif sight.cancelling and job.stop_sent_at and clock() - job.stop_sent_at < AGAIN_WHILE_CANCELLING:
        _wish(job).update(stop_next_at=clock() + VERIFY_EVERY, end_seen_at=None)
    else:
        _cancel(job, credential, client, clock)


def _look(job: Job, client: Client, *, must_see: bool) -> Sight:
    """A look that fails never delays the cancel, except with a key of which it is not known that the job is its own."""
    try:
        remote = client.get_job(job.remote_uuid or "")
        return Sight(remote, tuple(client.complete_job_runs(remote.uuid)))
    except DispersedError as error:
        if must_see:
            raise (
                error
                if isinstance(error, Unauthorized | NotFound)
                else NotFound(error.sentence, outcome=error.outcome)
            ) from None
        return Sight(None)
    except Exception:
        # An answer that trips us up would else keep the cancel from ever being sent.
        if must_see:
            raise
        log.exception("What the cloud shows of the job %s could not be read before its cancel.", job.pk)
        return Sight(None)


def _cancel(job: Job, credential: Credential, client: Client, clock: Clock) -> None:
    """Commits the try, then sends it. Raises Unauthorized."""
    now = clock()
    # A process that was paused since its last look must not send what was called off meanwhile.
    tries = _wish(job).filter(stop_attempts=job.stop_attempts).exclude(status__in=ENDED)
    if not tries.update(
        stop_attempts=F("stop_attempts") + 1,
        stop_sent_at=now,
        stop_next_at=now + _delay(job, now),
        end_seen_at=None,
    ):
        # Its end was seen once, or somebody else tries: the next look is due later, not at once.
        _wish(job).filter(stop_next_at__lte=now).update(stop_next_at=now + VERIFY_EVERY)
        return
    try:
        client.cancel_job(job.remote_uuid or "", f"dw:{job.stop_reason}:{job.stop_token}")
    except Unauthorized:
        raise
    except DispersedError as error:
        # "Not found" here proves nothing: only a list that lacks it and a look at it alone do.
        _note(job, error.sentence, clock())
        return
    _note_worked(job, credential, clock())
    if job.stop_attempts == 0:
        _record_sent(job, clock())
    Job.objects.filter(pk=job.pk).exclude(stop_error="").update(stop_error="")
    Job.objects.filter(pk=job.pk, stop_next_at__isnull=False, status__in=IN_CLOUD).update(
        stop_next_at=clock() + FIRST_VERIFY
    )


def _note_worked(job: Job, credential: Credential, now: dt.datetime) -> None:
    health.note_cancel_worked(credential)
    health.note_permission(credential, "stop", True, now)
    health.note_used(credential.pk, job.stop_requested_by_id, now)


def _record_sent(job: Job, now: dt.datetime) -> None:
    sentence = "The stop was sent to Dispersed."
    record(job.team_id, LAUNCHER, "job.stop_sent", ("job", job.pk), sentence, now=now)


def _delay(job: Job, now: dt.datetime) -> dt.timedelta:
    """5, 10, 20, 40, 60 s, then every minute for half an hour, then every 5 minutes for ever; with jitter."""
    if job.stop_requested_at and now - job.stop_requested_at > PATIENCE:
        return LATER
    step = FIRST_DELAYS_S[min(job.stop_attempts, len(FIRST_DELAYS_S) - 1)]
    return dt.timedelta(seconds=step * random.uniform(0.7, 1.0))  # noqa: S311 - spreading, not a secret


def _note(job: Job, why: str, now: dt.datetime) -> None:
    """Stores the fault; the next try is never further away than its delay, whatever the fault."""
    _wish(job).update(stop_error=why, stop_next_at=now + _delay(job, now))


def _note_end(job: Job, looked_at: dt.datetime, now: dt.datetime) -> None:
    """The first sight of the end starts the wait for the second; one that was begun 20 s later makes it sure."""
    row = Job.objects.get(pk=job.pk)
    if row.end_seen_at is None or row.end_seen_at > now or row.status not in ENDED:
        _wish(job).update(end_seen_at=now, stop_next_at=now + applying.SURE_AFTER)
        return
    if looked_at - row.end_seen_at < applying.SURE_AFTER:
        _wish(job).update(stop_next_at=row.end_seen_at + applying.SURE_AFTER)
        return
    with transaction.atomic():
        sure = Job.objects.filter(pk=job.pk, stop_next_at__isnull=False, status__in=ENDED).update(
            stop_next_at=None, stop_error=""
        )
        if sure:
            sentence = "The end is confirmed: the cloud shows the job ended and none of its machines running."
            record(job.team_id, LAUNCHER, "job.stop_confirmed", ("job", job.pk), sentence, now=now)
