"""From which address a request comes: the one place that reads ``X-Forwarded-For``."""

from __future__ import annotations

import ipaddress

from allauth.core.internal.httpkit import clean_client_ip
from django.conf import settings
from django.http import HttpRequest

# An address that nobody has, where one must be written down
UNKNOWN = "0.0.0.0"  # noqa: S104


def client_address(request: HttpRequest) -> str:
    """The client's address, empty when it cannot be told (a socket of this machine).

    Only with a proxy in front (``DW_BEHIND_PROXY``) the header counts, and of it the last entry: the proxy wrote that one,
    those before it anybody could.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        text = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip() or text
    return _plain(clean_client_ip(text) or "")


def _plain(address: str) -> str:
    """An IPv4 address that is written as an IPv6 one counts as what it is."""
    if ":" in address:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
        return str(mapped) if mapped else address
    return address
