"""Passwords that others found out elsewhere, asked of a service that learns neither the password nor the person.

The service is given the first five of the forty hex digits of the password's SHA-1 and answers with all that it knows to
begin so, some hundreds; the comparison is done here. Padding keeps the size of an answer from telling which it was. This
is the interface of "Pwned Passwords", which an installation may also mirror. Off without ``DW_BREACHED_PASSWORDS_URL``.

The libraries there are for it ask one fixed address and follow the proxy of the environment, so it is written out here.
"""

from __future__ import annotations

import hashlib
import logging

import httpcore
import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed.transport import Deadline, DeadlineTransport, TooLarge, send

SECONDS = 2.0
SENT_DIGITS = 5
SENTENCE = (
    "This password was found in a list that was stolen elsewhere, so others try it. Choose another one."
)
log = logging.getLogger(__name__)


class NotBreached:
    """A validator for ``AUTH_PASSWORD_VALIDATORS``. A service that does not answer keeps nobody out."""

    @sensitive_variables()
    def validate(self, password: str, user: object = None) -> None:
        """Raises ``ValidationError``."""
        if not settings.BREACHED_PASSWORDS_URL:
            return
        digest = hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()
        if is_listed(digest[SENT_DIGITS:], _ask(digest[:SENT_DIGITS])):
            raise ValidationError(SENTENCE, code="password_breached")

    def get_help_text(self) -> str:
        return "It may not be one that is known from a theft elsewhere."


@sensitive_variables()
def is_listed(rest: str, answer: str) -> bool:
    """Whether ``rest`` (the digits that were not sent) stands in the answer, lines of ``REST:COUNT``. Padding has the
    count 0. Pure."""
    for line in answer.splitlines():
        found, _, count = line.strip().partition(":")
        if found.upper() == rest:
            return count.strip("0") != ""
    return False


def _ask(beginning: str) -> str:
    """The service's answer; empty, and a line in the log, when there is none: no redirects, no proxy, within two
    seconds. What was asked is not logged."""
    deadline = Deadline()
    transport = DeadlineTransport(deadline, keep_alive=0)
    headers = {"Add-Padding": "true", "Accept-Encoding": "identity", "User-Agent": "dispersed-web"}
    try:
        request = httpx.Request("GET", f"{settings.BREACHED_PASSWORDS_URL}/{beginning}", headers=headers)
        reply = send(transport, request, deadline, SECONDS)
    except (httpx.HTTPError, httpx.StreamError, httpcore.NetworkError, TooLarge, OSError) as error:
        log.warning(
            "A password was not looked up among the breached ones: %s. It was accepted.", type(error).__name__
        )
        return ""
    finally:
        transport.close()
    if reply.status != httpx.codes.OK:
        log.warning(
            "A password was not looked up among the breached ones: status %s. It was accepted.", reply.status
        )
        return ""
    return reply.body.decode("ascii", "replace")
