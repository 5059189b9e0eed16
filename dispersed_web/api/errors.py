"""The one error shape of the REST API: ``{"error": {"code", "message", "fields"}}``, always JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, JsonResponse
from rest_framework import exceptions

from dispersed_web.errors import DomainError
from dispersed_web.jobs.errors import TooManyLaunches
from dispersed_web.recipes.errors import RecipeRefused

log = logging.getLogger(__name__)
NOT_FOUND = "There is nothing at this address, or nothing that this token may see."
UNKNOWN_CALLER = "Send an API token of yours in the header “Authorization: Bearer dwp_…”."
NO_SUCH_VALUE = "This is none of the values that it can have; the documentation lists them."
BROKEN = "Something is broken on our side; it was logged. Look at the state before you try again."
# The domain's codes that are not a conflict with the state of things.
STATUS_OF_CODE = {
    "invalid": 400,
    "not_allowed": 403,
    "credential_not_for_you": 403,
    "secret_not_for_you": 403,
}


class Refused(Exception):
    """An answer that is not the wanted one, ready to be sent. ``fields`` names the inputs at fault."""

    def __init__(
        self, status: int, code: str, message: str, fields: Mapping[str, str] | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.headers = headers


def handle(error: Exception, context: Mapping[str, Any]) -> JsonResponse:
    """Every exception of an API view as an answer; Django REST framework calls it."""
    refused = error if isinstance(error, Refused) else refusal_of(error)
    if refused is None:
        request = context["request"]
        log.error("%s %s broke", request.method, request.path, exc_info=error)
        refused = Refused(500, "internal_error", BROKEN)
    body = {"error": {"code": refused.code, "message": refused.message, "fields": refused.fields}}
    # Escaped to ASCII, because a field name that was made up may hold what UTF-8 cannot.
    return JsonResponse(body, status=refused.status, headers=refused.headers)


def refusal_of(error: Exception) -> Refused | None:
    """The answer for an expected exception; ``None`` for one that nobody expected."""
    if isinstance(error, RecipeRefused) and error.problems:
        faults = {
            ".".join(map(str, ("document", *one.path))): one.sentence for one in reversed(error.problems)
        }
        return Refused(STATUS_OF_CODE.get(error.code, 409), error.code, error.sentence, faults)
    if isinstance(error, TooManyLaunches):
        return Refused(429, error.code, error.sentence, **{"Retry-After": str(error.wait_s)})
    if isinstance(error, DomainError):
        fields = {error.field: error.sentence} if error.field else {}
        return Refused(STATUS_OF_CODE.get(error.code, 409), error.code, error.sentence, fields)
    if isinstance(error, Http404 | exceptions.NotFound):
        return Refused(404, "not_found", NOT_FOUND)
    if isinstance(error, RequestDataTooBig):
        longest_kib = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        return Refused(413, "too_large", f"The body is larger than {longest_kib} KiB.")
    if isinstance(error, exceptions.ValidationError):
        return invalid(error.detail)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def invalid(detail: Any) -> Refused:
    """The first fault of each input, named by its path in the body, such as ``env.0.name``."""
    fields: dict[str, str] = {}
    for path, sentence in _flat(detail):
        fields.setdefault(path, sentence)
    whole = fields.pop("", "")
    named = ", ".join(fields)
    return Refused(400, "invalid", whole or f"Not valid: {named}.", fields)


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(filter(None, (path, step))))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}.{index}" if isinstance(inner, dict) else path)
    else:
        # The framework's own sentence quotes what was sent, which may be a secret in the wrong field.
        is_choice = getattr(detail, "code", "") == "invalid_choice"
        yield path, NO_SUCH_VALUE if is_choice else str(detail)


def _of_framework(error: exceptions.APIException) -> Refused:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    message = UNKNOWN_CALLER if isinstance(error, exceptions.NotAuthenticated) else str(error.detail)
    return Refused(error.status_code, str(error.get_codes()), message, **headers)
