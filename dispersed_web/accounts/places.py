"""From where a person signed in before: network addresses and browsers, as digests.

A place that is new is told to the person. Wrong passwords from a known address are counted apart from all others, so that
a stranger who tries passwords cannot keep the person out.
"""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.utils.crypto import salted_hmac

from dispersed_web.accounts.models import SignInPlace, User

KEPT = dt.timedelta(days=400)


def network_of(address: str) -> str:
    """What is counted as one place: an IPv4 address, or the /64 of an IPv6 one, of which a home has them all. Empty for
    what is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_known(user_id: int | None, network: str) -> bool:
    """Whether the person signed in from the network address before. It asks the database for nobody, too."""
    digest = _digest("address", network)
    return SignInPlace.objects.filter(user_id=user_id or 0, kind="address", digest=digest).exists()


def note(user: User, network: str, browser: str, now: dt.datetime) -> bool:
    """Remembers both; says whether one of them is new for somebody who signed in before."""
    had_any = SignInPlace.objects.filter(user=user).exists()
    news = [_note(user, kind, text, now) for kind, text in (("address", network), ("browser", browser))]
    return had_any and any(news)


def prune(now: dt.datetime) -> int:
    """Forgets places that were not used for more than a year; says how many."""
    return int(SignInPlace.objects.filter(last_at__lt=now - KEPT).delete()[0])


def _note(user: User, kind: str, text: str, now: dt.datetime) -> bool:
    _, is_new = SignInPlace.objects.update_or_create(
        user=user, kind=kind, digest=_digest(kind, text), defaults={"last_at": now}
    )
    return bool(is_new)


def _digest(kind: str, text: str) -> str:
    return salted_hmac(f"place.{kind}", text, algorithm="sha256").hexdigest()
