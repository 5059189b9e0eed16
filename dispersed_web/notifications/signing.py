"""How messages to a team's own program are signed, so that it can tell them from anybody else's. Pure.

The signature covers the time as well: an old message that somebody kept and sends again is seen to be old. The scheme is
described, with an example that checks it, in docs/notifications.md.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.views.decorators.debug import sensitive_variables

PREFIX = "whsec_"
TIMESTAMP = "X-Dispersed-Web-Timestamp"
SIGNATURE = "X-Dispersed-Web-Signature"
VERSION = "v1"


def new_secret() -> str:
    """256 random bits, with a prefix that scanners of leaked secrets can look for."""
    return PREFIX + secrets.token_urlsafe(32)


@sensitive_variables()
def headers(secret: str, body: bytes, unix_s: int) -> dict[str, str]:
    """The headers of a message that is sent at ``unix_s``."""
    return {TIMESTAMP: str(unix_s), SIGNATURE: f"{VERSION}={signature(secret, body, unix_s)}"}


@sensitive_variables()
def signature(secret: str, body: bytes, unix_s: int) -> str:
    """HMAC-SHA256 in hex over the time, a full stop and the body as it is sent."""
    return hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256).hexdigest()
