"""Which cloud an address leads to. Pure.

Two addresses of the real one show the same jobs under the same ids, so they count as one: a job that two teams could
own would be watched twice and stopped twice.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from dispersed_web.dispersed.address import REAL_HOSTS

REAL = "dispersed"


def cloud_name(api_url: str) -> str:
    """``dispersed`` for the real one, else host and port: ``127.0.0.1:8091``."""
    parts = urlsplit(api_url)
    host = (parts.hostname or "").rstrip(".")
    if host in REAL_HOSTS:
        return REAL
    return host if parts.port is None else f"{host}:{parts.port}"
