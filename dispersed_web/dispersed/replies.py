"""From an HTTP answer, or the lack of one, to data or to the one precise error."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from . import parse
from .errors import (
    BadReply,
    DispersedError,
    NotFound,
    RateLimited,
    Rejected,
    ServerBroken,
    Unauthorized,
    Unreachable,
    clean_upstream,
)
from .outcomes import ACCEPTED, AuthShapes, Outcome, classify_response
from .parse import JsonObject
from .transport import Reply

MAYBE_DONE = (
    "The job may be running and costing money: do not start it again before it is known that it is not."
)


@dataclass(frozen=True)
class ErrorBody:
    """What an error answer says. `is_api_shape` tells the API's own JSON error from a gateway's page."""

    code: str
    message: str
    is_api_shape: bool


def read_error(body: bytes) -> ErrorBody:
    """Read an error answer. Its documented shape is `{"error": {"code", "message"}}`; never raises."""
    try:
        data = parse.load_json(body)
    except BadReply:
        return ErrorBody("", "", False)
    if not isinstance(data, dict):
        return ErrorBody("", "", False)
    inner = data.get("error")
    holder: JsonObject = inner if isinstance(inner, dict) else data
    code = parse.text(holder.get("code"), 100)
    message = parse.text(holder.get("message"), 2000) or (inner if isinstance(inner, str) else "")
    return ErrorBody(code, message, is_api_shape=isinstance(inner, dict) and bool(code or message))


def read_resource(reply: Reply, what: str) -> JsonObject:
    """The single object of a 2xx answer. Raises BadReply.

    It comes bare; one level of `data` is looked through, as the vendor's own client does.
    """
    data = parse.json_object(parse.load_json(reply.body), what)
    inner = data.get("data")
    return inner if "uuid" not in data and isinstance(inner, dict) else data


def created_uuid(reply: Reply) -> str:
    """The uuid that a 2xx answer to a create or cook names, or "" when it cannot be read. Never raises."""
    try:
        return parse.required_id(read_resource(reply, "job"), "uuid", "job")
    except BadReply:
        return ""


def error_from_reply(
    reply: Reply, *, host: str, auth_shapes: AuthShapes, creates: bool = False, secrets: Sequence[str] = ()
) -> DispersedError:
    """The error that a non-2xx answer (or, when `creates`, a 2xx one that names no job) stands for.

    `secrets` are values of the request that must not be quoted back in the sentence.
    """
    body = read_error(reply.body)
    status = reply.status
    code = clean_upstream(body.code, secrets)
    verdict = classify_response(
        status,
        error_code=body.code,
        json_error_shape=body.is_api_shape,
        readable_uuid=False,
        auth_shapes=auth_shapes,
    )
    outcome = Outcome.UNKNOWN if verdict == ACCEPTED else verdict
    said = clean_upstream(body.message or body.code, secrets)
    kind, sentence = _kind_and_sentence(status, host, said)
    if creates and outcome is Outcome.UNKNOWN:
        sentence = f"{sentence} {MAYBE_DONE}"
    return kind(sentence, code=code, status=status, outcome=outcome, retry_after_s=retry_after_s(reply))


def unreachable(host: str, *, outcome: Outcome, timed_out: bool, creates: bool) -> Unreachable:
    """The error for a request without an answer."""
    if outcome is Outcome.NOT_SENT:
        sentence = f"{host} could not be reached and nothing was sent. Check the network and try again."
        return Unreachable(sentence, code="not_sent", outcome=outcome)
    what = "did not answer in time" if timed_out else "broke the connection before it had answered"
    advice = MAYBE_DONE if creates else "Try again in a moment."
    return Unreachable(f"{host} {what}. {advice}", code="no_answer", outcome=outcome)


def too_large(host: str, longest: int, *, creates: bool) -> BadReply:
    """The error for an answer that was not read to its end."""
    megabytes = longest // (1024 * 1024)
    advice = MAYBE_DONE if creates else "Ask for less, or try again later."
    return BadReply(
        f"{host} sent more than {megabytes} MB, which is not read. {advice}",
        code="too_large",
        outcome=Outcome.UNKNOWN,
    )


def retry_after_s(reply: Reply) -> float | None:
    """Seconds that the cloud asks to wait (`Retry-After` as seconds or as a date), None when it does not."""
    value = reply.headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        return float(value[:9])
    then, now = http_date(value), http_date(reply.headers.get("date", ""))
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


def http_date(value: str) -> datetime | None:
    """The aware UTC time of an HTTP date header, None when it is not one."""
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _kind_and_sentence(status: int, host: str, said: str) -> tuple[type[DispersedError], str]:
    quoted = f" It says: {said}" if said else ""
    if status == 401:
        return Unauthorized, (
            f"{host} refused the key (401): it is wrong, revoked or expired, or our clock is off.{quoted}"
        )
    if status == 403:
        return Unauthorized, (
            f"{host} does not let this key do that (403): check its permissions and addresses.{quoted}"
        )
    if status == 404:
        return NotFound, f"{host} does not know it, or not under this key (404).{quoted}"
    if status == 429:
        return RateLimited, f"{host} asks for fewer requests (429). Try again in a minute.{quoted}"
    if status >= 500 or status in (408, 425):
        return ServerBroken, f"{host} has a fault of its own ({status}). Try again in a moment.{quoted}"
    if 400 <= status <= 499:
        return Rejected, f"{host} refused the request ({status}).{quoted or ' It gives no reason.'}"
    if 300 <= status <= 399:
        return (
            BadReply,
            f"{host} answered with a redirect ({status}), which is not followed. Check its address.",
        )
    return BadReply, f"{host} sent an answer that cannot be read ({status})."
