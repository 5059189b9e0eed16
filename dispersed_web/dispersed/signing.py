"""How a request to Dispersed is signed (Dispersed docs, "authenticate requests"). Pure: clock and nonce are
arguments.

The signature covers `publicKey|timestamp|nonce|METHOD|pathname|queryString|bodySha256`. The host is not
covered, so a signed request must only ever be sent to a host that the operator trusts.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from .keys import KeyPair

# A JavaScript server reads larger whole numbers inexactly and would hash something else than was signed.
MAX_SAFE_INTEGER = 2**53 - 1


def canonical_body(value: object) -> bytes:
    """The JSON bytes that are hashed and sent: keys sorted, no whitespace, ASCII only (the rest escaped).

    A float without a fraction is written as a whole number, because JavaScript writes 1.0 as 1.
    Raises ValueError for NaN, infinities and numbers which languages write differently, TypeError for what
    is not JSON.
    """
    plain = _plain(value)
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """The query string that is signed and sent, without "?": sorted by name, then value, in byte order.

    A space is written "+", as the vendor's own client does; brackets and commas are percent-encoded.
    """
    ordered = sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    return urlencode(ordered)


def signature(secret_key: str, canonical: str) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of the canonical string; the key is the text of the secret key
    itself.
    """
    return hmac.new(secret_key.encode(), canonical.encode(), hashlib.sha256).hexdigest()


def canonical_request(
    public_key: str, *, method: str, path: str, query: str, body: bytes, time_ms: int, nonce: str
) -> str:
    """The seven parts, joined with "|", over which the signature is made. `body` is b"" when nothing is
    sent.
    """
    digest = hashlib.sha256(body).hexdigest()
    return "|".join((public_key, str(time_ms), nonce, method.upper(), path, query, digest))


def sign(
    keys: KeyPair, *, method: str, path: str, query: str, body: bytes, time_ms: int, nonce: str
) -> dict[str, str]:
    """The headers which prove that the holder of `keys` made this request.

    `path` starts with "/" and has no query; `query` is the canonical query; `body` the very bytes that are
    sent; `time_ms` is Unix time in milliseconds (accepted within 5 minutes of the server's); `nonce` is
    used once only, 32 hexadecimal characters. Raises ValueError when the path is not one that can be
    signed.
    """
    if not path.startswith("/") or "?" in path or "//" in path:
        raise ValueError(f"not a path that can be signed: {path!r}")
    canonical = canonical_request(
        keys.public_key, method=method, path=path, query=query, body=body, time_ms=time_ms, nonce=nonce
    )
    return {
        "X-API-Key": keys.public_key,
        "X-Time": str(time_ms),
        "X-Nonce": nonce,
        "X-Signature": signature(keys.secret_key, canonical),
    }


def _plain(value: object) -> object:
    """The value in types that have exactly one JSON text."""
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("names in a JSON object must be text")
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        raise ValueError("a whole number is too large to be sent exactly")
    return value


def _plain_float(value: float) -> float | int:
    if not math.isfinite(value):
        raise ValueError("NaN and infinity cannot be sent")
    if value.is_integer():
        if abs(value) > MAX_SAFE_INTEGER:
            raise ValueError("a whole number is too large to be sent exactly")
        return int(value)
    if "e" in repr(value):
        raise ValueError("a number is too small to be written the same way everywhere")
    return value
