"""Which keys may be sent where. The host is not signed, so a request sent to the wrong one could be
replayed.
"""

import ipaddress
from dataclasses import dataclass

import httpx

from .keys import KeyPair, MixedKeys

REAL_HOSTS = frozenset({"api.dispersed.com", "api.compute.x.io"})


@dataclass(frozen=True)
class Address:
    """Where the API is: `origin` is scheme, host and port, `host` the name alone."""

    origin: str
    host: str

    def url(self, path: str, query: str) -> str:
        """The full address of a path with its canonical query."""
        return f"{self.origin}{path}?{query}" if query else f"{self.origin}{path}"


def check_address(keys: KeyPair, base_url: str, *, simulated: bool) -> Address:
    """The address to use these keys with.

    Raises MixedKeys when keys and address are not both real or both simulated, ValueError when the address
    is not one: https (http for loopback and simulated ones), a host, nothing behind it.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    host = url.host.lower().rstrip(".")
    if url.scheme not in ("http", "https") or not host or url.userinfo or url.path != "/" or "?" in base_url:
        raise ValueError("The address of Dispersed must look like https://api.dispersed.com")
    if "#" in base_url:
        raise ValueError("The address of Dispersed must have no fragment.")
    _refuse_mix(keys, host, simulated=simulated)
    if url.scheme != "https" and not simulated and not _is_loopback(host):
        raise ValueError("The address of Dispersed must begin with https://, or keys and data could be read.")
    port = "" if url.port is None else f":{url.port}"
    bracketed = f"[{url.host}]" if ":" in url.host else url.host
    return Address(origin=f"{url.scheme}://{bracketed}{port}", host=host)


def _refuse_mix(keys: KeyPair, host: str, *, simulated: bool) -> None:
    if simulated and host in REAL_HOSTS:
        raise MixedKeys(f"{host} is the real Dispersed: it cannot be used as the simulated one.")
    if simulated and not keys.simulated:
        raise MixedKeys(
            "This is a real key. The simulated cloud takes only keys that begin with pk_sim_ and sk_sim_."
        )
    if not simulated and keys.simulated:
        raise MixedKeys("This key is of the simulated cloud (pk_sim_…): the real Dispersed does not know it.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
