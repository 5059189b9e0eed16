"""Whether heartbeats can reach this server: one is sent to ourselves over the address that containers use."""

from __future__ import annotations

import secrets

import httpx
from django.conf import settings

TIMEOUT_S = 10.0


def fault() -> str:
    """What keeps heartbeats from arriving, in words; empty when the address answers as it should.

    The token is nobody's, so the answer to expect is the receiver's own "unknown", which it gives after asking the
    database.
    """
    url = f"{settings.PUBLIC_URL}/hb/{secrets.token_urlsafe(32)}"
    try:
        answer = httpx.post(url, json={"v": 1}, timeout=TIMEOUT_S, follow_redirects=False)
        is_ours = answer.status_code == 404 and "message" in answer.json()
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    except ValueError:
        return "another server answered"
    return "" if is_ours else f"it answered with status {answer.status_code}"
