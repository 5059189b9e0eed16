"""The marker: a short word in the title, description and environment of every job that is launched here. Pure.

Creating a job has no idempotency key, so after an unclear answer the marker is what finds the job again. It is random,
not secret, and grants nothing. Its first four characters are the installation's, which keeps two installations apart
that share one account of the cloud.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PATTERN = re.compile(r"\bdw-([0-9a-hjkmnp-tv-z]{4})-([0-9a-hjkmnp-tv-z]{16})\b")
ENV_NAME = "DW_LAUNCH"
TITLE_LENGTH = 60


def new(installation_code: str) -> str:
    """A fresh marker with 80 random bits, such as ``dw-x7k2-0123456789abcdef``."""
    return f"dw-{installation_code}-" + "".join(secrets.choice(ALPHABET) for _ in range(16))


def find(texts: Iterable[str | None]) -> str | None:
    """The first marker in any of ``texts``."""
    for text in texts:
        match = PATTERN.search(text or "")
        if match:
            return match.group(0)
    return None


def is_of(marker: str, installation_code: str) -> bool:
    """Whether the marker was made by the installation with this code."""
    return marker.startswith(f"dw-{installation_code}-")


def ascii_title(title: str) -> str:
    """``title`` as the cloud gets it: ASCII, because clients differ in how they sign anything else."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    plain = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return plain[:TITLE_LENGTH].rstrip() or "Job"


def without(title: str) -> str:
    """``title`` as people wrote it, without a marker at its end."""
    return PATTERN.sub("", title).strip() or title
