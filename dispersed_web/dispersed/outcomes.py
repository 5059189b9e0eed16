"""What is known about a request that did not plainly succeed: ONE total table, used for every create and
cook.

There is no idempotency key (Dispersed docs, create-job), so a job must never be created again unless it is
certain that the first request did nothing. The same exception comes back whether or not the server did the
work (a reset after reading looks like a reset before reading), so almost everything here is UNKNOWN.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import httpx


class Outcome(StrEnum):
    """How certain it is that a request had no effect."""

    NOT_SENT = "not_sent"
    """It never left this machine: it may be made again."""
    REFUSED = "refused"
    """Dispersed answered that it did not do it: making it again unchanged is of no use."""
    UNKNOWN = "unknown"
    """It may have been done. Only looking can tell."""


ACCEPTED: Final = "accepted"
"""The answer of `classify_response` when the request was done."""

Verdict = Outcome | Literal["accepted"]


@dataclass(frozen=True)
class AuthShapes:
    """What a probe learned about how this key's refusals look: (HTTP status, error code), or None if not
    learned.

    `window_enforced` says whether a request with an old time is refused at all; None when that was never
    tried.
    """

    stale_time: tuple[int, str] | None = None
    reused_nonce: tuple[int, str] | None = None
    window_enforced: bool | None = None


NOT_SENT_EXCEPTIONS: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
)

# Answers of the API itself to a request it looked at and refused. 408, 409, 425, 429 are not among them: a
# gateway that sends the same bytes twice can have the first one done and the second one answered so.
REFUSING_STATUSES: Final = frozenset({400, 402, 404, 405, 413, 415, 422})
AUTH_STATUSES: Final = frozenset({401, 403})


def classify_exception(exc: BaseException) -> Outcome:
    """Whether a request that ended in this exception was provably never sent. Holds when no proxy is
    configured.
    """
    return Outcome.NOT_SENT if isinstance(exc, NOT_SENT_EXCEPTIONS) else Outcome.UNKNOWN


def classify_response(
    status: int, *, error_code: str, json_error_shape: bool, readable_uuid: bool, auth_shapes: AuthShapes
) -> Verdict:
    """What an answer to a create or cook says about its effect.

    `error_code` is `error.code` of the body or ""; `json_error_shape` says whether the body is the API's
    own JSON error; `readable_uuid` whether it names the job that was made. Never raises: what no row names
    is UNKNOWN.
    """
    if 200 <= status <= 299:
        return ACCEPTED if readable_uuid else Outcome.UNKNOWN
    if status in REFUSING_STATUSES and json_error_shape:
        return Outcome.REFUSED
    if status in AUTH_STATUSES and json_error_shape and _is_other_refusal(status, error_code, auth_shapes):
        return Outcome.REFUSED
    return Outcome.UNKNOWN


def _is_other_refusal(status: int, error_code: str, shapes: AuthShapes) -> bool:
    """Whether a 401 or 403 is certainly neither "this nonce was used" nor "this time is too old".

    Those two are what the second copy of a request that was done would get, so both must be known to compare.
    """
    if not error_code or shapes.stale_time is None or shapes.reused_nonce is None:
        return False
    return (status, error_code) not in (shapes.stale_time, shapes.reused_nonce)
