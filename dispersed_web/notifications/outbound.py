"""Requests to addresses that people typed in: https, public addresses only, no redirects, five seconds.

The name is resolved once, every address is checked, and the connection goes to the address that was checked: a name that
points elsewhere a moment later changes nothing. The operator may allow single hosts (``DW_WEBHOOK_ALLOWED_HOSTS``).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from dispersed_web.dispersed.transport import Deadline, DeadlineTransport
from dispersed_web.public_addresses import address_of, is_public, resolve

SECONDS = 5.0
PORTS = (443, 8443)
LONGEST_URL = 2000
READ_BYTES = 4096
ADDRESSES_TRIED = 3
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
_WORD = re.compile(r"[a-z][a-z_]{2,39}")


class Failure(Exception):
    """No answer came. ``sentence`` says why, for people, without the address beyond its host."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Refused(Failure):
    """The address may not be asked, now or later. Nothing was sent."""


class NotSent(Failure):
    """Nothing was sent; it may work later."""


class InDoubt(Failure):
    """Something was sent and no answer came: it may have been taken."""


@dataclass(frozen=True)
class Target:
    """Where a checked address leads. ``trusted``: the operator allows it whatever its addresses are."""

    scheme: str
    host: str
    port: int
    path: str
    trusted: bool


@dataclass(frozen=True)
class Answer:
    """``word`` is what the server said where that is one plain word, such as Slack's ``no_service``."""

    status: int
    retry_after_s: float | None
    word: str


@sensitive_variables()
def parse(url: str) -> Target:
    """Checks an address as far as that is possible without asking anybody. Raises :class:`Refused`."""
    try:
        parts = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError):
        parts = httpx.URL("")
    host = parts.raw_host.decode("ascii").lower().rstrip(".")
    is_host = _HOST.fullmatch(host) or address_of(host)
    if not is_host or parts.scheme not in ("http", "https") or len(url) > LONGEST_URL:
        raise Refused("This is no web address. It begins with https://.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = Target(parts.scheme, host, port, parts.raw_path.decode("ascii"), trusted=_is_allowed(host, port))
    if parts.userinfo or parts.fragment:
        raise Refused("Leave out user names, passwords and what stands behind a #.")
    if not target.trusted:
        _check_public(target)
    return target


def _check_public(target: Target) -> None:
    if target.scheme != "https":
        raise Refused("It must begin with https://, or everybody on the way could read it.")
    if target.port not in PORTS:
        raise Refused("Only the ports 443 and 8443 are reached from here.")
    literal = address_of(target.host)
    if literal is not None and not is_public(literal):
        raise Refused(PRIVATE)


PRIVATE = "This address is not on the public internet. Whoever runs this installation can allow it."


def _is_allowed(host: str, port: int) -> bool:
    """Whether the operator lists this host, alone or with this port."""
    return any(name == host and only in (None, port) for name, only in settings.WEBHOOK_ALLOWED_HOSTS)


def _checked_addresses(target: Target) -> list[str]:
    """Where to connect to. One address that is not public spoils the name. Raises :class:`NotSent`, :class:`Refused`."""
    try:
        addresses = resolve(target.host, target.port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise NotSent(f"The name {target.host} was not found.")
    if not target.trusted:
        parsed = [address_of(one) for one in addresses]
        if any(one is None or not is_public(one) for one in parsed):
            raise Refused(PRIVATE)
    return addresses[:ADDRESSES_TRIED]


@sensitive_variables()
def post(
    url: str, body: bytes, seconds: float | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Sends JSON once and returns the answer, whatever its status; within ``SECONDS`` if nothing else is said.
    ``headers`` go beside those that every message has.

    Raises :class:`Refused`, :class:`NotSent` and :class:`InDoubt`.
    """
    target = parse(url)
    addresses = _checked_addresses(target)
    deadline = Deadline()
    deadline.start(SECONDS if seconds is None else seconds)
    for address in addresses:
        answer = _exchange(target, address, body, deadline, headers or {})
        if answer is not None:
            return answer
        if deadline.wrote:
            raise InDoubt(
                f"{target.host} did not answer in time or broke off: it may have taken the message."
            )
        if deadline.left_s() <= 0:
            break
    raise NotSent(f"No connection to {target.host} could be made.")


@sensitive_variables()
def _exchange(
    target: Target, address: str, body: bytes, deadline: Deadline, headers: Mapping[str, str]
) -> Answer | None:
    """One try at one address; ``None`` when it failed, and then ``deadline.wrote`` says whether anything left."""
    transport = DeadlineTransport(deadline, keep_alive=0)
    try:
        request = _request(target, address, body, deadline.left_s())
        request.headers.update(headers)
        response = transport.handle_request(request)
        try:
            text = _beginning(response)
        finally:
            response.close()
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError):
        return None
    finally:
        transport.close()
    return Answer(response.status_code, _retry_after(response.headers.get("Retry-After", "")), text)


def _request(target: Target, address: str, body: bytes, seconds: float) -> httpx.Request:
    """A request to ``address`` that names the host in its header and in TLS, whose certificate is checked for it."""
    port = "" if target.port == {"https": 443, "http": 80}[target.scheme] else f":{target.port}"
    return httpx.Request(
        "POST",
        f"{target.scheme}://{_bracketed(address)}:{target.port}{target.path}",
        headers={
            "Host": f"{_bracketed(target.host)}{port}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "dispersed-web",
        },
        content=body,
        extensions={
            "sni_hostname": target.host,
            "timeout": httpx.Timeout(max(seconds, 0.01)).as_dict(),
        },
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _beginning(response: httpx.Response) -> str:
    """The answer's one word. What is longer than we read, or breaks off, has none: the status is known already."""
    body = b""
    try:
        for piece in response.iter_raw():
            body += piece
            if len(body) > READ_BYTES:
                return ""
    except (httpx.HTTPError, httpx.StreamError, OSError):
        return ""
    text = body.decode("ascii", "replace").strip()
    return text if _WORD.fullmatch(text) else ""


def _retry_after(text: str) -> float | None:
    """Seconds from a ``Retry-After`` header, which may also name a moment."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
        seconds = (at - dt.datetime.now(dt.UTC)).total_seconds()
    return max(seconds, 0.0) if seconds == seconds else None
