"""The caps of the chosen credential in the launch form: what is left of them, and beside the field what they forbid. The
domain has the last word, when the launch is asked for and when it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from dispersed_web.credentials.models import Credential
from dispersed_web.jobs import cap_facts, caps, market
from dispersed_web.jobs.caps import Caps, Counts
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.launch_bounds import lifetime_of
from dispersed_web.jobs.refusal import Refusal
from dispersed_web.web.forms.budget_left import BudgetLeft
from dispersed_web.web.forms.order import spec_of, wish_of
from dispersed_web.web.forms.quote import gpu_choices
from dispersed_web.web.words import money, rate

# Of what was not typed yet nothing is said.
TYPED = ("image", "task")

if TYPE_CHECKING:
    from dispersed_web.web.forms.launch import LaunchForm


def faults(form: LaunchForm, data: Mapping[str, Any]) -> list[Refusal]:
    """Everything in ``data``, which may be half filled, that a cap of the chosen credential forbids."""
    credential = form.chosen_credential
    held = cap_facts.caps_of(credential) if credential else None
    if credential is None or held is None:
        return []
    spec = spec_of(data, {}, form.volumes())
    order = Order("", spec, frozenset(), data.get("lifetime") or form.team.default_lifetime_s)
    usd = _price(form, data, credential) if held.max_hourly_usd is not None else None
    lasts_s, _ = lifetime_of(order, form.team)
    asked = cap_facts.of_spec(spec, credential, usd, lasts_s)(held)
    found = caps.against_the_order(held, asked)
    return [one for one in found if data.get(one.field) or one.field not in TYPED]


def _price(form: LaunchForm, data: Mapping[str, Any], credential: Credential) -> Decimal | None:
    choices = gpu_choices(market.of(credential), dict(data))
    highest = market.hourly_range_usd(wish_of(data), choices)[1]
    chosen: Decimal | None = data.get("rate_cap_usd")
    return highest if highest is not None else chosen


def left(credential: Credential | None, now: dt.datetime) -> list[BudgetLeft]:
    """What is left of the caps that count what runs and what was spent."""
    held = cap_facts.caps_of(credential) if credential else None
    if credential is None or held is None:
        return []
    keys = cap_facts.lineage(credential)
    return list(_left(credential.name, held, cap_facts.counts(credential, held, keys, now, Q())))


def _left(name: str, held: Caps, counts: Counts) -> Iterator[BudgetLeft]:
    if held.max_active_jobs is not None:
        free = max(held.max_active_jobs - counts.active_jobs, 0)
        yield BudgetLeft(f"Jobs at once with {name}", str(free), str(held.max_active_jobs), free == 0)
    if held.max_hourly_usd is not None:
        rest = max(held.max_hourly_usd - counts.burning_usd, Decimal(0))
        yield BudgetLeft(f"Per hour with {name}", money(rest), rate(held.max_hourly_usd), rest == 0)
    for limit, spent, when in (
        (held.max_day_usd, counts.day, "Today"),
        (held.max_month_usd, counts.month, "This month"),
    ):
        if limit is not None and spent is not None:
            rest = max(limit - spent.usd, Decimal(0))
            yield BudgetLeft(f"{when} with {name}", money(rest), money(limit), rest * 5 <= limit)
