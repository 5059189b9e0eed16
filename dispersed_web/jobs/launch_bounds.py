"""How long a launch may last: its lifetime and the ceiling above it, which no extension passes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cap_facts
from dispersed_web.teams.models import Team

if TYPE_CHECKING:
    from dispersed_web.jobs.launch import Order

BATCH_MARGIN = dt.timedelta(minutes=15)


def lifetime_of(order: Order, team: Team) -> tuple[int, int]:
    """(lifetime, ceiling) in seconds. A BATCH job has the cloud's own limit; ours stands behind it with a margin."""
    if order.spec.task == "PERSISTENT":
        return order.lifetime_s, team.max_lifetime_s
    spec = order.spec
    once_ms = (spec.max_timeout_start_ms or 300_000) + (spec.max_timeout_run_ms or 0)
    tries = 1 + (spec.max_retry_count or 0)
    whole_ms = (spec.max_timeout_assign_ms or 300_000) + once_ms * tries
    whole_s = whole_ms // 1000 + int(BATCH_MARGIN.total_seconds())
    return whole_s, whole_s


def bounds_of(order: Order, team: Team, credential: Credential) -> tuple[int, int]:
    """The same, the ceiling held to the longest lifetime that the credential's caps allow, so that no extension passes
    it."""
    lifetime_s, ceiling_s = lifetime_of(order, team)
    caps = cap_facts.caps_of(credential)
    most_s = caps.max_lifetime_s if caps else None
    return lifetime_s, ceiling_s if most_s is None else max(min(ceiling_s, most_s), 60)
