"""Request authentication, written from the vendor's description and sharing no code with any client.

Documented: the seven-part canonical string, HMAC-SHA256 with the secret's text, a window of five minutes,
nonces that are remembered for 24 hours, status 401. Our assumption: the order of the checks (time, key,
signature, nonce), and that the server parses query and body and writes them anew before it hashes them. Where
clients in the field sign differently (space, non-ASCII text, floats) all known forms are accepted unless
`strict` names one body form.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus

from .clock import Clock
from .errors import ApiError
from .store import Store

NONCE_MEMORY_MS = 24 * 3600 * 1000
PERMISSIONS = (
    "jobs.create.own", "jobs.read.own", "jobs.cancel.own", "job_runs.read.own", "job_recipes.read.own",
    "job_recipes.cook.own", "compute.read.own", "ledger.read.own", "account.read.own",
)  # fmt: skip
READ_ONLY = tuple(name for name in PERMISSIONS if ".read." in name)


Form = TypeVar("Form", str, bytes)


@dataclass(frozen=True)
class Caller:
    """Who signed a request that passed all checks."""

    public: str
    account: str
    permissions: frozenset[str]


class AuthSettings:
    """What tests may change: the time window in seconds (None = not enforced) and the strictness.

    `strict`: None accepts every known dialect; "escaped" only ASCII-escaped bodies, "raw" only raw UTF-8
    bodies; both accept only `+` for a space in the query.
    """

    def __init__(self) -> None:
        self.window_s: float | None = 300.0
        self.strict: str | None = None


def authenticate(
    store: Store,
    clock: Clock,
    settings: AuthSettings,
    *,
    method: str,
    path: str,
    query: str,
    headers: Message,
    body: bytes,
    peer_ip: str,
) -> Caller:
    """The caller of a request. Raises ApiError 401, or 403 for a network address the key does not allow."""
    public, time_text, nonce, signature = (headers.get(name) or "" for name in _HEADERS)
    if not (public and time_text and nonce and signature):
        raise ApiError(401, "missing_auth_header", f"All of {', '.join(_HEADERS)} are required.")
    _check_time(clock, settings, time_text)
    key = _usable_key(store, clock, public)
    prefix = f"{public}|{time_text}|{nonce}|{method}|{path}|".encode()
    if not signature_fits(key["secret"], prefix, query, body, signature, settings.strict):
        raise ApiError(401, "invalid_signature", "The request signature does not match.")
    if not re.fullmatch(r"[0-9a-fA-F]{16,64}", nonce):
        raise ApiError(401, "invalid_nonce", "X-Nonce must be 32 hexadecimal characters.")
    fresh = store.run("INSERT OR IGNORE INTO nonces VALUES (?, ?, ?)", public, nonce, clock.auth_ms())
    if not fresh:
        raise ApiError(401, "nonce_reused", "X-Nonce was used before.")
    _check_address(json.loads(key["allowed_ips"]), peer_ip)
    return Caller(public, key["account"], frozenset(json.loads(key["permissions"])))


def forget_old_nonces(store: Store, clock: Clock) -> None:
    """Drop nonces older than a day, as the service documents."""
    store.run("DELETE FROM nonces WHERE seen_ms < ?", clock.auth_ms() - NONCE_MEMORY_MS)


_HEADERS = ("X-API-Key", "X-Time", "X-Nonce", "X-Signature")


def _check_time(clock: Clock, settings: AuthSettings, time_text: str) -> None:
    if not re.fullmatch(r"\d{1,16}", time_text):
        raise ApiError(401, "invalid_timestamp", "X-Time must be Unix time in milliseconds.")
    if settings.window_s is None:
        return
    if abs(clock.auth_ms() - int(time_text)) > settings.window_s * 1000:
        raise ApiError(401, "timestamp_out_of_range", "X-Time is too far from the server's time.")


def _usable_key(store: Store, clock: Clock, public: str) -> Any:
    key = store.row("SELECT * FROM api_keys WHERE public = ?", public)
    if key is None:
        raise ApiError(401, "invalid_api_key", "The API key is not known.")
    if key["is_revoked"]:
        raise ApiError(401, "api_key_revoked", "The API key was revoked.")
    if key["expires_ms"] is not None and key["expires_ms"] <= clock.auth_ms():
        raise ApiError(401, "api_key_expired", "The API key has expired.")
    return key


def _check_address(allowed: list[str], peer_ip: str) -> None:
    address = ipaddress.ip_address(peer_ip)
    if allowed and not any(address in ipaddress.ip_network(item, strict=False) for item in allowed):
        raise ApiError(403, "ip_not_allowed", "This API key may not be used from this address.")


def signature_fits(
    secret: str, prefix: bytes, query: str, body: bytes, signature: str, strict: str | None
) -> bool:
    """Whether a signature belongs to the parts before the query, the wire query and the wire body."""
    hashes = [hashlib.sha256(text).hexdigest() for text in body_forms(body, strict)]
    for query_form in query_forms(query, strict):
        for body_hash in hashes:
            message = prefix + f"{query_form}|{body_hash}".encode()
            expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
            if hmac.compare_digest(expected.encode(), signature.encode()):
                return True
    return False


def query_forms(query: str, strict: str | None = None) -> list[str]:
    """The canonical query in each known dialect.

    `+` (vendor's example), `%20`, and JavaScript's URLSearchParams.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    pairs.sort(key=lambda pair: (pair[0].encode(), pair[1].encode()))
    dialects: list[Callable[[str], str]] = (
        [quote_plus] if strict else [quote_plus, _percent, _url_search_params]
    )
    return _unique("&".join(f"{write(name)}={write(value)}" for name, value in pairs) for write in dialects)


def body_forms(body: bytes, strict: str | None = None) -> list[bytes]:
    """The canonical body in each known dialect.

    An unreadable body stands for itself; validation refuses it later.
    """
    if not body:
        return [b""]
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return [body]
    forms = {
        "escaped": [_dump(value, escape=True)],
        "raw": [_dump(value, escape=False)],
    }
    if strict:
        return forms[strict]
    plain = _as_javascript(value)
    return _unique([*forms["escaped"], *forms["raw"], _dump(plain, escape=True), _dump(plain, escape=False)])


def _dump(value: object, *, escape: bool) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=escape)
    return text.encode("utf-8", "surrogatepass")


def _as_javascript(value: Any) -> Any:
    """JavaScript knows one kind of number: 1.0 is written 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _as_javascript(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_javascript(item) for item in value]
    return value


def _percent(text: str) -> str:
    return quote(text, safe="")


def _url_search_params(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")


def _unique(items: Iterable[Form]) -> list[Form]:
    return list(dict.fromkeys(items))
