"""How a credential is doing: what syncs and probes learned, and when the team is told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import F

from dispersed_web.credentials import expiry
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import AuthShapes, DispersedError, Unauthorized
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.teams.models import Team

CLOCK_STEP_MS = 500
# Listings come every half minute at least, and every minute after a failure.
SIGHT_LOST_AFTER = dt.timedelta(minutes=3)
# What a key was seen to be allowed is noted again so often, though nothing changed.
NOTE_PERMISSION_EVERY = dt.timedelta(days=1)
MEANS = "Jobs that run with it cannot be stopped from here until it works again."

# What it means for running jobs that a credential does not work, as a sentence.
Means = Callable[[Credential], str]
# What it means for its jobs that a retired one expires, or has expired, as a sentence.
Hangs = Callable[[Credential, bool], str]


def note_success(credential: Credential, listed_at: dt.datetime, now: dt.datetime) -> bool:
    """A complete listing succeeded. True when the credential had been failing before."""
    with transaction.atomic():
        before = Credential.objects.values("state", "failures", "listed_at", "seen_since").get(
            pk=credential.pk
        )
        values = {"listed_at": listed_at, "failures": 0, "failure": "", "refused_at": None}
        gap = before["listed_at"] is None or listed_at - before["listed_at"] > SIGHT_LOST_AFTER
        if gap or before["seen_since"] is None:
            values["seen_since"] = listed_at
        if before["state"] == CredentialState.BROKEN:
            values["state"] = CredentialState.ACTIVE
        Credential.objects.filter(pk=credential.pk).update(**values)
        if before["state"] == CredentialState.BROKEN:
            _tell(
                credential,
                "credential.works",
                f"Dispersed accepts the credential “{credential.name}” again.",
                now,
            )
        elif before["failures"]:
            Team.bump(credential.team_id)
    return before["failures"] > 0


def note_failure(
    credential: Credential, error: DispersedError, now: dt.datetime, means: Means | None = None
) -> None:
    """A sync failed. Unauthorized breaks the credential: no launches with it, stops are still tried."""
    with transaction.atomic():
        first = Credential.objects.filter(pk=credential.pk, failures=0).exists()
        Credential.objects.filter(pk=credential.pk).update(
            failures=F("failures") + 1, failed_at=now, failure=error.sentence
        )
        if isinstance(error, Unauthorized):
            _break(credential, error.sentence, now, means)
        elif first:
            Team.bump(credential.team_id)


def note_unusable(credential: Credential, why: str, now: dt.datetime, means: Means | None = None) -> None:
    """The credential cannot even be used here: its encryption key is missing, or it is for the other kind of cloud."""
    with transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(
            failures=F("failures") + 1, failed_at=now, failure=why
        )
        _break(credential, why, now, means)


def _break(credential: Credential, why: str, now: dt.datetime, means: Means | None) -> None:
    """One that launches nothing any more keeps its state, but the team is told once all the same: it must still stop."""
    rows = Credential.objects.filter(pk=credential.pk)
    is_new = rows.filter(refused_at=None).update(refused_at=now)
    broken = rows.filter(state=CredentialState.ACTIVE).update(state=CredentialState.BROKEN)
    quiet = (CredentialState.DISABLED, CredentialState.RETIRED)
    if broken or (is_new and rows.filter(state__in=quiet).exists()):
        what = means(credential) if means else MEANS
        sentence = f"The credential “{credential.name}” does not work: {why} {what}"
        _tell(credential, "credential.broken", sentence, now)


def note_clock(credential: Credential, offset_ms: int | None) -> None:
    """Stores how far the cloud's clock is ahead of ours, when it moved noticeably."""
    known = credential.clock_offset_ms
    if offset_ms is None or (known is not None and abs(offset_ms - known) < CLOCK_STEP_MS):
        return
    Credential.objects.filter(pk=credential.pk).update(clock_offset_ms=offset_ms)


def note_probe(credential: Credential, shapes: AuthShapes, now: dt.datetime) -> None:
    """Stores what the cloud answers to stale and repeated requests of this key."""
    probe = {
        "stale_time": shapes.stale_time,
        "reused_nonce": shapes.reused_nonce,
        "window_enforced": shapes.window_enforced,
    }
    Credential.objects.filter(pk=credential.pk).update(probe=probe, probed_at=now)


def note_cancel_refused(credential: Credential, now: dt.datetime) -> None:
    """The key may not stop jobs: nothing is launched with it until it is known to."""
    Credential.objects.filter(pk=credential.pk).update(cancel_refused_at=now)


def note_cancel_worked(credential: Credential) -> None:
    """A stop went through, so the key may stop jobs after all."""
    Credential.objects.filter(pk=credential.pk, cancel_refused_at__isnull=False).update(
        cancel_refused_at=None
    )


def note_permission(credential: Credential, act: str, allowed: bool, now: dt.datetime) -> None:
    """What the cloud did, or refused with 403, with this key: ``list``, ``launch``, ``stop`` or ``prices``."""
    known = credential.permissions.get(act, {})
    if known.get("allowed") is allowed:
        noted_at = dt.datetime.fromisoformat(known["at"])
        if abs(now - noted_at) < NOTE_PERMISSION_EVERY:
            return
    with transaction.atomic():
        row = Credential.objects.select_for_update(no_key=True).only("permissions").get(pk=credential.pk)
        row.permissions = {**row.permissions, act: {"allowed": allowed, "at": now.isoformat()}}
        Credential.objects.filter(pk=credential.pk).update(permissions=row.permissions)
    credential.permissions = row.permissions


def note_used(credential_id: uuid.UUID, user_id: int | None, now: dt.datetime) -> None:
    """Something was launched or stopped with it; ``None`` where nobody but the engine wanted that."""
    Credential.objects.filter(pk=credential_id).update(last_used_at=now, last_used_by=user_id)


def warn_of_expiry(credential: Credential, now: dt.datetime, hangs: Hangs | None = None) -> bool:
    """Tells the admins 14, 3 and 1 days ahead and when it has expired, once each. Rotation arms it anew. Of a retired one
    nobody can replace the keys: ``hangs`` says what it means for its jobs."""
    days = expiry.warning_due(credential.expires_at, credential.expiry_told_days, now)
    if days is None or credential.expires_at is None or credential.state == CredentialState.GONE:
        return False
    with transaction.atomic():
        told = Credential.objects.filter(
            pk=credential.pk,
            expires_at=credential.expires_at,
            expiry_told_days=credential.expiry_told_days,
        ).update(expiry_told_days=days)
        if told:
            kind = "credential.expires" if days else "credential.expired"
            is_retired = credential.state == CredentialState.RETIRED and hangs is not None
            what = hangs(credential, days == 0) if hangs and is_retired else None
            _tell(credential, kind, expiry.words(credential.name, credential.expires_at, days, what), now)
    return bool(told)


def _tell(credential: Credential, kind: str, sentence: str, now: dt.datetime) -> None:
    record(
        credential.team_id,
        CLOUD,
        kind,
        ("credential", credential.pk),
        sentence,
        now=now,
        audience=Audience.ADMINS,
    )
