"""The end of a credential: its secret is destroyed, the row stays for the jobs that it launched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.events.models import Audience
from dispersed_web.events.record import Actor, record

LONGEST_NAME = 60
DELETABLE = (
    CredentialState.ACTIVE,
    CredentialState.BROKEN,
    CredentialState.DISABLED,
    CredentialState.RETIRED,
)


def retired_name(name: str, day: dt.date, taken: Collection[str]) -> str:
    """``Lab (retired 25 Nov 2026)``, cut where it would be too long, with a number where the team has it already. Pure."""
    for number in range(1, 1000):
        tail = f" (retired {day.day} {day:%b %Y}{f', {number}' if number > 1 else ''})"
        found = name[: LONGEST_NAME - len(tail)] + tail
        if found not in taken:
            return found
    raise ValueError("no free name")


def destroy(
    credential: Credential, kind: str, sentence: str, *, actor: Actor, now: dt.datetime, audience: str = ""
) -> bool:
    """Destroys the secret: nothing can be done with the key here any more. False when that was done before.

    Whoever calls it has made sure, in the same transaction, that no job needs it. What expires or fails no more is no
    news, so its health is cleared.
    """
    with transaction.atomic():
        rows = Credential.objects.filter(pk=credential.pk, state__in=DELETABLE)
        changed = rows.update(
            state=CredentialState.GONE,
            secret_sealed="",
            retired_at=credential.retired_at or now,
            failures=0,
            failure="",
            cancel_refused_at=None,
            refused_at=None,
            expires_at=None,
            listed_at=None,
            clock_offset_ms=None,
        )
        if changed:
            record(
                credential.team_id,
                actor,
                kind,
                ("credential", credential.pk),
                sentence,
                now=now,
                data={"public_key": credential.public_key_hint},
                audience=audience or Audience.ADMINS,
            )
    return bool(changed)
