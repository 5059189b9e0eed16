"""Tolerant readers for the cloud's JSON. What is optional and unreadable becomes None; nothing here guesses.

Numbers may come as text, dates as `date`, `date-time` or epoch milliseconds, anything as null (Dispersed
docs, two generations of sample pages). Text is made storable: no NUL and no lone surrogate, which databases
refuse.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from .errors import BadReply
from .keys import Secret
from .outcomes import Outcome

JsonObject = Mapping[str, object]

_OPAQUE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Programs write their zero for "not yet": the year 1, or 1970. Nothing of the cloud is so old.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_INTEGER = 2**63 - 1
_MAX_AMOUNT = Decimal(10) ** 12


def bad_reply(what: str) -> BadReply:
    """The error for an answer which is not what the documentation describes."""
    return BadReply(
        f"Dispersed sent an answer that cannot be read ({what}). Try again later.",
        code="bad_reply",
        outcome=Outcome.UNKNOWN,
    )


def load_json(body: bytes) -> object:
    """The JSON value in `body`, fractions as Decimal. Raises BadReply."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation):
        pass
    raise bad_reply("not JSON")


def is_opaque_id(value: object) -> bool:
    """Whether the value can stand as an identifier in a URL path; identifiers are otherwise opaque to us."""
    return isinstance(value, str) and _OPAQUE_ID.fullmatch(value) is not None


def json_object(value: object, what: str) -> JsonObject:
    """The value as a JSON object. Raises BadReply naming `what` it should have been."""
    if not isinstance(value, dict):
        raise bad_reply(f"a {what} that is not an object")
    return value


def required_id(data: JsonObject, name: str, what: str) -> str:
    """The identifier called `name`. Raises BadReply when there is none that can be used."""
    value = data.get(name)
    if not isinstance(value, str) or not is_opaque_id(value):
        raise bad_reply(f"a {what} without {name}")
    return value


def required_text(data: JsonObject, name: str, what: str) -> str:
    """The text called `name`, at most 64 characters. Raises BadReply when it is missing or empty."""
    value = text(data.get(name), limit=64)
    if not value:
        raise bad_reply(f"a {what} without {name}")
    return value


def text(value: object, limit: int = 5000) -> str:
    """The value as storable text of at most `limit` characters; numbers as digits, anything else as ""."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, (int, Decimal)):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return storable(value[:limit])


def storable(value: str) -> str:
    """The text without the characters that a database refuses."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list; other items are left out."""
    return tuple(text(item) for item in items(value) if isinstance(item, str))


def items(value: object) -> Sequence[object]:
    """The value if it is a list, else nothing."""
    return value if isinstance(value, list) else ()


def number(value: object) -> Decimal | None:
    """A finite number of sensible size, from a number or text; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    try:
        parsed = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        return None
    return parsed if parsed.is_finite() and abs(parsed) <= Decimal(_MAX_INTEGER) else None


def amount(value: object) -> Decimal | None:
    """An amount of money; else None."""
    parsed = number(value)
    return parsed if parsed is not None and abs(parsed) < _MAX_AMOUNT else None


def integer(value: object) -> int | None:
    """A whole number that a database can hold (a fraction is cut off); else None."""
    parsed = number(value)
    return None if parsed is None else int(parsed)


def boolean(value: object) -> bool | None:
    """True or false, also as text or 0 and 1; else None."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower())


def moment(value: object) -> datetime | None:
    """An aware UTC time from ISO 8601 text (date, or date and time) or epoch milliseconds; else None.

    Zero is None, however it is written: it is sent for "not yet". A time without a zone is UTC.
    """
    found = _moment(value)
    return found if found is not None and found >= _EARLIEST else None


def _moment(value: object) -> datetime | None:
    if isinstance(value, str) and not value.strip().isdigit():
        try:
            parsed = datetime.fromisoformat(value.strip())
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    milliseconds = integer(value)
    if not milliseconds:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def tokens(value: object) -> tuple[Secret, ...]:
    """Access tokens, which come as texts or as objects with `token` (seen in the field)."""
    found = (item.get("token") if isinstance(item, dict) else item for item in items(value))
    return tuple(Secret(storable(token)) for token in found if isinstance(token, str) and token)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
