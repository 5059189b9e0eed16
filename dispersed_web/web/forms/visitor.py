"""Where the reader's browser comes from, as this server sees it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest

from dispersed_web.web.client_address import client_address


@dataclass(frozen=True)
class Visitor:
    """``address`` is empty when it cannot be told; ``public`` says whether the cloud would see the same one."""

    address: str
    public: bool

    @property
    def network(self) -> str:
        """The address alone as a range: ``203.0.113.7/32``; empty unless it is public."""
        return str(ipaddress.ip_network(self.address)) if self.public else ""


def visitor(request: HttpRequest) -> Visitor:
    return classify(client_address(request))


def classify(text: str) -> Visitor:
    """Pure. An IPv4 address that is written as an IPv6 one counts as what it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return Visitor("", False)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return Visitor(str(address), False)
    return Visitor(str(address), address.is_global and not address.is_multicast)
