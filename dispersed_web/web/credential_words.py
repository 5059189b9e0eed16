"""How a credential is doing, in the words and marks of the pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.web import words

EXPIRES_SOON = dt.timedelta(days=14)


@dataclass(frozen=True)
class Health:
    """``kind`` is one of the marks of ``_status.html``; ``detail`` says what follows from it."""

    kind: str
    label: str
    detail: str = ""


def health(credential: Credential, now: dt.datetime) -> Health:
    """The worst that is known of it comes first."""
    return _state(credential, now) or _limits(credential, now) or _sight(credential, now)


def _retired(credential: Credential, now: dt.datetime) -> Health:
    """Nobody can replace its keys; what matters are the jobs that hang on it."""
    if credential.failures:
        return Health("alarm", "Retired, does not work", credential.failure)
    ends = credential.expires_at
    if ends is not None and ends <= now:
        return Health("alarm", "Retired, expired", "It can neither watch nor stop its jobs any more.")
    if ends is not None and ends - now <= EXPIRES_SOON:
        left = words.duration(ends - now)
        return Health(
            "waiting",
            f"Retired, expires in {left}",
            "Jobs that run with it cannot be stopped from here after that.",
        )
    return Health(
        "stopped", "Retired", "Launches nothing. It watches and stops its jobs until the last has ended."
    )


def _state(credential: Credential, now: dt.datetime) -> Health | None:
    if credential.state == CredentialState.GONE:
        return Health(
            "stopped", "Gone", "Its secret key is destroyed. The row stays for the jobs it launched."
        )
    if credential.state == CredentialState.RETIRED:
        return _retired(credential, now)
    if credential.state == CredentialState.BROKEN:
        return Health("alarm", "Does not work", credential.failure)
    if credential.state == CredentialState.DISABLED:
        return Health("stopped", "Disabled", "Launches nothing. Its jobs are still watched and stopped.")
    if credential.cancel_refused_at:
        return Health(
            "alarm", "Cannot stop jobs", "Dispersed refused to stop a job with it. Use a key that may."
        )
    if credential.clock_is_off():
        return Health(
            "alarm", "Clock is off", "Set this server's clock: it differs from Dispersed's by over 30 s."
        )
    return None


def _limits(credential: Credential, now: dt.datetime) -> Health | None:
    if credential.expires_at is None or credential.expires_at - now > EXPIRES_SOON:
        return None
    if credential.expires_at <= now:
        return Health("alarm", "Expired", "Replace its keys: it can neither launch nor stop jobs.")
    left = words.duration(credential.expires_at - now)
    return Health("waiting", f"Expires in {left}", "Replace its keys before then.")


def _sight(credential: Credential, now: dt.datetime) -> Health:
    if credential.failures and not credential.listing_is_fresh(now):
        return Health("alarm", "Not reachable", credential.failure)
    if credential.failures:
        return Health("waiting", "Trying again", credential.failure)
    if credential.listed_at is None:
        return Health("waiting", "Not looked at yet")
    if not credential.listing_is_fresh(now):
        return Health("waiting", "Not looked at lately", "The background work may be late.")
    return Health("running", "Works")
