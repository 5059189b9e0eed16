"""What somebody wants launched, as every door hands it to :mod:`dispersed_web.jobs.launch`. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dispersed_web.dispersed import JobSpec


@dataclass(frozen=True)
class StopChoices:
    """What the launcher chose for auto-stop inside the team's bounds; ``None`` follows the team's policy.

    ``uses_logs``: silent logs mean that the job is idle, but for lines that contain one of ``log_noise``.
    ``budget_usd`` is the most that the job may cost in all; ``rate_cap_usd`` the most per hour, without which twice the
    quoted price is stored (see :func:`rate.cap`).
    """

    idle_limit_s: int | None = None
    checkin_every_s: int | None = None
    uses_logs: bool = False
    log_noise: tuple[str, ...] = ()
    budget_usd: Decimal | None = None
    rate_cap_usd: Decimal | None = None


@dataclass(frozen=True)
class RecipeUse:
    """The recipe version that an order was made from, and what was answered to its inputs, without secrets."""

    version_id: uuid.UUID
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """What somebody wants launched. ``secret_env`` names the variables whose values are sealed and never shown again;
    ``lifetime_s`` is what the form showed, ``quoted_usd`` and ``lowest_usd`` the dearest and the cheapest fitting offer per
    hour. With ``recipe`` the domain holds it to what the recipe's author locked; with ``cook_uuid`` it is sent as
    overrides of that recipe of the cloud. ``secret_refs`` are the parts whose values are secrets of the team (see
    :mod:`secret_refs`), each with the secret's id or name."""

    title: str
    spec: JobSpec
    secret_env: frozenset[str]
    lifetime_s: int
    gpu_label: str = ""
    quoted_usd: Decimal | None = None
    choices: StopChoices = StopChoices()
    tags: tuple[str, ...] = ()
    recipe: RecipeUse | None = None
    cook_uuid: str = ""
    lowest_usd: Decimal | None = None
    secret_refs: Mapping[str, str] = field(default_factory=dict)
