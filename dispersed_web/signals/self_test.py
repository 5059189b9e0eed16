"""Whether heartbeats can reach this server: one is sent to ourselves over the address that containers use. On its way it
looks whether the proxy in front keeps visitors from writing the proxy's own headers."""

from __future__ import annotations

import logging
import secrets

import httpx
from django.conf import settings

TIMEOUT_S = 10.0
# As the server hands headers on, X_Request_Id is the same one as X-Request-Id, and X_Forwarded_For as X-Forwarded-For.
FORGED, ECHOED = "X_Request_Id", "X-Request-Id"

log = logging.getLogger(__name__)
_told = False


def fault() -> str:
    """What keeps heartbeats from arriving, in words; empty when the address answers as it should.

    The token is nobody's, so the answer to expect is the receiver's own "unknown", which it gives after asking the
    database.
    """
    url = f"{settings.PUBLIC_URL}/hb/{secrets.token_urlsafe(32)}"
    forged = {FORGED: secrets.token_hex(16)} if settings.ALLAUTH_TRUSTED_PROXY_COUNT else {}
    try:
        answer = httpx.post(url, json={"v": 1}, headers=forged, timeout=TIMEOUT_S, follow_redirects=False)
        is_ours = answer.status_code == 404 and "message" in answer.json()
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    except ValueError:
        return "another server answered"
    if is_ours and forged and answer.headers.get(ECHOED) == forged[FORGED]:
        _tell_of_the_proxy()
    return "" if is_ours else f"it answered with status {answer.status_code}"


def _tell_of_the_proxy() -> None:
    """Once for each process: nothing but the proxy's settings can mend it."""
    global _told
    if not _told:
        _told = True
        log.error(
            "The proxy in front passes on headers whose names have an underscore, so visitors can forge X-Forwarded-For and "
            "X-Forwarded-Proto, and with them their address in the audit log and where attempts are counted. Have it drop "
            "such headers: see “TLS and the proxy” in docs/operations.md."
        )
