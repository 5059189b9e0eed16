"""Which variables hold secrets, told by their names. Pure."""

from __future__ import annotations

from dispersed_web.dispersed.payload import SECRET_NAME


def looks_secret(env_name: str) -> bool:
    """Whether a variable of this name is treated as a secret unless its author says otherwise."""
    return bool(SECRET_NAME.search(env_name))
