"""How a credential is doing: what syncs and probes learned, and when the team is told."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.dispersed import AuthShapes, DispersedError, Unauthorized
from dispersed_web.events.models import Audience
from dispersed_web.events.record import CLOUD, record
from dispersed_web.teams.models import Team

CLOCK_STEP_MS = 500
# Listings come every half minute at least, and every minute after a failure.
SIGHT_LOST_AFTER = dt.timedelta(minutes=3)


def note_success(credential: Credential, listed_at: dt.datetime, now: dt.datetime) -> bool:
    """A complete listing succeeded. True when the credential had been failing before."""
    with transaction.atomic():
        before = Credential.objects.values("state", "failures", "listed_at", "seen_since").get(
            pk=credential.pk
        )
        values = {"listed_at": listed_at, "failures": 0, "failure": ""}
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


def note_failure(credential: Credential, error: DispersedError, now: dt.datetime) -> None:
    """A sync failed. Unauthorized breaks the credential: no launches with it, stops are still tried."""
    with transaction.atomic():
        first = Credential.objects.filter(pk=credential.pk, failures=0).exists()
        Credential.objects.filter(pk=credential.pk).update(
            failures=F("failures") + 1, failed_at=now, failure=error.sentence
        )
        if isinstance(error, Unauthorized):
            _break(credential, error.sentence, now)
        elif first:
            Team.bump(credential.team_id)


def note_unusable(credential: Credential, why: str, now: dt.datetime) -> None:
    """The credential cannot even be used here: its encryption key is missing, or it is for the other kind of cloud."""
    with transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(
            failures=F("failures") + 1, failed_at=now, failure=why
        )
        _break(credential, why, now)


def _break(credential: Credential, why: str, now: dt.datetime) -> None:
    broken = Credential.objects.filter(pk=credential.pk, state=CredentialState.ACTIVE).update(
        state=CredentialState.BROKEN
    )
    if broken:
        _tell(
            credential,
            "credential.broken",
            f"The credential “{credential.name}” does not work: {why} Jobs that run with it cannot be stopped from here "
            "until it works again.",
            now,
        )


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
    Credential.objects.filter(pk=credential.pk).update(cancel_refused_at=now)


def note_cancel_worked(credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk, cancel_refused_at__isnull=False).update(
        cancel_refused_at=None
    )


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
