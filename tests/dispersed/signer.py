"""A second, independent way to sign: no json, no urllib, nothing of the package under test."""

import hashlib
import hmac

UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_text(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format(value, "d")
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return "{" + ",".join(f"{json_text(name)}:{json_text(value[name])}" for name in sorted(value)) + "}"


def _escaped(char: str) -> str:
    if char in SHORT:
        return SHORT[char]
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def query_text(pairs) -> str:
    by_name: dict[bytes, list[bytes]] = {}
    for name, value in pairs:
        by_name.setdefault(name.encode(), []).append(value.encode())
    return "&".join(
        f"{_quoted(name)}={_quoted(value)}" for name in sorted(by_name) for value in sorted(by_name[name])
    )


def _quoted(data: bytes) -> str:
    return "".join("+" if b == 32 else chr(b) if b in UNRESERVED else f"%{b:02X}" for b in data)


def signature(public, secret, *, time_ms, nonce, method, path, query, body: bytes) -> str:
    text = f"{public}|{time_ms}|{nonce}|{method}|{path}|{query}|{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
