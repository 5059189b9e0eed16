"""How whoever runs this server calls the product's commands."""

from __future__ import annotations

from django.conf import settings


def named(command: str) -> str:
    """``command``, such as ``secrets check``, as it is typed here: ``bin/manage secrets check`` where ``bin/run`` started
    the product."""
    return f"{settings.MANAGE} {command}"
