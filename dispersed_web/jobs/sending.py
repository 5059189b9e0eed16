"""Sending a queued launch: at most one request per job ever leaves.

Dispersed has no idempotency key, so an unclear answer must never lead to a second request. A claim (one conditional
UPDATE) makes the job LAUNCHING and is the only way to the one request. The answer makes it PENDING, or QUEUED again
where the request provably never left this machine, or UNCONFIRMED in every other case; ``finding.py`` is the way out of
the last.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from dispersed_web.clock import Clock
from dispersed_web.credentials import health, vault
from dispersed_web.credentials.clients import client_for
from dispersed_web.credentials.models import Credential
from dispersed_web.dispersed import AuthShapes, DispersedError, Outcome, Unauthorized
from dispersed_web.events.record import LAUNCHER, record
from dispersed_web.jobs import cap_facts, cooking, first_use, guard, launch_facts
from dispersed_web.jobs.adopt import adopt
from dispersed_web.jobs.alone import alone
from dispersed_web.jobs.launch import take_turn
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Reason, Status
from dispersed_web.teams.models import Team

LEASE = dt.timedelta(seconds=120)
LONGEST_PAUSE_S = 20
MAX_CLAIMS = 5
# The cloud refuses a signature older than its time window; with a margin for the delay of its listing, a request that
# is not seen after this fence can never arrive any more.
TIME_WINDOW = dt.timedelta(seconds=300)
FENCE = TIME_WINDOW + dt.timedelta(seconds=120)
FIRST_LOOK = dt.timedelta(seconds=3)


@dataclass(frozen=True)
class Claim:
    """The right to send one job's one request. ``x_time_ms`` and ``nonce`` are fixed here and never renewed, so that the
    request is dead at the cloud once its time window has passed, whatever holds it up."""

    job: Job
    token: uuid.UUID
    x_time_ms: int
    nonce: str


@sensitive_variables()
def send(job_id: uuid.UUID, clock: Clock) -> None:
    """Claims the job and sends its request. Safe to call at any time, any number of times."""
    started = _boot_time()
    claim = _claim(job_id, clock())
    if claim is None:
        return
    try:
        body = cooking.body_to_send(claim.job)
        client = client_for(
            claim.job.credential,
            team_id=claim.job.team_id,
            purpose="launch",
            user_id=claim.job.created_by_id,
        )
    except cooking.RecipeUnread as error:
        _release(claim, f"The recipe of Dispersed could not be read: {error}", clock())
        return
    except (vault.CannotOpen, ValueError) as error:
        _fail_unsent(claim, f"It was not sent: {error}", clock())
        return
    with client:
        if _boot_time() - started > LONGEST_PAUSE_S:
            _release(claim, "This server paused for too long; trying again.", clock())
            return
        try:
            remote = cooking.post(
                client,
                claim.job,
                body,
                time_ms=claim.x_time_ms,
                nonce=claim.nonce,
                auth_shapes=auth_shapes(claim.job.credential),
            )
        except DispersedError as error:
            _apply_error(claim, error, clock())
            if isinstance(error, Unauthorized) and error.status == 403:
                health.note_permission(claim.job.credential, "launch", False, clock())
        else:
            health.note_permission(claim.job.credential, "launch", True, clock())
            adopt(claim.job, remote, clock(), late=False)
    # Only now, because the request waits for no disk
    health.note_used(claim.job.credential_id, claim.job.created_by_id, clock())


def _claim(job_id: uuid.UUID, now: dt.datetime) -> Claim | None:
    with transaction.atomic():
        # The job before its team, as everywhere: a stop that is asked for meanwhile waits instead of being broken off.
        rows = Job.objects.select_for_update(of=("self",), no_key=True).select_related("credential", "team")
        job = rows.filter(pk=job_id, status=Status.QUEUED).first()
        if job is None or job.stop_requested_at or job.send_by <= now:
            return None
        take_turn(job.team)
        if not _may_go(job, now):
            return None
        claim = Claim(job, uuid.uuid4(), _cloud_now_ms(job.credential), secrets.token_hex(16))
        claimed = Job.objects.filter(
            pk=job.pk, status=Status.QUEUED, maybe_sent=0, send_by__gt=now, stop_requested_at=None
        ).update(
            status=Status.LAUNCHING,
            maybe_sent=1,
            claims=F("claims") + 1,
            claim_token=claim.token,
            lease_until=now + LEASE,
            x_time_ms=claim.x_time_ms,
            nonce=claim.nonce,
            fence_at=now + FENCE,
            reason_text="",
        )
        if not claimed:
            return None
        first_use.tell(job, now)
        Team.bump(job.team_id)
    return claim


def _may_go(job: Job, now: dt.datetime) -> bool:
    """Checks the guard again in the claim's own transaction; a lasting refusal ends the job, a passing one delays it."""
    others = ~Q(pk=job.pk) & ~Q(status=Status.QUEUED)
    hard_end_at = now + dt.timedelta(seconds=job.ceiling_s) if job.ceiling_s else None
    facts = launch_facts.gather(
        job.team,
        job.credential,
        launch_facts.Launcher(job.created_by_id, asked_with=job.asked_with),
        launch_facts.Outline(hard_end_at, job.quoted_usd, job.budget_usd, cap_facts.of_job(job)),
        now,
        others=others,
    )
    refusal = guard.refusal(facts)
    if refusal is None:
        return True
    if refusal.waits:
        Job.objects.filter(pk=job.pk, status=Status.QUEUED).update(
            reason_text=f"Waiting: {refusal.sentence}", next_try_at=now + dt.timedelta(seconds=5)
        )
    else:
        _end_unsent(job, Reason.EXPIRED, f"It was not sent. {refusal.sentence}", now)
    return False


def auth_shapes(credential: Credential) -> AuthShapes:
    """What the probes learned about this key's refusals; see ``credentials.health``."""
    probe = credential.probe
    return AuthShapes(
        stale_time=tuple(probe["stale_time"]) if probe.get("stale_time") else None,
        reused_nonce=tuple(probe["reused_nonce"]) if probe.get("reused_nonce") else None,
        window_enforced=probe.get("window_enforced"),
    )


def _apply_error(claim: Claim, error: DispersedError, now: dt.datetime) -> None:
    if error.outcome is Outcome.NOT_SENT:
        _release(claim, error.sentence, now)
    else:
        _to_unconfirmed(claim, error, now)


def _held(claim: Claim) -> Q:
    return Q(pk=claim.job.pk, status=Status.LAUNCHING, claim_token=claim.token)


def _release(claim: Claim, why: str, now: dt.datetime) -> None:
    """Back to QUEUED: the request provably never left. Only the holder of the claim may do this."""
    if claim.job.claims + 1 >= MAX_CLAIMS:
        _fail_unsent(claim, f"It was not sent, in {MAX_CLAIMS} tries: {why}", now)
        return
    delay = dt.timedelta(seconds=2 ** (claim.job.claims + 1))
    Job.objects.filter(_held(claim)).update(
        status=Status.QUEUED,
        maybe_sent=0,
        claim_token=None,
        lease_until=None,
        next_try_at=now + delay,
        reason_text=why,
    )
    Team.bump(claim.job.team_id)


def _fail_unsent(claim: Claim, why: str, now: dt.datetime) -> None:
    with transaction.atomic():
        freed = Job.objects.filter(_held(claim)).update(status=Status.QUEUED, maybe_sent=0, claim_token=None)
        if freed:
            _end_unsent(claim.job, Reason.EXPIRED, why, now)


def _to_unconfirmed(claim: Claim, error: DispersedError, now: dt.datetime) -> None:
    """A refusal, too, is believed only after one complete listing without the job: a gateway that sends the same bytes
    twice can have the first copy done and the second refused."""
    refused = error.outcome is Outcome.REFUSED
    with transaction.atomic():
        changed = Job.objects.filter(_held(claim)).update(
            status=Status.UNCONFIRMED,
            reason=Reason.REFUSED if refused else "",
            reason_text=error.sentence,
            unknown_since=now,
            next_try_at=now if refused else now + FIRST_LOOK,
        )
        if changed:
            record(
                claim.job.team_id,
                LAUNCHER,
                "job.unconfirmed",
                ("job", claim.job.pk),
                f"The cloud refused the launch: {error.sentence} Making sure that nothing was started."
                if refused
                else f"The answer to the launch was not clear: {error.sentence} Looking for the job.",
                now=now,
                data={"code": error.code, "status": error.status},
            )


# What the sweep does --------------------------------------------------------------------------------------------------


def expire(now: dt.datetime) -> None:
    """Ends what was not sent in time, and puts claims whose holder died in doubt. A fault with one job is logged and
    keeps no other waiting."""
    for job in Job.objects.filter(status=Status.QUEUED, send_by__lte=now).select_related("team")[:100]:
        why = f" ({job.reason_text})" if job.reason_text else ""
        with alone(job, "ended"):
            _end_unsent(job, Reason.EXPIRED, f"It was not sent within 10 minutes and will not be{why}.", now)
    for job in Job.objects.filter(status=Status.LAUNCHING, lease_until__lt=now)[:100]:
        with alone(job, "put in doubt"):
            _doubt(job, now)


def _doubt(job: Job, now: dt.datetime) -> None:
    why = "The process that was launching it ended before it had the answer."
    with transaction.atomic():
        changed = Job.objects.filter(
            pk=job.pk, status=Status.LAUNCHING, claim_token=job.claim_token, lease_until__lt=now
        ).update(status=Status.UNCONFIRMED, unknown_since=now, next_try_at=now, reason_text=why)
        if changed:
            sentence = f"{why} Looking for the job."
            record(job.team_id, LAUNCHER, "job.unconfirmed", ("job", job.pk), sentence, now=now)


def due(now: dt.datetime) -> list[uuid.UUID]:
    """The jobs whose request may be sent now."""
    rows = Job.objects.filter(
        status=Status.QUEUED, next_try_at__lte=now, send_by__gt=now, stop_requested_at=None
    )
    return list(rows.order_by("next_try_at").values_list("pk", flat=True)[:100])


def _end_unsent(
    job: Job, reason: Reason, why: str, now: dt.datetime, *, status: Status = Status.FAILED
) -> bool:
    """Ends a job that never left. Only from QUEUED, so it cannot end one that was sent."""
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, status=Status.QUEUED, maybe_sent=0).update(
            status=status, reason=reason, reason_text=why, ended_at=now, stop_next_at=None
        )
        if changed:
            record(
                job.team_id, LAUNCHER, "job.not_launched", ("job", job.pk), why, now=now, audience="job_owner"
            )
    return bool(changed)


def expire_queued(job: Job, why: str, now: dt.datetime) -> bool:
    """Ends a queued job that will not be sent. False when it is queued no more."""
    return _end_unsent(job, Reason.EXPIRED, why, now)


def take_back(job: Job, why: str, now: dt.datetime) -> bool:
    """Ends a queued job because somebody wants it stopped. False when it is too late for that."""
    return _end_unsent(job, Reason.USER, why, now, status=Status.CANCELLED)


def _cloud_now_ms(credential: Credential) -> int:
    """The cloud's time by this machine's clock, against which its offset was measured; the database's clock may differ."""
    return time.time_ns() // 1_000_000 + (credential.clock_offset_ms or 0)


def _boot_time() -> float:
    """Seconds that go on counting while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.time()
