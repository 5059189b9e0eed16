"""Per request: what the audit log and the process logs say of it. Goes before whatever may log."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from dispersed_web.events import context
from dispersed_web.events.context import RequestFacts
from dispersed_web.web.client_address import client_address

HEADER = "X-Request-Id"
LONGEST_AGENT = 200
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,36}")


class RequestFactsMiddleware:
    """Notes address, user agent and id of the request while it is answered; the answer carries the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        facts = facts_of(request)
        with context.within(facts):
            response = self.get_response(request)
        response[HEADER] = facts.request_id
        return response


def facts_of(request: HttpRequest) -> RequestFacts:
    """Where the request comes from, as the audit log keeps it."""
    return RequestFacts(client_address(request) or None, _agent(request), _id(request))


def _agent(request: HttpRequest) -> str:
    given = request.headers.get("User-Agent", "")[: 2 * LONGEST_AGENT]
    plain = "".join(" " if unicodedata.category(one).startswith("C") else one for one in given)
    return plain.strip()[:LONGEST_AGENT]


def _id(request: HttpRequest) -> str:
    """The proxy's name for the request, if a proxy stands in front and the name is well-formed; else a new one."""
    given = request.headers.get(HEADER, "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
    return given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
