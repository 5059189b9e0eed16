"""How long a launch may last: its lifetime and the ceiling above it, which no extension passes."""

from __future__ import annotations

import datetime as dt

from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cap_facts
from dispersed_web.jobs.caps import Caps
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.orders import Order
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.teams.models import Team

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


def bounds_of(
    order: Order, team: Team, credential: Credential, version: RecipeVersion | None = None
) -> tuple[int, int]:
    """The same, the ceiling held to the longest lifetime that the credential's caps allow, and to the lifetime itself
    where the recipe's author locked it, so that no extension passes them."""
    held = cap_facts.caps_of(credential)
    return lifetime_of(order, team)[0], ceiling(order, team, held, version)


def ceiling(order: Order, team: Team, held: Caps | None, version: RecipeVersion | None) -> int:
    """The ceiling alone, ``held`` being the credential's caps."""
    lifetime_s, ceiling_s = lifetime_of(order, team)
    if locks_lifetime(version):
        ceiling_s = min(ceiling_s, lifetime_s)
    most_s = held.max_lifetime_s if held else None
    return ceiling_s if most_s is None else max(min(ceiling_s, most_s), 60)


def locks_lifetime(version: RecipeVersion | None) -> bool:
    """Whether a recipe's author decided for how long its jobs live."""
    return version is not None and "lifetime_s" in Document.from_json(version.document).locked_targets()


def held_by_recipe(job: Job) -> bool:
    """Whether the author of its recipe is why the job cannot live longer than it was launched for."""
    is_held = job.ceiling_s is not None and job.ceiling_s == job.lifetime_s
    return is_held and job.task == "PERSISTENT" and locks_lifetime(job.recipe_version)
